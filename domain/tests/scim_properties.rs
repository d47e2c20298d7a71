//! Laws of the SCIM decoder, on arbitrary input.

use proptest::prelude::*;
use rollcall_domain::interpretation::Notes;
use rollcall_domain::scim::*;
use serde_json::{Map, Value, json};

const KINDS: [ResourceKind; 2] = ResourceKind::ALL;

fn limits() -> Limits {
    Limits::default()
}

/// Names that mean something, so that arbitrary bodies get past the first check.
fn key() -> impl Strategy<Value = String> {
    let known = [
        "schemas",
        "id",
        "meta",
        "userName",
        "USERNAME",
        "externalId",
        "active",
        "displayName",
        "name",
        "name.givenName",
        "title",
        "emails",
        "emails[type eq \"work\"].value",
        "phoneNumbers",
        "roles",
        "members",
        "groups",
        "manager",
        "department",
        "password",
        "value",
        "type",
        "primary",
        "display",
        "$ref",
        "op",
        "path",
        "Operations",
        "operations",
        ENTERPRISE_URN,
        USER_URN,
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager",
        "urn:a:b",
        "urn:a:2.0:User",
        "urn:a:2.0:User:x",
        "urn:",
        "",
    ];
    prop_oneof![9 => prop::sample::select(known.map(str::to_owned).to_vec()), 1 => "\\PC{0,8}"]
}

fn scalar() -> impl Strategy<Value = Value> {
    let known = [
        "",
        "True",
        "false",
        "work",
        "add",
        "Replace",
        "remove",
        "0190b1a0-0000-7000-8000-000000000001",
        PATCH_OP_URN,
    ];
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        prop::sample::select(known.to_vec()).prop_map(Value::from),
        key().prop_map(Value::from),
        "\\PC{0,6}".prop_map(Value::from),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((key(), inner), 0..5)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

/// Paths of a user that are writable, and a few that are not.
fn path_text() -> impl Strategy<Value = String> {
    let known = [
        "title",
        "displayName",
        "active",
        "userName",
        "name",
        "name.givenName",
        "emails",
        "emails.value",
        "emails[type eq \"work\"]",
        "emails[type eq \"work\"].value",
        "emails[type eq \"home\" and primary eq true].value",
        "emails[value sw \"a\"].primary",
        "emails[primary eq \"True\"]",
        "phoneNumbers[type eq \"mobile\"].value",
        "phoneNumbers[not (type eq \"work\")]",
        "roles[primary eq \"True\"].value",
        "manager",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
        ENTERPRISE_URN,
        "urn:x:y:2.0:User:badge",
        "urn:x:y:2.0:User:badge[value eq \"a\"].b",
        "urn:x:y:2.0:User",
        "id",
        "groups",
        "nope",
    ];
    prop::sample::select(known.map(str::to_owned).to_vec())
}

fn operation() -> impl Strategy<Value = Value> {
    let path =
        prop_oneof![8 => path_text().prop_map(Value::from), 1 => Just(Value::Null), 1 => value()];
    (prop::sample::select(vec!["add", "Replace", "replace", "Remove"]), path, element_or_value())
        .prop_map(|(op, path, value)| json!({ "op": op, "path": path, "value": value }))
}

/// Values that often fit somewhere.
fn element_or_value() -> impl Strategy<Value = Value> {
    let element = (
        prop::sample::select(vec!["work", "home", "mobile"]),
        prop::sample::select(vec!["a", "b", "c"]),
        any::<Option<bool>>(),
    )
        .prop_map(|(kind, value, primary)| match primary {
            Some(primary) => json!({ "type": kind, "value": value, "primary": primary }),
            None => json!({ "type": kind, "value": value }),
        });
    prop_oneof![
        2 => element.clone(),
        2 => prop::collection::vec(element, 0..4).prop_map(Value::from),
        3 => scalar(),
        1 => value(),
    ]
}

/// A user in canonical form.
fn user() -> impl Strategy<Value = Attributes> {
    (element_or_value(), element_or_value(), scalar(), any::<bool>()).prop_filter_map(
        "a user",
        |(emails, phones, badge, active)| {
            let body = json!({
                "userName": "ada", "active": active, "emails": emails, "phoneNumbers": phones,
                "urn:x:y:2.0:User": { "badge": badge }, ENTERPRISE_URN: { "department": "Ops" },
            });
            decode_resource(ResourceKind::User, &body, &limits(), &mut Notes::default())
                .ok()
                .map(|d| d.attributes)
        },
    )
}

fn decode_user(attributes: &Attributes) -> Result<Attributes, ScimError> {
    decode_resource(
        ResourceKind::User,
        &Value::Object(attributes.clone()),
        &limits(),
        &mut Notes::default(),
    )
    .map(|d| d.attributes)
}

/// No null, empty string, array or object anywhere in an object.
fn has_unassigned(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(s) => s.is_empty(),
        Value::Array(items) => items.is_empty() || items.iter().any(has_unassigned),
        Value::Object(map) => map.is_empty() || map.values().any(has_unassigned),
        _ => false,
    }
}

