//! Logout messages on the redirect binding (SAML bindings 3.4.4.1), altered in every way that a
//! query string can be: what is signed is the text of three parameters in their order.

use crate::forge::{Forge, id};
use crate::redirect::query;
use rollcall_domain::saml::Refusal;
use std::collections::BTreeSet;

/// Ways to alter one parameter, each with its name.
type Way = (&'static str, fn(&str, &str) -> Vec<(String, String)>);

fn one(name: &str, value: String) -> Vec<(String, String)> {
    vec![(name.to_owned(), value)]
}

const WAYS: [Way; 11] = [
    ("taken away", |_, _| Vec::new()),
    ("emptied", |name, _| one(name, String::new())),
    ("twice", |name, value| [one(name, value.to_owned()), one(name, value.to_owned())].concat()),
    ("twice, the other first", |name, value| {
        [one(name, "AAAA".to_owned()), one(name, value.to_owned())].concat()
    }),
    ("twice, the other last", |name, value| {
        [one(name, value.to_owned()), one(name, "AAAA".to_owned())].concat()
    }),
    ("with another first character", |name, value| {
        let other = if value.starts_with('A') { 'B' } else { 'A' };
        one(name, format!("{other}{}", value.get(1..).unwrap_or_default()))
    }),
    ("cut", |name, value| one(name, value[..value.len() / 2].to_owned())),
    ("with escapes in small letters", |name, value| one(name, small(value))),
    ("with more escaped", |name, value| {
        let first = value.bytes().next().map(|b| format!("%{b:02X}")).unwrap_or_default();
        one(name, format!("{first}{}", value.get(1..).unwrap_or_default()))
    }),
    ("with its name in other letters", |name, value| one(&name.to_lowercase(), value.to_owned())),
    ("with its name escaped", |name, value| {
        one(&format!("%{:02X}{}", name.as_bytes()[0], &name[1..]), value.to_owned())
    }),
];

/// `%2B` is written `%2b`.
fn small(value: &str) -> String {
    let mut out = String::new();
    let mut left = value;
    while let Some(at) = left.find('%') {
        let end = (at + 3).min(left.len());
        out.push_str(&left[..at]);
        out.push_str(&left[at..end].to_lowercase());
        left = &left[end..];
    }
    out + left
}

fn parts(query: &str) -> Vec<(String, String)> {
    let split = |part: &str| part.split_once('=').map(|(n, v)| (n.to_owned(), v.to_owned()));
    query.split('&').filter_map(split).collect()
}

fn joined(parts: &[(String, String)]) -> String {
    parts.iter().map(|(n, v)| format!("{n}={v}")).collect::<Vec<_>>().join("&")
}

/// Everything that can be made of a good query, each with what was done.
fn altered(good: &str, other: &str) -> Vec<(String, String)> {
    let (whole, foreign) = (parts(good), parts(other));
    let mut all = Vec::new();
    for at in 0..whole.len() {
        for (way, alter) in WAYS {
            let mut made = whole.clone();
            let (name, value) = made[at].clone();
            made.splice(at..=at, alter(&name, &value));
            all.push((format!("{name} {way}"), joined(&made)));
        }
        // The message of one with the signature of the other, and so on.
        let mut made = whole.clone();
        made[at].1.clone_from(&foreign[at].1);
        all.push((format!("{} of another message", whole[at].0), joined(&made)));
    }
    // In every other order.
    for first in 0..whole.len() {
        for second in first + 1..whole.len() {
            let mut made = whole.clone();
            made.swap(first, second);
            all.push((format!("{first} and {second} swapped"), joined(&made)));
        }
    }
    all.push(("something more".to_owned(), format!("{good}&x=1")));
    all.push(("in a fragment".to_owned(), format!("{good}#x")));
    all
}

/// Whatever is altered is refused, or read as what was signed: nothing else is ever believed.
fn walk<T: PartialEq + std::fmt::Debug>(
    good: &str,
    other: &str,
    read: impl Fn(&str) -> Result<T, Refusal>,
) -> usize {
    let meant = read(good).expect("the good one is accepted");
    assert!(read(other).is_ok_and(|other| other != meant), "the other is one of its own");
    let (mut refused, mut names) = (0, BTreeSet::new());
    for (what, query) in altered(good, other) {
        match read(&query) {
            Ok(believed) => assert_eq!(believed, meant, "{what}: {query}"),
            Err(_) => refused += 1,
        }
        assert!(names.insert(what.clone()), "{what} twice");
    }
    refused
}

#[test]
fn no_altered_logout_message_is_believed() {
    let forge = Forge::new();
    let sp = forge.sp();
    let asked = |session: &str| {
        forge
            .idp
            .logout_request(&forge.person, session, &id(), forge.now, Some("state"))
            .expect("signed")
            .expect("an address")
    };
    let (good, other) = (asked("_session1"), asked("_session2"));
    let refused = walk(query(&good), query(&other), |text| {
        let read = sp.read_logout_request(text, forge.now)?;
        Ok((read.id, read.name_id, read.session_indexes, read.relay_state))
    });
    assert!(refused >= 40, "only {refused} requests refused");

    // What we asked is answered: by the identity provider, in the same ways.
    let ours = [id(), id()];
    let answered = |to: &str| {
        let answer = forge.idp.logout_response(to, &id(), forge.now, Some("state"));
        answer.expect("signed").expect("an address")
    };
    let (good, other) = (answered(&ours[0]), answered(&ours[1]));
    let expected: Vec<&str> = ours.iter().map(String::as_str).collect();
    let refused = walk(query(&good), query(&other), |text| {
        let read = sp.read_logout_response(text, forge.now, &expected)?;
        Ok(format!("{read:?}"))
    });
    assert!(refused >= 40, "only {refused} responses refused");
}
