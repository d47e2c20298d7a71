//! What is told outward of each event ever stored, and the schema of it. Within a version of a type
//! there may only be additions: whoever sees something go from these files is about to break those
//! who read it.

mod story;

use rollcall_domain::consumer::Payload;
use rollcall_domain::ids::ResourceId;
use rollcall_domain::log::{Record, Restored};
use rollcall_domain::outbound::{
    EVENT_URIS, Passage, Told, is_security, of_record, schemas, security_events, sources, tell,
    with_passages,
};
use rollcall_domain::public_type::{PublicType, TypeFilter};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use uuid::Uuid;

fn records() -> impl Iterator<Item = Record> {
    story::log().into_iter().filter_map(|part| match part {
        Restored::Record(record) => Some(record),
        _ => None,
    })
}

fn told(record: &Record, payload: Payload) -> Value {
    match tell(record, &TypeFilter::default(), payload).expect("a golden event") {
        Some(told) => json!(told.0),
        None => Value::Null,
    }
}

/// What a record tells somebody who follows its group, if a user passes by it.
fn followed(record: &Record, payload: Payload) -> Option<Told> {
    let enters = match of_record(record)? {
        PublicType::GroupMemberAdded => true,
        PublicType::GroupMemberRemoved => false,
        _ => return None,
    };
    let attributes = json!({ "userName": "ada@contoso.example", "active": true });
    let attributes = attributes.as_object().cloned().expect("attributes");
    let user = ResourceId(Uuid::from_u128(1));
    let passage = Passage { user, enters, version: 3, attributes };
    let all = TypeFilter::default();
    let told = tell(record, &all, payload).expect("a golden event");
    with_passages(record, told, vec![passage], &all, payload)
}

/// What each record tells, by the name of its event, and that to those who follow a group.
fn all_told(record: &Record, payload: Payload) -> Vec<(String, Option<Told>)> {
    let everybody = tell(record, &TypeFilter::default(), payload).expect("a golden event");
    let mut all = vec![(record.event_type.clone(), everybody)];
    let followed = followed(record, payload);
    all.extend(followed.map(|told| (format!("{}, followed", record.event_type), Some(told))));
    all
}

#[test]
fn what_is_told_of_each_event_is_frozen() {
    let mut golden = Map::new();
    let (mut types, mut names) = (BTreeSet::new(), BTreeSet::new());
    for record in records() {
        let (full, notice) = (told(&record, Payload::Full), told(&record, Payload::Notice));
        assert_eq!(full.is_null(), of_record(&record).is_none(), "{}", record.event_type);
        if let Some(public) = of_record(&record) {
            types.insert(public);
            names.insert(record.event_type.clone());
            assert!(TypeFilter::default().wants(public));
        }
        if let Some(Told(full)) = followed(&record, Payload::Full) {
            let notice = followed(&record, Payload::Notice).map(|told| told.0);
            let last = full.last().expect("an event").event_type;
            types.extend(PublicType::ALL.iter().filter(|public| public.as_str() == last));
            let name = format!("{}, followed", record.event_type);
            golden.insert(name, json!({ "full": full, "notice": notice }));
        }
        golden.insert(record.event_type, json!({ "full": full, "notice": notice }));
    }
    let all: BTreeSet<PublicType> = PublicType::ALL.iter().copied().collect();
    assert_eq!(types, all, "every type is told of something");
    let known: BTreeSet<String> = sources(|_| true).into_iter().map(str::to_owned).collect();
    assert_eq!(names, known, "the index is asked for what is told");
    insta::with_settings!({ snapshot_path => "../outbound", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_json_snapshot!("events", golden);
    });
}

