//! The shapes Entra sends, one by one: resources, PATCH operations and filters, and what becomes of
//! them.

use rollcall_domain::interpretation::{Notes, Reading};
use rollcall_domain::scim::*;
use serde_json::{Value, json};

const ENTERPRISE: &str = ENTERPRISE_URN;
const DOORCTL: &str = "urn:ietf:params:scim:schemas:extension:doorctl:2.0:User";
const ADA: &str = "0190b1a0-0000-7000-8000-000000000001";
const BRAM: &str = "0190b1a0-0000-7000-8000-000000000002";

fn limits() -> Limits {
    Limits::default()
}

fn readings(notes: &Notes) -> Vec<Reading> {
    notes.list().iter().map(|i| i.reading).collect()
}

/// A user body with more attributes, decoded.
fn user(more: Value) -> Result<(Value, Vec<Reading>), ScimError> {
    let mut body =
        json!({ "schemas": [USER_URN], "userName": "ada@contoso.example", "active": true });
    merge(&mut body, more);
    let mut notes = Notes::default();
    let decoded = decode_resource(ResourceKind::User, &body, &limits(), &mut notes)?;
    Ok((Value::Object(decoded.attributes), readings(&notes)))
}

fn merge(into: &mut Value, more: Value) {
    if let (Value::Object(into), Value::Object(more)) = (into, more) {
        into.extend(more);
    }
}

/// The state every PATCH test starts from.
fn ada() -> Attributes {
    let state = json!({
        "userName": "ada@contoso.example", "active": true, "displayName": "Ada Keller",
        "name": { "givenName": "Ada", "familyName": "Keller" },
        "emails": [{ "type": "work", "value": "ada@contoso.example", "primary": true }],
        "phoneNumbers": [{ "type": "mobile", "value": "+41 79" }, { "type": "work", "value": "+41 44" }],
        "roles": [{ "primary": true, "type": "WindowsAzureActiveDirectoryRole", "value": "Guard", "display": "Guard" }],
        ENTERPRISE: { "department": "Facilities", "manager": { "value": BRAM } },
        DOORCTL: { "badgeNumber": "B-1" },
    });
    state.as_object().cloned().unwrap_or_default()
}

/// What a PATCH with these operations makes of [`ada`].
fn patch(operations: Value) -> Result<(Value, Vec<Reading>), ScimError> {
    let body = json!({ "schemas": [PATCH_OP_URN], "Operations": operations });
    let mut notes = Notes::default();
    let intents = decode_patch(ResourceKind::User, &body, &limits(), &mut notes)?;
    let after = apply_intents(ResourceKind::User, &ada(), &intents, &mut notes)?;
    Ok((Value::Object(after), readings(&notes)))
}

/// One operation and the parts of the state it changes.
#[track_caller]
fn patched(operation: Value, changes: Value, noted: &[Reading]) {
    let (after, readings) =
        patch(json!([operation])).unwrap_or_else(|e| panic!("{operation}: {e}"));
    let mut expected = Value::Object(ada());
    for (key, value) in changes.as_object().into_iter().flatten() {
        match value {
            Value::Null => {
                expected.as_object_mut().map(|o| o.remove(key));
            }
            value => expected[key] = value.clone(),
        }
    }
    assert_eq!(after, expected, "{operation}");
    assert_eq!(readings, noted, "{operation}");
}

#[track_caller]
fn refused(operation: Value, scim_type: ScimType, part: &str) {
    let error = patch(json!([operation])).expect_err(&operation.to_string());
    assert_eq!((error.status, error.scim_type), (400, Some(scim_type)), "{operation}: {error}");
    assert!(error.detail.contains(part), "{operation}: {error}");
}

#[test]
fn the_post_of_entra_is_kept_as_sent() {
    let sent = json!({
        "externalId": "1111", "displayName": "Ada Keller",
        "emails": [{ "primary": true, "type": "work", "value": "ada@contoso.example" }],
        "phoneNumbers": [{ "type": "work", "value": "+41 44 555 01 01" }],
        ENTERPRISE: { "department": "Facilities" },
        DOORCTL: { "badgeNumber": "B-3007" },
    });
    let mut body = sent.clone();
    merge(
        &mut body,
        json!({ "meta": { "resourceType": "User" }, "roles": [], "schemas": [USER_URN, ENTERPRISE] }),
    );
    let (mut attributes, noted) = user(body).unwrap_or_else(|e| panic!("{e}"));
    let object = attributes.as_object_mut().expect("an object");
    assert_eq!(
        (object.remove("userName"), object.remove("active")),
        (Some(json!("ada@contoso.example")), Some(json!(true)))
    );
    assert_eq!(attributes, sent);
    assert_eq!(noted, []);
}

