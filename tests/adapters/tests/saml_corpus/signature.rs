//! Signatures: missing, forged, moved, and those that make a verifier fetch or compute.

use crate::forge::{Case, Forge, after, before, between, id, swap};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::{MessageDigest, hash};
use openssl::nid::Nid;
use openssl::pkey::PKey;
use openssl::sign::Signer;
use rollcall_domain::saml::Reason;
use rollcall_entra::idp::c14n::canonical;
use rollcall_entra::idp::sign::wrap;
use rollcall_entra::idp::{Hash, IdentityProvider, SigningKey, SigningOption, Style, Token, sign};
use rollcall_saml::Policy;
use rollcall_saml::metadata::parse;

const DSIG: &str = "http://www.w3.org/2000/09/xmldsig#";
const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";

pub fn cases(forge: &Forge) -> Vec<Case> {
    [
        missing(forge),
        changed(forge),
        keys(forge),
        algorithms(forge),
        shapes(forge),
        fetching(forge),
        certificates(forge),
    ]
    .concat()
}

fn signature_of(xml: &str) -> &str {
    between(xml, "<Signature ", "</Signature>")
}

fn missing(forge: &Forge) -> Vec<Case> {
    let token = forge.token();
    let good = forge.good();
    let empty = after(
        &token.assertion_xml(),
        "</Issuer>",
        &format!("<Signature xmlns=\"{DSIG}\"></Signature>"),
    );
    let value = between(&good, "<SignatureValue>", "</SignatureValue>");
    vec![
        Case::new("never signed", Reason::NotSigned, token.response_xml(&token.assertion_xml())),
        Case::new("signature taken away", Reason::NotSigned, swap(&good, signature_of(&good), "")),
        Case::new("empty signature", Reason::SignatureShape, token.response_xml(&empty)),
        Case::new(
            "empty signature value",
            Reason::SignatureShape,
            swap(&good, value, "<SignatureValue></SignatureValue>"),
        ),
        Case::new("no signature value", Reason::SignatureShape, swap(&good, value, "")),
        Case::new("zeros as signature value", Reason::SignatureInvalid, {
            let zeros = format!("<SignatureValue>{}</SignatureValue>", STANDARD.encode([0; 256]));
            swap(&good, value, &zeros)
        }),
    ]
}

fn changed(forge: &Forge) -> Vec<Case> {
    let good = forge.good();
    let whole = forge.good_with(SigningOption::Response);
    let both = forge.good_with(SigningOption::Both);
    let other = "eve.mallory@contoso.example";
    let upn = &forge.person.user_principal_name;
    vec![
        Case::new(
            "another name id",
            Reason::SignatureInvalid,
            swap(&good, &format!("{upn}</NameID>"), &format!("{other}</NameID>")),
        ),
        Case::new(
            "another object id",
            Reason::SignatureInvalid,
            swap(&good, &forge.person.object_id, "0b1b9b1e-0000-4b6a-9d6a-2f2f5a4a7a10"),
        ),
        Case::new(
            "another name id in a signed response",
            Reason::SignatureInvalid,
            swap(&whole, &format!("{upn}</NameID>"), &format!("{other}</NameID>")),
        ),
        Case::new(
            "a group more",
            Reason::SignatureInvalid,
            swap(
                &good,
                "</AttributeValue></Attribute></AttributeStatement>",
                "</AttributeValue><AttributeValue>admins</AttributeValue></Attribute></AttributeStatement>",
            ),
        ),
        Case::new(
            "outer signature of both taken away, inside changed",
            Reason::SignatureInvalid,
            {
                let inside = swap(&both, signature_of(&both), "");
                swap(&inside, &format!("{upn}</NameID>"), &format!("{other}</NameID>"))
            },
        ),
        Case::new("inner signature of both taken away", Reason::SignatureInvalid, {
            let at = both.find("<Assertion").expect("an assertion");
            format!("{}{}", &both[..at], swap(&both[at..], signature_of(&both[at..]), ""))
        }),
        Case::new("the signature of another assertion", Reason::SignatureShape, {
            let another = forge.good();
            swap(&good, signature_of(&good), signature_of(&another))
        }),
        Case::new(
            "the signature of another assertion with the same id",
            Reason::SignatureInvalid,
            {
                let token = forge.token();
                let signed = forge.sign(&token.assertion_xml(), &token.assertion_id);
                let evil = Token { name_id: other.to_owned(), ..token.clone() };
                token.response_xml(&after(
                    &evil.assertion_xml(),
                    "</Issuer>",
                    signature_of(&signed),
                ))
            },
        ),
        Case::new("another digest value", Reason::SignatureInvalid, {
            let digest = between(&good, "<DigestValue>", "</DigestValue>");
            swap(&good, digest, &format!("<DigestValue>{}</DigestValue>", STANDARD.encode([7; 32])))
        }),
    ]
}

