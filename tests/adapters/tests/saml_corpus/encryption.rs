//! Encryption: anybody can encrypt for us, so that it proves nothing; and nobody may ask our key.

use crate::forge::{Case, Forge, before, between, swap};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rollcall_domain::saml::Reason;
use rollcall_entra::idp::encrypt::{ContentCipher, KeyTransport, encrypted_assertion};
use rollcall_entra::idp::{IdentityProvider, SigningOption, Token};
use rollcall_saml::{Connection, Policy, ServiceProvider};

struct Sealer<'a> {
    forge: &'a Forge,
    token: Token,
    certificate: Vec<u8>,
}

impl Sealer<'_> {
    /// A response with something encrypted for us, as Entra encrypts.
    fn response(&self, plain: &str) -> String {
        self.response_with(plain, ContentCipher::default(), KeyTransport::default())
    }

    fn response_with(&self, plain: &str, cipher: ContentCipher, transport: KeyTransport) -> String {
        self.token.response_xml(
            &encrypted_assertion(plain, &self.certificate, cipher, transport).expect("encrypted"),
        )
    }

    fn signed(&self) -> String {
        self.forge.sign(&self.token.assertion_xml(), &self.token.assertion_id)
    }
}

fn sealer(forge: &Forge) -> Sealer<'_> {
    Sealer {
        forge,
        token: forge.token(),
        certificate: forge.ours()[0].certificate_der().expect("a certificate"),
    }
}

/// The last value is the content's, the first the key's.
fn value(xml: &str) -> &str {
    let at = xml.find("<xenc:CipherValue>").expect("a content");
    between(&xml[at..], "<xenc:CipherValue>", "</xenc:CipherValue>")
}

fn with_value(xml: &str, change: impl Fn(Vec<u8>) -> Vec<u8>) -> String {
    let old = value(xml);
    let bytes = STANDARD
        .decode(
            old.trim_start_matches("<xenc:CipherValue>").trim_end_matches("</xenc:CipherValue>"),
        )
        .expect("base64");
    swap(
        xml,
        old,
        &format!("<xenc:CipherValue>{}</xenc:CipherValue>", STANDARD.encode(change(bytes))),
    )
}

pub fn cases(forge: &Forge) -> Vec<Case> {
    let sealer = sealer(forge);
    let mut cases = oracle(&sealer);
    let mut evil = sealer.token.clone();
    evil.name_id = "eve.mallory@contoso.example".to_owned();
    let encrypted = |plain: &str| {
        encrypted_assertion(
            plain,
            &sealer.certificate,
            ContentCipher::default(),
            KeyTransport::default(),
        )
        .expect("encrypted")
    };
    let signed = sealer.signed();
    cases.push(Case::new("one in clear and one encrypted", Reason::AssertionCount, {
        sealer.token.response_xml(&format!("{signed}{}", encrypted(&evil.assertion_xml())))
    }));
    cases.push(Case::new("one encrypted and one in clear", Reason::AssertionCount, {
        sealer.token.response_xml(&format!("{}{signed}", encrypted(&evil.assertion_xml())))
    }));
    cases.push(Case::new("two encrypted", Reason::AssertionCount, {
        sealer.token.response_xml(&format!(
            "{}{}",
            encrypted(&signed),
            encrypted(&evil.assertion_xml())
        ))
    }));
    let certificate = Some(sealer.certificate.clone());
    let whole = IdentityProvider {
        signing: SigningOption::Response,
        encrypt_for: certificate,
        ..forge.idp.clone()
    };
    let whole = whole.issue(&sealer.token).expect("a response");
    cases.push(Case::new("another ciphertext in a signed response", Reason::SignatureInvalid, {
        let other = sealer.response(&evil.assertion_xml());
        swap(&whole, value(&whole), value(&other))
    }));
    cases.push(Case::new("the attacker's signature around a ciphertext", Reason::UnknownKey, {
        forge.sign_with(
            &sealer.response(&evil.assertion_xml()),
            &sealer.token.response_id,
            forge.attacker(),
            true,
        )
    }));
    // The provider has signed the response, so that what is wrong inside may be told.
    cases.push(Case::new("signed outside and a document type inside", Reason::Doctype, {
        forge.sign(
            &sealer.response(&format!("<!DOCTYPE a>{}", evil.assertion_xml())),
            &sealer.token.response_id,
        )
    }));
    cases
}