#[test]
fn dialects_of_post() {
    let cases: Vec<(Value, Value, Vec<Reading>)> = vec![
        (json!({ "active": "True" }), json!({ "active": true }), vec![Reading::StringBoolean]),
        (json!({ "active": "false" }), json!({ "active": false }), vec![Reading::StringBoolean]),
        (
            json!({ "ACTIVE": false, "active": false }),
            json!({ "active": false }),
            vec![Reading::AttributeCase],
        ),
        (
            json!({ "DisplayName": "Ada" }),
            json!({ "displayName": "Ada" }),
            vec![Reading::AttributeCase],
        ),
        (json!({ "title": null, "addresses": null, "emails": [], "name": {} }), json!({}), vec![]),
        (json!({ "title": "" }), json!({}), vec![Reading::EmptyAsUnassigned]),
        (json!({ "title": 7 }), json!({ "title": "7" }), vec![Reading::ScalarAsString]),
        (json!({ "id": "x", "groups": [] }), json!({}), vec![Reading::ReadOnlyIgnored]),
        (json!({ "schemas": [] }), json!({}), vec![Reading::SchemasMissing]),
        (
            json!({ "schemas": [USER_URN, "urn:ietf:params:scim:schemas:extension:enterprise:2.0User"] }),
            json!({}),
            vec![Reading::UnknownSchemaIgnored],
        ),
        (
            json!({ "department": "Ops", "manager": { "value": BRAM } }),
            json!({ ENTERPRISE: { "department": "Ops", "manager": { "value": BRAM } } }),
            vec![Reading::EnterpriseUnqualified],
        ),
        (
            json!({ format!("{ENTERPRISE}:department"): "Ops", "name.givenName": "Ada" }),
            json!({ ENTERPRISE: { "department": "Ops" }, "name": { "givenName": "Ada" } }),
            vec![Reading::KeyAsPath],
        ),
        (
            json!({ ENTERPRISE: { "manager": BRAM } }),
            json!({ ENTERPRISE: { "manager": { "value": BRAM } } }),
            vec![Reading::ManagerAsString],
        ),
        (
            json!({ ENTERPRISE: { "manager": [{ "value": BRAM, "$ref": "https://x/Users/1", "displayName": "Bram" }] } }),
            json!({ ENTERPRISE: { "manager": { "value": BRAM } } }),
            vec![Reading::ManagerAsArray, Reading::ReadOnlyIgnored],
        ),
        (
            json!({ "emails": { "value": "a@b" } }),
            json!({ "emails": [{ "value": "a@b" }] }),
            vec![Reading::SingleAsArray],
        ),
        (
            json!({ "roles": [{ "primary": "True", "value": "A", "displayName": "A" }] }),
            json!({ "roles": [{ "primary": true, "value": "A", "display": "A" }] }),
            vec![Reading::SubAttributeAlias, Reading::StringBoolean],
        ),
        (
            json!({ "roles": [{ "value": "A" }, { "value": "A" }] }),
            json!({ "roles": [{ "value": "A" }] }),
            vec![],
        ),
        (
            json!({ "phoneNumbers": [{ "type": "fax", "value": "" }] }),
            json!({}),
            vec![Reading::EmptyAsUnassigned],
        ),
        (
            json!({ DOORCTL: { "badge": 7, "gone": null } }),
            json!({ DOORCTL: { "badge": 7 } }),
            vec![],
        ),
        (
            json!({ ENTERPRISE: { "department": "S", "manager": null } }),
            json!({ ENTERPRISE: { "department": "S" } }),
            vec![],
        ),
        (
            json!({ "emails": [{ "type": "work", "primary": true }] }),
            json!({}),
            vec![Reading::EmptyElementDropped],
        ),
        (
            json!({ "emails": [{ "value": "a", "operation": "Delete" }, { "value": "b" }] }),
            json!({ "emails": [{ "value": "b" }] }),
            vec![Reading::DeletionMark],
        ),
        (json!({ "password": "x" }), json!({}), vec![Reading::PasswordDropped]),
        (json!({ "Password": null }), json!({}), vec![]),
        (json!({ USER_URN: { "PASSWORD": "x" } }), json!({}), vec![Reading::PasswordDropped]),
        (json!({ format!("{USER_URN}:password"): "x" }), json!({}), vec![Reading::PasswordDropped]),
    ];
    for (more, expected, noted) in cases {
        let (attributes, readings) = user(more.clone()).unwrap_or_else(|e| panic!("{more}: {e}"));
        let mut whole = json!({ "userName": "ada@contoso.example", "active": true });
        merge(&mut whole, expected);
        assert_eq!(attributes, whole, "{more}");
        let mut distinct = readings;
        distinct.dedup();
        assert_eq!(distinct, noted, "{more}");
    }
}

