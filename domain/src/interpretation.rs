//! Liberties taken to read a request, by name.

use serde::{Deserialize, Serialize};

/// One liberty taken to read a request. The names are stable: they are kept with the exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reading {
    /// `"True"` or `"false"` where the schema has a boolean.
    StringBoolean,
    /// `Add`, `REPLACE`: an operation name that is not lower case.
    OperationCase,
    /// An attribute name in another case than the schema's.
    AttributeCase,
    /// `remove` on `members` with a value: removes those members, not all (RFC 7644 would empty the
    /// group).
    MemberRemovalByValue,
    /// A member given as a bare string instead of `{"value": ...}`.
    MemberAsString,
    /// A dotted or URN-qualified key inside a value object, read as a path.
    KeyAsPath,
    /// A value path that matched nothing, created from its filter (RFC 7644 says `noTarget`).
    ValuePathCreated,
    /// `manager` as a bare string.
    ManagerAsString,
    /// `manager` as a one-element array.
    ManagerAsArray,
    /// An enterprise attribute without its schema URN.
    EnterpriseUnqualified,
    /// `...:2.0:User.manager`: a dot where the schema URN ends.
    UrnWithDot,
    /// An empty string or null, read as unassigned.
    EmptyAsUnassigned,
    /// A filter such as `emails[type eq "work"].value eq "x"`, which RFC 7644's grammar does not
    /// have.
    ValuePathComparison,
    /// A boolean compared with a string in a filter.
    StringBooleanInFilter,
    /// One object where the schema has an array.
    SingleAsArray,
    /// A one-element array where the schema has one value.
    ArrayAsSingle,
    /// A number or boolean where the schema has a string.
    ScalarAsString,
    /// A schema URN in `schemas` that is not known; extensions are derived from the keys.
    UnknownSchemaIgnored,
    /// A read-only attribute in a POST or PUT, ignored as RFC 7644 section 3.3 says.
    ReadOnlyIgnored,
    /// A top-level key of the PATCH body that means nothing there.
    StrayKeyIgnored,
    /// `schemas` missing from the body.
    SchemasMissing,
    /// An unknown query parameter, ignored.
    UnknownParameter,
    /// Doubled slashes in the path, read as one.
    DoubledSlash,
    /// `remove` of something that is not there.
    RemoveAbsent,
    /// `replace` on a single `primary` cleared it on the siblings.
    PrimaryMoved,
    /// A body sent without a SCIM or JSON content type.
    ContentType,
    /// `add` of null, an empty text, array or object: nothing is added, and nothing is taken away
    /// (RFC 7644 section 3.5.2.1).
    AddOfNothing,
    /// `remove` or `replace` of members with null, an empty text or object, or `remove` with an
    /// empty array: nobody is removed.
    RemovalOfNobody,
    /// A password, which is kept nowhere (RFC 7643 section 4.1.1: it is write-only).
    PasswordDropped,
    /// A read-only attribute at its present value: nothing would be modified (RFC 7644 section
    /// 3.5.2).
    ReadOnlyUnchanged,
    /// A sub-attribute by a name that Entra has for it, such as `displayName` for a role's
    /// `display`.
    SubAttributeAlias,
    /// `"operation": "delete"` in a value: SCIM 1's way to take that value away.
    DeletionMark,
    /// A value of which nothing is said but what it would be for: it is not kept.
    EmptyElementDropped,
    /// `replace` of members that took more than half of a group of more than ten away.
    MostMembersReplaced,
    /// `replace` of members read as `add`, as the connection's policy says.
    MembersReplaceAsAdd,
    /// A filter in brackets on an attribute with one value, held against that one.
    SingleValueFilter,
    /// A path with encoded characters, decoded once (RFC 3986 section 2.1).
    PathDecoded,
    /// An endpoint by a name in another case than RFC 7644 section 3.2 has it.
    EndpointCase,
    /// `attributes` or `excludedAttributes` in two parts, joined.
    ParametersJoined,
    /// `"Operations": []`: a change of nothing.
    NoOperations,
}

impl Reading {
    /// The stable name, as it is kept with exchanges.
    pub fn name(self) -> String {
        serde_json::to_value(self)
            .ok()
            .and_then(|v| v.as_str().map(str::to_owned))
            .unwrap_or_default()
    }

    /// Reads the stable name.
    pub fn parse(name: &str) -> Option<Self> {
        serde_json::from_value(serde_json::Value::from(name)).ok()
    }
}

/// One liberty taken, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interpretation {
    /// Which liberty.
    pub reading: Reading,
    /// Where in the request: an attribute path, a parameter, an operation. Never a value.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub at: String,
}

/// The interpretations gathered while one request is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes(Vec<Interpretation>);

impl Notes {
    /// At most this many are kept; a request with more is a dialect of its own.
    pub const LIMIT: usize = 100;

    /// Notes one liberty; the same one at the same place is noted once.
    pub fn note(&mut self, reading: Reading, at: impl Into<String>) {
        let at = at.into();
        if self.0.len() < Self::LIMIT && !self.0.iter().any(|i| i.reading == reading && i.at == at)
        {
            self.0.push(Interpretation { reading, at });
        }
    }

    /// All that was noted, in order.
    pub fn list(&self) -> &[Interpretation] {
        &self.0
    }

    /// All that was noted, in order.
    pub fn into_list(self) -> Vec<Interpretation> {
        self.0
    }

    /// Adds what another reading of the same request noted.
    pub fn merge(&mut self, other: Notes) {
        for i in other.0 {
            self.note(i.reading, i.at);
        }
    }
}