fn literal() -> impl Strategy<Value = Value> {
    prop_oneof![
        "\\PC{0,6}".prop_map(Value::from),
        Just(json!("a\"\\\n\u{7f}é")),
        any::<i32>().prop_map(|n| Value::from(n.to_string()))
    ]
}

fn comparison(paths: &'static [&'static str]) -> impl Strategy<Value = Filter> {
    let compare = (
        prop::sample::select(paths.to_vec()),
        prop::sample::select(CompareOp::ALL.to_vec()),
        literal(),
    )
        .prop_map(|(path, op, value)| parse(&format!("{path} {} {value}", op.as_str())));
    let present =
        prop::sample::select(paths.to_vec()).prop_map(|path| parse(&format!("{path} pr")));
    prop_oneof![3 => compare, 1 => present]
}

fn parse(text: &str) -> Filter {
    parse_filter(ResourceKind::User, text, &limits(), &mut Notes::default())
        .unwrap_or_else(|e| panic!("{e}"))
}

/// Filters of users, built from parts rather than text.
fn filter() -> impl Strategy<Value = Filter> {
    let custom = "urn:x:y:2.0:User:badge";
    let plain = comparison(&[
        "userName",
        "externalId",
        "emails.value",
        "name.givenName",
        "manager",
        "phoneNumbers",
        "urn:x:y:2.0:User:badge",
    ]);
    let value_path = comparison(&["userName", "title"]).prop_flat_map(move |inner| {
        // The inner filter is one on sub-attributes: rename its attribute.
        let path = prop::sample::select(vec!["emails", "phoneNumbers", custom]);
        (path, Just(inner)).prop_map(|(path, inner)| {
            let inner =
                inner.to_string().replacen("userName", "value", 1).replacen("title", "type", 1);
            parse(&format!("{path}[{inner}]"))
        })
    });
    let leaf = prop_oneof![3 => plain, 1 => value_path, 1 => Just(parse("active eq true")), 1 => Just(parse("title eq null"))];
    leaf.prop_recursive(4, 24, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| a.and(b)),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| a.or(b)),
            inner.prop_map(|a| Filter::Not(Box::new(a))),
        ]
    })
}

fn apply(state: &Attributes, intents: &[Intent]) -> Result<Attributes, ScimError> {
    apply_intents(ResourceKind::User, state, intents, &mut Notes::default())
}

