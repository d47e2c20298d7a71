//! What must be accepted.

use crate::forge::{ACS, ENTITY, Forge, TENANT, id, swap};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use rollcall_domain::saml::{Assertion, SignedParts, attribute_names};
use rollcall_entra::idp::encrypt::{ContentCipher, KeyTransport, encrypted_assertion};
use rollcall_entra::idp::{Hash, IdentityProvider, Person, SigningOption, Style, Token, sign};
use rollcall_saml::{Connection, Policy, ServiceProvider};
use rollcall_tests::bench::signatures::{BareSignature, verifications_per_second};
use std::time::Duration;

/// Reads a good message with a policy and checks that it is the person it was issued for.
fn accept(forge: &Forge, what: &str, policy: Policy, field: &str) -> Assertion {
    accept_with(forge, what, forge.connection(policy), field)
}

fn accept_with(forge: &Forge, what: &str, connection: Connection, field: &str) -> Assertion {
    let sp = ServiceProvider::new(connection).expect("a service provider");
    let assertion =
        forge.read_with(&sp, field).unwrap_or_else(|refusal| panic!("{what}: {refusal}"));
    assert_eq!(
        assertion.object_identifier.as_ref().map(|o| o.value().as_str()),
        Some(forge.person.object_id.as_str()),
        "{what}"
    );
    assert_eq!(assertion.tenant_id.as_deref(), Some(TENANT), "{what}");
    assertion
}

fn solicited(forge: &Forge, what: &str, xml: &str) -> Assertion {
    accept(forge, what, Policy::default(), &STANDARD.encode(xml))
}

fn both_ways() -> Policy {
    Policy { allow_idp_initiated: true, ..Policy::default() }
}

#[test]
fn entras_default_tells_who_it_is() {
    let forge = Forge::new();
    let token = forge.token();
    let assertion = solicited(&forge, "default", &forge.idp.issue(&token).expect("a response"));
    assert_eq!(assertion.id, token.assertion_id);
    assert_eq!(assertion.issuer, forge.idp.entity_id());
    assert_eq!(assertion.name_id.value.value(), &forge.person.user_principal_name);
    assert_eq!(assertion.in_response_to.as_deref(), Some(forge.request.as_str()));
    assert_eq!(assertion.not_on_or_after, token.confirmed_until);
    assert_eq!(assertion.session_index.as_deref(), Some(token.assertion_id.as_str()));
    assert_eq!(assertion.attribute(attribute_names::NAME), Some("ada.keller@contoso.example"));
    assert_eq!(assertion.values(attribute_names::GROUPS).len(), 1);
    assert_eq!(assertion.certificate_sha256, forge.key().sha256().expect("a fingerprint"));
    assert_eq!((assertion.signed, assertion.encrypted), (SignedParts::Assertion, false));
    assert!(!format!("{assertion:?}").contains("ada.keller"), "a person's name in Debug");
}

#[test]
fn every_signing_option_with_and_without_a_request() {
    let forge = Forge::new();
    let options = [
        (SigningOption::Assertion, SignedParts::Assertion),
        (SigningOption::Response, SignedParts::Response),
        (SigningOption::Both, SignedParts::Both),
    ];
    for (signing, expected) in options {
        let idp = IdentityProvider { signing, ..forge.idp.clone() };
        let answer =
            solicited(&forge, "solicited", &idp.issue(&forge.token()).expect("a response"));
        assert_eq!(answer.signed, expected);
        let tile = STANDARD.encode(idp.issue(&forge.unsolicited()).expect("a response"));
        let assertion = accept(&forge, "unsolicited", both_ways(), &tile);
        assert_eq!(assertion.in_response_to, None);
        // Where the identity provider may begin, an answer to a request is still one.
        let answer = accept(
            &forge,
            "solicited",
            both_ways(),
            &STANDARD.encode(idp.issue(&forge.token()).expect("a response")),
        );
        assert_eq!(answer.in_response_to.as_deref(), Some(forge.request.as_str()));
    }
}

#[test]
fn every_accepted_hash() {
    let forge = Forge::new();
    for hash in [Hash::Sha256, Hash::Sha384, Hash::Sha512] {
        let idp = IdentityProvider { hash, ..forge.idp.clone() };
        solicited(&forge, "a hash", &idp.issue(&forge.token()).expect("a response"));
    }
}

