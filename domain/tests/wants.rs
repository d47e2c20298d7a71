//! Properties of what requests wanted: nothing personal stands in it, and who has done a thing has
//! settled it.

use proptest::prelude::*;
use rollcall_domain::failure::{Wanted, Wants, settles, wanted};
use rollcall_domain::scim::{Limits, ResourceKind};
use serde_json::{Value, json};

/// Stands in every value that a client sends here, and in no name.
const MARK: &str = "zyzzyva";

fn keyed(text: &str) -> String {
    // Of as many characters as a hash has, and never the text.
    format!(
        "{:032x}",
        text.bytes().fold(7_u128, |sum, byte| sum
            .wrapping_mul(0x0100_0000_01b3)
            .wrapping_add(u128::from(byte)))
    )
}

fn read(write: Wanted, body: &Value) -> Wants {
    wanted(write, Some(body), &Limits::default(), &keyed)
}

fn name() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "userName",
        "displayName",
        "title",
        "name",
        "name.givenName",
        "emails",
        "emails[type eq \"work\"].value",
        "active",
        "members",
        "password",
        "schemas",
        "nonsense",
        "urn:x:y:2.0:User:badge",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
    ])
    .prop_map(str::to_owned)
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        "[a-z]{0,6}".prop_map(|text| json!(format!("{text}{MARK}"))),
        Just(json!("false")),
        Just(json!(null)),
        any::<bool>().prop_map(Value::from),
        any::<u32>().prop_map(Value::from),
        any::<u128>().prop_map(|n| json!(uuid::Uuid::from_u128(n))),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        let parts = prop::sample::select(vec![
            "value",
            "type",
            "display",
            "password",
            "givenName",
            "active",
        ]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(parts.prop_map(str::to_owned), inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn path() -> impl Strategy<Value = Value> {
    let filtered =
        ("(emails|members|roles|urn:x:y:2.0:User:vault)", "(value|type|display|password)")
            .prop_map(|(attribute, part)| json!(format!("{attribute}[{part} eq \"{MARK}\"]")));
    prop_oneof![3 => name().prop_map(Value::from), 2 => filtered, 1 => Just(Value::Null), 1 => Just(json!(MARK))]
}

fn body() -> impl Strategy<Value = Value> {
    let operation = ("(add|Replace|remove|nonsense)", path(), value()).prop_map(
        |(op, path, value)| match path {
            Value::Null => json!({ "op": op, "value": value }),
            path => json!({ "op": op, "path": path, "value": value }),
        },
    );
    let patch = prop::collection::vec(operation, 0..5)
        .prop_map(|operations| json!({ "Operations": operations }));
    let resource = prop::collection::btree_map(name(), value(), 0..6)
        .prop_map(|map| Value::Object(map.into_iter().collect()));
    prop_oneof![patch, resource, value()]
}

fn write() -> impl Strategy<Value = Wanted> {
    let kind = || prop::sample::select(vec![ResourceKind::User, ResourceKind::Group]);
    prop_oneof![
        kind().prop_map(Wanted::Create),
        kind().prop_map(Wanted::Replace),
        kind().prop_map(Wanted::Patch),
        Just(Wanted::Delete),
        Just(Wanted::Bulk),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_value_that_a_client_sends_stands_in_what_it_wanted(write in write(), body in body()) {
        let kept = json!(read(write, &body)).to_string();
        prop_assert!(!kept.contains(MARK), "{kept} of {body}");
    }

    #[test]
    fn what_has_been_done_is_settled_by_having_been_done(write in write(), body in body()) {
        let wants = read(write, &body);
        for key in wants.keys() {
            prop_assert!(settles(&wants, &key), "{key} of {body}");
        }
    }

    #[test]
    fn a_deletion_settles_everything(write in write(), body in body()) {
        let deletion = read(Wanted::Delete, &Value::Null);
        prop_assert!(read(write, &body).keys().iter().all(|key| settles(&deletion, key)));
    }

    #[test]
    fn another_attribute_or_member_settles_nothing(value in "[a-z]{1,8}", ids in any::<(u64, u64)>()) {
        let of = |path: &str| read(Wanted::Patch(ResourceKind::User), &json!({"Operations": [{"op": "replace", "path": path, "value": value}]}));
        let paths = ["title", "name.givenName", "name.familyName", "displayName", "emails[type eq \"work\"].value", "nickName"];
        for (one, other) in paths.iter().flat_map(|one| paths.iter().map(move |other| (one, other))) {
            let settled = of(one).keys().iter().any(|key| settles(&of(other), key));
            prop_assert_eq!(settled, one == other, "{} by {}", one, other);
        }
        let member = |op: &str, id: u64| {
            let value = json!([{"value": uuid::Uuid::from_u64_pair(1, id)}]);
            read(Wanted::Patch(ResourceKind::Group), &json!({"Operations": [{"op": op, "path": "members", "value": value}]}))
        };
        let added = member("add", ids.0);
        prop_assert!(added.keys().iter().all(|key| settles(&member("remove", ids.0), key)));
        prop_assert_eq!(added.keys().iter().any(|key| settles(&member("add", ids.1), key)), ids.0 == ids.1);
    }

    #[test]
    fn whoever_is_to_lose_access_is_marked(off in prop::sample::select(vec![json!(false), json!("False"), json!("false")]), beside in name(), value in value()) {
        let body = json!({"Operations": [{"op": "Replace", "path": beside, "value": value}, {"op": "Replace", "path": "active", "value": off}]});
        prop_assert!(read(Wanted::Patch(ResourceKind::User), &body).ends_access, "{body}");
    }
}