#[test]
fn what_active_means_when_it_is_absent_is_for_the_command_to_decide() {
    // A POST makes an active user; a PUT must not switch a disabled one on.
    let body = json!({ "schemas": [USER_URN], "userName": "ada" });
    let decoded = decode_resource(ResourceKind::User, &body, &limits(), &mut Notes::default());
    assert_eq!(decoded.map(|d| d.attributes.get("active").cloned()), Ok(None));
}

#[test]
fn what_a_post_cannot_say() {
    for (more, scim_type, part) in [
        (json!({ "userName": "" }), ScimType::InvalidValue, "userName"),
        (json!({ "userName": null }), ScimType::InvalidValue, "userName"),
        (json!({ "name": { "password": "x" } }), ScimType::InvalidSyntax, "unknown sub-attribute"),
        (
            json!({ "emails": [{ "type": "work", "address": "a@b" }] }),
            ScimType::InvalidSyntax,
            "unknown sub-attribute",
        ),
        (json!({ "badge": "x" }), ScimType::InvalidSyntax, "extension URN"),
        (json!({ "members": [] }), ScimType::InvalidSyntax, "members"),
        (json!({ "active": "yes" }), ScimType::InvalidValue, "true or false"),
        (json!({ "name": "Ada" }), ScimType::InvalidValue, "an object"),
        (json!({ "emails": ["a@b"] }), ScimType::InvalidValue, "objects"),
        (json!({ "title": {"a": 1} }), ScimType::InvalidValue, "a text"),
        (json!({ "title": "a", "TITLE": "b" }), ScimType::InvalidSyntax, "twice"),
        (json!({ ENTERPRISE: "x" }), ScimType::InvalidValue, "object of attributes"),
        (json!({ ENTERPRISE: { "nope": "x" } }), ScimType::InvalidSyntax, "nope"),
        (
            json!({ "emails": [{ "value": "a", "primary": true }, { "value": "b", "primary": "true" }] }),
            ScimType::InvalidValue,
            "primary",
        ),
    ] {
        let error = user(more.clone()).expect_err(&more.to_string());
        assert_eq!(error.scim_type, Some(scim_type), "{more}: {error}");
        assert!(error.detail.contains(part), "{more}: {error}");
    }
}

#[test]
fn groups_and_their_members() {
    let decode = |body: Value| {
        let mut notes = Notes::default();
        decode_resource(ResourceKind::Group, &body, &limits(), &mut notes).map(|d| {
            let members = d.members.map(|m| m.iter().map(ToString::to_string).collect::<Vec<_>>());
            (Value::Object(d.attributes), members, readings(&notes))
        })
    };
    let adscim = "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group";
    let body = json!({ "schemas": [GROUP_URN, adscim], "externalId": "6", "displayName": "A", "meta": { "resourceType": "Group" } });
    let plain = json!({ "externalId": "6", "displayName": "A" });
    assert_eq!(decode(body), Ok((plain, None, vec![Reading::UnknownSchemaIgnored])));
    let body = json!({ "schemas": [GROUP_URN], "displayName": "A", "members": [{ "value": ADA, "$ref": null }, BRAM, { "value": ADA }] });
    let members = Some(vec![ADA.to_owned(), BRAM.to_owned()]);
    assert_eq!(
        decode(body),
        Ok((json!({ "displayName": "A" }), members, vec![Reading::MemberAsString]))
    );
    let error = decode(json!({ "displayName": "A", "members": [{ "value": "no-such-user" }] }))
        .expect_err("no id");
    assert!(
        error.scim_type == Some(ScimType::InvalidValue) && error.detail.contains("no-such-user"),
        "{error}"
    );
    let error = decode(json!({ "members": [] })).expect_err("no name");
    assert!(error.detail.contains("displayName"), "{error}");
}

