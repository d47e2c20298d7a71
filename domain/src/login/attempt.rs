//! What is kept of an attempt to sign in: enough for an auditor, and no message that could be used
//! again.

use crate::claim::{ClaimKind, ClearClaim};
use crate::personal::Personal;
use crate::saml::{Assertion, NameId, SignedParts};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Who began a sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Initiator {
    /// The application: the response answers a request of ours.
    ServiceProvider,
    /// The identity provider: a tile was pressed.
    IdentityProvider,
}

impl Initiator {
    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Initiator::ServiceProvider => "service-provider",
            Initiator::IdentityProvider => "identity-provider",
        }
    }
}

/// What a verified assertion said, without its attributes and without its signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asserted {
    /// Its id, used once.
    pub id: String,
    /// Who issued it.
    pub issuer: String,
    /// The subject.
    pub name_id: NameId,
    /// The object id, if said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object_identifier: Option<Personal<String>>,
    /// Names the session at the identity provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_index: Option<String>,
    /// When it was issued.
    pub issued_at: DateTime<Utc>,
    /// When the person proved who they are to the identity provider.
    pub authn_instant: DateTime<Utc>,
    /// How they proved it, as an authentication context class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authn_context: Option<String>,
    /// SHA-256 of the certificate that verified the signature.
    pub certificate_sha256: String,
    /// Which part was signed.
    pub signed: SignedParts,
    /// Whether it came encrypted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub encrypted: bool,
}

impl From<&Assertion> for Asserted {
    fn from(a: &Assertion) -> Self {
        Self {
            id: a.id.clone(),
            issuer: a.issuer.clone(),
            name_id: a.name_id.clone(),
            object_identifier: a.object_identifier.clone(),
            session_index: a.session_index.clone(),
            issued_at: a.issued_at,
            authn_instant: a.authn_instant,
            authn_context: a.authn_context.clone(),
            certificate_sha256: a.certificate_sha256.clone(),
            signed: a.signed,
            encrypted: a.encrypted,
        }
    }
}

/// One attempt to sign in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// SHA-256 of the message as it was posted, in lower-case hex.
    pub message_sha256: String,
    /// Who began, as far as the message could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initiated_by: Option<Initiator>,
    /// The request that is answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// The address it came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Personal<String>>,
    /// What the assertion said, if one was verified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asserted: Option<Asserted>,
}

impl Attempt {
    /// What a verified attempt uses up: its assertion, and the request that it answers.
    pub fn used_up(&self) -> Vec<ClearClaim> {
        let Some(asserted) = &self.asserted else { return Vec::new() };
        let assertion =
            ClearClaim::new(ClaimKind::Assertion, format!("{}\n{}", asserted.issuer, asserted.id));
        let request =
            self.request.as_ref().map(|id| ClearClaim::new(ClaimKind::SamlRequest, id.clone()));
        std::iter::once(assertion).chain(request).collect()
    }
}

/// An attempt that was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedLogin {
    /// Why, as a stable code.
    pub reason: String,
    /// Why, for the operator. Never a person's data.
    pub detail: String,
    /// True if the assertion, or the request it answers, was used before: then nothing is taken.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub used_before: bool,
    /// The attempt.
    pub attempt: Attempt,
}

impl RefusedLogin {
    /// What it uses up: a good assertion is not to be tried again.
    pub fn used_up(&self) -> Vec<ClearClaim> {
        if self.used_before { Vec::new() } else { self.attempt.used_up() }
    }
}