fn keys(forge: &Forge) -> Vec<Case> {
    let token = forge.token();
    let assertion = token.assertion_xml();
    let forged = |key: &SigningKey, info: bool| {
        token.response_xml(&forge.sign_with(&assertion, &token.assertion_id, key, info))
    };
    let certificate = forge.attacker().certificate_base64().expect("a certificate");
    let real = forge.key().certificate_base64().expect("a certificate");
    let ours = PKey::private_key_from_pkcs8(&forge.ours()[0].private_key_pkcs8().expect("a key"))
        .expect("a key");
    let ours = SigningKey::generate_with(ours, forge.now, 1).expect("a certificate");
    let by_attacker = forged(forge.attacker(), true);
    let key_info = between(&by_attacker, "<KeyInfo>", "</KeyInfo>");
    let value = format!(
        "<KeyInfo><KeyValue><RSAKeyValue><Modulus>{}</Modulus><Exponent>AQAB</Exponent></RSAKeyValue></KeyValue></KeyInfo>",
        STANDARD.encode(forge.attacker().private().rsa().expect("RSA").n().to_vec())
    );
    vec![
        Case::new("the attacker's key and certificate", Reason::UnknownKey, &by_attacker),
        Case::new(
            "the attacker's key and our provider's certificate",
            Reason::SignatureInvalid,
            by_attacker.replace(&certificate, &real),
        ),
        Case::new(
            "the attacker's key without a certificate",
            Reason::SignatureInvalid,
            forged(forge.attacker(), false),
        ),
        Case::new(
            "the attacker's key as a key value",
            Reason::SignatureInvalid,
            swap(&by_attacker, key_info, &value),
        ),
        Case::new("the attacker's certificate before the real one", Reason::UnknownKey, {
            let two = format!(
                "<KeyInfo><X509Data><X509Certificate>{certificate}</X509Certificate><X509Certificate>{real}</X509Certificate></X509Data></KeyInfo>"
            );
            swap(&by_attacker, key_info, &two)
        }),
        Case::new("our own key", Reason::UnknownKey, forged(&ours, true)),
        Case::new("the attacker's signature on the whole response", Reason::UnknownKey, {
            forge.sign_with(
                &token.response_xml(&assertion),
                &token.response_id,
                forge.attacker(),
                true,
            )
        }),
        Case::new(
            "signed inside by the provider and outside by the attacker",
            Reason::UnknownKey,
            {
                let inside = forge.sign(&assertion, &token.assertion_id);
                forge.sign_with(
                    &token.response_xml(&inside),
                    &token.response_id,
                    forge.attacker(),
                    true,
                )
            },
        ),
        Case::new(
            "something else than a certificate",
            Reason::SignatureShape,
            swap(&by_attacker, &certificate, "&lt;evil/&gt;"),
        ),
    ]
}

/// A response whose assertion is signed over whatever `SignedInfo` says, with the right digest.
fn custom(
    forge: &Forge,
    token: &Token,
    hash_of_signature: Hash,
    edit: impl Fn(&str) -> String,
) -> String {
    let xml = token.assertion_xml();
    let document = roxmltree::Document::parse(&xml).expect("XML");
    let digest = STANDARD.encode(
        hash(MessageDigest::sha256(), canonical(document.root_element(), None).as_bytes())
            .expect("a digest"),
    );
    let certificate = forge.key().certificate_base64().expect("a certificate");
    let style =
        Style { hash: Hash::Sha256, certificate: Some(&certificate), prefix: "", prefix_list: "" };
    let made = sign::signature_element(&token.assertion_id, &digest, forge.key(), &style)
        .expect("a signature");
    let info = between(&made, "<SignedInfo>", "</SignedInfo>");
    let edited = edit(info);
    assert_ne!(info, edited, "the edit has changed nothing");
    let signature = wrap(&edited, forge.key(), hash_of_signature, "", "xmlns", Some(&certificate))
        .expect("a signature");
    token.response_xml(&after(&xml, "</Issuer>", &signature))
}