#[test]
fn legacy_updates() {
    use Reading::*;
    patched(
        json!({ "op": "Replace", "path": "displayName", "value": "Ada Moor" }),
        json!({ "displayName": "Ada Moor" }),
        &[OperationCase],
    );
    patched(
        json!({ "op": "Replace", "path": "active", "value": "False" }),
        json!({ "active": false }),
        &[OperationCase, StringBoolean],
    );
    patched(
        json!({ "op": "Replace", "path": "emails[type eq \"work\"].value", "value": "new@contoso.example" }),
        json!({ "emails": [{ "type": "work", "value": "new@contoso.example", "primary": true }] }),
        &[OperationCase],
    );
    patched(
        json!({ "op": "Add", "path": "emails[type eq \"other\"].value", "value": "ada@home.example" }),
        json!({ "emails": [
            { "type": "work", "value": "ada@contoso.example", "primary": true },
            { "type": "other", "value": "ada@home.example" },
        ] }),
        &[OperationCase, ValuePathCreated],
    );
    patched(
        json!({ "op": "Replace", "path": "roles[primary eq \"True\"].value", "value": "Guard lead" }),
        json!({ "roles": [{ "primary": true, "type": "WindowsAzureActiveDirectoryRole", "value": "Guard lead", "display": "Guard" }] }),
        &[OperationCase, StringBooleanInFilter],
    );
    let json_in_string = "{\"id\":\"06b0\",\"value\":\"Auditor\",\"displayName\":\"Auditor\"}";
    patched(
        json!({ "op": "Add", "path": "roles", "value": [{ "value": json_in_string }] }),
        json!({ "roles": [
            { "primary": true, "type": "WindowsAzureActiveDirectoryRole", "value": "Guard", "display": "Guard" },
            { "value": json_in_string },
        ] }),
        &[OperationCase],
    );
    patched(
        json!({ "op": "Remove", "path": "phoneNumbers[type eq \"mobile\"].value" }),
        json!({ "phoneNumbers": [{ "type": "work", "value": "+41 44" }] }),
        &[OperationCase],
    );
    patched(
        json!({ "op": "Remove", "path": "phoneNumbers[type eq \"fax\"].value" }),
        json!({}),
        &[OperationCase, RemoveAbsent],
    );
    patched(
        json!({ "op": "Replace", "path": format!("{DOORCTL}:badgeNumber"), "value": "B-2" }),
        json!({ DOORCTL: { "badgeNumber": "B-2" } }),
        &[OperationCase],
    );
}

#[test]
fn every_form_of_manager() {
    use Reading::*;
    let with =
        |manager: Value| json!({ ENTERPRISE: { "department": "Facilities", "manager": manager } });
    let path = format!("{ENTERPRISE}:manager");
    let is_ada = with(json!({ "value": ADA }));
    let without = json!({ ENTERPRISE: { "department": "Facilities" } });
    patched(json!({ "op": "add", "path": path, "value": ADA }), is_ada.clone(), &[ManagerAsString]);
    patched(json!({ "op": "add", "path": path, "value": { "value": ADA } }), is_ada.clone(), &[]);
    patched(
        json!({ "op": "add", "path": format!("{ENTERPRISE}.manager"), "value": { "value": ADA } }),
        is_ada.clone(),
        &[UrnWithDot],
    );
    patched(
        json!({ "op": "add", "path": "manager", "value": [{ "$ref": "https://x/Users/1", "value": ADA }] }),
        is_ada.clone(),
        &[EnterpriseUnqualified, ManagerAsArray],
    );
    patched(
        json!({ "op": "replace", "value": { path.clone(): ADA } }),
        is_ada,
        &[KeyAsPath, ManagerAsString],
    );
    patched(json!({ "op": "remove", "path": path }), without.clone(), &[]);
    patched(
        json!({ "op": "replace", "path": path, "value": "" }),
        without.clone(),
        &[EmptyAsUnassigned],
    );
    patched(json!({ "op": "replace", "path": path, "value": null }), without, &[]);
}

#[test]
fn flagged_updates_have_paths_as_keys() {
    patched(
        json!({ "op": "replace", "value": {
            "displayName": "Ada Moor", "name.familyName": "Moor", format!("{ENTERPRISE}:department"): "Night Ops",
        } }),
        json!({
            "displayName": "Ada Moor",
            "name": { "givenName": "Ada", "familyName": "Moor" },
            ENTERPRISE: { "department": "Night Ops", "manager": { "value": BRAM } },
        }),
        &[Reading::KeyAsPath, Reading::KeyAsPath],
    );
    patched(
        json!({ "op": "add", "value": { ENTERPRISE: { "division": "West" }, "nickName": "Ada" } }),
        json!({
            "nickName": "Ada",
            ENTERPRISE: { "department": "Facilities", "manager": { "value": BRAM }, "division": "West" },
        }),
        &[],
    );
    patched(
        json!({ "op": "replace", "path": "roles", "value": [{ "primary": false, "type": "t", "display": "K", "value": "K" }] }),
        json!({ "roles": [{ "primary": false, "type": "t", "display": "K", "value": "K" }] }),
        &[],
    );
}

