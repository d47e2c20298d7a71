//! What an assertion is judged by, and what was found.

use serde::{Deserialize, Serialize};

/// So much is kept of what others wrote, in characters.
const KEPT_CHARS: usize = 200;

/// One thing that an assertion is judged by, in the order in which they decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Axis {
    /// Three parts of base64url, two of them JSON objects in which no name stands twice
    /// (RFC 7515 section 7.1, RFC 7519 section 4), in at most 16 KiB.
    Form,
    /// `alg` (RFC 7515 section 4.1.1).
    Algorithm,
    /// Nothing in the header that must be understood and is not, or that brings a key along
    /// (`crit`, `jwk`, `jku`, `x5c`, `x5u`).
    Header,
    /// `kid`: a key of the issuer's.
    Key,
    /// The key is long enough.
    KeyStrength,
    /// The signature is that key's.
    Signature,
    /// `iss`
    Issuer,
    /// `tid`, where an issuer has tenants.
    Tenant,
    /// `sub`
    Subject,
    /// `aud`, one of those that are trusted.
    Audience,
    /// `azp`, where it is pinned.
    AuthorizedParty,
    /// `exp`
    Expiry,
    /// `nbf`
    NotBefore,
    /// `iat`
    IssuedAt,
    /// It is not good for longer than a day.
    Lifetime,
}

impl Axis {
    /// All of them, in their order.
    pub const ALL: [Axis; 15] = [
        Axis::Form,
        Axis::Algorithm,
        Axis::Header,
        Axis::Key,
        Axis::KeyStrength,
        Axis::Signature,
        Axis::Issuer,
        Axis::Tenant,
        Axis::Subject,
        Axis::Audience,
        Axis::AuthorizedParty,
        Axis::Expiry,
        Axis::NotBefore,
        Axis::IssuedAt,
        Axis::Lifetime,
    ];

    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Axis::Form => "form",
            Axis::Algorithm => "algorithm",
            Axis::Header => "header",
            Axis::Key => "key",
            Axis::KeyStrength => "key-strength",
            Axis::Signature => "signature",
            Axis::Issuer => "issuer",
            Axis::Tenant => "tenant",
            Axis::Subject => "subject",
            Axis::Audience => "audience",
            Axis::AuthorizedParty => "authorized-party",
            Axis::Expiry => "expiry",
            Axis::NotBefore => "not-before",
            Axis::IssuedAt => "issued-at",
            Axis::Lifetime => "lifetime",
        }
    }
}

/// What was found on one axis.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Which.
    pub axis: Axis,
    /// Whether it is as it must be; absent if that could not be known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holds: Option<bool>,
    /// What stood there, cut at 200 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
    /// What may stand there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expected: Vec<String>,
}

impl Finding {
    /// On an axis.
    pub fn new(axis: Axis, holds: Option<bool>, found: Option<&str>, expected: &[&str]) -> Self {
        let cut = |text: &str| text.chars().take(KEPT_CHARS).collect::<String>();
        Self {
            axis,
            holds,
            found: found.map(cut),
            expected: expected.iter().map(|text| cut(text)).collect(),
        }
    }
}

/// What is kept of an assertion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// SHA-256 of the whole, in lower-case hex.
    pub sha256: String,
    /// What was found, axis by axis.
    pub findings: Vec<Finding>,
}

impl Seen {
    /// One that could not be read at all.
    pub fn unreadable(sha256: String, why: &str) -> Self {
        Self { sha256, findings: vec![Finding::new(Axis::Form, Some(false), Some(why), &[])] }
    }

    /// The axes on which it failed, in their order.
    pub fn failed(&self) -> Vec<Axis> {
        self.findings.iter().filter(|f| f.holds == Some(false)).map(|f| f.axis).collect()
    }

    /// Whether everything was looked at, and is as it must be.
    pub fn holds(&self) -> bool {
        self.findings.len() == Axis::ALL.len()
            && self.findings.iter().all(|f| f.holds == Some(true))
    }

    /// Whether all that was not looked at is the key and its signature: whoever has the key may
    /// say the rest.
    pub fn awaits_key(&self) -> bool {
        let waits = |axis| matches!(axis, Axis::Key | Axis::KeyStrength | Axis::Signature);
        self.findings.iter().any(|f| f.holds.is_none())
            && self
                .findings
                .iter()
                .all(|f| f.holds == Some(true) || waits(f.axis) && f.holds.is_none())
    }

    /// The audience, if it is all that keeps the assertion out: somebody whom the trust is for says
    /// it otherwise than before.
    pub fn only_audience(&self) -> Option<&str> {
        (self.failed() == [Axis::Audience] && self.findings.iter().all(|f| f.holds.is_some()))
            .then(|| self.findings.iter().find(|f| f.axis == Axis::Audience))
            .flatten()
            .and_then(|f| f.found.as_deref())
    }
}
