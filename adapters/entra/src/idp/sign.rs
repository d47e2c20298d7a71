//! Signing: enveloped signatures in XML, and signatures over a query.

use super::c14n::{canonical, canonical_with};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use openssl::asn1::Asn1Time;
use openssl::bn::{BigNum, MsbOption};
use openssl::error::ErrorStack;
use openssl::hash::{MessageDigest, hash};
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::sign::Signer;
use openssl::x509::{X509, X509NameBuilder};
use roxmltree::{Document, Node};

pub(super) const DSIG: &str = "http://www.w3.org/2000/09/xmldsig#";
const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";

/// Why something could not be signed or encrypted.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// The cryptographic library failed.
    #[error("openssl: {0}")]
    OpenSsl(#[from] ErrorStack),
    /// The document cannot be parsed.
    #[error("not XML: {0}")]
    Xml(#[from] roxmltree::Error),
    /// No element has the id.
    #[error("no element with the id {0}")]
    NoElement(String),
    /// An instant that no certificate can hold.
    #[error("the validity cannot be written in a certificate")]
    Validity,
}

/// Hash functions of signatures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Hash {
    /// Selectable in Entra, refused by Rollcall.
    Sha1,
    /// Entra's default.
    #[default]
    Sha256,
    /// Not offered by Entra.
    Sha384,
    /// Not offered by Entra.
    Sha512,
}

impl Hash {
    fn digest(self) -> MessageDigest {
        match self {
            Hash::Sha1 => MessageDigest::sha1(),
            Hash::Sha256 => MessageDigest::sha256(),
            Hash::Sha384 => MessageDigest::sha384(),
            Hash::Sha512 => MessageDigest::sha512(),
        }
    }

    /// The URI of the signature algorithm.
    pub fn signature_uri(self) -> &'static str {
        match self {
            Hash::Sha1 => "http://www.w3.org/2000/09/xmldsig#rsa-sha1",
            Hash::Sha256 => "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
            Hash::Sha384 => "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384",
            Hash::Sha512 => "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512",
        }
    }

    /// The URI of the digest algorithm.
    pub fn digest_uri(self) -> &'static str {
        match self {
            Hash::Sha1 => "http://www.w3.org/2000/09/xmldsig#sha1",
            Hash::Sha256 => "http://www.w3.org/2001/04/xmlenc#sha256",
            Hash::Sha384 => "http://www.w3.org/2001/04/xmldsig-more#sha384",
            Hash::Sha512 => "http://www.w3.org/2001/04/xmlenc#sha512",
        }
    }
}

/// A key that signs, with its self-signed certificate.
#[derive(Clone, Debug)]
pub struct SigningKey {
    key: PKey<Private>,
    certificate: X509,
}

impl SigningKey {
    /// An RSA key of 2048 bits as Entra makes them, valid for some days from an instant.
    pub fn generate(now: DateTime<Utc>, days: i64) -> Result<Self, SignError> {
        Self::generate_with(PKey::from_rsa(Rsa::generate(2048)?)?, now, days)
    }

    /// A certificate for a key of any kind.
    pub fn generate_with(
        key: PKey<Private>,
        now: DateTime<Utc>,
        days: i64,
    ) -> Result<Self, SignError> {
        let mut name = X509NameBuilder::new()?;
        name.append_entry_by_text("CN", "Microsoft Azure Federated SSO Certificate")?;
        let name = name.build();
        let mut serial = BigNum::new()?;
        serial.rand(120, MsbOption::MAYBE_ZERO, false)?;
        let until = now.checked_add_signed(TimeDelta::days(days)).ok_or(SignError::Validity)?;
        let mut builder = X509::builder()?;
        builder.set_version(2)?;
        builder.set_serial_number(&*serial.to_asn1_integer()?)?;
        builder.set_subject_name(&name)?;
        builder.set_issuer_name(&name)?;
        builder.set_pubkey(&key)?;
        builder.set_not_before(&*Asn1Time::from_unix(now.timestamp())?)?;
        builder.set_not_after(&*Asn1Time::from_unix(until.timestamp())?)?;
        builder.sign(&key, MessageDigest::sha256())?;
        Ok(Self { key, certificate: builder.build() })
    }

    /// The certificate, DER in base64.
    pub fn certificate_base64(&self) -> Result<String, SignError> {
        Ok(STANDARD.encode(self.certificate.to_der()?))
    }

    /// SHA-256 of the certificate, in lower-case hex.
    pub fn sha256(&self) -> Result<String, SignError> {
        Ok(self
            .certificate
            .digest(MessageDigest::sha256())?
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect())
    }

    /// The private key, to sign with it in another way.
    pub fn private(&self) -> &PKey<Private> {
        &self.key
    }

    /// A signature over bytes.
    pub fn sign(&self, hash: Hash, bytes: &[u8]) -> Result<Vec<u8>, SignError> {
        Ok(Signer::new(hash.digest(), &self.key)?.sign_oneshot_to_vec(bytes)?)
    }
}