#[test]
fn every_accepted_encryption_for_each_of_our_keys() {
    let forge = Forge::new();
    let ciphers = [
        ContentCipher::Aes128Cbc,
        ContentCipher::Aes256Cbc,
        ContentCipher::Aes128Gcm,
        ContentCipher::Aes256Gcm,
    ];
    for (n, key) in forge.ours().iter().enumerate() {
        let certificate = key.certificate_der().expect("a certificate");
        for cipher in ciphers {
            for transport in [KeyTransport::OaepMgf1p, KeyTransport::OaepSha256] {
                let token = forge.token();
                let signed = forge.sign(&token.assertion_xml(), &token.assertion_id);
                let encrypted = encrypted_assertion(&signed, &certificate, cipher, transport)
                    .expect("encrypted");
                let assertion = solicited(
                    &forge,
                    &format!("{cipher:?} {transport:?} {n}"),
                    &token.response_xml(&encrypted),
                );
                assert_eq!((assertion.signed, assertion.encrypted), (SignedParts::Assertion, true));
            }
        }
    }
}

#[test]
fn encrypted_with_every_signing_option() {
    let forge = Forge::new();
    let certificate = forge.ours()[0].certificate_der().expect("a certificate");
    let options = [
        (SigningOption::Assertion, SignedParts::Assertion),
        (SigningOption::Response, SignedParts::Response),
        (SigningOption::Both, SignedParts::Both),
    ];
    for (signing, expected) in options {
        let idp = IdentityProvider {
            signing,
            encrypt_for: Some(certificate.clone()),
            ..forge.idp.clone()
        };
        let assertion =
            solicited(&forge, "encrypted", &idp.issue(&forge.token()).expect("a response"));
        assert_eq!((assertion.signed, assertion.encrypted), (expected, true));
        let tile = STANDARD.encode(idp.issue(&forge.unsolicited()).expect("a response"));
        accept(&forge, "encrypted tile", both_ways(), &tile);
    }
}

#[test]
fn a_rollover_from_one_key_to_the_next() {
    let mut forge = Forge::new();
    let first = solicited(&forge, "first", &forge.good());
    forge.idp.activate(1);
    let second = solicited(&forge, "second", &forge.good());
    assert_ne!(first.certificate_sha256, second.certificate_sha256);
    forge.idp.retire_others();
    let third = solicited(&forge, "third", &forge.good());
    assert_eq!(second.certificate_sha256, third.certificate_sha256);
}

#[test]
fn spellings_that_mean_the_same() {
    let forge = Forge::new();
    let field = STANDARD.encode(forge.good());
    let lines: Vec<&str> =
        field.as_bytes().chunks(76).map(|c| std::str::from_utf8(c).expect("base64")).collect();
    accept(&forge, "base64 in lines", Policy::default(), &lines.join("\r\n"));
    accept(
        &forge,
        "base64 with a line end",
        Policy::default(),
        &format!("{}\n", STANDARD.encode(forge.good())),
    );
    solicited(
        &forge,
        "a declaration",
        &format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{}", forge.good()),
    );

    let certificate = forge.key().certificate_base64().expect("a certificate");
    let token = forge.token();
    for (what, style) in [
        (
            "prefixes",
            Style {
                hash: Hash::Sha256,
                certificate: Some(&certificate),
                prefix: "ds",
                prefix_list: "",
            },
        ),
        (
            "a prefix list",
            Style {
                hash: Hash::Sha256,
                certificate: Some(&certificate),
                prefix: "ds",
                prefix_list: "xs",
            },
        ),
        (
            "no KeyInfo",
            Style { hash: Hash::Sha256, certificate: None, prefix: "", prefix_list: "" },
        ),
    ] {
        let xml = swap(
            &token.assertion_xml(),
            "<AttributeStatement>",
            "<AttributeStatement xmlns:xs=\"http://www.w3.org/2001/XMLSchema\">",
        );
        let signed = sign::sign(&xml, &token.assertion_id, forge.key(), &style).expect("signed");
        solicited(&forge, what, &token.response_xml(&signed));
    }
}

