//! Third step: a signature has the one shape that SAML's signature profile allows (core, section
//! 5.4), so that nothing is left for xmlsec to fetch, transform or choose.

use crate::xml::{DSIG, attribute, elements, is, only_attributes, text};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use openssl::hash::MessageDigest;
use rollcall_domain::saml::{Reason, Refusal};
use roxmltree::Node;

const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
const SIGNATURES: [&str; 3] = [
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384",
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512",
];
const DIGESTS: [&str; 3] = [
    "http://www.w3.org/2001/04/xmlenc#sha256",
    "http://www.w3.org/2001/04/xmldsig-more#sha384",
    "http://www.w3.org/2001/04/xmlenc#sha512",
];

/// A signature of the accepted shape. Not verified yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Signature {
    /// SHA-256 of the certificate that it says to be verified with: a hint, never trusted.
    pub(crate) certificate_sha256: Option<String>,
    /// Whether the bytes under it depend on namespaces declared further out.
    pub(crate) needs_context: bool,
}

impl Signature {
    /// Reads the signature that is a child of what it signs.
    pub(crate) fn read(signature: Node<'_, '_>) -> Result<Self, Refusal> {
        let parent = signature.parent_element().ok_or_else(|| shape("a signature at the root"))?;
        let signed_id = attribute(parent, "ID")
            .ok_or_else(|| Refusal::new(Reason::Id, "what is signed has no id"))?;
        only_attributes(signature, &["Id"]).map_err(as_shape)?;
        let parts = elements(signature).map_err(as_shape)?;
        let names: Vec<&str> = parts.iter().map(|p| p.tag_name().name()).collect();
        if parts.iter().any(|p| p.tag_name().namespace() != Some(DSIG))
            || !matches!(
                names.as_slice(),
                ["SignedInfo", "SignatureValue"] | ["SignedInfo", "SignatureValue", "KeyInfo"]
            )
        {
            return Err(shape(format!("a signature of {}", names.join(", "))));
        }
        let needs_context = signed_info(parts[0], &signed_id)?;
        only_attributes(parts[1], &["Id"]).map_err(as_shape)?;
        base64_text(parts[1])?;
        let certificate_sha256 = parts.get(2).map(|k| key_info(*k)).transpose()?.flatten();
        Ok(Self { certificate_sha256, needs_context })
    }
}

fn shape(what: impl AsRef<str>) -> Refusal {
    Refusal::new(Reason::SignatureShape, what)
}

fn as_shape(refusal: Refusal) -> Refusal {
    shape(refusal.detail)
}

/// `SignedInfo`; answers whether a prefix list was given.
fn signed_info(node: Node<'_, '_>, signed_id: &str) -> Result<bool, Refusal> {
    only_attributes(node, &["Id"]).map_err(as_shape)?;
    let parts = named(node, &["CanonicalizationMethod", "SignatureMethod", "Reference"])?;
    let outer = canonicalization(parts[0])?;
    let method = algorithm(parts[1])?;
    if !elements(parts[1]).map_err(as_shape)?.is_empty() {
        return Err(shape("a signature method with parameters"));
    }
    if !SIGNATURES.contains(&method.as_str()) {
        return Err(Refusal::new(Reason::Algorithm, format!("signed with {method}")));
    }
    Ok(reference(parts[2], signed_id)? || outer)
}

fn reference(node: Node<'_, '_>, signed_id: &str) -> Result<bool, Refusal> {
    only_attributes(node, &["URI", "Id", "Type"]).map_err(as_shape)?;
    let uri = attribute(node, "URI").unwrap_or_default();
    if uri.strip_prefix('#') != Some(signed_id) {
        return Err(shape(format!("refers to {uri} and stands in #{signed_id}")));
    }
    let parts = named(node, &["Transforms", "DigestMethod", "DigestValue"])?;
    only_attributes(parts[0], &[]).map_err(as_shape)?;
    let transforms = named(parts[0], &["Transform", "Transform"])?;
    if algorithm(transforms[0])? != ENVELOPED
        || !elements(transforms[0]).map_err(as_shape)?.is_empty()
    {
        return Err(shape("the first transform is not the enveloped signature"));
    }
    let prefixes = canonicalization(transforms[1])?;
    let digest = algorithm(parts[1])?;
    if !DIGESTS.contains(&digest.as_str()) {
        return Err(Refusal::new(Reason::Algorithm, format!("digested with {digest}")));
    }
    if !elements(parts[1]).map_err(as_shape)?.is_empty() {
        return Err(shape("a digest method with parameters"));
    }
    only_attributes(parts[2], &[]).map_err(as_shape)?;
    base64_text(parts[2])?;
    Ok(prefixes)
}