#[test]
fn table_of_rfc_7644_section_3_5_2() {
    use Reading::*;
    let phones = || ada()["phoneNumbers"].clone();
    // add
    patched(json!({ "op": "add", "path": "displayName", "value": "Ada Keller" }), json!({}), &[]);
    patched(json!({ "op": "add", "path": "phoneNumbers", "value": phones() }), json!({}), &[]);
    patched(
        json!({ "op": "add", "path": "name", "value": { "givenName": "A" } }),
        json!({ "name": { "givenName": "A", "familyName": "Keller" } }),
        &[],
    );
    patched(
        json!({ "op": "add", "path": "emails", "value": [{ "value": "new@x", "primary": true }] }),
        json!({ "emails": [
            { "type": "work", "value": "ada@contoso.example", "primary": false },
            { "value": "new@x", "primary": true },
        ] }),
        &[PrimaryMoved],
    );
    // remove
    patched(
        json!({ "op": "remove", "path": "phoneNumbers" }),
        json!({ "phoneNumbers": null }),
        &[],
    );
    patched(
        json!({ "op": "remove", "path": "emails[type eq \"work\"]" }),
        json!({ "emails": null }),
        &[],
    );
    patched(json!({ "op": "remove", "path": "nickName" }), json!({}), &[RemoveAbsent]);
    patched(
        json!({ "op": "remove", "path": "name.givenName" }),
        json!({ "name": { "familyName": "Keller" } }),
        &[],
    );
    patched(json!({ "op": "remove", "path": DOORCTL }), json!({ DOORCTL: null }), &[]);
    patched(
        json!({ "op": "remove", "path": "phoneNumbers", "value": [{ "value": "+41 44" }] }),
        json!({ "phoneNumbers": [{ "type": "mobile", "value": "+41 79" }] }),
        &[MemberRemovalByValue],
    );
    // What is to go may be said by its type alone, in any case that a filter takes.
    for one in [json!({ "type": "Work" }), json!({ "type": "work", "value": "+41 44" })] {
        let mobile = json!({ "phoneNumbers": [{ "type": "mobile", "value": "+41 79" }] });
        patched(
            json!({ "op": "remove", "path": "phoneNumbers", "value": [one] }),
            mobile.clone(),
            &[MemberRemovalByValue],
        );
        let mut marked = one.clone();
        marked["operation"] = json!("delete");
        patched(
            json!({ "op": "replace", "path": "phoneNumbers", "value": [marked] }),
            mobile,
            &[DeletionMark],
        );
    }
    // A value of which nothing is said but what it is for is none, whichever way it came.
    let nothing = [ValuePathCreated, EmptyElementDropped];
    patched(
        json!({ "op": "add", "path": "phoneNumbers[type eq \"fax\"].type", "value": "fax" }),
        json!({}),
        &nothing,
    );
    patched(
        json!({ "op": "add", "path": "phoneNumbers[type eq \"fax\"]", "value": { "type": "fax" } }),
        json!({}),
        &nothing,
    );
    patched(
        json!({ "op": "add", "path": "phoneNumbers", "value": [{ "type": "fax" }] }),
        json!({}),
        &[EmptyElementDropped],
    );
    // replace
    patched(
        json!({ "op": "replace", "path": "phoneNumbers", "value": [{ "value": "1" }] }),
        json!({ "phoneNumbers": [{ "value": "1" }] }),
        &[],
    );
    patched(
        json!({ "op": "replace", "path": "phoneNumbers[type eq \"work\"]", "value": { "value": "1" } }),
        json!({ "phoneNumbers": [{ "type": "mobile", "value": "+41 79" }, { "type": "work", "value": "1" }] }),
        &[],
    );
    patched(
        json!({ "op": "replace", "path": "title", "value": "" }),
        json!({}),
        &[EmptyAsUnassigned],
    );
    patched(
        json!({ "op": "replace", "path": "displayName", "value": null }),
        json!({ "displayName": null }),
        &[],
    );
    patched(
        json!({ "op": "replace", "path": "phoneNumbers[type eq \"mobile\"].value", "value": "" }),
        json!({ "phoneNumbers": [{ "type": "work", "value": "+41 44" }] }),
        &[EmptyAsUnassigned],
    );
}

