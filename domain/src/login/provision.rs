//! Just-in-time provisioning: the user that an assertion would make, as a SCIM client would send
//! it.

use super::{Identifier, Said};
use crate::saml::{Assertion, attribute_names};
use serde_json::{Map, Value, json};

/// The body of the POST that a SCIM client would send for this person; it goes through the same
/// decoder. Its `userName` is what the person will be recognized by, if that is a name. Nothing if
/// the assertion has no name that could be a `userName`.
pub fn resource(identifiers: &[Identifier], assertion: &Assertion) -> Option<Value> {
    let recognized = identifiers
        .iter()
        .filter(|identifier| **identifier != Identifier::ObjectId)
        .find_map(|identifier| identifier.of(assertion));
    let principal = assertion
        .attribute(attribute_names::NAME)
        .or_else(|| assertion.attribute(attribute_names::UPN));
    let user_name = recognized
        .or(principal)
        .map(str::to_owned)
        .or_else(|| Said::of(assertion).names.first().cloned())?;
    let mut body = json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": user_name, "active": true });
    let mut set = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            body[name] = value;
        }
    };
    let claim =
        |name: &str| assertion.attribute(name).filter(|v| !v.trim().is_empty()).map(Value::from);
    set("externalId", assertion.object_identifier.as_ref().map(|id| id.value().as_str().into()));
    set("displayName", claim(attribute_names::DISPLAY_NAME));
    let mut name = Map::new();
    name.extend(claim(attribute_names::GIVEN_NAME).map(|v| ("givenName".to_owned(), v)));
    name.extend(claim(attribute_names::SURNAME).map(|v| ("familyName".to_owned(), v)));
    set("name", (!name.is_empty()).then_some(Value::Object(name)));
    let mail = claim(attribute_names::EMAIL_ADDRESS);
    set("emails", mail.map(|m| json!([{ "type": "work", "value": m, "primary": true }])));
    Some(body)
}