fn algorithms(forge: &Forge) -> Vec<Case> {
    let token = forge.token();
    let method = Hash::Sha256.signature_uri();
    let named = |uri: &str| custom(forge, &token, Hash::Sha256, |info| swap(info, method, uri));
    let sha1 = IdentityProvider { hash: Hash::Sha1, ..forge.idp.clone() };
    let ec = EcKey::generate(&EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).expect("a curve"))
        .expect("a key");
    let ec = SigningKey::generate_with(PKey::from_ec_key(ec).expect("a key"), forge.now, 1)
        .expect("a certificate");
    vec![
        Case::new("SHA-1", Reason::Algorithm, sha1.issue(&token).expect("a response")),
        Case::new(
            "MD5",
            Reason::Algorithm,
            named("http://www.w3.org/2001/04/xmldsig-more#rsa-md5"),
        ),
        Case::new("an unknown algorithm", Reason::Algorithm, named("urn:example:trust-me")),
        Case::new("elliptic curves", Reason::Algorithm, {
            let certificate = ec.certificate_base64().expect("a certificate");
            let style = Style {
                hash: Hash::Sha256,
                certificate: Some(&certificate),
                prefix: "",
                prefix_list: "",
            };
            let signed = sign::sign(&token.assertion_xml(), &token.assertion_id, &ec, &style)
                .expect("signed");
            token.response_xml(&swap(
                &signed,
                method,
                "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256",
            ))
        }),
        Case::new("a digest with SHA-1", Reason::Algorithm, {
            custom(forge, &token, Hash::Sha256, |info| {
                swap(info, Hash::Sha256.digest_uri(), Hash::Sha1.digest_uri())
            })
        }),
        Case::new(
            "HMAC with the public certificate as its key",
            Reason::Algorithm,
            hmac(forge, &token, ""),
        ),
        Case::new(
            "HMAC of no length",
            Reason::SignatureShape,
            hmac(forge, &token, "<HMACOutputLength>0</HMACOutputLength>"),
        ),
        Case::new(
            "no algorithm at all",
            Reason::SignatureShape,
            custom(forge, &token, Hash::Sha256, |info| {
                swap(info, &format!(" Algorithm=\"{method}\""), "")
            }),
        ),
    ]
}

/// The certificate is public, so anybody can make this.
fn hmac(forge: &Forge, token: &Token, parameters: &str) -> String {
    let good = forge.sign(&token.assertion_xml(), &token.assertion_id);
    let old = format!(
        "<SignatureMethod Algorithm=\"{}\"></SignatureMethod>",
        Hash::Sha256.signature_uri()
    );
    let uri = "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256";
    let edited = swap(
        &good,
        &old,
        &format!("<SignatureMethod Algorithm=\"{uri}\">{parameters}</SignatureMethod>"),
    );
    let document = roxmltree::Document::parse(&edited).expect("XML");
    let info =
        document.descendants().find(|n| n.tag_name().name() == "SignedInfo").expect("SignedInfo");
    let public = forge.key().private().public_key_to_pem().expect("a key");
    let key = PKey::hmac(&public).expect("a key");
    let value = Signer::new(MessageDigest::sha256(), &key)
        .and_then(|mut s| s.sign_oneshot_to_vec(canonical(info, None).as_bytes()))
        .expect("a MAC");
    let before = between(&edited, "<SignatureValue>", "</SignatureValue>");
    token.response_xml(&swap(
        &edited,
        before,
        &format!("<SignatureValue>{}</SignatureValue>", STANDARD.encode(value)),
    ))
}