#[test]
fn refusals() {
    use ScimType::*;
    refused(json!({ "op": "remove" }), NoTarget, "path");
    refused(json!({ "op": "remove", "path": "userName" }), Mutability, "userName");
    refused(json!({ "op": "replace", "path": "userName", "value": "" }), Mutability, "userName");
    refused(json!({ "op": "replace", "value": { "userName": null } }), Mutability, "userName");
    refused(json!({ "op": "remove", "path": "active" }), InvalidValue, "active");
    refused(json!({ "op": "replace", "path": "active", "value": "" }), InvalidValue, "active");
    refused(json!({ "op": "replace", "path": "active", "value": [""] }), InvalidValue, "active");
    refused(
        json!({ "op": "replace", "path": "userName", "value": [null] }),
        Mutability,
        "userName",
    );
    refused(
        json!({ "op": "replace", "path": "userName", "value": "  " }),
        InvalidValue,
        "userName",
    );
    refused(
        json!({ "op": "replace", "path": "active", "value": "maybe" }),
        InvalidValue,
        "true or false",
    );
    refused(json!({ "op": "replace", "path": "id", "value": "x" }), Mutability, "read-only");
    refused(json!({ "op": "replace", "value": { "groups": [] } }), Mutability, "read-only");
    refused(json!({ "op": "add", "path": "meta.version", "value": "x" }), Mutability, "read-only");
    refused(json!({ "op": "add", "path": "schemas", "value": ["x"] }), Mutability, "read-only");
    refused(json!({ "op": "add", "path": "badge", "value": "x" }), InvalidPath, "badge");
    refused(json!({ "op": "add", "value": { "badge": "x" } }), InvalidPath, "badge");
    refused(
        json!({ "op": "add", "path": "emails.nope", "value": "x" }),
        InvalidPath,
        "unknown sub-attribute \"nope\" of emails",
    );
    refused(
        json!({ "op": "add", "path": "emails", "value": [{ "nope": "x" }] }),
        InvalidPath,
        "unknown sub-attribute \"nope\" of emails",
    );
    refused(
        json!({ "op": "replace", "path": "emails[value sw \"zz\"].type", "value": "home" }),
        NoTarget,
        "matches no value",
    );
    refused(
        json!({ "op": "replace", "path": "emails[type eq \"fax\"].type", "value": "home" }),
        NoTarget,
        "matches no value",
    );
    refused(
        json!({ "op": "replace", "path": "emails[type = \"work\"].value", "value": "x" }),
        InvalidFilter,
        "character",
    );
    refused(
        json!({ "op": "replace", "path": "phoneNumbers.value", "value": "x" }),
        InvalidPath,
        "which one",
    );
    refused(
        json!({ "op": "replace", "path": "emails[type eq \"work\"].primary", "value": "random" }),
        InvalidValue,
        "true or false",
    );
    for unknown in [
        json!({ "op": "move", "path": "title", "value": "x" }),
        json!({ "path": "title", "value": "x" }),
        json!({ "op": "add", "value": "x" }),
        json!({ "op": "add", "path": "title" }),
        json!({ "op": "add", "path": 7, "value": "x" }),
        json!("add"),
    ] {
        let error = patch(json!([unknown])).expect_err(&unknown.to_string());
        assert!(error.status == 400 && error.unknown_shape, "{unknown}: {error}");
    }
}

#[test]
fn the_envelope_of_a_patch() {
    use Reading::*;
    let decode = |body: Value| {
        let mut notes = Notes::default();
        decode_patch(ResourceKind::User, &body, &limits(), &mut notes)
            .map(|i| (i.len(), readings(&notes)))
    };
    let op = json!({ "op": "add", "path": "title", "value": "x" });
    assert_eq!(
        decode(json!({ "schemas": [PATCH_OP_URN.to_uppercase()], "operations": [op] })),
        Ok((1, vec![]))
    );
    assert_eq!(decode(json!({ "Operations": [op] })), Ok((1, vec![SchemasMissing])));
    assert_eq!(
        decode(json!({ "schemas": ["x"], "Operations": op, "id": "y" })),
        Ok((1, vec![UnknownSchemaIgnored, StrayKeyIgnored, SingleAsArray]))
    );
    assert!(decode(json!({ "schemas": [PATCH_OP_URN] })).is_err_and(|e| e.unknown_shape));
    assert!(decode(json!([op])).is_err_and(|e| e.unknown_shape));
    let second =
        decode(json!({ "schemas": [PATCH_OP_URN], "Operations": [op, { "op": "remove" }] }));
    assert!(second.is_err_and(|e| e.detail.starts_with("operation 2 of 2: ")));
}

