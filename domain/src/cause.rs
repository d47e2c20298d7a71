//! Why requests fail, in a few stable words, and what to do about each.
//!
//! Only the words: what tells the cause of an error or an exchange is in [`crate::failure`], which
//! stands above both.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Where something is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In Entra, beside the mapping.
    Entra,
    /// In Entra's attribute mapping.
    Mapping,
    /// In Rollcall.
    Here,
    /// Nowhere: it heals by itself.
    Nowhere,
}

impl Place {
    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Place::Entra => "entra",
            Place::Mapping => "mapping",
            Place::Here => "here",
            Place::Nowhere => "nowhere",
        }
    }
}

macro_rules! causes {
    ($($(#[$doc:meta])* $cause:ident = $name:literal, $place:ident, $words:literal, $next:literal;)*) => {
        /// Why a request failed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Cause { $($(#[$doc])* $cause,)* }

        impl Cause {
            /// All causes.
            pub const ALL: &[Cause] = &[$(Cause::$cause,)*];

            /// The stable name.
            pub fn as_str(self) -> &'static str {
                match self { $(Cause::$cause => $name,)* }
            }

            /// Where something is to be done.
            pub fn place(self) -> Place {
                match self { $(Cause::$cause => Place::$place,)* }
            }

            /// What happened, for people.
            pub fn words(self) -> &'static str {
                match self { $(Cause::$cause => $words,)* }
            }

            /// What to do next.
            pub fn next_step(self) -> &'static str {
                match self { $(Cause::$cause => $next,)* }
            }
        }
    };
}

causes! {
    /// 401
    TokenRefused = "token-refused", Entra,
        "the bearer token is missing, unknown, expired or revoked",
        "issue a token (rollcall scim token issue), paste it into Secret Token under Provisioning, test the connection and save";
    /// 409 `uniqueness`
    NameTaken = "name-taken", Entra,
        "another resource has this userName or displayName already",
        "find the holder that the message names: delete it if it is left over, or give one of the two another name in Entra; then provision on demand";
    /// 400: a member that is not there.
    MemberUnknown = "member-unknown", Entra,
        "a member of the group is not provisioned",
        "assign the member to the application, or put it in scope; Entra adds it to the group once it exists";
    /// 404 on a change.
    ResourceUnknown = "resource-unknown", Entra,
        "Entra changes a resource that is not here: it was deleted, or belongs to another tenant URL",
        "restart provisioning in Entra, so that it matches all resources anew";
    /// 400 `invalidPath`
    AttributeUnknown = "attribute-unknown", Mapping,
        "the mapping sends an attribute that no schema has",
        "remove or correct the target attribute in the attribute mapping";
    /// 400: a password.
    PasswordSent = "password-sent", Mapping,
        "the mapping sends a password",
        "remove the mapping to password";
    /// 400 `mutability`
    ReadOnly = "read-only", Mapping,
        "the mapping writes an attribute that cannot be written or removed",
        "remove the attribute from the mapping, or map it from something that always has a value";
    /// 400 `noTarget`
    NoTarget = "no-target", Mapping,
        "the request removes or replaces something that is not there",
        "look at the path in the message and correct the mapping; provision on demand then";
    /// 400 `invalidFilter`
    FilterUnreadable = "filter-unreadable", Mapping,
        "the matching query cannot be read",
        "choose userName, externalId or displayName as matching attribute";
    /// 400: a shape the decoder does not know.
    ShapeUnknown = "shape-unknown", Here,
        "the request has a shape that this version does not know",
        "keep the exchange (rollcall bundle export --pseudonymise) and report it; after an upgrade, rollcall replay apply submits it again";
    /// 400 `invalidSyntax`
    Malformed = "malformed", Here,
        "the request is not well formed",
        "if a proxy stands before Rollcall, see whether it changes or cuts bodies; else report the exchange";
    /// 400, or 408: not all of the body arrived.
    BodyCutOff = "body-cut-off", Here,
        "the body of the request did not arrive whole",
        "see whether the network or a proxy before Rollcall cuts or delays bodies; Entra sends the request again";
    /// 400 `invalidValue`
    ValueUnusable = "value-unusable", Mapping,
        "an attribute has a value that cannot be used",
        "correct the value in Entra, or the expression in the mapping; provision on demand then";
    /// 412
    VersionDiffers = "version-differs", Nowhere,
        "the resource had changed since the client read it",
        "nothing: the client reads it again";
    /// 413
    TooLarge = "too-large", Here,
        "the request is larger than this server accepts",
        "raise --max-body-bytes, --max-members or --max-bulk-operations";
    /// 429
    TooFast = "too-fast", Nowhere,
        "more requests came than the rate limit admits",
        "nothing, Entra comes back; raise --rate-limit if it happens often";
    /// 503, on purpose.
    SwitchedOff = "switched-off", Here,
        "the organization or its SCIM connection was switched off, or its directory was being repaired",
        "rollcall scim enable or rollcall org enable; for a stopped view see rollcall views status. Entra sends again what it could not send";
    /// 5xx: our own trouble.
    ServerTrouble = "server-trouble", Here,
        "the server could not answer",
        "see the server's log and /readyz; Entra sends the request again";
    /// 404, 405, 501 and the like: nothing that this server offers.
    NotOffered = "not-offered", Entra,
        "the request asks for something this server does not offer",
        "check the tenant URL: it ends in /scim/v2";
    /// A create that repeats one which has just succeeded.
    Duplicate = "duplicate", Nowhere,
        "the request was sent twice: the first of the two has created the resource just as this one asks",
        "nothing: what was asked for is there, and deleting it would delete the right one";
    /// Operations of a bulk request that were not carried out, because of `failOnErrors`.
    LeftUndone = "left-undone", Here,
        "a bulk request was to end somebody's access and stopped before it did, because operations before had failed",
        "look at the operations that failed (rollcall exchanges list), then send what was left undone again";
    /// Anything else.
    Unclear = "unclear", Here,
        "the request was refused",
        "read the message of the exchange (rollcall exchanges show)";
}

impl Cause {
    /// Reads the stable name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|c| c.as_str() == name)
    }
}

impl Serialize for Cause {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Cause {
    /// A name that this version does not know is unclear: the exchange itself stays readable.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Ok(Cause::parse(&name).unwrap_or(Cause::Unclear))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_stable_and_every_cause_tells_what_to_do() {
        let names: BTreeSet<&str> = Cause::ALL.iter().map(|c| c.as_str()).collect();
        assert_eq!(names.len(), Cause::ALL.len());
        for cause in Cause::ALL {
            assert_eq!(Cause::parse(cause.as_str()), Some(*cause));
            assert!(
                !cause.words().is_empty()
                    && !cause.next_step().is_empty()
                    && !cause.place().as_str().is_empty()
            );
        }
    }
}
