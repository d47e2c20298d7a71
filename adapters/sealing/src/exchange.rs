//! Sealing and opening exchanges: the bodies, and of the rest whatever others chose the words of.
//!
//! A stored exchange that is sealed has in its `target` a `~` and the sealed particulars, and none
//! of them anywhere else. No target that was received begins so: it is a path.

use crate::about;
use crate::error::SealingError;
use crate::ring::Named;
use crate::token;
use hmac::{Hmac, Mac as _};
use rollcall_domain::exchange::Exchange;
use rollcall_domain::log::KeyId;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use uuid::Uuid;

const SEALED: char = '~';

/// How a body is written under its seal: its first byte says so, for ways that come later.
const AS_IT_IS: u8 = 0;

/// What is sealed of an exchange beside its bodies. **Frozen**: a field that comes later has a
/// default.
#[derive(Serialize, Deserialize)]
struct Particulars {
    #[serde(rename = "t")]
    target: String,
    #[serde(rename = "h", default, skip_serializing_if = "Vec::is_empty")]
    headers: Vec<(String, String)>,
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    source: Option<String>,
    #[serde(rename = "u", default, skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    #[serde(rename = "d", default, skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    #[serde(rename = "i", default, skip_serializing_if = "Vec::is_empty")]
    interpreted_at: Vec<String>,
    #[serde(rename = "r", default, skip_serializing_if = "Vec::is_empty")]
    redactions: Vec<String>,
}

/// Whether a stored exchange is sealed.
pub(crate) fn is_sealed(exchange: &Exchange) -> bool {
    exchange.target.starts_with(SEALED)
}

/// The key that a stored exchange was sealed with.
pub(crate) fn key(exchange: &Exchange) -> Result<KeyId, SealingError> {
    read(exchange).map(|(id, _)| id)
}

fn read(exchange: &Exchange) -> Result<(KeyId, Vec<u8>), SealingError> {
    token::read(exchange.target.strip_prefix(SEALED).ok_or(SealingError::Shape)?)
}

/// What stands in a stored exchange for a subject that is not an id, so that it is found by
/// somebody who knows it: `lookup` is the organization's.
pub(crate) fn hashed_subject(lookup: &[u8; 32], subject: &str) -> Result<String, SealingError> {
    let mut mac = Hmac::<Sha256>::new_from_slice(lookup).map_err(|_| SealingError::Shape)?;
    mac.update(b"rollcall subject");
    mac.update(subject.as_bytes());
    let hash = mac.finalize().into_bytes();
    Ok(hash[..16].iter().fold(SEALED.to_string(), |text, byte| format!("{text}{byte:02x}")))
}

/// Whether a subject is an id of ours, which says nothing of anybody.
pub(crate) fn is_id(subject: &str) -> bool {
    Uuid::try_parse(subject).is_ok()
}

/// Seals an exchange.
pub(crate) fn seal(
    exchange: &mut Exchange,
    (id, key): &Named,
    lookup: &[u8; 32],
) -> Result<(), SealingError> {
    let (organization, of) = (exchange.organization, exchange.id);
    let about = |part| about::part(organization, of, part);
    let subject = match exchange.subject.take() {
        Some(subject) if is_id(&subject) => {
            exchange.subject = Some(subject);
            None
        }
        Some(subject) => {
            exchange.subject = Some(hashed_subject(lookup, &subject)?);
            Some(subject)
        }
        None => None,
    };
    let particulars = Particulars {
        target: std::mem::take(&mut exchange.target),
        headers: std::mem::take(&mut exchange.headers),
        source: exchange.source.take(),
        subject,
        detail: exchange.answer.detail.take(),
        interpreted_at: exchange
            .interpretations
            .iter_mut()
            .map(|interpretation| std::mem::take(&mut interpretation.at))
            .collect(),
        redactions: std::mem::take(&mut exchange.redactions),
    };
    let text = serde_json::to_vec(&particulars).map_err(|_| SealingError::Shape)?;
    let sealed = key.seal(&text, &about("particulars"))?;
    exchange.target = format!("{SEALED}{}", token::write(*id, &sealed));
    for (body, part) in
        [(&mut exchange.request_body, "request"), (&mut exchange.answer_body, "answer")]
    {
        if !body.is_empty() {
            let framed = [&[AS_IT_IS], body.as_slice()].concat();
            *body = key.seal(&framed, &about(part))?;
        }
    }
    Ok(())
}

/// Opens an exchange that is sealed; none for a key that was erased.
pub(crate) fn open(
    exchange: &mut Exchange,
    key: Option<&crate::cipher::Key>,
) -> Result<(), SealingError> {
    let (organization, of) = (exchange.organization, exchange.id);
    let about = |part| about::part(organization, of, part);
    let Some(key) = key else {
        exchange.target = "[erased]".to_owned();
        exchange.request_body.clear();
        exchange.answer_body.clear();
        exchange.bodies_dropped = true;
        return Ok(());
    };
    let (_, sealed) = read(exchange)?;
    let opened = key.open(&sealed, &about("particulars"))?;
    let particulars: Particulars =
        serde_json::from_slice(&opened).map_err(|_| SealingError::Shape)?;
    let Particulars { target, headers, source, subject, detail, interpreted_at, redactions } =
        particulars;
    (exchange.target, exchange.headers, exchange.source) = (target, headers, source);
    (exchange.answer.detail, exchange.redactions) = (detail, redactions);
    if subject.is_some() {
        exchange.subject = subject;
    }
    for (interpretation, at) in exchange.interpretations.iter_mut().zip(interpreted_at) {
        interpretation.at = at;
    }
    for (body, part) in
        [(&mut exchange.request_body, "request"), (&mut exchange.answer_body, "answer")]
    {
        if !body.is_empty() {
            *body = match key.open(body, &about(part))?.split_first() {
                Some((&AS_IT_IS, body)) => body.to_vec(),
                _ => return Err(SealingError::Shape),
            };
        }
    }
    Ok(())
}
