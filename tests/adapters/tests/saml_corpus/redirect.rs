//! The redirect binding both ways: requests as the identity provider reads them, and logout.

use crate::forge::{Forge, SLO, id};
use chrono::TimeDelta;
use rollcall_domain::saml::{NameId, Reason};
use rollcall_entra::idp::{Hash, IdentityProvider, LogoutMessage};
use rollcall_saml::{AuthnOptions, LogoutStatus, MessageError, Policy, ServiceProvider};

pub fn query(url: &str) -> &str {
    url.split_once('?').expect("a query").1
}

fn name_id(forge: &Forge) -> NameId {
    let value = forge.person.user_principal_name.clone().into();
    NameId {
        value,
        format: Some("urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress".to_owned()),
        name_qualifier: None,
        sp_name_qualifier: None,
    }
}

#[test]
fn an_authentication_request_is_what_entra_takes() {
    let forge = Forge::new();
    let options = AuthnOptions {
        relay_state: Some("a b&c/\u{e9}"),
        login_hint: Some("ada+1@contoso.example"),
        force_authn: true,
        authn_contexts: &[],
    };
    let url = forge.sp().authn_request(&forge.request, forge.now, &options).expect("a request");
    assert!(url.starts_with(&format!("{}?SAMLRequest=", forge.idp.saml_url())));
    let read = forge.idp.read_authn_request(query(&url), true).expect("a request that Entra takes");
    assert_eq!(read.id, forge.request);
    assert_eq!(read.relay_state.as_deref(), options.relay_state);
    assert_eq!(read.login_hint.as_deref(), options.login_hint);
    assert!(read.force_authn);
    let ours = forge.ours()[0].certificate_der().expect("a certificate");
    assert!(!forge.idp.is_signed_by(query(&url), &ours), "signed without being asked");
}

#[test]
fn an_authentication_request_is_signed_when_asked() {
    let forge = Forge::new();
    let sp =
        ServiceProvider::new(forge.connection(Policy { sign_requests: true, ..Policy::default() }))
            .expect("a service provider");
    for relay_state in [None, Some("key")] {
        let url = sp
            .authn_request(
                &forge.request,
                forge.now,
                &AuthnOptions { relay_state, ..AuthnOptions::default() },
            )
            .expect("a request");
        let [ours, former] = forge.ours().map(|k| k.certificate_der().expect("a certificate"));
        assert!(forge.idp.is_signed_by(query(&url), &ours));
        assert!(!forge.idp.is_signed_by(query(&url), &former));
        assert!(
            !forge
                .idp
                .is_signed_by(&query(&url).replacen("SAMLRequest=", "SAMLRequest=A", 1), &ours)
        );
    }
}

#[test]
fn a_request_that_could_be_guessed_is_not_written() {
    let forge = Forge::new();
    let ask = |id: &str, relay_state: Option<&str>| {
        forge.sp().authn_request(
            id,
            forge.now,
            &AuthnOptions { relay_state, ..AuthnOptions::default() },
        )
    };
    for id in [
        "",
        "_short",
        "1234567890123456789012345",
        "_with blanks in the middle",
        "_\"><evil/>_______________",
    ] {
        assert!(matches!(ask(id, None), Err(MessageError::Id)), "{id}");
    }
    assert!(matches!(ask(&id(), Some(&"x".repeat(81))), Err(MessageError::RelayState)));
}

#[test]
fn logout_that_we_begin() {
    let forge = Forge::new();
    let sp = forge.sp();
    let request = id();
    let mut who = name_id(&forge);
    who.value = "o'hara&<b>@contoso.example".to_owned().into();
    let url = sp
        .logout_request(&request, forge.now, &who, Some("_session\"1"), Some("back"))
        .expect("a request");
    let ours = forge.ours()[0].certificate_der().expect("a certificate");
    assert!(forge.idp.is_signed_by(query(&url), &ours));
    let expected = LogoutMessage::Request {
        id: request.clone(),
        name_id: who.value.value().clone(),
        session_index: Some("_session\"1".to_owned()),
    };
    assert_eq!(forge.idp.read_logout(query(&url)), Some(expected));

    // Entra answers under another issuer, without destination, in lower-case escapes.
    let answer = forge
        .idp
        .logout_response(&request, &id(), forge.now, Some("a/b+c"))
        .expect("signed")
        .expect("an address");
    let read = sp.read_logout_response(query(&answer), forge.now, &[&request]).expect("accepted");
    assert!(read.success);
    assert_eq!(
        (read.in_response_to.as_str(), read.relay_state.as_deref()),
        (request.as_str(), Some("a/b+c"))
    );
    let other =
        sp.read_logout_response(query(&answer), forge.now, &["_another"]).expect_err("accepted");
    assert_eq!(other.reason, Reason::UnknownRequest);
}

#[test]
fn logout_that_entra_begins() {
    let forge = Forge::new();
    let sp = forge.sp();
    let request = id();
    let url = forge
        .idp
        .logout_request(&forge.person, "_session1", &request, forge.now, Some("state"))
        .expect("signed")
        .expect("an address");
    assert!(url.starts_with(SLO));
    let read = sp.read_logout_request(query(&url), forge.now).expect("accepted");
    assert_eq!(read.id, request);
    assert_eq!(read.name_id, name_id(&forge));
    assert_eq!(read.session_indexes, ["_session1"]);
    assert_eq!(read.relay_state.as_deref(), Some("state"));
    for (status, success) in [
        (LogoutStatus::Success, true),
        (LogoutStatus::Responder, false),
        (LogoutStatus::Requester, false),
    ] {
        let answer = sp
            .logout_response(&id(), forge.now, &request, status, Some("state"))
            .expect("an answer");
        let expected = LogoutMessage::Response { in_response_to: request.clone(), success };
        assert_eq!(forge.idp.read_logout(query(&answer)), Some(expected));
    }
}