/// Exclusive canonicalization without comments; answers whether it has a prefix list.
fn canonicalization(node: Node<'_, '_>) -> Result<bool, Refusal> {
    if algorithm(node)? != EXCLUSIVE {
        return Err(shape("not exclusive canonicalization without comments"));
    }
    match elements(node).map_err(as_shape)?.as_slice() {
        [] => Ok(false),
        [list] if is(*list, EXCLUSIVE, "InclusiveNamespaces") => {
            only_attributes(*list, &["PrefixList"]).map_err(as_shape)?;
            if elements(*list).map_err(as_shape)?.is_empty() {
                Ok(true)
            } else {
                Err(shape("something in a prefix list"))
            }
        }
        _ => Err(shape("a canonicalization with parameters")),
    }
}

fn algorithm(node: Node<'_, '_>) -> Result<String, Refusal> {
    only_attributes(node, &["Algorithm"]).map_err(as_shape)?;
    attribute(node, "Algorithm")
        .ok_or_else(|| shape(format!("{} without an algorithm", node.tag_name().name())))
}

/// Children of exactly these names, all of them of XML signatures.
fn named<'a, 'i>(node: Node<'a, 'i>, names: &[&str]) -> Result<Vec<Node<'a, 'i>>, Refusal> {
    let parts = elements(node).map_err(as_shape)?;
    if parts.len() == names.len()
        && parts.iter().zip(names).all(|(part, name)| is(*part, DSIG, name))
    {
        return Ok(parts);
    }
    let found: Vec<&str> = parts.iter().map(|p| p.tag_name().name()).collect();
    Err(shape(format!("{} of {}", node.tag_name().name(), found.join(", "))))
}

fn base64_text(node: Node<'_, '_>) -> Result<Vec<u8>, Refusal> {
    let dense: String =
        text(node).map_err(as_shape)?.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    match STANDARD.decode(&dense) {
        Ok(bytes) if !bytes.is_empty() => Ok(bytes),
        _ => Err(shape(format!("{} is not base64", node.tag_name().name()))),
    }
}

/// What may stand in `KeyInfo`: names of keys, all of them inert. Answers the hint in it.
fn key_info(node: Node<'_, '_>) -> Result<Option<String>, Refusal> {
    only_attributes(node, &["Id"]).map_err(as_shape)?;
    const INERT: [&str; 12] = [
        "KeyName",
        "KeyValue",
        "RSAKeyValue",
        "Modulus",
        "Exponent",
        "X509Data",
        "X509Certificate",
        "X509IssuerSerial",
        "X509IssuerName",
        "X509SerialNumber",
        "X509SubjectName",
        "X509SKI",
    ];
    for inner in node.descendants().filter(|n| n.is_element() && *n != node) {
        let name = inner.tag_name();
        if name.namespace() != Some(DSIG) || !INERT.contains(&name.name()) {
            return Err(shape(format!("{} in KeyInfo", name.name())));
        }
        only_attributes(inner, &[]).map_err(as_shape)?;
    }
    let certificate = node.descendants().find(|n| is(*n, DSIG, "X509Certificate"));
    certificate.map(|c| base64_text(c).map(|der| sha256(&der))).transpose()
}

fn sha256(bytes: &[u8]) -> String {
    let digest = openssl::hash::hash(MessageDigest::sha256(), bytes);
    digest.map(|d| d.iter().map(|byte| format!("{byte:02x}")).collect()).unwrap_or_default()
}
