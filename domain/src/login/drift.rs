//! Where an assertion says something else than SCIM said. Nothing is changed by it: SCIM decides.

use super::Said;
use super::identifier::is_same_name;
use crate::fold_text::fold_text;
use crate::personal::Personal;
use crate::saml::{Assertion, attribute_names};
use crate::scim::Attributes;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drift {
    /// The SCIM attribute.
    pub attribute: String,
    /// What SCIM said.
    pub scim: Personal<String>,
    /// What the assertion says.
    pub asserted: Personal<String>,
}

/// Compares what both speak of. What only one of them says is no difference.
pub fn drift(attributes: &Attributes, assertion: &Assertion) -> Vec<Drift> {
    let text = |pointer: [&str; 2]| {
        let found = attributes.get(pointer[0])?;
        if pointer[1].is_empty() { found.as_str() } else { found.get(pointer[1])?.as_str() }
    };
    let mut found = Vec::new();
    let mut compare = |attribute: &str,
                       scim: Option<&str>,
                       asserted: Option<&str>,
                       same: &dyn Fn(&str, &str) -> bool| {
        if let (Some(scim), Some(asserted)) = (scim, asserted)
            && !same(scim, asserted)
        {
            let (scim, asserted) = (scim.to_owned().into(), asserted.to_owned().into());
            found.push(Drift { attribute: attribute.to_owned(), scim, asserted });
        }
    };
    let exact = |a: &str, b: &str| a == b;
    let folded = |a: &str, b: &str| fold_text(a) == fold_text(b);
    // An externalId that is no UUID is another attribute of Entra's, by the mapping: no comparison.
    let same_id = |a: &str, b: &str| match (Uuid::try_parse(a), Uuid::try_parse(b)) {
        (Ok(a), Ok(b)) => a == b,
        _ => true,
    };
    let object_id = assertion.object_identifier.as_ref().map(|id| id.value().as_str());
    let principal = assertion
        .attribute(attribute_names::NAME)
        .or_else(|| assertion.attribute(attribute_names::UPN));
    compare("externalId", text(["externalId", ""]), object_id, &same_id);
    // Any of the person's names will do: which of them is the userName is the mapping's to say.
    let names = Said::of(assertion).names;
    let named = |scim: &str, _: &str| names.iter().any(|name| is_same_name(name, scim));
    compare("userName", text(["userName", ""]), principal, &named);
    compare(
        "displayName",
        text(["displayName", ""]),
        assertion.attribute(attribute_names::DISPLAY_NAME),
        &exact,
    );
    compare(
        "name.givenName",
        text(["name", "givenName"]),
        assertion.attribute(attribute_names::GIVEN_NAME),
        &exact,
    );
    compare(
        "name.familyName",
        text(["name", "familyName"]),
        assertion.attribute(attribute_names::SURNAME),
        &exact,
    );
    let mails: Vec<&str> = attributes
        .get("emails")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|m| m.get("value")?.as_str())
        .collect();
    let one_of = |_: &str, asserted: &str| mails.iter().any(|m| folded(m, asserted));
    compare(
        "emails",
        mails.first().copied(),
        assertion.attribute(attribute_names::EMAIL_ADDRESS),
        &one_of,
    );
    found
}
