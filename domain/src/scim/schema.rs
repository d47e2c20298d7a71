//! The schemas Rollcall knows (RFC 7643), and what it knows of each attribute.

use super::schema_user;

/// Schema of the core user.
pub const USER_URN: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
/// Schema of the core group.
pub const GROUP_URN: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
/// Schema of the enterprise extension of a user (RFC 7643 section 4.3).
pub const ENTERPRISE_URN: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
/// What the URNs of core schemas begin with: no extension can be called so.
pub(super) const CORE_PREFIX: &str = "urn:ietf:params:scim:schemas:core:";

/// The kinds of resource (RFC 7643 section 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ResourceKind {
    /// A user.
    User,
    /// A group.
    Group,
}

impl ResourceKind {
    /// All kinds.
    pub const ALL: [ResourceKind; 2] = [ResourceKind::User, ResourceKind::Group];

    /// The endpoint relative to the base URL, such as `/Users`.
    pub fn endpoint(self) -> &'static str {
        match self {
            ResourceKind::User => "/Users",
            ResourceKind::Group => "/Groups",
        }
    }

    /// The name, as `meta.resourceType` has it.
    pub fn name(self) -> &'static str {
        match self {
            ResourceKind::User => "User",
            ResourceKind::Group => "Group",
        }
    }

    /// The URN of the core schema.
    pub fn schema_urn(self) -> &'static str {
        self.schema().urn
    }

    /// The core schema.
    pub fn schema(self) -> &'static Schema {
        match self {
            ResourceKind::User => &schema_user::USER,
            ResourceKind::Group => &GROUP,
        }
    }

    /// The extensions Rollcall knows; others are kept as sent.
    pub fn extensions(self) -> &'static [&'static Schema] {
        match self {
            ResourceKind::User => schema_user::EXTENSIONS,
            ResourceKind::Group => &[],
        }
    }

    /// A core or common attribute, by a name in any case.
    pub fn attribute(self, name: &str) -> Option<&'static AttributeDef> {
        find(COMMON, name).or_else(|| self.schema().attribute(name))
    }

    /// A known extension, by a URN in any case.
    pub fn extension(self, urn: &str) -> Option<&'static Schema> {
        self.extensions().iter().copied().find(|s| s.urn.eq_ignore_ascii_case(urn))
    }
}

/// A schema: a URN and its attributes.
#[derive(Debug)]
pub struct Schema {
    /// The URN.
    pub urn: &'static str,
    /// The name for people.
    pub name: &'static str,
    /// What it describes.
    pub description: &'static str,
    /// Its attributes.
    pub attributes: &'static [AttributeDef],
}

impl Schema {
    /// An attribute, by a name in any case.
    pub fn attribute(&self, name: &str) -> Option<&'static AttributeDef> {
        find(self.attributes, name)
    }
}

fn find(defs: &'static [AttributeDef], name: &str) -> Option<&'static AttributeDef> {
    defs.iter().find(|d| d.name.eq_ignore_ascii_case(name))
}

/// The type of an attribute (RFC 7643 section 2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttributeType {
    /// Text.
    String,
    /// True or false.
    Boolean,
    /// An instant, RFC 3339.
    DateTime,
    /// Base64.
    Binary,
    /// A URI.
    Reference,
    /// Sub-attributes.
    Complex,
}

impl AttributeType {
    /// The word in a schema (RFC 7643 section 7).
    pub fn as_str(self) -> &'static str {
        match self {
            AttributeType::String => "string",
            AttributeType::Boolean => "boolean",
            AttributeType::DateTime => "dateTime",
            AttributeType::Binary => "binary",
            AttributeType::Reference => "reference",
            AttributeType::Complex => "complex",
        }
    }
}

/// When an attribute may be written (RFC 7643 section 7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutability {
    /// By us only.
    ReadOnly,
    /// At any time.
    ReadWrite,
    /// Once.
    Immutable,
}

impl Mutability {
    /// The word in a schema.
    pub fn as_str(self) -> &'static str {
        match self {
            Mutability::ReadOnly => "readOnly",
            Mutability::ReadWrite => "readWrite",
            Mutability::Immutable => "immutable",
        }
    }
}

