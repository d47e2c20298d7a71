//! What is read out of an export, and what is refused.

use super::*;
use rollcall_domain::provisioning_log::{ImportedAction, ImportedStatus, Initiator};
use serde_json::{Value, json};

fn entry() -> Value {
    json!({
        "id": "1", "activityDateTime": "2026-11-24T10:00:01.5Z", "jobId": "scim.x", "cycleId": "c1", "changeId": "x1",
        "provisioningAction": "update", "durationInMilliseconds": 250, "initiatedBy": {"initiatorType": "system", "displayName": "Azure AD"},
        "sourceIdentity": {"id": "s", "displayName": "Ada"}, "targetIdentity": {"id": "T1", "displayName": "ada@contoso.example"},
        "modifiedProperties": [{"displayName": "title", "newValue": "Guard"}],
        "provisioningStatusInfo": {"status": "failure", "errorInformation": {"errorCode": "EntryConflict", "reason": "Ada"}},
    })
}

fn read(value: Value) -> Result<Vec<(String, ImportedChange)>, ParseError> {
    parse(value.to_string().as_bytes())
}

#[test]
fn both_spellings_and_every_wrapping_are_read() {
    let expected = read(json!([entry()])).unwrap();
    let (cycle, change) = &expected[0];
    assert_eq!((cycle.as_str(), change.change.as_str(), change.took_ms), ("c1", "x1", 250));
    assert_eq!((change.action, change.status), (ImportedAction::Update, ImportedStatus::Failure));
    assert_eq!(
        (change.error.as_deref(), change.target.as_deref(), change.initiator),
        (Some("EntryConflict"), Some("t1"), Some(Initiator::Service))
    );

    let mut older = entry();
    let map = older.as_object_mut().unwrap();
    map["provisioningStatusInfo"]["errorInfo"] =
        map["provisioningStatusInfo"]["errorInformation"].take();
    for (old, new) in [("provisioningAction", "action"), ("provisioningStatusInfo", "statusInfo")] {
        let value = map.remove(old).unwrap();
        map.insert(new.to_owned(), value);
    }
    assert_eq!(read(json!([older])).unwrap(), expected);
    assert_eq!(read(json!({"@odata.context": "x", "value": [entry()]})).unwrap(), expected);
    assert_eq!(read(entry()).unwrap(), expected);
    assert_eq!(parse(format!("\u{feff}{}\n{}\n", entry(), entry()).as_bytes()).unwrap().len(), 2);
}

#[test]
fn names_and_values_are_left_behind() {
    let kept = serde_json::to_string(&read(json!([entry()])).unwrap()).unwrap();
    assert!(!kept.contains("Ada") && !kept.contains("ada@") && !kept.contains("Guard"), "{kept}");
}

#[test]
fn csv_is_read_by_the_names_of_its_columns() {
    let expected = read(json!([entry()])).unwrap();
    let csv = "id,activityDateTime,cycleId,changeId,provisioningAction,durationInMilliseconds,initiatedBy.initiatorType,sourceIdentity.displayName,\
               targetIdentity.id,provisioningStatusInfo.status,provisioningStatusInfo.errorInformation.errorCode\r\n\
               1,2026-11-24T10:00:01.5Z,c1,x1,update,250,system,\"Keller, \"\"Ada\"\"\",T1,failure,EntryConflict\r\n";
    assert_eq!(parse(csv.as_bytes()).unwrap(), expected);
    let portal = "Date (UTC),Cycle ID,Change ID,Action,Status,Target ID\n2026-11-24 10:00:01.5,c1,x1,Update,Failure,T1\n";
    assert_eq!(parse(portal.as_bytes()).unwrap()[0].1.target.as_deref(), Some("t1"));
}

#[test]
fn what_cannot_be_used_is_refused_with_its_place() {
    let without = |name: &str| {
        let mut entry = entry();
        entry.as_object_mut().unwrap().remove(name);
        read(json!([self::entry(), entry])).unwrap_err().to_string()
    };
    assert_eq!(without("cycleId"), "entry 2 cannot be used: cycleId is missing");
    assert_eq!(without("changeId"), "entry 2 cannot be used: changeId is missing");
    assert_eq!(
        without("activityDateTime"),
        "entry 2 cannot be used: activityDateTime is no time such as 2026-11-24T10:00:00Z"
    );
    assert!(without("provisioningStatusInfo").contains("the status is none of"));
    for (text, why) in [
        ("", "it is empty"),
        ("{\"value\": 3}", "\"value\" is no list"),
        ("[{", "line 1, column 2 is not JSON"),
        ("name,age\na,1\n", "the first line names no column cycleId"),
    ] {
        let error = parse(text.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(why), "{text}: {error}");
    }
    assert!(parse(b"\xff\xfe").is_err());
    let many: Vec<Value> = (0..=CHANGES_AT_ONCE).map(|_| json!({})).collect();
    assert_eq!(read(json!(many)), Err(ParseError::TooMany));
}

proptest::proptest! {
    /// Whatever comes in, the answer is entries or an error, and an error repeats nothing long.
    #[test]
    fn nothing_makes_it_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..400)) {
        if let Err(error) = parse(&bytes) {
            proptest::prop_assert!(error.to_string().len() < 300);
        }
    }

    /// The same for texts that begin as a log does.
    #[test]
    fn nor_does_what_looks_like_a_log(cut in 0..600_usize, garbage in "[ -~]{0,8}") {
        let mut text = json!({"value": [entry(), entry()]}).to_string();
        let at = cut.min(text.len());
        text.insert_str(at, &garbage);
        let csv = format!("cycleId,changeId,activityDateTime,status\nc,{garbage},2026-11-24T10:00:00Z,success\n{}", &text[..at]);
        for text in [text, csv] {
            if let Ok(entries) = parse(text.as_bytes()) {
                proptest::prop_assert!(entries.iter().all(|(cycle, change)| cycle.len() <= 100 && change.change.len() <= 100));
            }
        }
    }
}