#[test]
fn member_operations() {
    use Reading::*;
    let decode = |operation: Value| {
        let body = json!({ "schemas": [PATCH_OP_URN], "Operations": [operation] });
        let mut notes = Notes::default();
        decode_patch(ResourceKind::Group, &body, &limits(), &mut notes)
            .map(|i| (i, readings(&notes)))
    };
    let ids = |list: &[&str]| list.iter().filter_map(|s| s.parse().ok()).collect::<Vec<_>>();
    let removed = |list: &[&str]| vec![Intent::RemoveMembers(ids(list))];
    let cases: Vec<(Value, Vec<Intent>, Vec<Reading>)> = vec![
        (
            json!({ "op": "Add", "path": "members", "value": [{ "$ref": null, "value": ADA }, { "value": BRAM }, { "value": ADA }] }),
            vec![Intent::AddMembers(ids(&[ADA, BRAM]))],
            vec![OperationCase],
        ),
        (
            json!({ "op": "add", "path": "members", "value": ADA }),
            vec![Intent::AddMembers(ids(&[ADA]))],
            vec![MemberAsString],
        ),
        (
            json!({ "op": "add", "path": "members", "value": { "value": ADA } }),
            vec![Intent::AddMembers(ids(&[ADA]))],
            vec![SingleAsArray],
        ),
        (
            json!({ "op": "add", "value": { "members": [{ "value": ADA }] } }),
            vec![Intent::AddMembers(ids(&[ADA]))],
            vec![],
        ),
        (
            json!({ "op": "replace", "path": "members", "value": [{ "value": ADA }] }),
            vec![Intent::ReplaceMembers(ids(&[ADA]))],
            vec![],
        ),
        (
            json!({ "op": "replace", "path": "members", "value": [] }),
            vec![Intent::ClearMembers],
            vec![],
        ),
        (
            json!({ "op": "Remove", "path": "members", "value": [{ "$ref": null, "value": ADA }] }),
            removed(&[ADA]),
            vec![OperationCase, MemberRemovalByValue],
        ),
        (
            json!({ "op": "remove", "path": format!("members[value eq \"{ADA}\"]") }),
            removed(&[ADA]),
            vec![],
        ),
        (
            json!({ "op": "remove", "path": format!("members[value eq \"{ADA}\" or value eq \"{BRAM}\"]") }),
            removed(&[ADA, BRAM]),
            vec![],
        ),
        (
            json!({ "op": "remove", "path": "members[value eq \"gone\"]" }),
            removed(&[]),
            vec![RemoveAbsent],
        ),
        (json!({ "op": "remove", "path": "members", "value": [] }), vec![], vec![RemovalOfNobody]),
        (
            json!({ "op": "remove", "path": "members", "value": null }),
            vec![],
            vec![RemovalOfNobody],
        ),
        (json!({ "op": "remove", "path": "members", "value": "" }), vec![], vec![RemovalOfNobody]),
        (
            json!({ "op": "replace", "path": "members", "value": null }),
            vec![],
            vec![RemovalOfNobody],
        ),
        (json!({ "op": "replace", "value": { "members": {} } }), vec![], vec![RemovalOfNobody]),
        (json!({ "op": "add", "path": "members", "value": [] }), vec![], vec![AddOfNothing]),
        (
            json!({ "op": "replace", "path": "members", "value": [{ "value": ADA, "operation": "delete" }, { "value": BRAM }] }),
            vec![Intent::RemoveMembers(ids(&[ADA])), Intent::AddMembers(ids(&[BRAM]))],
            vec![DeletionMark],
        ),
        (json!({ "op": "remove", "path": "members" }), vec![Intent::ClearMembers], vec![]),
    ];
    for (operation, intents, noted) in cases {
        assert_eq!(decode(operation.clone()), Ok((intents, noted)), "{operation}");
    }
    for (operation, part) in [
        (
            json!({ "op": "add", "path": "members", "value": [{ "value": "no-such-user" }] }),
            "no-such-user",
        ),
        (json!({ "op": "remove", "path": "members[value sw \"a\"]" }), "value eq"),
        (json!({ "op": "add", "path": "members[value eq \"a\"]", "value": "x" }), "as a whole"),
    ] {
        let error = decode(operation.clone()).expect_err(&operation.to_string());
        assert!(error.status == 400 && error.detail.contains(part), "{operation}: {error}");
    }
}

