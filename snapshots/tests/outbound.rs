//! What is told outward of each event ever stored, and the schema of it. Within a version of a type
//! there may only be additions: whoever sees something go from these files is about to break those
//! who read it.

mod story;

use rollcall_domain::consumer::Payload;
use rollcall_domain::log::{Record, Restored};
use rollcall_domain::outbound::{of_record, schemas, sources, tell};
use rollcall_domain::public_type::{PublicType, TypeFilter};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

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
