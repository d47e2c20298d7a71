//! Credentials of an imported organization: other ids than those of the organization that the
//! bundle was made of. Tokens name a credential by its id, and the bundle may be read where its
//! organization lives.

use rollcall_domain::event::decode;
use rollcall_domain::exchange::Exchange;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::{AggregateKind, Record};
use rollcall_domain::organization::{OrganizationEvent, credential};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use uuid::{Builder, Uuid};

/// The ids of before, each with the one that takes its place.
#[derive(Debug, Default)]
pub struct Renamed(HashMap<String, String>);

impl Renamed {
    /// Looks for a credential in a record.
    pub fn note(&mut self, record: &Record, to: OrganizationId) {
        if record.stream.kind != AggregateKind::Organization {
            return;
        }
        let Ok(event) = decode::<OrganizationEvent>(record) else { return };
        let Some(event) = credential(&event) else { return };
        let id = event.credential().0;
        self.0.entry(id.to_string()).or_insert_with(|| other(id, to).to_string());
    }

    /// A record with the new ids: in its payload, and in who caused it.
    ///
    /// # Errors
    /// If it is no JSON.
    pub fn record(&self, record: &mut Record) -> serde_json::Result<()> {
        record.actor = self.of(&record.actor)?;
        if record.stream.kind == AggregateKind::Organization && self.stands_in(&record.payload) {
            let mut payload: Value = serde_json::from_str(&record.payload)?;
            self.replace(&mut payload);
            record.payload = payload.to_string();
        }
        Ok(())
    }

    /// An exchange with the new ids: in what we say of it, not in what came in.
    ///
    /// # Errors
    /// If it is no JSON.
    pub fn exchange(&self, exchange: &mut Exchange) -> serde_json::Result<()> {
        let bodies = (exchange.request_body.clone(), exchange.answer_body.clone());
        let received = (exchange.target.clone(), exchange.headers.clone());
        let mut renamed: Exchange = self.of(exchange)?;
        (renamed.request_body, renamed.answer_body) = bodies;
        (renamed.target, renamed.headers) = received;
        *exchange = renamed;
        Ok(())
    }

    fn of<T: Serialize + DeserializeOwned>(&self, what: &T) -> serde_json::Result<T> {
        let mut value = serde_json::to_value(what)?;
        self.replace(&mut value);
        serde_json::from_value(value)
    }

    fn stands_in(&self, text: &str) -> bool {
        self.0.keys().any(|id| text.contains(id.as_str()))
    }

    fn replace(&self, value: &mut Value) {
        match value {
            Value::String(text) => {
                if let Some(other) = self.0.get(text.as_str()) {
                    text.clone_from(other);
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.replace(item)),
            Value::Object(fields) => fields.values_mut().for_each(|field| self.replace(field)),
            _ => {}
        }
    }
}

/// The same for the same import, so that reading a file again comes to the same.
fn other(id: Uuid, to: OrganizationId) -> Uuid {
    let hash = Sha256::digest(format!("bundle credential {id} {to}"));
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    Builder::from_custom_bytes(bytes).into_uuid()
}
