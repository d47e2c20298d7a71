//! The types of events that are told outward, and which of them somebody wants.
//!
//! They are a vocabulary of their own: what is stored may change its shape with a new version and
//! an upcaster, what is told outward may only gain.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Declares the types: variant, stable name, and what it says for the reader of a schema.
macro_rules! types {
    ($($(#[doc = $doc:literal])+ $Type:ident = $name:literal;)+) => {
        /// A type of event as it is told outward.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum PublicType {
            $($(#[doc = $doc])+ $Type,)+
        }

        impl PublicType {
            /// All of them.
            pub const ALL: &[PublicType] = &[$(PublicType::$Type,)+];

            /// The stable name, such as `user.created`.
            pub fn as_str(self) -> &'static str {
                match self { $(PublicType::$Type => $name,)+ }
            }

            /// What it says, in one sentence.
            pub fn says(self) -> &'static str {
                match self { $(PublicType::$Type => concat!($($doc),+).trim_ascii(),)+ }
            }
        }
    };
}

types! {
    /// A user came to be.
    UserCreated = "user.created";
    /// Attributes of a user changed, `userName` among them; not `active`.
    UserUpdated = "user.updated";
    /// A user was switched off: all of their sessions ended with it.
    UserDeactivated = "user.deactivated";
    /// A user was switched on again.
    UserReactivated = "user.reactivated";
    /// A user is gone, and so are their sessions and memberships.
    UserDeleted = "user.deleted";
    /// Who a user was is erased: forget what you know of them.
    UserErased = "user.erased";
    /// A user became a member of a group that the consumer follows, and was of none before: with
    /// everything that they are. Not told to those who follow everybody.
    UserEntered = "user.entered";
    /// A user is no longer a member of any group that the consumer follows: forget what you know of
    /// them. Not told to those who follow everybody.
    UserLeft = "user.left";
    /// A group came to be; it has no members yet.
    GroupCreated = "group.created";
    /// A group has another `displayName`.
    GroupRenamed = "group.renamed";
    /// Attributes of a group changed other than `displayName` and `members`.
    GroupUpdated = "group.updated";
    /// A group is gone, and so are the memberships in it.
    GroupDeleted = "group.deleted";
    /// A user or group became a member of a group.
    GroupMemberAdded = "group.member_added";
    /// A user or group is no longer a member of a group.
    GroupMemberRemoved = "group.member_removed";
    /// One session of a user ended before its time.
    SessionEnded = "session.ended";
    /// A user signed in, and a session began.
    LoginSucceeded = "login.succeeded";
    /// A login was refused.
    LoginRefused = "login.refused";
    /// The sync cycles fell silent, stretched, or came regularly again.
    RhythmChanged = "rhythm.changed";
}

impl PublicType {
    /// The version of what this type says, counted from 1. Within a version only additions are
    /// made.
    pub const VERSION: u32 = 1;
}

/// Which types somebody wants: names such as `user.created`, and `user.*` for all that begin so.
/// Nothing stands for everything, also for types that are yet to come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TypeFilter(Vec<String>);

/// A name in a filter that names no type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no event type {unknown:?}; there are: {}", known())]
pub struct UnknownType {
    /// What was asked for, cut to 100 characters.
    pub unknown: String,
}

fn known() -> String {
    PublicType::ALL.iter().map(|t| t.as_str()).collect::<Vec<_>>().join(", ")
}

impl TypeFilter {
    /// A filter by these names, each once, in order.
    ///
    /// # Errors
    /// If one of them names no type of today.
    pub fn new(names: impl IntoIterator<Item = String>) -> Result<Self, UnknownType> {
        let names: BTreeSet<String> = names.into_iter().collect();
        let unknown = names.iter().find(|name| !PublicType::ALL.iter().any(|t| covers(name, *t)));
        match unknown {
            Some(name) => Err(UnknownType { unknown: name.chars().take(100).collect() }),
            None => Ok(Self(names.into_iter().collect())),
        }
    }

    /// The names, in order; none for everything.
    pub fn names(&self) -> &[String] {
        &self.0
    }

    /// Whether every type is wanted.
    pub fn is_everything(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a type is wanted.
    pub fn wants(&self, public: PublicType) -> bool {
        self.0.is_empty() || self.0.iter().any(|name| covers(name, public))
    }
}

fn covers(name: &str, public: PublicType) -> bool {
    match name.strip_suffix('*') {
        Some(family) => family.ends_with('.') && public.as_str().starts_with(family),
        None => name == public.as_str(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(names: &[&str]) -> Vec<&'static str> {
        let filter = TypeFilter::new(names.iter().map(|n| (*n).to_owned())).unwrap();
        PublicType::ALL.iter().filter(|t| filter.wants(**t)).map(|t| t.as_str()).collect()
    }

    #[test]
    fn a_name_is_one_type_a_family_all_of_it_and_nothing_is_everything() {
        assert_eq!(wanted(&[]).len(), PublicType::ALL.len());
        for public in PublicType::ALL {
            assert_eq!(wanted(&[public.as_str()]), [public.as_str()]);
            assert!(!public.says().is_empty());
        }
        assert_eq!(wanted(&["login.*", "session.ended", "login.refused"]).len(), 3);
        let families = ["user.*", "group.*", "session.*", "login.*", "rhythm.*"];
        assert_eq!(wanted(&families), wanted(&[]), "every type belongs to a family");
    }

    #[test]
    fn what_names_no_type_is_refused_with_the_list() {
        for name in
            ["", "*", ".*", "user", "user*", "user.", "User.created", "user.created ", "x.*"]
        {
            let refused = TypeFilter::new([name.to_owned()]).unwrap_err();
            assert_eq!(refused.unknown, name);
            assert!(refused.to_string().contains("group.member_added"), "{refused}");
        }
        let long = TypeFilter::new(["x".repeat(1_000)]).unwrap_err();
        assert_eq!(long.unknown.len(), 100);
    }
}
