//! Filters: what is read, what is refused, and what matches.

use rollcall_domain::interpretation::{Notes, Reading};
use rollcall_domain::scim::*;
use serde_json::{Value, json};

const MANAGER: &str = "0190b1a0-0000-7000-8000-000000000002";

fn ada() -> Value {
    json!({
        "schemas": [USER_URN, ENTERPRISE_URN],
        "id": "0190B1A0", "externalId": "Ada.Keller", "userName": "Ada@contoso.example", "active": true,
        "name": { "familyName": "Keller" }, "title": "",
        "emails": [{ "type": "work", "value": "ada@contoso.example", "primary": true }, { "type": "home", "value": "ada@home.example" }],
        "groups": [{ "value": "g1", "display": "Guards" }],
        "meta": { "created": "2026-11-23T08:00:00.000Z", "resourceType": "User" },
        ENTERPRISE_URN: { "department": "Facilities", "manager": { "value": MANAGER } },
        "urn:ietf:params:scim:schemas:extension:doorctl:2.0:User": { "badge": "B-7", "level": 3, "vip": true },
    })
}

fn read(text: &str) -> Result<(Filter, Vec<Reading>), ScimError> {
    let mut notes = Notes::default();
    let filter = parse_filter(ResourceKind::User, text, &Limits::default(), &mut notes)?;
    Ok((filter, notes.list().iter().map(|i| i.reading).collect()))
}

