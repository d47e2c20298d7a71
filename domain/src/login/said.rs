//! What an assertion calls its person. For telling how it differs from what SCIM said, and for
//! making a user of it; who somebody is, is decided by an [`Identifier`](super::Identifier).

use super::identifier::{is_opaque, is_same_name};
use crate::saml::{Assertion, attribute_names};

/// What Entra puts into the user principal name of a guest, and takes out again in SCIM.
const GUEST: &str = "#ext#";

/// The names of an assertion's person.
#[derive(Clone, PartialEq, Eq)]
pub struct Said {
    /// The NameID unless it is opaque, then the name and the user principal name; each once.
    pub names: Vec<String>,
    /// True for a guest of the tenant.
    pub guest: bool,
}

impl std::fmt::Debug for Said {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Said(..)")
    }
}

impl Said {
    /// What an assertion says.
    pub fn of(assertion: &Assertion) -> Self {
        let name_id = (!is_opaque(assertion)).then(|| assertion.name_id.value.value().as_str());
        let claimed = [attribute_names::NAME, attribute_names::UPN];
        let claimed = claimed.into_iter().filter_map(|name| assertion.attribute(name));
        let mut names: Vec<String> = Vec::new();
        for name in name_id.into_iter().chain(claimed).filter(|name| !name.is_empty()) {
            if !names.iter().any(|known| is_same_name(known, name)) {
                names.push(name.to_owned());
            }
        }
        let guest = names.iter().any(|name| name.to_ascii_lowercase().contains(GUEST));
        Self { names, guest }
    }
}