#[test]
fn hostile_logout_requests_are_refused_for_their_reason() {
    let forge = Forge::new();
    let sp = forge.sp();
    let good_xml = |destination: &str, issuer: &str, issued: &str, rest: &str| {
        format!(
            concat!(
                r#"<p:LogoutRequest ID="{}" Version="2.0" IssueInstant="{}"{} xmlns:p="urn:oasis:names:tc:SAML:2.0:protocol" "#,
                r#"xmlns="urn:oasis:names:tc:SAML:2.0:assertion"><Issuer>{}</Issuer>{}</p:LogoutRequest>"#,
            ),
            id(),
            issued,
            destination,
            issuer,
            rest
        )
    };
    let to_us = format!(" Destination=\"{SLO}\"");
    let entity = forge.idp.entity_id();
    let now = rollcall_entra::idp::written(forge.now);
    let who = "<NameID>ada.keller@contoso.example</NameID>";
    let signed = |idp: &IdentityProvider, xml: &str| {
        idp.signed_address(SLO, "SAMLRequest", xml, Some("state")).expect("signed")
    };
    let by_idp = |xml: &str| signed(&forge.idp, xml);
    let good = by_idp(&good_xml(&to_us, &entity, &now, who));
    sp.read_logout_request(query(&good), forge.now).expect("the good one is accepted");
    let attacker =
        IdentityProvider { keys: vec![forge.attacker().clone()], active: 0, ..forge.idp.clone() };
    let sha1 = IdentityProvider { hash: Hash::Sha1, ..forge.idp.clone() };
    let old = rollcall_entra::idp::written(forge.now - TimeDelta::hours(1));
    let unsigned = good.split_once("&SigAlg=").expect("signed").0.to_owned();
    let bomb = good_xml(&to_us, &entity, &now, &format!("{who}{}", " ".repeat(4_000_000)));
    let cases: Vec<(&str, Reason, String)> = vec![
        ("not signed", Reason::NotSigned, unsigned),
        (
            "signed by the attacker",
            Reason::SignatureInvalid,
            signed(&attacker, &good_xml(&to_us, &entity, &now, who)),
        ),
        (
            "signed with SHA-1",
            Reason::Algorithm,
            signed(&sha1, &good_xml(&to_us, &entity, &now, who)),
        ),
        (
            "another relay state",
            Reason::SignatureInvalid,
            good.replace("RelayState=state", "RelayState=evil"),
        ),
        (
            "the relay state taken away",
            Reason::SignatureInvalid,
            good.replace("&RelayState=state", ""),
        ),
        (
            "a parameter twice",
            Reason::UnexpectedContent,
            good.replace("&RelayState=state", "&RelayState=state&RelayState=evil"),
        ),
        ("the message twice", Reason::UnexpectedContent, format!("{good}&SAMLRequest=AAAA")),
        ("another algorithm", Reason::SignatureInvalid, good.replace("sha256", "sha512")),
        ("a broken escape", Reason::NotBase64, good.replace("&Signature=", "&Signature=%zz")),
        ("no message", Reason::UnexpectedDocument, format!("{SLO}?RelayState=state")),
        (
            "a response in its place",
            Reason::UnexpectedDocument,
            good.replace("SAMLRequest=", "SAMLResponse="),
        ),
        (
            "for somebody else",
            Reason::Destination,
            by_idp(&good_xml(" Destination=\"https://other.example/logout\"", &entity, &now, who)),
        ),
        ("for nobody", Reason::Destination, by_idp(&good_xml("", &entity, &now, who))),
        (
            "by another tenant",
            Reason::Issuer,
            by_idp(&good_xml(&to_us, "https://sts.windows.net/x/", &now, who)),
        ),
        ("of an hour ago", Reason::IssueInstant, by_idp(&good_xml(&to_us, &entity, &old, who))),
        (
            "expired by its own words",
            Reason::Expired,
            by_idp(&good_xml(
                &format!("{to_us} NotOnOrAfter=\"2020-01-01T00:00:00Z\""),
                &entity,
                &now,
                who,
            )),
        ),
        ("about nobody", Reason::Subject, by_idp(&good_xml(&to_us, &entity, &now, ""))),
        (
            "about an encrypted id",
            Reason::Subject,
            by_idp(&good_xml(&to_us, &entity, &now, "<EncryptedID></EncryptedID>")),
        ),
        (
            "with something more",
            Reason::UnexpectedContent,
            by_idp(&good_xml(&to_us, &entity, &now, &format!("{who}<x/>"))),
        ),
        (
            "with a document type",
            Reason::Doctype,
            by_idp(&format!("<!DOCTYPE x>{}", good_xml(&to_us, &entity, &now, who))),
        ),
        ("of another kind", Reason::UnexpectedDocument, by_idp(&forge.good())),
        ("that inflates to megabytes", Reason::TooLarge, by_idp(&bomb)),
    ];
    for (what, expected, url) in cases {
        let refusal = sp
            .read_logout_request(query(&url), forge.now)
            .err()
            .unwrap_or_else(|| panic!("{what}: accepted"));
        assert_eq!(refusal.reason, expected, "{what}: {refusal}");
    }
    // Signed by us: whoever answers himself gets nowhere.
    let ours =
        sp.logout_request(&id(), forge.now, &name_id(&forge), None, None).expect("a request");
    let refusal = sp.read_logout_request(query(&ours), forge.now).expect_err("accepted");
    assert_eq!(refusal.reason, Reason::SignatureInvalid);
}
