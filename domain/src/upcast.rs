//! From old payload versions to their neighbours, oldest first. A published payload is frozen: one
//! that changes adds one entry here, and a golden file.

use crate::login::Identifier;
use cqrs_es::persist::{EventUpcaster, SerializedEvent};
use serde_json::{Value, json};

/// All of them.
pub fn upcasters() -> Vec<Box<dyn EventUpcaster>> {
    vec![Box::new(Policy1)]
}

/// A policy named one of three rules where it lists identifiers now.
struct Policy1;

impl EventUpcaster for Policy1 {
    fn can_upcast(&self, event_type: &str, event_version: &str) -> bool {
        (event_type, event_version) == ("SamlPolicyChanged", "1")
    }

    fn upcast(&self, mut event: SerializedEvent) -> SerializedEvent {
        if let Some(policy) = event.payload["SamlPolicyChanged"]["policy"].as_object_mut() {
            let rule = policy.remove("matching");
            let identifiers = match rule.as_ref().and_then(Value::as_str) {
                Some("object-id") => vec![Identifier::ObjectId],
                Some("user-name") => Identifier::names_of_before(),
                _ => Identifier::of_before(),
            };
            policy.insert("identifiers".to_owned(), json!(identifiers));
        }
        event.event_version = "2".into();
        event
    }
}