/// How a signature in XML is made.
#[derive(Clone, Debug)]
pub struct Style<'a> {
    /// The hash function of both signature and digest.
    pub hash: Hash,
    /// Base64 of the certificate in `KeyInfo`; none leaves `KeyInfo` out.
    pub certificate: Option<&'a str>,
    /// The prefix of signature elements; empty for a default namespace, as Entra writes it.
    pub prefix: &'a str,
    /// `PrefixList` of the canonicalization of what is signed; empty leaves it out.
    pub prefix_list: &'a str,
}

/// Signs the element with an `ID` in a document: the signature becomes its second child, after the
/// issuer, or its first where there is none.
pub fn sign(xml: &str, id: &str, key: &SigningKey, style: &Style<'_>) -> Result<String, SignError> {
    let document = Document::parse(xml)?;
    let node = by_id(&document, id)?;
    let inclusive: Vec<&str> = style.prefix_list.split_whitespace().collect();
    let digest = STANDARD
        .encode(hash(style.hash.digest(), canonical_with(node, None, &inclusive).as_bytes())?);
    let signature = signature_element(id, &digest, key, style)?;
    let first = node.first_element_child();
    let at = match first {
        Some(issuer) if issuer.tag_name().name() == "Issuer" => issuer.range().end,
        Some(other) => other.range().start,
        None => xml[..node.range().end].rfind("</").unwrap_or(node.range().end),
    };
    Ok(format!("{}{signature}{}", &xml[..at], &xml[at..]))
}

/// The signature element over a digest that somebody computed.
pub fn signature_element(
    id: &str,
    digest: &str,
    key: &SigningKey,
    style: &Style<'_>,
) -> Result<String, SignError> {
    let p = if style.prefix.is_empty() { String::new() } else { format!("{}:", style.prefix) };
    let xmlns = if style.prefix.is_empty() {
        "xmlns".to_owned()
    } else {
        format!("xmlns:{}", style.prefix)
    };
    let list = match style.prefix_list {
        "" => String::new(),
        prefixes => format!(
            r#"<ec:InclusiveNamespaces xmlns:ec="{EXCLUSIVE}" PrefixList="{prefixes}"></ec:InclusiveNamespaces>"#
        ),
    };
    let signed_info = format!(
        concat!(
            r#"<{p}SignedInfo><{p}CanonicalizationMethod Algorithm="{exclusive}"></{p}CanonicalizationMethod>"#,
            r#"<{p}SignatureMethod Algorithm="{signature}"></{p}SignatureMethod><{p}Reference URI="{hash}{id}"><{p}Transforms>"#,
            r#"<{p}Transform Algorithm="{dsig}enveloped-signature"></{p}Transform>"#,
            r#"<{p}Transform Algorithm="{exclusive}">{list}</{p}Transform></{p}Transforms>"#,
            r#"<{p}DigestMethod Algorithm="{digest_uri}"></{p}DigestMethod><{p}DigestValue>{digest}</{p}DigestValue>"#,
            "</{p}Reference></{p}SignedInfo>",
        ),
        p = p,
        exclusive = EXCLUSIVE,
        dsig = DSIG,
        signature = style.hash.signature_uri(),
        hash = '#',
        id = id,
        list = list,
        digest_uri = style.hash.digest_uri(),
        digest = digest,
    );
    wrap(&signed_info, key, style.hash, &p, &xmlns, style.certificate)
}

/// Signs a `SignedInfo` and puts the signature element around it.
pub fn wrap(
    signed_info: &str,
    key: &SigningKey,
    hash: Hash,
    p: &str,
    xmlns: &str,
    certificate: Option<&str>,
) -> Result<String, SignError> {
    let open = format!(r#"<{p}Signature {xmlns}="{DSIG}">{signed_info}"#);
    let document = format!("{open}</{p}Signature>");
    let parsed = Document::parse(&document)?;
    let info = parsed
        .root_element()
        .first_element_child()
        .ok_or_else(|| SignError::NoElement("SignedInfo".to_owned()))?;
    let value = STANDARD.encode(key.sign(hash, canonical(info, None).as_bytes())?);
    let key_info = match certificate {
        Some(c) => format!(
            "<{p}KeyInfo><{p}X509Data><{p}X509Certificate>{c}</{p}X509Certificate></{p}X509Data></{p}KeyInfo>"
        ),
        None => String::new(),
    };
    Ok(format!("{open}<{p}SignatureValue>{value}</{p}SignatureValue>{key_info}</{p}Signature>"))
}

fn by_id<'a, 'i>(document: &'a Document<'i>, id: &str) -> Result<Node<'a, 'i>, SignError> {
    let found = document.descendants().find(|n| n.attribute("ID") == Some(id));
    found.ok_or_else(|| SignError::NoElement(id.to_owned()))
}