fn shapes(forge: &Forge) -> Vec<Case> {
    let token = forge.token();
    let good = forge.good();
    let shape = |name, xml: String| Case::new(name, Reason::SignatureShape, xml);
    let edited = |edit: &dyn Fn(&str) -> String| custom(forge, &token, Hash::Sha256, edit);
    let info = between(&good, "<SignedInfo>", "</SignedInfo>").to_owned();
    let digest = between(&good, "<DigestValue>", "</DigestValue>").to_owned();
    let value =
        digest.trim_start_matches("<DigestValue>").trim_end_matches("</DigestValue>").to_owned();
    let exclusive = format!("<Transform Algorithm=\"{EXCLUSIVE}\"></Transform>");
    let enveloped = format!("<Transform Algorithm=\"{DSIG}enveloped-signature\"></Transform>");
    let own = format!("URI=\"#{}\"", token.assertion_id);
    vec![
        shape("two SignedInfo", swap(&good, &info, &format!("{info}{info}"))),
        shape("a forged SignedInfo before the real one", {
            let forged = info.replace(&value, &STANDARD.encode([9; 32]));
            swap(&good, &info, &format!("{forged}{info}"))
        }),
        shape(
            "an element in DigestValue",
            swap(
                &good,
                &digest,
                &format!("<DigestValue>{value}<x xmlns=\"urn:x\"></x></DigestValue>"),
            ),
        ),
        shape("two DigestValue", swap(&good, &digest, &format!("{digest}{digest}"))),
        shape(
            "two references",
            edited(&|info| {
                let reference = between(info, "<Reference", "</Reference>");
                swap(info, reference, &format!("{reference}{reference}"))
            }),
        ),
        shape("a reference to everything", edited(&|info| swap(info, &own, "URI=\"\""))),
        shape("a reference to nothing", edited(&|info| swap(info, &own, ""))),
        shape(
            "a reference to the response",
            edited(&|info| swap(info, &own, &format!("URI=\"#{}\"", token.response_id))),
        ),
        shape(
            "an xpointer",
            edited(&|info| {
                swap(info, &own, &format!("URI=\"#xpointer(id('{}'))\"", token.assertion_id))
            }),
        ),
        shape("an xpointer to the root", edited(&|info| swap(info, &own, "URI=\"#xpointer(/)\""))),
        shape(
            "no transforms",
            edited(&|info| swap(info, between(info, "<Transforms>", "</Transforms>"), "")),
        ),
        shape("only the enveloped transform", edited(&|info| swap(info, &exclusive, ""))),
        shape("only canonicalization", edited(&|info| swap(info, &enveloped, ""))),
        shape(
            "transforms in another order",
            edited(&|info| {
                swap(info, &format!("{enveloped}{exclusive}"), &format!("{exclusive}{enveloped}"))
            }),
        ),
        shape(
            "an XPath transform",
            edited(&|info| {
                let xpath = "<Transform Algorithm=\"http://www.w3.org/TR/1999/REC-xpath-19991116\"><XPath>not(self::NameID)</XPath></Transform>";
                swap(info, &exclusive, &format!("{xpath}{exclusive}"))
            }),
        ),
        shape(
            "a base64 transform",
            edited(&|info| {
                swap(
                    info,
                    &exclusive,
                    &format!("<Transform Algorithm=\"{DSIG}base64\"></Transform>{exclusive}"),
                )
            }),
        ),
        shape(
            "a hundred transforms",
            edited(&|info| swap(info, &exclusive, &exclusive.repeat(100))),
        ),
        shape(
            "canonicalization with comments",
            edited(&|info| info.replace(EXCLUSIVE, &format!("{EXCLUSIVE}WithComments"))),
        ),
        shape(
            "inclusive canonicalization",
            edited(&|info| {
                info.replace(EXCLUSIVE, "http://www.w3.org/TR/2001/REC-xml-c14n-20010315")
            }),
        ),
        shape(
            "an object in the signature",
            before(&good, "</Signature>", "<Object>something</Object>"),
        ),
        shape(
            "a manifest in the signature",
            before(&good, "</Signature>", "<Object><Manifest></Manifest></Object>"),
        ),
        shape("a signature in the subject", {
            let signature = signature_of(&good).to_owned();
            before(&swap(&good, &signature, ""), "<NameID", &signature)
        }),
        Case::new("a signature beside the assertion", Reason::UnexpectedContent, {
            let signature = signature_of(&good).to_owned();
            before(&swap(&good, &signature, ""), "</samlp:Response>", &signature)
        }),
        shape("the same signature twice", {
            let signature = signature_of(&good).to_owned();
            swap(&good, &signature, &format!("{signature}{signature}"))
        }),
        Case::new("canonicalization made void by a relative namespace", Reason::Namespace, {
            forge.changed(&token, |xml| swap(&xml, "<Subject>", "<Subject xmlns:v=\"void\">"))
        }),
        Case::new(
            "a relative namespace outside of what is signed",
            Reason::Namespace,
            swap(&good, "<samlp:Response ", "<samlp:Response xmlns:v=\"../1\" "),
        ),
    ]
}