/// The tokens of each event ever stored, with what goes wrong silently elsewhere.
#[test]
fn tokens_are_frozen() {
    const ISSUER: &str = "https://rollcall.example.com/x";
    let (mut golden, mut kinds) = (Map::new(), BTreeSet::new());
    let told = records().flat_map(|record| {
        let all = all_told(&record, Payload::Full);
        all.into_iter().map(move |(name, told)| (record.clone(), name, told))
    });
    for (record, name, told) in told {
        let mut of_record = Map::new();
        // Nobody who is only poked gets tokens.
        for payload in [Payload::Full, Payload::Notice] {
            let mut all = Vec::new();
            for event in told.iter().flat_map(|told| &told.0) {
                let tokens = security_events(event, payload, ISSUER, "doors");
                let public = PublicType::ALL.iter().find(|p| p.as_str() == event.event_type);
                assert_eq!(public.is_some_and(|p| is_security(*p)), !tokens.is_empty());
                all.extend(tokens);
            }
            for token in &all {
                let claims = token.claims.as_object().expect("claims");
                assert!(!claims.contains_key("sub") && !claims.contains_key("exp"), "{claims:?}");
                assert_eq!(claims["iat"], record.recorded_at.timestamp(), "in seconds");
                assert_eq!(claims["jti"], json!(token.jti));
                let events = claims["events"].as_object().expect("events");
                assert_eq!(events.len(), 1, "one event to a token");
                for (uri, says) in events {
                    assert!(EVENT_URIS.contains(&uri.as_str()), "{uri}");
                    assert_eq!(uri.ends_with(":full"), says.get("data").is_some(), "{uri}");
                    let named = says.get("attributes").is_some_and(Value::is_array);
                    assert_eq!(uri.ends_with(":notice"), named, "{uri}");
                    kinds.insert(uri.clone());
                }
                let members: Vec<&String> =
                    claims["sub_id"].as_object().expect("a subject").keys().collect();
                let known = [
                    &["format", "uri"][..],
                    &["format", "iss", "sub"],
                    &["format", "session", "user"],
                ];
                assert!(known.iter().any(|known| members == *known), "{members:?}");
                if payload == Payload::Notice {
                    let text = token.claims.to_string();
                    assert!(!text.contains("ada@") && !text.contains("Ada"), "{text}");
                }
            }
            let ids: BTreeSet<_> = all.iter().map(|token| token.jti).collect();
            assert_eq!(ids.len(), all.len(), "each has a name of its own");
            let claims: Vec<&Value> = all.iter().map(|token| &token.claims).collect();
            of_record.insert(payload.as_str().to_owned(), json!(claims));
        }
        if told.is_some() {
            golden.insert(name, Value::Object(of_record));
        }
    }
    let verification = |uri: &&&str| !uri.ends_with("verification");
    let all: BTreeSet<String> =
        EVENT_URIS.iter().filter(verification).map(|uri| (*uri).to_owned()).collect();
    assert_eq!(kinds, all, "every kind is told of something");
    insta::with_settings!({ snapshot_path => "../outbound", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_json_snapshot!("tokens", golden);
    });
}

/// A notice tells which attributes, and of no one what.
#[test]
fn a_notice_holds_no_value() {
    fn values(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::String(text) => _ = found.insert(text.clone()),
            Value::Array(all) => all.iter().for_each(|v| values(v, found)),
            Value::Object(all) => all.values().for_each(|v| values(v, found)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    for record in records() {
        let (mut full, mut notice) = (BTreeSet::new(), BTreeSet::new());
        values(&told(&record, Payload::Full), &mut full);
        values(&told(&record, Payload::Notice), &mut notice);
        assert!(notice.is_subset(&full), "{}", record.event_type);
        let text = told(&record, Payload::Notice).to_string();
        for personal in ["attributes", "values", "userName\":", "displayName\":", "ada@", "Ada"] {
            assert!(!text.contains(personal), "{}: {text}", record.event_type);
        }
    }
}

#[test]
fn schemas_are_frozen() {
    insta::with_settings!({ snapshot_path => "../outbound", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_json_snapshot!("schemas", schemas());
    });
}
