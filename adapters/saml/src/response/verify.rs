//! Verifying signatures: samael, and what comes back from it.

use super::reading::Reading;
use crate::gate;
use crate::hardening;
use crate::provider::{ServiceProvider, Trusted};
use crate::xml::{ASSERTION, PROTOCOL, is};
use chrono::{DateTime, Utc};
use rollcall_domain::saml::{IdpCertificate, Reason, Refusal};
use roxmltree::Node;
use samael::crypto::{AllowedSignatureAlgorithm, Crypto, CryptoProvider, ReduceMode};

const ALGORITHMS: [AllowedSignatureAlgorithm; 3] = [
    AllowedSignatureAlgorithm::RsaSha256,
    AllowedSignatureAlgorithm::RsaSha384,
    AllowedSignatureAlgorithm::RsaSha512,
];

/// What was verified.
pub(super) struct Accepted {
    /// The verified bytes, and nothing else.
    pub(super) xml: String,
    /// The certificate that verified them.
    pub(super) certificate_sha256: String,
}

/// Verifies every signature of a document that passed the gate, all of them with one trusted
/// certificate. `hint` is tried first; which certificates count is decided by metadata alone.
pub(super) fn signed(
    sp: &ServiceProvider,
    xml: &str,
    hint: Option<&str>,
    now: DateTime<Utc>,
) -> Result<Accepted, Refusal> {
    let Some(any) = sp.trusted.first() else {
        return Err(Refusal::new(Reason::Metadata, "no trusted certificate"));
    };
    hardening::ready(&any.certificate);
    let skew = sp.connection.policy.clock_skew;
    let mut trusted: Vec<_> = sp.trusted.iter().collect();
    trusted.sort_by_key(|t| Some(t.settings.sha256.as_str()) != hint);
    let (valid, others): (Vec<_>, Vec<_>) =
        trusted.into_iter().partition(|t| t.is_valid(now, skew));
    let verify = |by: &Trusted| {
        let certificates = std::slice::from_ref(&by.certificate);
        let mode = ReduceMode::ValidateAndMarkNoAncestors;
        Crypto::reduce_xml_to_signed_with_allowed_algorithms(
            xml,
            certificates,
            mode,
            Some(&ALGORITHMS),
        )
        .ok()
    };
    for by in valid {
        if let Some(xml) = verify(by) {
            return Ok(Accepted { xml, certificate_sha256: by.settings.sha256.clone() });
        }
    }
    if let Some(by) = others.into_iter().find(|by| verify(by).is_some()) {
        let IdpCertificate { sha256, not_before, not_after, .. } = &by.settings;
        let detail =
            format!("signed with the certificate {sha256}, valid from {not_before} to {not_after}");
        return Err(Refusal::new(Reason::CertificateExpired, detail));
    }
    match hint {
        Some(named) if !sp.trusted.iter().any(|t| t.settings.sha256 == named) => Err(Refusal::new(
            Reason::UnknownKey,
            format!("the signature names the certificate {named}, which is not trusted"),
        )),
        _ => Err(Refusal::new(
            Reason::SignatureInvalid,
            "no trusted certificate verifies the signature",
        )),
    }
}

/// Reads the assertion from verified bytes. It must say what the message said, and samael's own
/// reading of the same bytes must agree on who issued it and about whom.
pub(super) fn same_assertion(xml: &str, seen: &Reading) -> Result<Reading, Refusal> {
    let disagree = |what: &str| Refusal::new(Reason::Disagreement, what);
    let document = gate::parse(xml).map_err(|_| disagree("what was verified cannot be read"))?;
    let root = document.root_element();
    let node = if is(root, PROTOCOL, "Response") {
        root.children().find(|n| is(*n, ASSERTION, "Assertion"))
    } else {
        Some(root)
    };
    let node = node.ok_or_else(|| disagree("what was verified holds no assertion"))?;
    let reading =
        Reading::read(node).map_err(|_| disagree("what was verified is no whole assertion"))?;
    if reading != *seen {
        return Err(disagree("what was verified is not what the message shows"));
    }
    let other = xml[node.range()]
        .parse::<samael::schema::Assertion>()
        .map_err(|_| disagree("samael cannot read the assertion"))?;
    let subject = other.subject.and_then(|s| s.name_id).map(|n| n.value);
    if other.id != reading.id
        || other.issuer.value.as_deref() != Some(reading.issuer.value.as_str())
        || subject.as_deref() != Some(reading.name_id.value.as_str())
    {
        return Err(disagree("samael reads another issuer, id or subject"));
    }
    Ok(reading)
}

/// The encrypted assertion must be among what the response's signature covers.
pub(super) fn same_encrypted(xml: &str, seen: Node<'_, '_>) -> Result<(), Refusal> {
    let disagree =
        || Refusal::new(Reason::Disagreement, "what was verified is not what the message shows");
    let document = gate::parse(xml).map_err(|_| disagree())?;
    let found = document
        .root_element()
        .children()
        .find(|n| is(*n, ASSERTION, "EncryptedAssertion"))
        .ok_or_else(disagree)?;
    let words = |node: Node<'_, '_>| {
        let texts =
            node.descendants().filter_map(|n| n.text().map(str::trim)).filter(|t| !t.is_empty());
        texts.map(str::to_owned).collect::<Vec<_>>()
    };
    if is(document.root_element(), PROTOCOL, "Response") && words(found) == words(seen) {
        Ok(())
    } else {
        Err(disagree())
    }
}
