//! Metadata of identity providers: what is taken from it, and what is not taken at all.

use crate::forge::{Forge, before, between, id, swap};
use chrono::TimeDelta;
use openssl::ec::{EcGroup, EcKey};
use openssl::nid::Nid;
use openssl::pkey::PKey;
use openssl::rsa::Rsa;
use rollcall_entra::idp::{IdentityProvider, SigningKey};
use rollcall_saml::metadata::{MAX_BYTES, parse};
use rollcall_saml::{Connection, MetadataError, Policy, ServiceProvider, SetupError};

fn document(forge: &Forge) -> String {
    let bytes = forge.idp.metadata(&id()).expect("metadata");
    String::from_utf8(bytes).expect("text")
}

#[test]
fn entras_document_is_read() {
    let forge = Forge::new();
    let text = document(&forge);
    assert!(
        text.starts_with('\u{feff}') && text.contains("fed:SecurityTokenServiceType"),
        "not as Entra writes it"
    );
    let read = parse(text.as_bytes(), forge.now).expect("usable");
    assert_eq!(read.settings.entity_id, forge.idp.entity_id());
    assert_eq!(read.settings.tenant_id(), Some(forge.idp.tenant_id.as_str()));
    assert_eq!(read.settings.sso_redirect_url, forge.idp.saml_url());
    assert_eq!(read.settings.slo_redirect_url, Some(forge.idp.saml_url()));
    let found: Vec<&str> =
        read.settings.signing_certificates.iter().map(|c| c.sha256.as_str()).collect();
    let expected: Vec<String> =
        forge.idp.keys.iter().map(|k| k.sha256().expect("a fingerprint")).collect();
    assert_eq!(found, expected);
    let first = &read.settings.signing_certificates[0];
    assert_eq!(first.subject, "Microsoft Azure Federated SSO Certificate");
    assert_eq!(first.not_after - first.not_before, TimeDelta::days(1095));
    assert_eq!(read.skipped, Vec::<String>::new());
}

#[test]
fn what_is_no_usable_metadata_is_refused_with_the_reason() {
    let forge = Forge::new();
    let good = document(&forge);
    let role = between(&good, "<IDPSSODescriptor", "</IDPSSODescriptor>").to_owned();
    let keys: Vec<&str> =
        role.split("<KeyDescriptor").skip(1).map(|k| between(k, "", "</KeyDescriptor>")).collect();
    let without_keys = keys
        .iter()
        .fold(role.clone(), |role, key| swap(&role, &format!("<KeyDescriptor{key}"), ""));
    let refuse = |what: &str, document: &str, expected: &dyn Fn(&MetadataError) -> bool| {
        let error = parse(document.as_bytes(), forge.now)
            .err()
            .unwrap_or_else(|| panic!("{what}: accepted"));
        assert!(expected(&error), "{what}: {error:?}");
    };
    let no_key = |e: &MetadataError| matches!(e, MetadataError::NoSigningCertificate(_));
    let not_xml = |e: &MetadataError| matches!(e, MetadataError::NotXml(_));
    let not_saml = |e: &MetadataError| matches!(e, MetadataError::NotSaml(_));
    refuse("no key", &swap(&good, &role, &without_keys), &no_key);
    refuse(
        "only a key for encryption",
        &swap(&good, &role, &role.replace("use=\"signing\"", "use=\"encryption\"")),
        &no_key,
    );
    let broken = role.replace("<X509Certificate>", "<X509Certificate>AAAA");
    refuse("broken certificates", &swap(&good, &role, &broken), &no_key);
    refuse("the role of WS-Federation only", &swap(&good, &role, ""), &|e| {
        *e == MetadataError::NoIdp
    });
    refuse("a service provider", &good.replace("IDPSSODescriptor", "SPSSODescriptor"), &|e| {
        *e == MetadataError::NoIdp
    });
    refuse("our own", &forge.sp().metadata_xml(), &|e| *e == MetadataError::NoIdp);
    refuse(
        "SAML 1",
        &good.replace(
            "urn:oasis:names:tc:SAML:2.0:protocol",
            "urn:oasis:names:tc:SAML:1.1:protocol",
        ),
        &|e| *e == MetadataError::NoIdp,
    );
    refuse(
        "no entity id",
        &swap(&good, &format!("entityID=\"{}\"", forge.idp.entity_id()), ""),
        &|e| *e == MetadataError::NoEntityId,
    );
    refuse("all tenants", &good.replace(&forge.idp.tenant_id, "{tenant}"), &|e| {
        *e == MetadataError::ManyTenants
    });
    refuse(
        "expired",
        &swap(
            &good,
            "<EntityDescriptor ",
            "<EntityDescriptor validUntil=\"2020-01-01T00:00:00Z\" ",
        ),
        &|e| matches!(e, MetadataError::Expired(_)),
    );
    refuse(
        "an odd end",
        &swap(&good, "<EntityDescriptor ", "<EntityDescriptor validUntil=\"soon\" "),
        &not_saml,
    );
    refuse(
        "a document type",
        &format!(
            "<!DOCTYPE x>{}",
            good.trim_start_matches('\u{feff}').split_once("?>").expect("a declaration").1
        ),
        &|e| *e == MetadataError::Doctype,
    );
    refuse(
        "entities",
        &format!("<!DOCTYPE x [<!ENTITY e SYSTEM \"{}\">]><x/>", forge.trap()),
        &|e| *e == MetadataError::Doctype,
    );
    refuse("a response", &forge.good(), &not_saml);
    refuse("a web page", "<html><body><br></body></html>", &not_xml);
    refuse("nothing", "", &not_xml);
    refuse("JSON", "{\"issuer\": \"https://sts.windows.net/\"}", &not_xml);
    refuse("a sea of levels", &"<a>".repeat(200_000), &not_xml);
    refuse("too much", &" ".repeat(MAX_BYTES + 1), &|e| *e == MetadataError::TooLarge);
    let redirect =
        "<SingleSignOnService Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect\"";
    refuse("no address", &good.replace(redirect, "<SingleSignOnService Binding=\"urn:x\""), &|e| {
        *e == MetadataError::NoSignOnUrl
    });
    for address in [
        "http://login.example/saml2",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "https://user:secret@login.example/",
        "/saml2",
    ] {
        refuse(address, &good.replace(&forge.idp.saml_url(), address), &|e| {
            matches!(e, MetadataError::Address(_))
        });
    }
    assert_eq!(parse(&[0xff, 0xfe, b'<', 0], forge.now), Err(MetadataError::NotUtf8));
    forge.assert_no_connection();
}

