//! Random changes of good messages: most are refused, none panics, and what is accepted says of
//! the same person the same as before. `ROLLCALL_FUZZ_SECONDS` makes it go on for longer.

use crate::forge::{Forge, between};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rollcall_domain::saml::{Assertion, Reason};
use rollcall_entra::idp::{IdentityProvider, SigningOption};
use rollcall_saml::{Expected, ServiceProvider, metadata};
use rollcall_tests::processor::time_of_this_thread;
use rollcall_tests::rng::Rng;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How long this goes on: short with all tests, longer when asked.
fn patience() -> Duration {
    Duration::from_secs(
        std::env::var("ROLLCALL_FUZZ_SECONDS").ok().and_then(|s| s.parse().ok()).unwrap_or(3),
    )
}

/// What a message is made of, to put one part where another was.
fn parts(xml: &str) -> Vec<String> {
    let names = [
        "Assertion",
        "Issuer",
        "Signature",
        "SignedInfo",
        "Reference",
        "Subject",
        "NameID",
        "Conditions",
        "Attribute",
        "KeyInfo",
    ];
    let mut parts: Vec<String> = names
        .iter()
        .filter(|name| xml.contains(&format!("<{name}")) && xml.contains(&format!("</{name}>")))
        .map(|name| between(xml, &format!("<{name}"), &format!("</{name}>")).to_owned())
        .collect();
    let odd = [
        "<!--x-->",
        "<![CDATA[x]]>",
        "<?x y?>",
        "&#0;",
        "&amp;",
        "&x;",
        "\u{0}",
        " xmlns=\"\"",
        " ID=\"_x\"",
        "<",
        ">",
        "\"",
        "\r\n",
        "\u{2028}",
    ];
    parts.extend(odd.map(str::to_owned));
    parts
}

fn mutate(rng: &mut Rng, xml: &str, parts: &[String]) -> Vec<u8> {
    let mut bytes = xml.as_bytes().to_vec();
    for _ in 0..=rng.below(3) {
        let at = usize::try_from(rng.below(bytes.len().max(1) as u64)).unwrap_or_default();
        let length = usize::try_from(rng.below(40)).unwrap_or_default().min(bytes.len() - at);
        match rng.below(8) {
            0 => bytes[at] = u8::try_from(rng.below(256)).unwrap_or_default(),
            1 => bytes[at] ^= 1 << rng.below(8),
            2 => drop(bytes.drain(at..at + length)),
            3 => {
                let copy = bytes[at..at + length].to_vec();
                bytes.splice(at..at, copy);
            }
            4 => {
                let part =
                    &parts[usize::try_from(rng.below(parts.len() as u64)).unwrap_or_default()];
                bytes.splice(at..at, part.bytes());
            }
            // Between tags, where it is most likely to be well-formed.
            5 | 6 => {
                let part =
                    &parts[usize::try_from(rng.below(parts.len() as u64)).unwrap_or_default()];
                let gap = bytes[at..].iter().position(|b| *b == b'<').map_or(at, |n| at + n);
                bytes.splice(gap..gap, part.bytes());
            }
            _ => {
                let text = String::from_utf8_lossy(&bytes).into_owned();
                let part =
                    &parts[usize::try_from(rng.below(parts.len() as u64)).unwrap_or_default()];
                bytes = if text.contains(part.as_str()) {
                    text.replacen(part.as_str(), "", 1).into_bytes()
                } else {
                    bytes
                };
            }
        }
        if bytes.is_empty() {
            break;
        }
    }
    bytes
}