#[test]
fn what_matches() {
    let doorctl = "urn:ietf:params:scim:schemas:extension:doorctl:2.0:User";
    let cases = [
        (r#"userName eq "ADA@CONTOSO.EXAMPLE""#.to_owned(), true),
        // Nobody sees the ends of a name; a part of one may end in a blank.
        (r#"userName eq " ada@contoso.example\n\u200b""#.to_owned(), true),
        (r#"userName ne "ada@contoso.example ""#.to_owned(), false),
        (r#"userName sw "ada ""#.to_owned(), false),
        (r#"USERNAME EQ "ada@contoso.example""#.into(), true),
        (format!(r#"{USER_URN}:userName sw "ada""#), true),
        (r#"externalId eq "Ada.Keller""#.into(), true),
        (r#"externalId eq "ada.keller""#.into(), false),
        (r#"id eq "0190b1a0""#.into(), false),
        (r#"emails[type eq "work"].value eq "ADA@contoso.example""#.into(), true),
        (r#"emails[type eq "home"].value eq "ada@contoso.example""#.into(), false),
        (r#"emails[type eq "work" and value ew "home.example"]"#.into(), false),
        (r#"emails[not (type eq "work") and value pr]"#.into(), true),
        (r#"emails eq "ada@home.example""#.into(), true),
        (r#"emails.type eq "HOME""#.into(), true),
        (r#"emails ne "ada@home.example""#.into(), false),
        (r#"emails[primary eq "True"] and active eq "true""#.into(), true),
        ("active eq True".into(), true),
        ("active ne false".into(), true),
        (format!(r#"manager eq "{MANAGER}" and id eq "0190B1A0""#), true),
        (format!(r#"{ENTERPRISE_URN}:manager.value eq "{MANAGER}""#), true),
        (format!(r#"{ENTERPRISE_URN}:department co "CILI""#), true),
        (format!(r#"{doorctl}:badge eq "b-7""#), true),
        (format!(r#"{doorctl}:level gt 2 and {doorctl}:level le 3"#), true),
        (format!(r#"{doorctl}:vip eq "True""#), true),
        (format!(r#"{doorctl}:nothing pr"#), false),
        (r#"groups.display eq "guards""#.into(), true),
        ("title pr or nickName pr".into(), false),
        ("name pr and not (title pr)".into(), true),
        ("nickName eq null".into(), true),
        ("userName ne null".into(), true),
        (r#"nickName ne "x""#.into(), true),
        (r#"meta.created eq "2026-11-23T09:00:00+01:00""#.into(), true),
        (r#"meta.created lt "2026-11-23T08:00:00.001Z""#.into(), true),
        (r#"meta.created gt "2026-11-23T08:00:00Z""#.into(), false),
        (r#"schemas eq "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User""#.into(), true),
        // `and` binds tighter than `or`, and parentheses tighter than both.
        (r#"active eq true or active eq false and active eq false"#.into(), true),
        (r#"(active eq true or active eq false) and active eq false"#.into(), false),
        (r#"userName eq "a\"b\\""#.into(), false),
    ];
    for (text, expected) in cases {
        let (filter, _) = read(&text).unwrap_or_else(|e| panic!("{text}: {e}"));
        assert_eq!(matches(ResourceKind::User, &filter, &ada()), expected, "{text}");
    }
}

#[test]
fn canonical_form_and_notes() {
    for (text, printed, noted) in [
        (
            r#"emails[type eq "work"].value eq "x""#,
            r#"emails[type eq "work" and value eq "x"]"#,
            vec![Reading::ValuePathComparison],
        ),
        (r#"emails eq "x""#, r#"emails.value eq "x""#, vec![]),
        (r#"active eq "True""#, "active eq true", vec![Reading::StringBooleanInFilter]),
        (
            r#"manager eq "x""#,
            r#"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value eq "x""#,
            vec![Reading::EnterpriseUnqualified],
        ),
        (
            r#"username EQ "x" AND NOT(title PR)"#,
            r#"userName eq "x" and not (title pr)"#,
            vec![Reading::AttributeCase],
        ),
        (
            r#"title pr and (title pr and title pr)"#,
            r#"title pr and (title pr and title pr)"#,
            vec![],
        ),
        (r#"((title pr) or title pr) or title pr"#, r#"title pr or title pr or title pr"#, vec![]),
    ] {
        let (filter, readings) = read(text).unwrap_or_else(|e| panic!("{text}: {e}"));
        assert_eq!((filter.to_string().as_str(), readings), (printed, noted), "{text}");
        assert_eq!(read(printed).map(|(f, _)| f), Ok(filter), "{text}");
    }
}

#[test]
fn refusals_say_where_and_why() {
    for (text, position, part) in [
        ("externalId eq jyoung", 15, "double quotes"),
        ("", 1, "an attribute"),
        ("userName", 9, "expected one of eq"),
        ("userName xx \"a\"", 10, "expected one of eq"),
        ("userName eq", 12, "double quotes"),
        ("userName eq \"a", 13, "closing quotation mark"),
        ("userName eq \"a\\q\"", 13, "backslash"),
        ("nope eq \"a\"", 1, "unknown attribute"),
        ("password eq \"a\"", 1, "stores no passwords"),
        ("name eq \"a\"", 1, "sub-attributes"),
        ("active gt true", 11, "eq and ne"),
        ("active eq \"maybe\"", 11, "true or false"),
        ("title gt null", 10, "null"),
        ("meta.created gt \"yesterday\"", 17, "a time"),
        ("title eq true", 10, "is a text"),
        ("not userName eq \"a\"", 5, "after \"not\""),
        ("(userName pr", 13, "\")\""),
        ("userName pr)", 12, "the end"),
        ("userName pr userName pr", 13, "\"and\""),
        ("emails[type eq \"work\"", 22, "\"]\""),
        ("emails[nope eq \"work\"]", 8, "unknown sub-attribute"),
        ("title[type eq \"work\"]", 6, "no sub-attributes"),
        ("título eq \"a\"", 1, "name of an attribute"),
    ] {
        let error = read(text).expect_err(text);
        assert_eq!(error.scim_type, Some(ScimType::InvalidFilter), "{text}");
        assert!(
            error.detail.contains(&format!("character {position}:")) && error.detail.contains(part),
            "{text}: {error}"
        );
    }
}

#[test]
fn limits_hold() {
    let small = Limits {
        max_filter_bytes: 100,
        max_filter_depth: 2,
        max_filter_terms: 3,
        ..Limits::default()
    };
    let read = |text: &str| {
        parse_filter(ResourceKind::User, text, &small, &mut Notes::default()).map_err(|e| e.detail)
    };
    assert!(read("((title pr))").is_ok());
    assert!(read("(((title pr)))").is_err_and(|e| e.contains("2 levels")));
    assert!(read("title pr and title pr and title pr").is_ok());
    assert!(
        read("title pr and title pr and title pr and title pr")
            .is_err_and(|e| e.contains("3 comparisons"))
    );
    assert!(
        read(&format!("title eq \"{}\"", "x".repeat(100)))
            .is_err_and(|e| e.contains("100 accepted"))
    );
    // The greatest filter of all does not overflow a stack.
    let deep = Limits { max_filter_bytes: 100_000, ..Limits::default() };
    let text = format!("{}title pr{}", "(".repeat(40_000), ")".repeat(40_000));
    assert!(parse_filter(ResourceKind::User, &text, &deep, &mut Notes::default()).is_err());
}

#[test]
fn groups_are_found_by_member() {
    let group = json!({ "id": "g", "displayName": "Building A", "members": [{ "value": "u1" }, { "value": "u2" }] });
    for (text, expected) in [
        (r#"id eq "g" and members eq "u2""#, true),
        (r#"members eq "U2""#, false),
        (r#"members[value eq "u1"]"#, true),
        (r#"displayName eq "building a""#, true),
    ] {
        let filter =
            parse_filter(ResourceKind::Group, text, &Limits::default(), &mut Notes::default())
                .unwrap_or_else(|e| panic!("{text}: {e}"));
        assert_eq!(matches(ResourceKind::Group, &filter, &group), expected, "{text}");
    }
}
