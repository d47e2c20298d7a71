//! How a filter compares (RFC 7644 section 3.4.2.2).

/// How a value is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CompareOp {
    /// `eq`
    Equal,
    /// `ne`: the opposite of `eq`, so also true of what has no value.
    NotEqual,
    /// `co`
    Contains,
    /// `sw`
    StartsWith,
    /// `ew`
    EndsWith,
    /// `gt`
    Greater,
    /// `ge`
    GreaterOrEqual,
    /// `lt`
    Less,
    /// `le`
    LessOrEqual,
}

impl CompareOp {
    /// All operators with a value.
    pub const ALL: [CompareOp; 9] = [
        CompareOp::Equal,
        CompareOp::NotEqual,
        CompareOp::Contains,
        CompareOp::StartsWith,
        CompareOp::EndsWith,
        CompareOp::Greater,
        CompareOp::GreaterOrEqual,
        CompareOp::Less,
        CompareOp::LessOrEqual,
    ];

    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            CompareOp::Equal => "eq",
            CompareOp::NotEqual => "ne",
            CompareOp::Contains => "co",
            CompareOp::StartsWith => "sw",
            CompareOp::EndsWith => "ew",
            CompareOp::Greater => "gt",
            CompareOp::GreaterOrEqual => "ge",
            CompareOp::Less => "lt",
            CompareOp::LessOrEqual => "le",
        }
    }

    /// Reads the word, in any case.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|op| op.as_str().eq_ignore_ascii_case(word))
    }

    /// True for `eq` and `ne`.
    pub(super) fn is_equality(self) -> bool {
        matches!(self, CompareOp::Equal | CompareOp::NotEqual)
    }

    /// True for `gt`, `ge`, `lt` and `le`.
    pub(super) fn is_ordering(self) -> bool {
        matches!(
            self,
            CompareOp::Greater
                | CompareOp::GreaterOrEqual
                | CompareOp::Less
                | CompareOp::LessOrEqual
        )
    }
}