/// The shape that SimpleSAMLphp and others write: every name with a prefix, declared at the root.
#[test]
fn prefixes_that_are_declared_outside_of_the_assertion() {
    let forge = Forge::new();
    let token = forge.token();
    let prefixed = |xml: &str| {
        let mut out = xml.replace(" xmlns=\"urn:oasis:names:tc:SAML:2.0:assertion\"", "");
        for name in [
            "AttributeStatement",
            "AttributeValue",
            "AuthnContextClassRef",
            "AuthnStatement",
            "AuthnContext",
            "SubjectConfirmationData",
            "AudienceRestriction",
        ] {
            out = out
                .replace(&format!("<{name}"), &format!("<saml:{name}"))
                .replace(&format!("</{name}>"), &format!("</saml:{name}>"));
        }
        for name in [
            "Assertion",
            "Issuer",
            "Subject",
            "NameID",
            "SubjectConfirmation",
            "Conditions",
            "Audience",
            "Attribute",
        ] {
            for end in [">", " "] {
                out = out.replace(&format!("<{name}{end}"), &format!("<saml:{name}{end}"));
            }
            out = out.replace(&format!("</{name}>"), &format!("</saml:{name}>"));
        }
        out
    };
    let xsi = "xmlns:xs=\"http://www.w3.org/2001/XMLSchema\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"";
    let typed = format!("<saml:AttributeValue {xsi} xsi:type=\"xs:string\">");
    let response = prefixed(&token.response_xml(&token.assertion_xml()))
        .replace("<saml:AttributeValue>", &typed);
    let response = swap(
        &response,
        " xmlns:samlp=",
        " xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" xmlns:samlp=",
    );
    solicited(&forge, "assertion signed", &forge.sign(&response, &token.assertion_id));
    solicited(&forge, "response signed", &forge.sign(&response, &token.response_id));
    let both = forge.sign(&forge.sign(&response, &token.assertion_id), &token.response_id);
    solicited(&forge, "both signed", &both);
}

#[test]
fn clocks_that_are_a_little_apart() {
    let forge = Forge::new();
    for seconds in [-150, -60, 60, 150] {
        let mut other = Forge::new();
        other.now = forge.now + TimeDelta::seconds(seconds);
        let token = other.idp.token(&other.person, Some(&forge.request), None, other.now, id);
        solicited(&forge, &format!("{seconds} s"), &other.idp.issue(&token).expect("a response"));
    }
    let mut slow = forge.token();
    slow.issued_at = forge.now - TimeDelta::minutes(4);
    solicited(&forge, "four minutes on the way", &forge.idp.issue(&slow).expect("a response"));
    let mut back_dated = forge.token();
    back_dated.not_before = forge.now - TimeDelta::minutes(5);
    back_dated.not_on_or_after = forge.now + TimeDelta::minutes(60);
    solicited(&forge, "back-dated", &forge.idp.issue(&back_dated).expect("a response"));
}

#[test]
fn what_other_identity_providers_add() {
    let forge = Forge::new();
    let token = forge.token();
    let good = |what: &str, from: &str, to: &str| {
        solicited(&forge, what, &forge.replaced(&token, from, to))
    };
    good("one time use", "</Conditions>", "<OneTimeUse/></Conditions>");
    good("no proxies", "</Conditions>", "<ProxyRestriction Count=\"0\"/></Conditions>");
    good("two audiences", "</Audience>", "</Audience><Audience>https://other.example</Audience>");
    good(
        "an authority",
        "</AuthnContextClassRef>",
        "</AuthnContextClassRef><AuthenticatingAuthority>https://idp.example</AuthenticatingAuthority>",
    );
    good("a locality", "<AuthnContext>", "<SubjectLocality Address=\"192.0.2.1\"/><AuthnContext>");
    good(
        "name formats",
        "<Attribute Name",
        "<Attribute NameFormat=\"urn:oasis:names:tc:SAML:2.0:attrname-format:uri\" Name",
    );
    good(
        "an address",
        "<SubjectConfirmationData ",
        "<SubjectConfirmationData Address=\"192.0.2.1\" ",
    );
    let other = "<SubjectConfirmation Method=\"urn:oasis:names:tc:SAML:2.0:cm:sender-vouches\"></SubjectConfirmation>";
    good(
        "another confirmation",
        "</SubjectConfirmation>",
        &format!("</SubjectConfirmation>{other}"),
    );
    let end = good(
        "an end of the session",
        " SessionIndex=",
        " SessionNotOnOrAfter=\"2999-01-01T00:00:00Z\" SessionIndex=",
    );
    assert!(end.session_not_on_or_after.is_some());
    let entity = "<Issuer Format=\"urn:oasis:names:tc:SAML:2.0:nameid-format:entity\">";
    good("an issuer with a format", "<Issuer>", entity);
    let text = solicited(
        &forge,
        "escapes",
        &forge.replaced(&token, ">Ada Keller<", ">Ada &amp; &#x201C;Keller&#x201D;<"),
    );
    assert_eq!(text.attribute(attribute_names::DISPLAY_NAME), Some("Ada & \u{201c}Keller\u{201d}"));
}

