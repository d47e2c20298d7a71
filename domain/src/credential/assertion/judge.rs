//! The judgement of an assertion, on every axis.

use super::axis::{Axis, Finding};
use crate::credential::Proof;
use crate::ids::CredentialId;
use chrono::{DateTime, Duration, Utc};

/// So far may the clock of whoever made an assertion be from ours.
pub const LEEWAY: Duration = Duration::seconds(60);
/// No assertion is good for longer.
const LONGEST: Duration = Duration::hours(24);
/// The only algorithm: what Entra signs with.
const ALGORITHM: &str = "RS256";
/// A shorter key is none (RFC 7518 section 3.3).
pub const KEY_BITS: u32 = 2_048;

/// What a header says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// `alg`
    pub algorithm: Option<String>,
    /// `kid`
    pub key: Option<String>,
    /// The names in it that must be understood and are not, or that bring a key along.
    pub forbidden: Vec<String>,
}

/// What the claims say; what is not of the type that it must be is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claims {
    /// `iss`
    pub issuer: Option<String>,
    /// `tid`
    pub tenant: Option<String>,
    /// `sub`
    pub subject: Option<String>,
    /// `aud`: one text, or those of a list.
    pub audiences: Vec<String>,
    /// `azp`
    pub authorized_party: Option<String>,
    /// `exp`
    pub expires: Option<i64>,
    /// `nbf`; the inner one is absent if it is no number.
    pub not_before: Option<Option<i64>>,
    /// `iat`; the inner one is absent if it is no number.
    pub issued: Option<Option<i64>>,
}

/// An assertion that could be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Presented {
    /// Its header.
    pub header: Header,
    /// Its claims.
    pub claims: Claims,
}

/// What is known of the key and the signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyCheck {
    /// The keys were not at hand.
    NotAtHand,
    /// The issuer has no such key.
    Unknown,
    /// It has; so many bits, and whether the signature is its.
    Known {
        /// Of its modulus.
        bits: u32,
        /// Whether the signature is right.
        signed: bool,
    },
}

/// What an assertion must say to be somebody's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected<'a> {
    issuer: String,
    tenant: Option<&'a str>,
    subject: String,
    audiences: Vec<&'a str>,
    authorized_party: Option<&'a str>,
    /// Whether `iat` and `kid` must be there: Entra always says them, RFC 7523 asks for neither.
    all_said: bool,
}

impl<'a> Expected<'a> {
    /// What a credential's assertions must say; none if it is not proved by any. `endpoints` are
    /// the names under which a client that signs by itself may address us (RFC 7523 section 3).
    pub fn of(proof: &'a Proof, credential: CredentialId, endpoints: &[&'a str]) -> Option<Self> {
        match proof {
            Proof::Federated { issuer, tenant, subject, audiences, authorized_party } => {
                Some(Self {
                    issuer: issuer.clone(),
                    tenant: Some(tenant),
                    subject: subject.clone(),
                    audiences: audiences.iter().map(String::as_str).collect(),
                    authorized_party: authorized_party.as_deref(),
                    all_said: true,
                })
            }
            Proof::PrivateKeyJwt { .. } => Some(Self {
                issuer: credential.to_string(),
                tenant: None,
                subject: credential.to_string(),
                audiences: endpoints.to_vec(),
                authorized_party: None,
                all_said: false,
            }),
            Proof::Token { .. } | Proof::ClientSecret { .. } => None,
        }
    }
}

/// Judges an assertion on every axis; the first that does not hold is why it is refused.
pub fn judge(
    presented: &Presented,
    expected: &Expected<'_>,
    key: KeyCheck,
    now: DateTime<Utc>,
) -> Vec<Finding> {
    let mut findings = vec![Finding::new(Axis::Form, Some(true), None, &[])];
    findings.extend(of_header(&presented.header, expected, key));
    findings.extend(of_names(&presented.claims, expected));
    findings.extend(of_times(&presented.claims, expected, now));
    findings
}