/// Before it verifies anything xmlsec does what these say.
fn fetching(forge: &Forge) -> Vec<Case> {
    let token = forge.token();
    let good = forge.good();
    let trap = forge.trap();
    let shape = |name, xml: String| Case::new(name, Reason::SignatureShape, xml);
    let own = between(&good, "<Reference URI=\"", "\">").to_owned();
    let refers = |uri: &str| swap(&good, &own, &format!("<Reference URI=\"{uri}\">"));
    let xslt = |body: &str| {
        let sheet = format!(
            "<xsl:stylesheet version=\"1.0\" xmlns:xsl=\"http://www.w3.org/1999/XSL/Transform\">{body}</xsl:stylesheet>"
        );
        let transform = format!(
            "<Transform Algorithm=\"http://www.w3.org/TR/1999/REC-xslt-19991116\">{sheet}</Transform>"
        );
        custom(forge, &token, Hash::Sha256, |info| before(info, "</Transforms>", &transform))
    };
    let key_info = between(&good, "<KeyInfo>", "</KeyInfo>").to_owned();
    vec![
        shape("a reference over HTTP", refers(&trap)),
        shape("a reference to a file", refers("file:///etc/hostname")),
        shape("a reference to an endless file", refers("file:///dev/zero")),
        shape("a reference to a terminal", refers("file:///dev/stdin")),
        shape("a reference over FTP", refers(&trap.replacen("http", "ftp", 1))),
        shape(
            "a style sheet that fetches",
            xslt(&format!(
                "<xsl:template match=\"/\"><xsl:copy-of select=\"document('{trap}')\"></xsl:copy-of></xsl:template>"
            )),
        ),
        shape(
            "a style sheet that never ends",
            xslt(
                "<xsl:template match=\"/\" name=\"again\"><xsl:call-template name=\"again\"></xsl:call-template></xsl:template>",
            ),
        ),
        shape(
            "a key to be fetched",
            swap(
                &good,
                &key_info,
                &format!("<KeyInfo><RetrievalMethod URI=\"{trap}\"></RetrievalMethod></KeyInfo>"),
            ),
        ),
        shape("a key to be fetched and transformed", {
            let transform = "<Transforms><Transform Algorithm=\"http://www.w3.org/TR/1999/REC-xslt-19991116\"></Transform></Transforms>";
            swap(
                &good,
                &key_info,
                &format!(
                    "<KeyInfo><RetrievalMethod URI=\"{trap}\">{transform}</RetrievalMethod></KeyInfo>"
                ),
            )
        }),
        shape(
            "an encrypted key in KeyInfo",
            swap(
                &good,
                &key_info,
                "<KeyInfo><EncryptedKey xmlns=\"http://www.w3.org/2001/04/xmlenc#\"></EncryptedKey></KeyInfo>",
            ),
        ),
        Case::new("a schema to be fetched", Reason::UnexpectedContent, {
            let hint = format!(
                "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:schemaLocation=\"urn:x {trap}\" "
            );
            swap(&good, "<samlp:Response ", &format!("<samlp:Response {hint}"))
        }),
        Case::new("an inclusion", Reason::UnexpectedContent, {
            let include = format!(
                "<xi:include xmlns:xi=\"http://www.w3.org/2001/XInclude\" href=\"{trap}\"></xi:include>"
            );
            before(&good, "</samlp:Response>", &include)
        }),
    ]
}

/// Certificates outside of their time. Their keys are trusted: metadata names them.
fn certificates(forge: &Forge) -> Vec<Case> {
    let mut cases = Vec::new();
    let ages = [
        ("an expired certificate", -400, 365),
        ("a certificate of the future", 10, 365),
        ("a certificate that ends now", -365, 365),
    ];
    for (name, from, days) in ages {
        let key = SigningKey::generate(forge.now + TimeDelta::days(from), days).expect("a key");
        let keys = forge.idp.keys.iter().cloned().chain([key]).collect();
        let idp = IdentityProvider { keys, active: 2, ..forge.idp.clone() };
        let mut connection = forge.connection(Policy::default());
        connection.idp =
            parse(&idp.metadata(&id()).expect("metadata"), forge.now).expect("usable").settings;
        let response = idp.issue(&forge.token()).expect("a response");
        cases.push(Case::new(name, Reason::CertificateExpired, response).against(connection));
    }
    let mut ended = forge.connection(Policy::default());
    for certificate in &mut ended.idp.signing_certificates {
        certificate.not_after = forge.now - TimeDelta::seconds(1);
    }
    cases.push(
        Case::new("all certificates expired", Reason::CertificateExpired, forge.good())
            .against(ended),
    );
    cases
}