#[test]
fn people_of_all_kinds() {
    let forge = Forge::new();
    let guest = Person {
        user_principal_name: "bo_fabrikam.example#EXT#@contoso.example".to_owned(),
        guest_of: Some("live.com".to_owned()),
        ..forge.person.clone()
    };
    let many = Person {
        groups: (0..150).map(|n| format!("c2e1b5a0-3f5e-4f4b-8a55-{n:012}")).collect(),
        ..forge.person.clone()
    };
    let too_many =
        Person { groups: (0..151).map(|n| n.to_string()).collect(), ..forge.person.clone() };
    for (what, person) in [("a guest", &guest), ("150 groups", &many), ("151 groups", &too_many)] {
        let token = forge.idp.token(person, Some(&forge.request), None, forge.now, id);
        let assertion = solicited(&forge, what, &forge.idp.issue(&token).expect("a response"));
        assert_eq!(assertion.name_id.value.value(), &person.user_principal_name);
        assert_eq!(
            assertion.values(attribute_names::GROUPS_LINK).len(),
            usize::from(person.groups.len() > 150)
        );
    }
}

#[test]
fn an_identifier_that_is_no_uri() {
    let forge = Forge::new();
    for audience in
        ["spn:5f0c7b3e-0000-4000-8000-000000000001", "5f0c7b3e-0000-4000-8000-000000000001"]
    {
        let token = Token { audience: audience.to_owned(), ..forge.token() };
        let xml = forge.idp.issue(&token).expect("a response");
        let entity_id = "5f0c7b3e-0000-4000-8000-000000000001".to_owned();
        let connection = Connection { entity_id, ..forge.connection(Policy::default()) };
        accept_with(&forge, audience, connection, &STANDARD.encode(xml));
    }
}

#[test]
fn one_of_several_requests_is_answered() {
    let forge = Forge::new();
    let other = id();
    let requests = [other.as_str(), forge.request.as_str()];
    let expected = rollcall_saml::Expected { now: forge.now, requests: &requests };
    let assertion =
        forge.sp().read_response(&STANDARD.encode(forge.good()), expected).expect("accepted");
    assert_eq!(assertion.in_response_to.as_deref(), Some(forge.request.as_str()));
    assert_eq!(
        (forge.sp().connection().acs_url.as_str(), forge.sp().connection().entity_id.as_str()),
        (ACS, ENTITY)
    );
}

/// What `make bench` compares a login with must be the same signatures.
#[test]
fn the_benchmarks_bare_signatures_hold() {
    let forge = Forge::new();
    for (signing, signatures) in
        [(SigningOption::Assertion, 1), (SigningOption::Response, 1), (SigningOption::Both, 2)]
    {
        let response = forge.good_with(signing);
        let bare = BareSignature::all_of(&response).expect("signatures");
        assert_eq!(bare.len(), signatures);
        assert!(bare.iter().all(|signature| signature.verify().expect("verified")));
        let changed =
            BareSignature::all_of(&swap(&response, ">Ada<", ">Eve<")).expect("signatures");
        assert!(!changed.iter().all(|signature| signature.verify().expect("verified")));
        let verify = |s: &BareSignature| {
            assert!(s.verify()?);
            Ok(())
        };
        let rate =
            verifications_per_second(&bare, 2, Duration::from_millis(50), verify).expect("a rate");
        assert!(rate > 1.0, "{rate}");
    }
}
