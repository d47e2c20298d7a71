//! What an event is as security event tokens (RFC 8417): SCIM events (RFC 9967) and CAEP's
//! `session-revoked`. A pure function, so that a token says the same however often it is told.

use super::event::PublicEvent;
use crate::consumer::Payload;
use crate::public_type::PublicType;
use crate::scim::security_event::{ACTIVATE, ADDED, CREATE, DEACTIVATE, DELETE, PATCH, REMOVED};
use crate::user::SessionEnd;
use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};
use uuid::Uuid;

const SESSION_REVOKED: &str = "https://schemas.openid.net/secevent/caep/event-type/session-revoked";
const VERIFICATION: &str = "https://schemas.openid.net/secevent/ssf/event-type/verification";
const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// Every kind of event that a token may have.
pub const EVENT_URIS: [&str; 11] = [
    CREATE[0],
    CREATE[1],
    PATCH[0],
    PATCH[1],
    DELETE,
    ADDED,
    REMOVED,
    ACTIVATE,
    DEACTIVATE,
    SESSION_REVOKED,
    VERIFICATION,
];

/// A token that is to be signed.
#[derive(Clone, Debug, PartialEq)]
pub struct SecurityEvent {
    /// Names it: the same whenever it is told.
    pub jti: Uuid,
    /// Everything that it claims.
    pub claims: Value,
}

/// Whether events of this type are told as tokens.
pub fn is_security(public: PublicType) -> bool {
    match public {
        PublicType::UserCreated
        | PublicType::UserUpdated
        | PublicType::UserDeactivated
        | PublicType::UserReactivated
        | PublicType::UserDeleted
        | PublicType::UserEntered
        | PublicType::UserLeft
        | PublicType::GroupCreated
        | PublicType::GroupRenamed
        | PublicType::GroupUpdated
        | PublicType::GroupDeleted
        | PublicType::GroupMemberAdded
        | PublicType::GroupMemberRemoved
        | PublicType::SessionEnded => true,
        PublicType::UserErased
        | PublicType::LoginSucceeded
        | PublicType::LoginRefused
        | PublicType::RhythmChanged => false,
    }
}

/// The tokens of one event that was told in full, in order; each has one event. Who is switched
/// off or deleted has no session any more, which is told first.
pub fn security_events(
    event: &PublicEvent,
    payload: Payload,
    issuer: &str,
    audience: &str,
) -> Vec<SecurityEvent> {
    let Some(public) = PublicType::ALL.iter().find(|public| public.as_str() == event.event_type)
    else {
        return Vec::new();
    };
    let scim = scim_subject(event);
    let person = json!({ "format": "iss_sub", "iss": issuer, "sub": event.subject.id });
    let all_ended = |why| (SESSION_REVOKED, person.clone(), revoked(event.time, "admin", why));
    let told = match public {
        PublicType::UserCreated | PublicType::GroupCreated => {
            vec![(uri(CREATE, payload), scim, created(&event.data, payload))]
        }
        PublicType::UserUpdated | PublicType::GroupRenamed | PublicType::GroupUpdated => {
            vec![(uri(PATCH, payload), scim, changed(&event.data, payload))]
        }
        PublicType::GroupMemberAdded | PublicType::GroupMemberRemoved => {
            vec![(uri(PATCH, payload), scim, membership(*public, &event.data, payload))]
        }
        PublicType::UserDeactivated => {
            vec![all_ended("The user was switched off"), (DEACTIVATE, scim, json!({}))]
        }
        PublicType::UserDeleted => {
            vec![all_ended("The user was deleted"), (DELETE, scim, json!({}))]
        }
        // RFC 9967: not that somebody is new, and nothing of what they are.
        PublicType::UserEntered => vec![(ADDED, scim, json!({}))],
        PublicType::UserLeft => vec![(REMOVED, scim, json!({}))],
        PublicType::UserReactivated => vec![(ACTIVATE, scim, json!({}))],
        PublicType::GroupDeleted => vec![(DELETE, scim, json!({}))],
        PublicType::SessionEnded => {
            // Without the session, every session of the person would be meant.
            let session = json!({ "format": "opaque", "id": event.data.get("session") });
            let subject = json!({ "format": "complex", "user": person, "session": session });
            let (entity, why) = ended(&event.data);
            vec![(SESSION_REVOKED, subject, revoked(event.time, entity, why))]
        }
        PublicType::UserErased
        | PublicType::LoginSucceeded
        | PublicType::LoginRefused
        | PublicType::RhythmChanged => Vec::new(),
    };
    let token = |(uri, subject, says): (&str, Value, Value)| {
        let jti = Uuid::new_v5(&event.id, uri.as_bytes());
        let txn = event.exchange.map_or(event.id, |exchange| exchange.0);
        let mut claims = frame(issuer, audience, jti, event.time, &subject, uri, &says);
        claims["txn"] = json!(txn);
        SecurityEvent { jti, claims }
    };
    told.into_iter().map(token).collect()
}

