//! The answer to a request that cannot be served (RFC 7644 section 3.12).

use super::secret::tellable;
use crate::cause::Cause;
use crate::ids::ResourceId;
use serde_json::{Value, json};

/// The schema of an error body.
pub const ERROR_URN: &str = "urn:ietf:params:scim:api:messages:2.0:Error";

/// What went wrong, in the words of RFC 7644 section 3.12 and RFC 9865 section 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ScimType {
    /// The filter, or the filter in a path, is malformed or compares what cannot be compared.
    InvalidFilter,
    /// More results than will be worked out.
    TooMany,
    /// A value that must be unique is taken.
    Uniqueness,
    /// A read-only, immutable or required attribute would change or go.
    Mutability,
    /// The body is no JSON, or not of the request's schema.
    InvalidSyntax,
    /// The path of an operation is malformed or names no attribute.
    InvalidPath,
    /// The path of an operation matches nothing.
    NoTarget,
    /// A value is missing, of the wrong type, or not possible here.
    InvalidValue,
    /// Not this version of the protocol.
    InvalidVers,
    /// Something that must not stand in a URL.
    Sensitive,
    /// A cursor we did not give out.
    InvalidCursor,
    /// A cursor we gave out too long ago.
    ExpiredCursor,
    /// A page size that is none, or another one than the cursor's.
    InvalidCount,
}

impl ScimType {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            ScimType::InvalidFilter => "invalidFilter",
            ScimType::TooMany => "tooMany",
            ScimType::Uniqueness => "uniqueness",
            ScimType::Mutability => "mutability",
            ScimType::InvalidSyntax => "invalidSyntax",
            ScimType::InvalidPath => "invalidPath",
            ScimType::NoTarget => "noTarget",
            ScimType::InvalidValue => "invalidValue",
            ScimType::InvalidVers => "invalidVers",
            ScimType::Sensitive => "sensitive",
            ScimType::InvalidCursor => "invalidCursor",
            ScimType::ExpiredCursor => "expiredCursor",
            ScimType::InvalidCount => "invalidCount",
        }
    }

    /// The HTTP status that goes with it.
    pub fn status(self) -> u16 {
        match self {
            ScimType::Uniqueness => 409,
            ScimType::Sensitive => 403,
            _ => 400,
        }
    }
}

/// Which rule a refusal comes from, where it has a name of its own. The names are stable.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// A sub-attribute that the schema does not have, wherever it stands.
    UnknownSubAttribute,
    /// A name of more than so many characters, a text of more than so many bytes, too many values.
    TooLong,
    /// An `id` is compared exactly (RFC 7643 section 3.1).
    IdExact,
    /// What is an instant is compared with an instant.
    InstantNeeded,
    /// One of the rules that a strict connection keeps ([`super::StrictRule`]).
    Strict,
}

impl Rule {
    /// The stable name.
    pub fn name(self) -> String {
        serde_json::to_value(self)
            .ok()
            .and_then(|v| v.as_str().map(str::to_owned))
            .unwrap_or_default()
    }
}

/// A refusal. Entra shows `detail` to the customer's admin, so it says what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct ScimError {
    /// HTTP status.
    pub status: u16,
    /// The kind of error, where RFC 7644 has a word for it.
    pub scim_type: Option<ScimType>,
    /// What is wrong, for a person who can change the mapping in Entra.
    pub detail: String,
    /// True if the request had a shape the decoder does not know: worth a look by a developer.
    pub unknown_shape: bool,
    /// The rule it comes from.
    pub rule: Option<Rule>,
    /// Why, where status and word do not tell it.
    pub cause: Option<Cause>,
    /// A stable word for our own trouble, for programs.
    pub trouble: Option<&'static str>,
    /// A resource that the request needed and that was not there.
    pub needs: Option<ResourceId>,
    /// The resource that has what must be unique.
    pub holder: Option<ResourceId>,
}

