//! Resources as they go out, and the parts of them that were asked for.

use chrono::{DateTime, Utc};
use rollcall_domain::interpretation::Notes;
use rollcall_domain::scim::*;
use serde_json::{Value, json};

const MANAGER: &str = "0190b1a0-0000-7000-8000-000000000002";
const DOORCTL: &str = "urn:ietf:params:scim:schemas:extension:doorctl:2.0:User";

fn meta(endpoint: &str) -> Meta {
    let at = |s: &str| s.parse::<DateTime<Utc>>().unwrap_or_default();
    Meta {
        created: at("2026-11-23T08:00:00Z"),
        last_modified: at("2026-11-23T08:00:01.234567Z"),
        version: 7,
        location: format!("https://x.example/scim/v2{endpoint}/1"),
    }
}

fn ada() -> Value {
    let attributes = json!({
        "userName": "ada", "active": true, "name": { "givenName": "Ada", "familyName": "Keller" },
        "emails": [{ "type": "work", "value": "a@x", "primary": true }, { "type": "home", "value": "b@x" }],
        ENTERPRISE_URN: { "department": "Ops", "manager": { "value": MANAGER } },
        DOORCTL: { "badge": "B-7" },
    });
    let attributes = attributes.as_object().cloned().unwrap_or_default();
    let groups = Some(vec![json!({ "value": "g1", "display": "Guards" })]);
    render_resource(
        ResourceKind::User,
        "0190b1a0-0000-7000-8000-000000000001".parse().expect("an id"),
        &attributes,
        &meta("/Users"),
        groups,
        None,
    )
}

#[test]
fn the_whole_user() {
    assert_eq!(
        ada(),
        json!({
            "schemas": [USER_URN, DOORCTL, ENTERPRISE_URN],
            "id": "0190b1a0-0000-7000-8000-000000000001",
            "userName": "ada", "active": true, "name": { "givenName": "Ada", "familyName": "Keller" },
            "emails": [{ "type": "work", "value": "a@x", "primary": true }, { "type": "home", "value": "b@x" }],
            "groups": [{ "value": "g1", "display": "Guards" }],
            ENTERPRISE_URN: {
                "department": "Ops",
                "manager": { "value": MANAGER, "$ref": format!("https://x.example/scim/v2/Users/{MANAGER}") },
            },
            DOORCTL: { "badge": "B-7" },
            "meta": {
                "resourceType": "User", "created": "2026-11-23T08:00:00.000Z", "lastModified": "2026-11-23T08:00:01.234Z",
                "location": "https://x.example/scim/v2/Users/1", "version": "W/\"7\"",
            },
        })
    );
}

#[test]
fn a_group_without_members_has_no_members() {
    let attributes = json!({ "displayName": "A" }).as_object().cloned().unwrap_or_default();
    let id = "0190b1a0-0000-7000-8000-000000000003".parse().expect("an id");
    let render = |members| {
        render_resource(ResourceKind::Group, id, &attributes, &meta("/Groups"), None, members)
    };
    assert!(render(None).get("members").is_none() && render(Some(vec![])).get("members").is_none());
    assert_eq!(render(Some(vec![json!({ "value": "1" })]))["members"], json!([{ "value": "1" }]));
}

/// The names that are left, with what is below them where that is no whole value.
fn shown(attributes: &str, excluded: &str) -> Value {
    let paths = |list: &str| -> Vec<AttributePath> {
        let parse =
            |p: &str| parse_path(ResourceKind::User, p, &Limits::default(), &mut Notes::default());
        list.split(',')
            .filter(|p| !p.is_empty())
            .map(|p| parse(p).unwrap_or_else(|e| panic!("{e}")))
            .collect()
    };
    let mut resource = ada();
    project(ResourceKind::User, &mut resource, &paths(attributes), &paths(excluded));
    let object = resource.as_object_mut().expect("an object");
    assert!(
        object.remove("id").is_some() && object.remove("schemas").is_some(),
        "id and schemas always stay"
    );
    resource
}

#[test]
fn attributes_asked_for() {
    let emails = ada()["emails"].clone();
    for (attributes, expected) in [
        ("id", json!({})),
        ("USERNAME,emails", json!({ "userName": "ada", "emails": emails })),
        ("name.givenName", json!({ "name": { "givenName": "Ada" } })),
        ("name.givenName,name.familyName", json!({ "name": ada()["name"] })),
        ("emails.value", json!({ "emails": [{ "value": "a@x" }, { "value": "b@x" }] })),
        (
            "emails.type,emails.value",
            json!({ "emails": [{ "type": "work", "value": "a@x" }, { "type": "home", "value": "b@x" }] }),
        ),
        ("emails[type eq \"home\"]", json!({ "emails": [{ "type": "home", "value": "b@x" }] })),
        ("title", json!({})),
        ("meta.version", json!({ "meta": { "version": "W/\"7\"" } })),
        (DOORCTL, json!({ DOORCTL: { "badge": "B-7" } })),
        (
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
            json!({ ENTERPRISE_URN: { "department": "Ops" } }),
        ),
    ] {
        assert_eq!(shown(attributes, ""), expected, "{attributes}");
    }
    let core = shown(USER_URN, "");
    assert!(core.get("userName").is_some() && core.get(ENTERPRISE_URN).is_none());
}

#[test]
fn attributes_left_out() {
    let without = |names: &[&str]| {
        let mut all = ada();
        let object = all.as_object_mut().expect("an object");
        for name in ["id", "schemas"].iter().chain(names) {
            object.remove(*name);
        }
        all
    };
    assert_eq!(shown("", "id,schemas"), without(&[]));
    assert_eq!(shown("", "groups,meta"), without(&["groups", "meta"]));
    assert_eq!(shown("", DOORCTL), without(&[DOORCTL]));
    assert_eq!(shown("", "name.givenName")["name"], json!({ "familyName": "Keller" }));
    assert_eq!(
        shown("", "emails.primary")["emails"],
        json!([{ "type": "work", "value": "a@x" }, { "type": "home", "value": "b@x" }])
    );
    assert_eq!(shown("", "department")[ENTERPRISE_URN]["manager"]["value"], MANAGER);
    assert!(shown("", "department")[ENTERPRISE_URN].get("department").is_none());
}