/// Without a signature outside, everything that can be wrong inside must look the same.
fn oracle(sealer: &Sealer<'_>) -> Vec<Case> {
    let forge = sealer.forge;
    let signed = sealer.signed();
    let good = sealer.response(&signed);
    let mut evil = sealer.token.clone();
    evil.name_id = "eve.mallory@contoso.example".to_owned();
    let case = |name, xml: String| Case::new(name, Reason::Decryption, xml);
    let foreign = forge.attacker().certificate_base64().expect("a certificate");
    let foreign = STANDARD.decode(foreign).expect("base64");
    let key = between(&good, "<e:EncryptedKey ", "</e:EncryptedKey>").to_owned();
    let data = between(&good, "<xenc:EncryptedData", "</xenc:EncryptedData>").to_owned();
    vec![
        case("encrypted and never signed", sealer.response(&evil.assertion_xml())),
        case("encrypted and signed by the attacker", {
            sealer.response(&forge.sign_with(
                &evil.assertion_xml(),
                &evil.assertion_id,
                forge.attacker(),
                true,
            ))
        }),
        case(
            "encrypted and changed after signing",
            sealer.response(&signed.replacen("ada.keller", "eve.mallory", 1)),
        ),
        case("encrypted for somebody else", {
            let encrypted = encrypted_assertion(
                &signed,
                &foreign,
                ContentCipher::default(),
                KeyTransport::default(),
            )
            .expect("encrypted");
            sealer.token.response_xml(&encrypted)
        }),
        case(
            "a key under PKCS#1 v1.5",
            sealer.response_with(&signed, ContentCipher::Aes256Cbc, KeyTransport::Pkcs1v15),
        ),
        case(
            "triple DES",
            sealer.response_with(&signed, ContentCipher::TripleDes, KeyTransport::OaepMgf1p),
        ),
        case("nothing to decrypt", with_value(&good, |_| Vec::new())),
        case("one byte to decrypt", with_value(&good, |_| vec![1])),
        case("only an initial vector", with_value(&good, |bytes| bytes[..16].to_vec())),
        case("half a block", with_value(&good, |bytes| bytes[..40].to_vec())),
        case(
            "a changed last block",
            with_value(&good, |mut bytes| {
                if let Some(last) = bytes.last_mut() {
                    *last ^= 0x55;
                }
                bytes
            }),
        ),
        case(
            "a changed first block",
            with_value(&good, |mut bytes| {
                bytes[3] ^= 1;
                bytes
            }),
        ),
        case("a tag that does not fit", {
            let gcm =
                sealer.response_with(&signed, ContentCipher::Aes256Gcm, KeyTransport::OaepMgf1p);
            with_value(&gcm, |mut bytes| {
                bytes[20] ^= 1;
                bytes
            })
        }),
        case("a tag and nothing else", {
            let gcm =
                sealer.response_with(&signed, ContentCipher::Aes128Gcm, KeyTransport::OaepMgf1p);
            with_value(&gcm, |bytes| bytes[..20].to_vec())
        }),
        case(
            "not base64 to decrypt",
            swap(&good, value(&good), "<xenc:CipherValue>*</xenc:CipherValue>"),
        ),
        case("no key", swap(&good, &key, "")),
        case("two keys", swap(&good, &key, &key.repeat(2))),
        case("no data", swap(&good, &data, "")),
        case("a key of another length", {
            let short =
                sealer.response_with(&signed, ContentCipher::Aes128Cbc, KeyTransport::OaepMgf1p);
            swap(&short, "aes128-cbc", "aes256-cbc")
        }),
        case("a ciphertext to be fetched", {
            let reference =
                format!("<xenc:CipherReference URI=\"{}\"></xenc:CipherReference>", forge.trap());
            swap(&good, value(&good), &reference)
        }),
        case("a key to be found elsewhere", {
            let method = format!("<RetrievalMethod URI=\"{}\"></RetrievalMethod>", forge.trap());
            swap(&good, &key, &method)
        }),
        case("no XML inside", sealer.response("hello")),
        case("a document type inside", sealer.response(&format!("<!DOCTYPE a>{signed}"))),
        case(
            "a comment inside",
            sealer.response(&swap(
                &signed,
                "ada.keller@contoso.example<",
                "ada.keller@contoso.example<!-- --><",
            )),
        ),
        case("a response inside", sealer.response(&forge.good())),
        case(
            "encrypted twice",
            sealer.response(
                &encrypted_assertion(
                    &signed,
                    &sealer.certificate,
                    ContentCipher::default(),
                    KeyTransport::default(),
                )
                .expect("encrypted"),
            ),
        ),
        case("two assertions inside", sealer.response(&format!("{signed}{signed}"))),
        case(
            "wrapped inside",
            sealer.response(&before(&evil.assertion_xml(), "</Assertion>", &signed)),
        ),
        case("the signature of another inside", {
            let signature = between(&signed, "<Signature ", "</Signature>");
            sealer.response(&crate::forge::after(&evil.assertion_xml(), "</Issuer>", signature))
        }),
    ]
}

#[test]
fn whatever_is_wrong_inside_looks_the_same() {
    let forge = Forge::new();
    let sp = forge.sp();
    let cases = oracle(&sealer(&forge));
    let details: std::collections::BTreeSet<String> = cases
        .iter()
        .map(|case| forge.read_with(&sp, &case.field).expect_err(case.name).to_string())
        .collect();
    assert_eq!(details.len(), 1, "{details:?}");
    forge.assert_no_connection();
}

#[test]
fn without_a_key_of_ours_nothing_is_decrypted() {
    let forge = Forge::new();
    let certificate = forge.ours()[0].certificate_der().ok();
    let response = IdentityProvider { encrypt_for: certificate, ..forge.idp.clone() }
        .issue(&forge.token())
        .expect("a response");
    let sp = ServiceProvider::new(Connection {
        keys: Vec::new(),
        ..forge.connection(Policy::default())
    })
    .expect("a service provider");
    let refusal =
        forge.read_with(&sp, &STANDARD.encode(response)).expect_err("decrypted without a key");
    assert_eq!(refusal.reason, Reason::Decryption);
}