/// When an attribute is part of an answer (RFC 7643 section 7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Returned {
    /// Whatever was asked for.
    Always,
    /// Unless it was left out or others were asked for.
    Default,
}

impl Returned {
    /// The word in a schema.
    pub fn as_str(self) -> &'static str {
        match self {
            Returned::Always => "always",
            Returned::Default => "default",
        }
    }
}

/// Whether two resources may have the same value (RFC 7643 section 7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Uniqueness {
    /// They may.
    None,
    /// Not in one organization.
    Server,
    /// Nowhere.
    Global,
}

impl Uniqueness {
    /// The word in a schema.
    pub fn as_str(self) -> &'static str {
        match self {
            Uniqueness::None => "none",
            Uniqueness::Server => "server",
            Uniqueness::Global => "global",
        }
    }
}

/// What is known of an attribute or sub-attribute (RFC 7643 section 7).
#[derive(Clone, Copy, Debug)]
pub struct AttributeDef {
    /// The name, in the schema's case.
    pub name: &'static str,
    /// The type.
    pub kind: AttributeType,
    /// An array of values rather than one.
    pub multi_valued: bool,
    /// A resource always has it.
    pub required: bool,
    /// Upper and lower case differ.
    pub case_exact: bool,
    /// What nobody sees at the ends of a value does not count where values are equal or in order.
    pub ends_ignored: bool,
    /// When it may be written.
    pub mutability: Mutability,
    /// When it is part of an answer.
    pub returned: Returned,
    /// Whether two resources may have the same value.
    pub uniqueness: Uniqueness,
    /// Usual values; others are accepted.
    pub canonical_values: &'static [&'static str],
    /// What a reference may point to.
    pub reference_types: &'static [&'static str],
    /// What it is, for people.
    pub description: &'static str,
    /// The sub-attributes of a complex attribute.
    pub sub_attributes: &'static [AttributeDef],
    /// What people are called: no text of any length.
    pub is_name: bool,
    /// Part of what `/Schemas` says. Microsoft's validator refuses schemas with some attributes of
    /// RFC 7643, which are kept and returned all the same.
    pub advertised: bool,
}

impl AttributeDef {
    /// A sub-attribute, by a name in any case.
    pub fn sub(&self, name: &str) -> Option<&'static AttributeDef> {
        find(self.sub_attributes, name)
    }

    /// True if clients cannot write it.
    pub fn is_read_only(&self) -> bool {
        self.mutability == Mutability::ReadOnly
    }

    /// True for an attribute with sub-attributes.
    pub fn is_complex(&self) -> bool {
        self.kind == AttributeType::Complex
    }

    const fn new(name: &'static str, kind: AttributeType, description: &'static str) -> Self {
        Self {
            name,
            kind,
            multi_valued: false,
            required: false,
            case_exact: false,
            mutability: Mutability::ReadWrite,
            returned: Returned::Default,
            uniqueness: Uniqueness::None,
            ends_ignored: false,
            canonical_values: &[],
            reference_types: &[],
            description,
            sub_attributes: &[],
            is_name: false,
            advertised: true,
        }
    }

    pub(super) const fn string(name: &'static str, description: &'static str) -> Self {
        Self::new(name, AttributeType::String, description)
    }

    pub(super) const fn boolean(name: &'static str, description: &'static str) -> Self {
        Self::new(name, AttributeType::Boolean, description)
    }

    pub(super) const fn binary(name: &'static str, description: &'static str) -> Self {
        Self::new(name, AttributeType::Binary, description).exact()
    }

    pub(super) const fn date_time(name: &'static str, description: &'static str) -> Self {
        Self::new(name, AttributeType::DateTime, description)
    }

    pub(super) const fn reference(name: &'static str, to: &'static [&'static str], description: &'static str) -> Self {
        let mut def = Self::new(name, AttributeType::Reference, description).exact();
        def.reference_types = to;
        def
    }

    pub(super) const fn complex(name: &'static str, sub: &'static [AttributeDef], description: &'static str) -> Self {
        let mut def = Self::new(name, AttributeType::Complex, description);
        def.sub_attributes = sub;
        def
    }

    pub(super) const fn many(mut self) -> Self {
        self.multi_valued = true;
        self
    }

    pub(super) const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    pub(super) const fn exact(mut self) -> Self {
        self.case_exact = true;
        self
    }

    pub(super) const fn mutable(mut self, mutability: Mutability) -> Self {
        self.mutability = mutability;
        self
    }

    pub(super) const fn always(mut self) -> Self {
        self.returned = Returned::Always;
        self
    }

    pub(super) const fn ignoring_ends(mut self) -> Self {
        self.ends_ignored = true;
        self
    }

    pub(super) const fn unique(mut self, uniqueness: Uniqueness) -> Self {
        self.uniqueness = uniqueness;
        self
    }

    pub(super) const fn usual(mut self, values: &'static [&'static str]) -> Self {
        self.canonical_values = values;
        self
    }

    pub(super) const fn name(mut self) -> Self {
        self.is_name = true;
        self
    }

    pub(super) const fn hidden(mut self) -> Self {
        self.advertised = false;
        self
    }
}