fn of_header(header: &Header, expected: &Expected<'_>, key: KeyCheck) -> [Finding; 5] {
    let algorithm = header.algorithm.as_deref();
    let forbidden = header.forbidden.join(" ");
    let unnamed = expected.all_said && header.key.is_none();
    let (known, strong, signed, bits) = match key {
        _ if unnamed => (Some(false), None, None, None),
        KeyCheck::NotAtHand => (None, None, None, None),
        KeyCheck::Unknown => (Some(false), None, None, None),
        KeyCheck::Known { bits, signed } => {
            (Some(true), Some(bits >= KEY_BITS), Some(signed), Some(bits.to_string()))
        }
    };
    [
        equal(Axis::Algorithm, algorithm, ALGORITHM),
        Finding::new(
            Axis::Header,
            Some(forbidden.is_empty()),
            Some(forbidden.as_str()).filter(|f| !f.is_empty()),
            &[],
        ),
        Finding::new(Axis::Key, known, header.key.as_deref(), &[]),
        Finding::new(Axis::KeyStrength, strong, bits.as_deref(), &["2048"]),
        Finding::new(Axis::Signature, signed, None, &[]),
    ]
}

fn equal(axis: Axis, found: Option<&str>, expected: &str) -> Finding {
    Finding::new(axis, Some(found == Some(expected)), found, &[expected])
}

/// A claim that must be equal where the trust says what it is.
fn pinned(axis: Axis, found: Option<&str>, expected: Option<&str>) -> Finding {
    match expected {
        Some(expected) => equal(axis, found, expected),
        None => Finding::new(axis, Some(true), found, &[]),
    }
}

fn of_names(claims: &Claims, expected: &Expected<'_>) -> [Finding; 5] {
    let audiences = claims.audiences.join(" ");
    let addressed = matches!(
        claims.audiences.as_slice(), [one] if expected.audiences.contains(&one.as_str())
    );
    [
        equal(Axis::Issuer, claims.issuer.as_deref(), &expected.issuer),
        pinned(Axis::Tenant, claims.tenant.as_deref(), expected.tenant),
        equal(Axis::Subject, claims.subject.as_deref(), &expected.subject),
        Finding::new(
            Axis::Audience,
            Some(addressed),
            Some(audiences.as_str()).filter(|a| !a.is_empty()),
            &expected.audiences,
        ),
        pinned(
            Axis::AuthorizedParty,
            claims.authorized_party.as_deref(),
            expected.authorized_party,
        ),
    ]
}

fn of_times(claims: &Claims, expected: &Expected<'_>, now: DateTime<Utc>) -> [Finding; 4] {
    let (clock, leeway) = (now.timestamp(), LEEWAY.num_seconds());
    let said = clock.to_string();
    let at = |axis, holds, found: Option<i64>| {
        let found = found.map(|at| at.to_string());
        Finding::new(axis, Some(holds), found.as_deref(), &[said.as_str()])
    };
    let begun = |time: Option<Option<i64>>, needed: bool| match time {
        None => !needed,
        Some(time) => time.is_some_and(|time| time >= 0 && time <= clock + leeway),
    };
    let (not_before, issued) = (claims.not_before, claims.issued);
    let from = issued.flatten().unwrap_or(clock);
    let spans = claims.expires.and_then(|expires| expires.checked_sub(from));
    let shorter = spans.is_some_and(|span| span <= LONGEST.num_seconds());
    let spans = spans.map(|span| span.to_string());
    let longest = LONGEST.num_seconds().to_string();
    [
        at(
            Axis::Expiry,
            claims.expires.is_some_and(|expires| expires > clock.saturating_sub(leeway)),
            claims.expires,
        ),
        at(Axis::NotBefore, begun(not_before, false), not_before.flatten()),
        at(Axis::IssuedAt, begun(issued, expected.all_said), issued.flatten()),
        Finding::new(Axis::Lifetime, Some(shorter), spans.as_deref(), &[longest.as_str()]),
    ]
}
