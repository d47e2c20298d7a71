//! The shapes, against what was seen on the wire.

use super::*;
use serde_json::json;

fn ada() -> User {
    User {
        user_principal_name: "ada@contoso.example".into(),
        display_name: "Ada Moor".into(),
        mail: Some("ada.moor@contoso.example".into()),
        given_name: Some("Ada".into()),
        surname: Some("Moor".into()),
        department: Some("Security".into()),
        ..User::default()
    }
}

fn current() -> Value {
    json!({
        "active": true, "userName": "ada@contoso.example", "displayName": "Ada Keller", "externalId": ada().object_id.to_string(),
        "name": {"givenName": "Ada", "familyName": "Moor", "formatted": "Ada Moor"},
        "emails": [{"type": "work", "value": "ada.keller@contoso.example"}],
    })
}

#[test]
fn legacy_is_one_operation_an_attribute() {
    let edits = user_edits(&Mapping::standard(), &ada(), false, &current());
    assert_eq!(
        patch(Shape::Legacy, &edits)["Operations"],
        json!([
            {"op": "Replace", "path": "active", "value": "False"},
            {"op": "Replace", "path": "displayName", "value": "Ada Moor"},
            {"op": "Replace", "path": "emails[type eq \"work\"].value", "value": "ada.moor@contoso.example"},
            {"op": "Add", "path": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department", "value": "Security"},
        ])
    );
}

#[test]
fn flagged_collapses_what_has_no_value_path() {
    let edits = user_edits(&Mapping::standard(), &ada(), true, &current());
    assert_eq!(
        patch(Shape::Flagged, &edits)["Operations"],
        json!([
            {"op": "replace", "path": "emails[type eq \"work\"].value", "value": "ada.moor@contoso.example"},
            {"op": "add", "value": {"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department": "Security"}},
            {"op": "replace", "value": {"displayName": "Ada Moor"}},
        ])
    );
    let off: Vec<Edit> = switch(false, &current()).into_iter().collect();
    assert_eq!(
        patch(Shape::Flagged, &off)["Operations"],
        json!([{"op": "replace", "path": "active", "value": false}])
    );
}

#[test]
fn members_leave_by_value_or_by_path() {
    let ids = ["u1".to_owned()];
    assert_eq!(
        remove_members(Shape::Legacy, &ids)["Operations"],
        json!([{"op": "Remove", "path": "members", "value": [{"$ref": null, "value": "u1"}]}])
    );
    assert_eq!(
        remove_members(Shape::Flagged, &ids)["Operations"],
        json!([{"op": "remove", "path": "members[value eq \"u1\"]"}])
    );
}

#[test]
fn filters_are_form_encoded() {
    assert_eq!(equals("userName", "a#EXT#@b.c"), "userName+eq+%22a%23EXT%23%40b.c%22");
}

#[test]
fn nothing_flows_from_an_empty_attribute() {
    let mut with_title = current();
    with_title["title"] = json!("Guard");
    let edits = user_edits(&Mapping::standard(), &ada(), true, &with_title);
    assert!(edits.iter().all(|e| e.target.as_str() != "title"));
}
