//! Kinds of requests, as far as one cures what another failed at.

/// The kind of request. A success cures failures of its own kind on the same subject; a deletion
/// cures all of them, for nothing is left to be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// POST of a new resource.
    Create,
    /// PUT or PATCH.
    Change,
    /// DELETE.
    Delete,
    /// GET and searches.
    Read,
    /// The rest.
    Other,
}

impl Class {
    /// All kinds.
    pub const ALL: [Class; 5] =
        [Class::Create, Class::Change, Class::Delete, Class::Read, Class::Other];

    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Class::Create => "create",
            Class::Change => "change",
            Class::Delete => "delete",
            Class::Read => "read",
            Class::Other => "other",
        }
    }

    /// Reads the stable name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|c| c.as_str() == text)
    }

    pub(super) fn of(operation: &str) -> Self {
        match operation.rsplit('.').next().unwrap_or_default() {
            "create" => Class::Create,
            "replace" | "patch" => Class::Change,
            "delete" => Class::Delete,
            "read" | "list" | "search" => Class::Read,
            _ => Class::Other,
        }
    }

    /// Whether a success of this kind puts a failure of another kind right.
    pub fn cures(self, failed: Class) -> bool {
        self == failed || self == Class::Delete
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_stable_and_a_deletion_cures_everything() {
        assert!(
            Class::ALL.into_iter().all(|c| Class::parse(c.as_str()) == Some(c)
                && c.cures(c)
                && Class::Delete.cures(c))
        );
        assert!(!Class::Change.cures(Class::Create));
        assert_eq!(Class::of("groups.patch"), Class::Change);
        assert_eq!(Class::of("bulk"), Class::Other);
    }
}