#[test]
fn no_change_makes_somebody_else_of_a_person() {
    let forge = Forge::new();
    let mut rng = Rng::from_env("mutations of responses", 4);
    let sp = forge.sp();
    let key = forge.ours()[0].certificate_der().ok();
    let encrypted = IdentityProvider { encrypt_for: key, ..forge.idp.clone() };
    let seeds: Vec<String> =
        [SigningOption::Assertion, SigningOption::Response, SigningOption::Both]
            .iter()
            .map(|signing| forge.good_with(*signing))
            .chain([encrypted.issue(&forge.token()).expect("a response")])
            .collect();
    let read = |sp: &ServiceProvider, bytes: &[u8]| {
        sp.read_response(
            &STANDARD.encode(bytes),
            Expected { now: forge.now, requests: &[&forge.request] },
        )
    };
    let originals: Vec<Assertion> = seeds
        .iter()
        .map(|seed| read(&sp, seed.as_bytes()).expect("the seed is accepted"))
        .collect();
    let parts: Vec<Vec<String>> = seeds.iter().map(|seed| parts(seed)).collect();
    let (begun, patience) = (Instant::now(), patience());
    let (mut tried, mut accepted, mut slowest) = (0_u64, 0_u64, Duration::ZERO);
    let mut reasons: BTreeMap<Reason, u64> = BTreeMap::new();
    while begun.elapsed() < patience {
        let n = usize::try_from(rng.below(seeds.len() as u64)).expect("a seed");
        let bytes = mutate(&mut rng, &seeds[n], &parts[n]);
        let before = time_of_this_thread();
        let verdict = read(&sp, &bytes);
        slowest = slowest.max(time_of_this_thread() - before);
        tried += 1;
        match verdict {
            Ok(assertion) => {
                accepted += 1;
                let original = &originals[n];
                let same = (&assertion.id, &assertion.name_id, &assertion.attributes)
                    == (&original.id, &original.name_id, &original.attributes)
                    && (&assertion.issuer, &assertion.in_response_to)
                        == (&original.issuer, &original.in_response_to);
                assert!(same, "somebody else:\n{}", String::from_utf8_lossy(&bytes));
            }
            Err(refusal) => *reasons.entry(refusal.reason).or_default() += 1,
        }
    }
    println!(
        "{tried} mutants of responses in {patience:?}, {accepted} accepted, slowest {slowest:?}: {reasons:?}"
    );
    assert!(!reasons.contains_key(&Reason::Internal), "a panic");
    assert!(slowest < Duration::from_secs(1), "one took {slowest:?}");
    assert!(reasons.len() > 3, "the mutations reach too little: {reasons:?}");
}

#[test]
fn metadata_and_logout_messages_survive_everything() {
    let forge = Forge::new();
    let mut rng = Rng::from_env("mutations of metadata and logout", 5);
    let sp = forge.sp();
    let document =
        String::from_utf8(forge.idp.metadata("_metadata").expect("metadata")).expect("text");
    let logout = forge
        .idp
        .logout_request(&forge.person, "_s", "_logout", forge.now, Some("state"))
        .expect("signed")
        .expect("an address");
    let logout = logout.split_once('?').expect("a query").1.to_owned();
    let known: Vec<String> =
        forge.idp.keys.iter().map(|k| k.sha256().expect("a fingerprint")).collect();
    let parts = parts(&document);
    let (begun, patience) = (Instant::now(), patience() / 3);
    let (mut tried, mut usable) = (0_u64, 0_u64);
    while begun.elapsed() < patience {
        let bytes = mutate(&mut rng, &document, &parts);
        if let Ok(read) = metadata::parse(&bytes, forge.now) {
            usable += 1;
            assert!(!read.settings.signing_certificates.is_empty(), "metadata without a key");
            let odd = |sha256: &String| !known.contains(sha256);
            // A certificate may be changed and still be one; its key is what it says.
            if read.settings.signing_certificates.iter().all(|c| odd(&c.sha256)) {
                assert!(String::from_utf8_lossy(&bytes) != document);
            }
        }
        let query = String::from_utf8_lossy(&mutate(&mut rng, &logout, &parts)).into_owned();
        if let Ok(read) = sp.read_logout_request(&query, forge.now) {
            assert_eq!(
                (read.id.as_str(), read.session_indexes.as_slice()),
                ("_logout", ["_s".to_owned()].as_slice()),
                "{query}"
            );
        }
        tried += 1;
    }
    println!(
        "{tried} mutants of metadata and of logout messages in {patience:?}, {usable} usable as metadata"
    );
}