macro_rules! typed {
    ($($(#[$doc:meta])* $name:ident => $kind:ident;)*) => {
        $($(#[$doc])*
        pub fn $name(detail: impl Into<String>) -> Self {
            Self::typed(ScimType::$kind, detail)
        })*
    };
}

macro_rules! plain {
    ($($(#[$doc:meta])* $name:ident => $status:literal;)*) => {
        $($(#[$doc])*
        pub fn $name(detail: impl Into<String>) -> Self {
            Self::plain($status, detail)
        })*
    };
}

impl ScimError {
    /// An error with a word of RFC 7644, and the status that goes with the word.
    pub fn typed(scim_type: ScimType, detail: impl Into<String>) -> Self {
        Self {
            status: scim_type.status(),
            scim_type: Some(scim_type),
            detail: detail.into(),
            unknown_shape: false,
            rule: None,
            cause: None,
            trouble: None,
            needs: None,
            holder: None,
        }
    }

    /// An error that RFC 7644 has no word for.
    pub fn plain(status: u16, detail: impl Into<String>) -> Self {
        Self {
            status,
            scim_type: None,
            detail: detail.into(),
            unknown_shape: false,
            rule: None,
            cause: None,
            trouble: None,
            needs: None,
            holder: None,
        }
    }

    typed! {
        /// 400 `invalidFilter`.
        invalid_filter => InvalidFilter;
        /// 400 `tooMany`.
        too_many => TooMany;
        /// 409 `uniqueness`.
        uniqueness => Uniqueness;
        /// 400 `mutability`.
        mutability => Mutability;
        /// 400 `invalidSyntax`.
        invalid_syntax => InvalidSyntax;
        /// 400 `invalidPath`.
        invalid_path => InvalidPath;
        /// 400 `noTarget`.
        no_target => NoTarget;
        /// 400 `invalidValue`.
        invalid_value => InvalidValue;
        /// 400 `invalidVers`.
        invalid_vers => InvalidVers;
        /// 403 `sensitive`.
        sensitive => Sensitive;
        /// 400 `invalidCursor` (RFC 9865).
        invalid_cursor => InvalidCursor;
        /// 400 `expiredCursor` (RFC 9865).
        expired_cursor => ExpiredCursor;
        /// 400 `invalidCount` (RFC 9865).
        invalid_count => InvalidCount;
    }

    plain! {
        /// 401.
        unauthorized => 401;
        /// 403.
        forbidden => 403;
        /// 404.
        not_found => 404;
        /// 405.
        method_not_allowed => 405;
        /// 409 without a word, such as a cycle of references in `/Bulk`.
        conflict => 409;
        /// 412.
        precondition_failed => 412;
        /// 413.
        too_large => 413;
        /// 429.
        too_many_requests => 429;
        /// 500.
        internal => 500;
        /// 501.
        not_implemented => 501;
        /// 503.
        unavailable => 503;
    }

    /// Says that the request had a shape the decoder does not know.
    pub fn unknown_shape(mut self) -> Self {
        self.unknown_shape = true;
        self
    }

    /// Says which rule it comes from.
    pub fn of_rule(mut self, rule: Rule) -> Self {
        self.rule = Some(rule);
        self
    }

    /// Says why, where status and word do not tell it.
    pub fn because(mut self, cause: Cause) -> Self {
        self.cause = Some(cause);
        self
    }

    /// Names our own trouble.
    pub fn in_trouble(mut self, word: &'static str) -> Self {
        self.trouble = Some(word);
        self
    }

    /// Names the resource that the request needed and that was not there.
    pub fn needing(mut self, resource: ResourceId) -> Self {
        self.needs = Some(resource);
        self
    }

    /// Names the resource that has what must be unique.
    pub fn held_by(mut self, resource: ResourceId) -> Self {
        self.holder = Some(resource);
        self
    }

    /// As the error of a POST or PUT, whose keys are no paths.
    pub(super) fn in_body(mut self) -> Self {
        if self.scim_type == Some(ScimType::InvalidPath) {
            self.scim_type = Some(ScimType::InvalidSyntax);
        }
        self
    }

    /// The body (RFC 7644 section 3.12); `status` is a string there.
    pub fn body(&self) -> Value {
        let mut body = json!({ "schemas": [ERROR_URN], "status": self.status.to_string(), "detail": self.detail });
        if let Some(scim_type) = self.scim_type {
            body["scimType"] = scim_type.as_str().into();
        }
        body
    }
}

/// Quotes what a request said, so that it fits into a message and tells no secret.
pub(super) fn quoted(text: &str) -> String {
    const LONGEST: usize = 100;
    let text = &tellable(text);
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("\"{}...\"", &text[..end]),
        None => format!("\"{text}\""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_has_the_form_of_the_rfc() {
        let body = ScimError::uniqueness("the userName is taken").body();
        assert_eq!(
            body,
            json!({ "schemas": [ERROR_URN], "status": "409", "scimType": "uniqueness", "detail": "the userName is taken" })
        );
        assert!(ScimError::not_found("no such user").body().get("scimType").is_none());
    }

    #[test]
    fn quoting_cuts_between_characters() {
        assert_eq!(quoted("é".repeat(101).as_str()).chars().count(), 105);
        assert_eq!(quoted("short"), "\"short\"");
    }
}
