//! The JSON Schema (2020-12) of what is told outward. Whoever reads must pass over members that it
//! does not know: within a version there may come more.

use crate::public_type::PublicType;
use serde_json::{Map, Value, json};

/// What all types have in common, under `$defs`.
pub const FRAME: &str = "event";

/// One document that holds the schemas of all types under `$defs`, by their names.
pub fn schemas() -> Value {
    let mut definitions = Map::new();
    definitions.insert(FRAME.to_owned(), frame());
    for public in PublicType::ALL {
        definitions.insert(public.as_str().to_owned(), of_type(*public));
    }
    let any: Vec<Value> = PublicType::ALL.iter().map(|public| reference(public.as_str())).collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Events of Rollcall",
        "oneOf": any,
        "$defs": definitions,
    })
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{name}") })
}

fn frame() -> Value {
    let subject = json!({
        "type": "object",
        "required": ["kind", "id"],
        "properties": {
            "kind": { "enum": ["user", "group", "organization"] },
            "id": uuid("Its id; of users and groups also their SCIM id"),
        },
    });
    json!({
        "type": "object",
        "required": ["id", "type", "type_version", "position", "previous", "part", "parts", "time", "subject", "subject_version", "data"],
        "properties": {
            "id": uuid("The same whenever the event is told"),
            "type": { "type": "string" },
            "type_version": { "const": PublicType::VERSION },
            "position": count(1, "Place of the record in the organization's log"),
            "previous": count(0, "Position of the event before this one under the same filter; 0 before the first"),
            "part": count(1, "Which of the record's events it is"),
            "parts": count(1, "How many events the record has"),
            "time": instant("When it was recorded"),
            "subject": subject,
            "subject_version": count(1, "Place of the record among those of the subject"),
            "exchange": uuid("The request that caused it"),
            "data": { "type": "object" },
        },
    })
}

fn of_type(public: PublicType) -> Value {
    json!({
        "description": public.says(),
        "allOf": [reference(FRAME)],
        "properties": { "type": { "const": public.as_str() }, "data": data(public) },
    })
}

fn data(public: PublicType) -> Value {
    let object = |required: &[&str], properties: Value| json!({ "type": "object", "required": required, "properties": properties });
    let attributes = json!({
        "type": "object",
        "description": "All attributes, as RFC 7643 names them; absent from notices",
    });
    let changed = json!({
        "type": "array",
        "minItems": 1,
        "items": { "type": "string" },
        "description": "The attributes that changed; those of an extension as URN:name",
    });
    let values = json!({
        "type": "object",
        "description": "What each of them is now, null if unassigned; absent from notices",
    });
    let name = json!({ "type": "string", "description": "Its last name; absent from notices" });
    match public {
        PublicType::UserCreated | PublicType::UserEntered | PublicType::GroupCreated => {
            object(&[], json!({ "attributes": attributes }))
        }
        PublicType::UserUpdated | PublicType::GroupRenamed | PublicType::GroupUpdated => {
            object(&["changed"], json!({ "changed": changed, "values": values }))
        }
        PublicType::UserErased | PublicType::UserLeft => object(&[], json!({})),
        PublicType::UserDeleted => object(&[], json!({ "userName": name })),
        PublicType::GroupDeleted => object(&[], json!({ "displayName": name })),
        PublicType::UserDeactivated | PublicType::UserReactivated => object(&[], json!({})),
        PublicType::GroupMemberAdded | PublicType::GroupMemberRemoved => {
            object(&["member"], json!({ "member": uuid("The user or group") }))
        }
        PublicType::SessionEnded => object(
            &["session", "reason"],
            json!({ "session": uuid("The session"), "reason": { "type": "string" } }),
        ),
        PublicType::LoginSucceeded => object(
            &["session", "expires_at"],
            json!({ "session": uuid("The session"), "expires_at": instant("When it is over at the latest") }),
        ),
        PublicType::LoginRefused => object(&["reason"], json!({ "reason": { "type": "string" } })),
        PublicType::RhythmChanged => object(
            &["state", "last_cycle_at", "usual_seconds"],
            json!({
                "state": { "type": "string" },
                "last_cycle_at": instant("When the last cycle began"),
                "usual_seconds": count(0, "Seconds that usually lie between two cycles"),
            }),
        ),
    }
}

fn uuid(description: &str) -> Value {
    json!({ "type": "string", "format": "uuid", "description": description })
}

fn instant(description: &str) -> Value {
    json!({ "type": "string", "format": "date-time", "description": description })
}

fn count(least: u32, description: &str) -> Value {
    json!({ "type": "integer", "minimum": least, "description": description })
}
