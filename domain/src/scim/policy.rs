//! What one SCIM connection asks of its client, beyond what is read by default.

use super::error::{Rule, ScimError, quoted};
use super::resource_kind::ResourceKind;
use serde::{Deserialize, Serialize};

/// The choices of one connection. The default is what Entra needs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Keep the rules of the SCIM interoperability profile and of IPSIE AL that Entra's habits
    /// break ([`StrictRule`]): what breaks one is refused.
    #[serde(default)]
    pub strict: bool,
    /// Read a `replace` of some members as `add`: a client that means "add" by it would empty
    /// groups (RFC 7644 section 3.5.2.3 says that it replaces).
    #[serde(default)]
    pub members_replace_adds: bool,
}

macro_rules! strict_rules {
    ($($(#[$doc:meta])* $rule:ident = $name:literal, $sentence:literal;)*) => {
        /// A rule of the SCIM interoperability profile (draft-zollner-scim-interop-profile) and of
        /// the IPSIE AL SCIM 2.0 profile that clients such as Entra break, and that a strict
        /// connection keeps.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum StrictRule { $($(#[$doc])* $rule,)* }

        impl StrictRule {
            /// All of them.
            pub const ALL: &[StrictRule] = &[$(StrictRule::$rule,)*];

            /// The stable name.
            pub fn as_str(self) -> &'static str {
                match self { $(StrictRule::$rule => $name,)* }
            }

            /// What it asks, for people.
            pub fn sentence(self) -> &'static str {
                match self { $(StrictRule::$rule => $sentence,)* }
            }
        }
    };
}

strict_rules! {
    /// 400 `invalidSyntax`.
    KnownSchemas = "known-schemas",
        "every schema URI that is named, or that an object stands under, is one that /Schemas has";
    /// 400 `invalidPath`.
    PathNeeded = "path-needed",
        "each operation of a PATCH names its path";
    /// 400 `invalidPath`.
    SubAttributeNeeded = "sub-attribute-needed",
        "a path that chooses among values, such as emails[type eq \"work\"], names the sub-attribute to add or replace";
    /// Applied otherwise, not refused.
    ReplaceIsWhole = "replace-is-whole",
        "replace of a complex attribute replaces all of it, and does not merge";
    /// 400 `invalidSyntax`.
    UnknownAttribute = "unknown-attribute",
        "an attribute that no schema has is invalidSyntax in a path, too";
    /// 400 `invalidValue`.
    NoPassword = "no-password",
        "no password is sent";
}

impl StrictRule {
    /// The refusal of what breaks this rule. `what` says where and what to do.
    pub(super) fn refusal(self, error: ScimError) -> ScimError {
        let detail = format!("{} (this connection is strict: {})", error.detail, self.sentence());
        ScimError { detail, ..error }.of_rule(Rule::Strict)
    }
}

impl Policy {
    /// Refuses what breaks a rule, if this connection is strict.
    pub(super) fn keep(
        &self,
        rule: StrictRule,
        broken: impl FnOnce() -> ScimError,
    ) -> Result<(), ScimError> {
        if self.strict { Err(rule.refusal(broken())) } else { Ok(()) }
    }

    /// Refuses a schema that a kind of resource does not have, if this connection is strict.
    pub(super) fn know_schema(
        &self,
        kind: ResourceKind,
        urn: Option<&str>,
    ) -> Result<(), ScimError> {
        match urn {
            Some(urn)
                if kind.extension(urn).is_none()
                    && !kind.schema_urn().eq_ignore_ascii_case(urn) =>
            {
                self.unknown_schema(urn)
            }
            _ => Ok(()),
        }
    }

    /// Refuses a schema that is not known, if this connection is strict.
    pub(super) fn unknown_schema(&self, urn: &str) -> Result<(), ScimError> {
        self.keep(StrictRule::KnownSchemas, || {
            ScimError::invalid_syntax(format!("{} is no schema that is known here", quoted(urn)))
        })
    }
}