fn intents(operations: &[Value]) -> Result<Vec<Intent>, ScimError> {
    decode_patch(
        ResourceKind::User,
        &json!({ "Operations": operations }),
        &limits(),
        &mut Notes::default(),
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_filter_survives_printing(filter in filter()) {
        let text = filter.to_string();
        let again = parse_filter(ResourceKind::User, &text, &limits(), &mut Notes::default());
        prop_assert_eq!(again, Ok(filter), "{}", text);
    }

    #[test]
    fn a_path_survives_printing(text in prop_oneof![path_text(), key(), "[a-zA-Z:.\\[\\]\"$0-9 ]{0,30}"]) {
        for kind in KINDS {
            if let Ok(path) = parse_path(kind, &text, &limits(), &mut Notes::default()) {
                let mut notes = Notes::default();
                prop_assert_eq!(parse_path(kind, &path.to_string(), &limits(), &mut notes), Ok(path));
                prop_assert!(notes.list().is_empty(), "canonical text needs no interpretation: {:?}", notes);
            }
        }
    }

    #[test]
    fn any_text_is_a_filter_or_an_error(text in prop_oneof!["\\PC{0,40}", "[a-z()\\[\\]\" .]{0,60}"]) {
        if let Err(error) = parse_filter(ResourceKind::User, &text, &limits(), &mut Notes::default()) {
            prop_assert_eq!(error.scim_type, Some(ScimType::InvalidFilter));
        }
    }

    #[test]
    fn boolean_laws(a in filter(), b in filter(), user in user()) {
        let user = Value::Object(user);
        let holds = |f: &Filter| matches(ResourceKind::User, f, &user);
        let not = |f: &Filter| Filter::Not(Box::new(f.clone()));
        prop_assert_ne!(holds(&a), holds(&not(&a)));
        prop_assert_eq!(holds(&a.clone().and(b.clone())), holds(&a) && holds(&b));
        prop_assert_eq!(holds(&a.clone().or(b.clone())), holds(&a) || holds(&b));
        prop_assert_eq!(holds(&not(&a.clone().and(b.clone()))), holds(&not(&a).or(not(&b))));
    }

    #[test]
    fn opposites_of_comparisons(path in prop::sample::select(vec!["userName", "emails.value", "title", "manager"]), literal in literal(), user in user()) {
        let user = Value::Object(user);
        let holds = |op: &str| matches(ResourceKind::User, &parse(&format!("{path} {op} {literal}")), &user);
        prop_assert_ne!(holds("eq"), holds("ne"));
        prop_assert_eq!(holds("ge"), holds("gt") || holds("eq"));
        prop_assert_eq!(holds("le"), holds("lt") || holds("eq"));
    }

    #[test]
    fn any_body_is_a_resource_or_an_error(body in value(), more in value()) {
        for kind in KINDS {
            let name = if kind == ResourceKind::User { "userName" } else { "displayName" };
            let mut named = match &more { Value::Object(map) => map.clone(), _ => Map::new() };
            named.insert(name.to_owned(), json!("x"));
            for body in [&body, &Value::Object(named)] {
                match decode_resource(kind, body, &limits(), &mut Notes::default()) {
                    Ok(decoded) => {
                        prop_assert!(!has_unassigned(&Value::Object(decoded.attributes.clone())), "{:?}", decoded);
                        for reserved in ["id", "meta", "schemas", "groups", "members", "password"] {
                            prop_assert!(!decoded.attributes.contains_key(reserved));
                        }
                        // Canonical form is its own canonical form.
                        let again = decode_resource(kind, &Value::Object(decoded.attributes.clone()), &limits(), &mut Notes::default());
                        prop_assert_eq!(again.map(|d| d.attributes), Ok(decoded.attributes));
                    }
                    Err(error) => prop_assert!(matches!(error.status, 400 | 413) && !error.detail.is_empty(), "{:?}", error),
                }
            }
        }
    }

    #[test]
    fn any_patch_is_intents_or_an_error(body in value(), operations in prop::collection::vec(prop_oneof![operation(), value()], 0..4), state in user()) {
        for kind in KINDS {
            for body in [&body, &json!({ "Operations": operations })] {
                let Ok(intents) = decode_patch(kind, body, &limits(), &mut Notes::default()) else { continue };
                if kind == ResourceKind::User && let Err(error) = apply(&state, &intents) {
                    prop_assert_eq!(error.status, 400, "{:?}", error);
                }
            }
        }
    }

    #[test]
    fn a_patched_user_is_canonical(operations in prop::collection::vec(operation(), 1..4), state in user()) {
        if let Ok(intents) = intents(&operations) && let Ok(after) = apply(&state, &intents) {
            prop_assert!(!has_unassigned(&Value::Object(after.clone())), "{:?}", after);
            prop_assert_eq!(decode_user(&after), Ok(after));
        }
    }

    #[test]
    fn applying_in_parts_is_applying_at_once(first in operation(), second in operation(), state in user()) {
        if let (Ok(a), Ok(b)) = (intents(std::slice::from_ref(&first)), intents(std::slice::from_ref(&second))) {
            let both: Vec<Intent> = a.iter().chain(&b).cloned().collect();
            prop_assert_eq!(apply(&state, &both), apply(&state, &a).and_then(|s| apply(&s, &b)));
        }
    }

    #[test]
    fn doing_it_again_changes_nothing(operation in operation(), state in user()) {
        if let Ok(intents) = intents(std::slice::from_ref(&operation)) && let Ok(once) = apply(&state, &intents) {
            match apply(&once, &intents) {
                Ok(twice) => prop_assert_eq!(twice, once),
                // A path that the operation itself made untrue finds nothing any more.
                Err(error) => prop_assert_eq!(error.scim_type, Some(ScimType::NoTarget), "{}", error),
            }
        }
    }

    #[test]
    fn nesting_is_counted_as_serde_sees_it(body in value(), max in 0usize..6) {
        fn depth(value: &Value) -> usize {
            match value {
                Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
                Value::Object(map) => 1 + map.values().map(depth).max().unwrap_or(0),
                _ => 0,
            }
        }
        let bytes = serde_json::to_vec(&body)?;
        prop_assert_eq!(check_nesting(&bytes, max).is_ok(), depth(&body) <= max);
    }

    #[test]
    fn what_is_projected_was_there(state in user(), paths in prop::collection::vec(path_text(), 1..4)) {
        let parsed: Vec<AttributePath> = paths.iter().filter_map(|p| parse_path(ResourceKind::User, p, &limits(), &mut Notes::default()).ok()).collect();
        let mut whole = state;
        whole.insert("id".into(), json!("1"));
        whole.insert("schemas".into(), json!([USER_URN]));
        let whole = Value::Object(whole);
        let project = |attributes: &[AttributePath], excluded: &[AttributePath]| {
            let mut copy = whole.clone();
            project(ResourceKind::User, &mut copy, attributes, excluded);
            copy
        };
        for shown in [project(&parsed, &[]), project(&[], &parsed)] {
            prop_assert!(shown.get("id").is_some() && shown.get("schemas").is_some());
            for (name, value) in shown.as_object().into_iter().flatten() {
                prop_assert!(whole.get(name).is_some_and(|w| w == value || w.is_array() || w.is_object()), "{}", name);
            }
        }
        // Nothing is left of what was excluded.
        for path in parsed.iter().filter(|p| !p.is_schema() && p.attribute != "id") {
            let shown = project(&[], std::slice::from_ref(path));
            let absent = parse(&format!("not ({} pr)", AttributePath { filter: None, ..path.clone() }));
            prop_assert!(path.filter.is_some() || matches(ResourceKind::User, &absent, &shown), "{} in {}", path, shown);
        }
    }
}
