//! Whom an assertion speaks of, in the words that users are found by.

use crate::fold_text::fold_user_name;
use crate::saml::{Assertion, attribute_names};

/// Formats of a NameID that never hold a user name.
const OPAQUE: [&str; 2] = [
    "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent",
    "urn:oasis:names:tc:SAML:2.0:nameid-format:transient",
];
/// What Entra puts into the user principal name of a guest, and takes out again in SCIM.
const GUEST: &str = "#ext#";

/// The person of an assertion.
#[derive(Clone, PartialEq, Eq)]
pub struct Person {
    /// The object id: never changes, never reused.
    pub object_identifier: Option<String>,
    /// Names the person may have as `userName`: the NameID unless it is opaque, then the user
    /// principal name. Those of guests also as SCIM has them, without `#EXT#`.
    pub user_names: Vec<String>,
    /// True for a guest of the tenant.
    pub guest: bool,
}

impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Person(..)")
    }
}

impl Person {
    /// The person that an assertion speaks of.
    pub fn of(assertion: &Assertion) -> Self {
        let name_id = &assertion.name_id;
        let opaque = name_id.format.as_deref().is_some_and(|f| OPAQUE.contains(&f));
        let name_id = Some(name_id.value.value().as_str()).filter(|_| !opaque);
        let claimed = [attribute_names::NAME, attribute_names::UPN]
            .into_iter()
            .filter_map(|name| assertion.attribute(name));
        let mut person = Self {
            object_identifier: assertion.object_identifier.as_ref().map(|id| id.value().clone()),
            user_names: Vec::new(),
            guest: false,
        };
        for name in name_id.into_iter().chain(claimed) {
            person.add(name);
        }
        person
    }

    fn add(&mut self, name: &str) {
        // The marker is ASCII, so its place is the same in the text as sent.
        let marker = name
            .as_bytes()
            .windows(GUEST.len())
            .position(|w| w.eq_ignore_ascii_case(GUEST.as_bytes()));
        let stripped = marker.map(|at| format!("{}{}", &name[..at], &name[at + GUEST.len()..]));
        self.guest |= stripped.is_some();
        for name in std::iter::once(name.to_owned()).chain(stripped) {
            if !name.is_empty()
                && !self
                    .user_names
                    .iter()
                    .any(|known| fold_user_name(known) == fold_user_name(&name))
            {
                self.user_names.push(name);
            }
        }
    }
}