#[test]
fn limits_are_clear_errors() {
    let small =
        Limits { max_members: 1, max_operations: 1, max_value_bytes: 10, ..Limits::default() };
    let patch = |kind, body: Value| {
        decode_patch(kind, &body, &small, &mut Notes::default()).expect_err("too much")
    };
    let op = json!({ "op": "add", "path": "title", "value": "x" });
    assert_eq!(patch(ResourceKind::User, json!({ "Operations": [op, op] })).status, 413);
    let long = json!({ "op": "add", "path": "title", "value": "x".repeat(11) });
    assert_eq!(patch(ResourceKind::User, json!({ "Operations": [long] })).status, 400);
    let wide: serde_json::Map<String, Value> =
        (0..2001).map(|i| (format!("a{i}"), json!(1))).collect();
    let wide = json!({ "userName": "ada", DOORCTL: wide });
    assert_eq!(
        decode_resource(ResourceKind::User, &wide, &limits(), &mut Notes::default())
            .map_err(|e| e.status),
        Err(413)
    );
    let small = Limits { max_members: 1, ..Limits::default() };
    let two = json!({ "displayName": "A", "members": [{ "value": ADA }, { "value": BRAM }] });
    assert_eq!(
        decode_resource(ResourceKind::Group, &two, &small, &mut Notes::default())
            .map_err(|e| e.status),
        Err(413)
    );
}

#[test]
fn operations_that_look_at_too_much_are_refused() {
    let many: Vec<Value> = (0..3_000).map(|i| json!({ "value": i.to_string() })).collect();
    let mut operations = vec![json!({ "op": "add", "path": "roles", "value": many })];
    operations.extend((0..3_000).map(
        |i| json!({ "op": "add", "path": "roles[type eq \"t\"].value", "value": i.to_string() }),
    ));
    assert_eq!(patch(json!(operations)).map_err(|e| e.status), Err(413));
    // Each of many is held against each of many.
    let unwanted = json!([{ "op": "add", "path": "roles", "value": many }, { "op": "remove", "path": "roles", "value": many }]);
    assert_eq!(patch(unwanted).map_err(|e| e.status), Err(413));
}

#[test]
fn a_resource_that_is_too_large_to_keep_at_hand_is_refused() {
    let long = "x".repeat(60_000);
    let custom = |n: usize| -> Value {
        (0..15 * n)
            .map(|i| (format!("a{i}"), json!(long)))
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    assert!(user(json!({ DOORCTL: custom(2) })).is_ok());
    assert_eq!(user(json!({ DOORCTL: custom(5) })).map_err(|e| e.status), Err(413));
    let operations: Vec<Value> = (0..75)
        .map(|i| json!({ "op": "add", "path": format!("{DOORCTL}:a{i}"), "value": long }))
        .collect();
    assert_eq!(patch(json!(operations)).map_err(|e| e.status), Err(413));
}

#[test]
fn a_custom_attribute_has_a_name_that_a_path_can_say() {
    for name in ["a:b", "a.b", "a b", "a[b", "a\"b", "", "a\u{0}"] {
        let extension = json!({ DOORCTL: { name: "1" } });
        assert_eq!(
            user(extension.clone()).map_err(|e| e.scim_type),
            Err(Some(ScimType::InvalidSyntax)),
            "{name:?}"
        );
        refused(json!({ "op": "add", "value": extension }), ScimType::InvalidPath, "name");
    }
    for name in ["badgeNumber", "badge-number_2", "größe", "2fa"] {
        let (stored, _) =
            user(json!({ DOORCTL: { name: "1" } })).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(stored[DOORCTL][name], "1");
    }
}

#[test]
fn notes_hold_no_values() {
    let operations = json!([
        { "op": "Replace", "path": "emails[value eq \"secret@x\"].display", "value": "Secret" },
        { "op": "remove", "path": "phoneNumbers[value eq \"secret\"]" },
        { "op": "add", "value": { "emails[value eq \"secret@y\"].type": "work", "title": "" } },
    ]);
    let mut notes = Notes::default();
    let intents = decode_patch(
        ResourceKind::User,
        &json!({ "Operations": operations }),
        &limits(),
        &mut notes,
    )
    .unwrap_or_else(|e| panic!("{e}"));
    apply_intents(ResourceKind::User, &ada(), &intents, &mut notes)
        .unwrap_or_else(|e| panic!("{e}"));
    let said: Vec<String> =
        notes.list().iter().map(|i| format!("{:?} {}", i.reading, i.at)).collect();
    assert!(said.iter().any(|s| s == "ValuePathCreated emails[...].display"), "{said:?}");
    assert!(!said.iter().any(|s| s.to_lowercase().contains("secret")), "{said:?}");
}

#[test]
fn many_values_are_read_in_a_moment() {
    // Quadratic work on these would take minutes.
    let many: Vec<Value> = (0..10_000).map(|i| json!({ "value": i.to_string() })).collect();
    let (after, _) = patch(json!([{ "op": "add", "path": "roles", "value": many }]))
        .unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(after["roles"].as_array().map(Vec::len), Some(10_001));
}