const META: &[AttributeDef] = &[
    AttributeDef::string("resourceType", "The kind of resource.").exact().mutable(Mutability::ReadOnly),
    AttributeDef::date_time("created", "When the resource came to be.").mutable(Mutability::ReadOnly),
    AttributeDef::date_time("lastModified", "When the resource last changed.").mutable(Mutability::ReadOnly),
    AttributeDef::reference("location", &["uri"], "The URL of the resource.").mutable(Mutability::ReadOnly),
    AttributeDef::string("version", "The version, as in the ETag header.").exact().mutable(Mutability::ReadOnly),
];

/// `externalId` is common to all resources (RFC 7643 section 3.1) and yet advertised with each
/// schema: Microsoft's gallery tests look there for every attribute that is mapped.
pub(super) const EXTERNAL_ID: AttributeDef = AttributeDef::string("externalId", "The identifier the client has for the resource.").exact();

/// Attributes every resource has (RFC 7643 section 3.1), and `schemas`.
static COMMON: &[AttributeDef] = &[
    AttributeDef::reference("schemas", &["uri"], "The schemas of the attributes that are there.")
        .many()
        .required()
        .mutable(Mutability::ReadOnly)
        .always(),
    AttributeDef::string("id", "Rollcall's identifier of the resource.")
        .exact()
        .mutable(Mutability::ReadOnly)
        .always()
        .unique(Uniqueness::Global),
    AttributeDef::complex("meta", META, "What Rollcall says about the resource.").mutable(Mutability::ReadOnly),
];

const MEMBER: &[AttributeDef] = &[
    AttributeDef::string("value", "The id of the member.").exact().mutable(Mutability::Immutable),
    AttributeDef::reference("$ref", &["User", "Group"], "The URL of the member.").mutable(Mutability::Immutable),
    AttributeDef::string("type", "Whether the member is a user or a group.").mutable(Mutability::Immutable).usual(&["User", "Group"]),
];

static GROUP: Schema = Schema {
    urn: GROUP_URN,
    name: "Group",
    description: "Group",
    attributes: &[
        EXTERNAL_ID,
        AttributeDef::string("displayName", "The name of the group.").name().required().unique(Uniqueness::Server),
        AttributeDef::complex("members", MEMBER, "The users and groups that belong to the group.").many(),
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_any_case() {
        assert_eq!(ResourceKind::User.attribute("USERNAME").map(|d| d.name), Some("userName"));
        assert_eq!(ResourceKind::User.attribute("emails").and_then(|d| d.sub("Value")).map(|d| d.name), Some("value"));
        assert!(ResourceKind::User.attribute("members").is_none());
        assert!(ResourceKind::User.attribute("password").is_none());
        assert!(ResourceKind::Group.extension(ENTERPRISE_URN).is_none());
    }

    #[test]
    fn the_few_attributes_whose_case_counts() {
        let exact = |kind: ResourceKind, name| kind.attribute(name).is_some_and(|d| d.case_exact);
        assert!(exact(ResourceKind::User, "id") && exact(ResourceKind::User, "externalId"));
        assert!(!exact(ResourceKind::User, "userName") && !exact(ResourceKind::Group, "displayName"));
    }
}
