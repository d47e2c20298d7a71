//! What is trusted of an identity provider, as read from its metadata.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A certificate whose key may sign messages of the identity provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdpCertificate {
    /// SHA-256 over the DER, in lower-case hex. Names the certificate.
    pub sha256: String,
    /// The DER, in base64 without line breaks.
    pub der: String,
    /// Its subject, for people.
    pub subject: String,
    /// From when on it is valid.
    pub not_before: DateTime<Utc>,
    /// Until when it is valid; a signature is refused afterwards.
    pub not_after: DateTime<Utc>,
}

impl IdpCertificate {
    /// Whether a signature may rest on it at an instant.
    pub fn is_valid_at(&self, now: DateTime<Utc>) -> bool {
        self.not_before <= now && now < self.not_after
    }
}

/// An identity provider as its checked metadata describes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdpSettings {
    /// Its entity id: the only accepted issuer. Entra's is `https://sts.windows.net/<tenant>/`.
    pub entity_id: String,
    /// Where an authentication request goes, on the redirect binding.
    pub sso_redirect_url: String,
    /// Where a logout message goes, on the redirect binding, if it takes part in single logout.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slo_redirect_url: Option<String>,
    /// Where a logout response goes, if that is another place than logout requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slo_response_url: Option<String>,
    /// All certificates it may sign with: at least one, RSA with 2048 bits or more each.
    pub signing_certificates: Vec<IdpCertificate>,
    /// From when on the metadata must not be used any more, if it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<DateTime<Utc>>,
}

impl IdpSettings {
    /// The tenant's id, when the entity id is one of Entra's.
    pub fn tenant_id(&self) -> Option<&str> {
        let rest = self.entity_id.strip_prefix("https://sts.windows.net/")?;
        let tenant = rest.split('/').next()?;
        uuid::Uuid::try_parse(tenant).ok().map(|_| tenant)
    }

    /// The issuers that a logout message may name. Entra's logout responses name
    /// `https://login.microsoftonline.com/<tenant>/` although its entity id is another.
    pub fn logout_issuers(&self) -> Vec<String> {
        let documented =
            self.tenant_id().map(|tenant| format!("https://login.microsoftonline.com/{tenant}/"));
        std::iter::once(self.entity_id.clone()).chain(documented).collect()
    }

    /// The instant after which no signing certificate is valid any more.
    pub fn last_certificate_ends(&self) -> Option<DateTime<Utc>> {
        self.signing_certificates.iter().map(|c| c.not_after).max()
    }
}