#[test]
fn weak_keys_are_left_out_and_named() {
    let forge = Forge::new();
    let weak = PKey::from_rsa(Rsa::generate(1024).expect("a key")).expect("a key");
    let curve = EcKey::generate(&EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).expect("a curve"))
        .expect("a key");
    let odd = [weak, PKey::from_ec_key(curve).expect("a key")]
        .map(|key| SigningKey::generate_with(key, forge.now, 10).expect("a certificate"));
    let with = |keys: Vec<SigningKey>| {
        let good = forge.idp.keys[0].clone();
        let idp = IdentityProvider {
            keys: std::iter::once(good).chain(keys).collect(),
            ..forge.idp.clone()
        };
        idp.metadata(&id()).expect("metadata")
    };
    let read = parse(&with(odd.to_vec()), forge.now).expect("usable");
    assert_eq!(read.settings.signing_certificates.len(), 1);
    assert_eq!(read.skipped.len(), 2, "{:?}", read.skipped);
    // Alone they make it unusable: it must not be taken for an identity provider without
    // signatures.
    let good = between(&document(&forge), "<KeyDescriptor", "</KeyDescriptor>").to_owned();
    let text = String::from_utf8(with(vec![odd[0].clone()])).expect("text").replace(&good, "");
    assert!(
        matches!(parse(text.as_bytes(), forge.now), Err(MetadataError::NoSigningCertificate(why)) if why.contains("1024 bits"))
    );
}

#[test]
fn other_shapes_are_read_as_well() {
    let forge = Forge::new();
    let good = document(&forge);
    let bare =
        good.trim_start_matches('\u{feff}').split_once("?>").expect("a declaration").1.to_owned();
    let read = |text: &str| parse(text.as_bytes(), forge.now).expect("usable").settings;
    assert_eq!(read(&bare), read(&good), "without a byte order mark");
    assert_eq!(read(&bare.replace(" use=\"signing\"", "")), read(&good), "keys for everything");
    let many = format!(
        "<EntitiesDescriptor xmlns=\"urn:oasis:names:tc:SAML:2.0:metadata\">{bare}</EntitiesDescriptor>"
    );
    assert_eq!(read(&many), read(&good), "the only one of several");
    let later = read(&swap(
        &bare,
        "<EntityDescriptor ",
        "<EntityDescriptor validUntil=\"2999-01-01T00:00:00Z\" ",
    ));
    assert!(later.valid_until.is_some());
    let lines = before(&bare, "<IDPSSODescriptor", "\n  <!-- the role that matters -->\n  ");
    assert_eq!(read(&lines), read(&good), "with comments");
    assert_eq!(
        read(&bare.replace(&forge.idp.saml_url(), "http://127.0.0.1:7000/saml2")).sso_redirect_url,
        "http://127.0.0.1:7000/saml2"
    );
}

#[test]
fn a_service_provider_is_not_made_of_nothing() {
    let forge = Forge::new();
    let connection = |change: &dyn Fn(&mut Connection)| {
        let mut connection = forge.connection(Policy::default());
        change(&mut connection);
        ServiceProvider::new(connection).err()
    };
    assert!(connection(&|_| {}).is_none());
    assert!(matches!(
        connection(&|c| c.idp.signing_certificates.clear()),
        Some(SetupError::NoSigningCertificate)
    ));
    assert!(matches!(
        connection(&|c| c.idp.signing_certificates[0].der = "AAAA".to_owned()),
        Some(SetupError::Certificate { .. })
    ));
    assert!(matches!(
        connection(&|c| c.idp.signing_certificates[0].sha256 = "00".to_owned()),
        Some(SetupError::Certificate { .. })
    ));
    assert!(matches!(
        connection(&|c| c.acs_url = "acs".to_owned()),
        Some(SetupError::Address { .. })
    ));
    assert!(matches!(
        connection(&|c| c.entity_id = " ".to_owned()),
        Some(SetupError::Address { .. })
    ));
}

#[test]
fn our_own_metadata_says_what_an_identity_provider_needs() {
    let forge = Forge::new();
    let sp = forge.sp();
    let xml = sp.metadata_xml();
    let document = roxmltree::Document::parse(&xml).expect("XML");
    let uses: Vec<_> = document
        .descendants()
        .filter(|n| n.tag_name().name() == "KeyDescriptor")
        .map(|n| n.attribute("use"))
        .collect();
    assert_eq!(uses, [Some("signing"), Some("signing"), Some("encryption")]);
    let acs = document
        .descendants()
        .find(|n| n.tag_name().name() == "AssertionConsumerService")
        .expect("an ACS");
    assert_eq!(acs.attribute("Location"), Some(sp.connection().acs_url.as_str()));
    assert_eq!(
        document.root_element().attribute("entityID"),
        Some(sp.connection().entity_id.as_str())
    );
}