/// The token by which a receiver is found to be there (SSF 1.0 section 8.1.4): it is about the
/// stream itself.
pub fn verification(
    jti: Uuid,
    now: DateTime<Utc>,
    issuer: &str,
    audience: &str,
    stream: Uuid,
) -> SecurityEvent {
    let subject = json!({ "format": "opaque", "id": stream });
    let claims = frame(issuer, audience, jti, now, &subject, VERIFICATION, &json!({}));
    SecurityEvent { jti, claims }
}

/// What all tokens claim: neither `sub` nor `exp` (RFC 8417 sections 2.2, 4.1 and 4.6). `iat` is in
/// seconds.
fn frame(
    issuer: &str,
    audience: &str,
    jti: Uuid,
    at: DateTime<Utc>,
    subject: &Value,
    uri: &str,
    says: &Value,
) -> Value {
    json!({
        "iss": issuer,
        "aud": audience,
        "iat": at.timestamp(),
        "jti": jti,
        "sub_id": subject,
        "events": { uri: says },
    })
}

fn uri(of: [&'static str; 2], payload: Payload) -> &'static str {
    let [full, notice] = of;
    match payload {
        Payload::Full => full,
        Payload::Notice | Payload::Poke => notice,
    }
}

/// RFC 9967 section 2.1. It has no other members: receivers compare it as a whole.
fn scim_subject(event: &PublicEvent) -> Value {
    let endpoint = if event.subject.kind == "group" { "Groups" } else { "Users" };
    json!({ "format": "scim", "uri": format!("/{endpoint}/{}", event.subject.id) })
}

/// `data` in full, or `attributes` in a notice: one of both, never both.
fn created(data: &Map<String, Value>, payload: Payload) -> Value {
    let attributes = data.get("attributes").cloned().unwrap_or_else(|| json!({}));
    match payload {
        Payload::Full => json!({ "data": attributes }),
        Payload::Notice | Payload::Poke => {
            let names: Vec<&String> = attributes.as_object().map_or_else(Vec::new, names);
            json!({ "attributes": names })
        }
    }
}

fn names(attributes: &Map<String, Value>) -> Vec<&String> {
    attributes.keys().collect()
}

fn changed(data: &Map<String, Value>, payload: Payload) -> Value {
    let none = Map::new();
    let values = data.get("values").and_then(Value::as_object).unwrap_or(&none);
    let operation = |(path, value): (&String, &Value)| match value {
        // Unassigned (RFC 7643 section 2.5).
        Value::Null => json!({ "op": "remove", "path": path }),
        value => json!({ "op": "replace", "path": path, "value": value }),
    };
    match payload {
        Payload::Full => patch(values.iter().map(operation).collect()),
        Payload::Notice | Payload::Poke => json!({ "attributes": data.get("changed") }),
    }
}

fn membership(public: PublicType, data: &Map<String, Value>, payload: Payload) -> Value {
    let member = data.get("member").and_then(Value::as_str).unwrap_or_default();
    if payload != Payload::Full {
        return json!({ "attributes": ["members"] });
    }
    patch(vec![match public {
        PublicType::GroupMemberAdded => {
            json!({ "op": "add", "path": "members", "value": [{ "value": member }] })
        }
        _ => json!({ "op": "remove", "path": format!("members[value eq \"{member}\"]") }),
    }])
}

fn patch(operations: Vec<Value>) -> Value {
    json!({ "data": { "schemas": [PATCH_OP], "Operations": operations } })
}

/// CAEP 1.0 section 3.1. The moment is that of the revocation, in seconds.
fn revoked(at: DateTime<Utc>, entity: &str, why: &str) -> Value {
    json!({
        "event_timestamp": at.timestamp(),
        "initiating_entity": entity,
        "reason_admin": { "en": why },
    })
}

fn ended(data: &Map<String, Value>) -> (&'static str, &'static str) {
    let reason = data.get("reason").cloned().unwrap_or_default();
    match serde_json::from_value(reason).ok() {
        Some(SessionEnd::SignedOut) => ("user", "The user signed out"),
        Some(SessionEnd::SignedOutAtIdentityProvider) => {
            ("user", "The user signed out at the identity provider")
        }
        Some(SessionEnd::Operator) => ("admin", "An administrator ended the session"),
        Some(SessionEnd::Idle) => ("policy", "The session was idle for too long"),
        Some(SessionEnd::SingleSignOnDisabled) => ("admin", "Single sign-on was switched off"),
        Some(SessionEnd::IdentityProviderReplaced) => {
            ("admin", "The organization has another identity provider")
        }
        None => ("system", "The session ended"),
    }
}
