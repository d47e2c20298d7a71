//! What attributes differ in (RFC 7643 section 7).

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
