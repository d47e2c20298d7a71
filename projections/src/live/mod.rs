//! The family that is folded before an answer leaves. Every view here is paid for by each write:
//! what SCIM and sign-ins do not read belongs in [`crate::audit`].

pub mod console_groups;
pub mod consumers;
pub mod credentials;
pub mod directory;
pub mod logins;
pub mod organizations;
pub mod saml;
pub mod sessions;

use self::console_groups::ConsoleGroups;
use self::consumers::Consumers;
use self::credentials::Keys;
use self::directory::DirectoryRows;
use self::logins::Logins;
use self::organizations::Settings;
use self::saml::Connections;
use self::sessions::Sessions;
use crate::view::Definition;

/// Raise this when something gives other rows that the views of this family have in common. A view
/// that changes by itself raises its own revision.
pub(crate) const FOLD_VERSION: &str = "4";

/// The views of this family.
pub(crate) const VIEWS: &[Definition] = &[
    Definition::of::<DirectoryRows>(),
    Definition::of::<Settings>(),
    Definition::of::<Keys>(),
    Definition::of::<Connections>(),
    Definition::of::<Logins>(),
    Definition::of::<Sessions>(),
    Definition::of::<Consumers>(),
    Definition::of::<ConsoleGroups>(),
];
