//! What can have happened to an organization. Published payloads are frozen: a change is a new version.

use super::saml::{IdpEndpoints, SamlKey, SamlPolicy};
use crate::ids::{AuditorId, SamlKeyId, TokenId};
use crate::login::RefusedLogin;
use crate::provisioning_log::ImportedCycle;
use crate::run::Noticed;
use crate::saml::IdpCertificate;
use crate::scim::Policy;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Whose certificate it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CertificateOwner {
    /// The identity provider signs with it.
    IdentityProvider,
    /// We sign with it, and are encrypted to.
    ServiceProvider,
}

impl CertificateOwner {
    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            CertificateOwner::IdentityProvider => "identity-provider",
            CertificateOwner::ServiceProvider => "service-provider",
        }
    }
}

/// An event of an organization.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum OrganizationEvent {
    /// The organization came to be.
    #[serde(rename = "OrganizationCreated")]
    Created {
        /// Its name for people.
        name: String,
        /// Its slug in URLs and on the command line, unique in the deployment.
        domain: String,
    },
    /// The operator switched it off: every request is answered 503 until it is on again.
    #[serde(rename = "OrganizationDisabled")]
    Disabled {},
    /// The operator switched it on again.
    #[serde(rename = "OrganizationEnabled")]
    Enabled {},
    /// Its SCIM connection accepts requests.
    #[serde(rename = "ScimEnabled")]
    ScimEnabled {},
    /// Its SCIM connection answers 503.
    #[serde(rename = "ScimDisabled")]
    ScimDisabled {},
    /// A SCIM token was issued. It was shown once; here is its hash.
    #[serde(rename = "ScimTokenIssued")]
    ScimTokenIssued {
        /// Names the token.
        token: TokenId,
        /// SHA-256 of the token, in lower-case hex.
        sha256: String,
        /// What the operator calls it.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        label: String,
        /// From when on it is refused.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires_at: Option<DateTime<Utc>>,
    },
    /// A part of Entra's own log was imported: ids, times and outcomes, no names and no values.
    #[serde(rename = "ProvisioningLogImported")]
    ProvisioningLogImported {
        /// What it says of each cycle.
        cycles: Vec<ImportedCycle>,
    },
    /// Its sync cycles fell silent, came further and further apart, or came regularly again. It was
    /// noticed by the clock, and nothing is derived from it.
    #[serde(rename = "ProvisioningRhythmChanged")]
    ProvisioningRhythmChanged(Noticed),
    /// A SCIM token is refused from now on.
    #[serde(rename = "ScimTokenRevoked")]
    ScimTokenRevoked {
        /// Names the token.
        token: TokenId,
    },
    /// Its SCIM connection asks other things of its client from now on.
    #[serde(rename = "ScimPolicySet")]
    ScimPolicySet {
        /// All of its choices.
        policy: Policy,
    },
    /// An auditor's key was issued. It was shown once; here is its hash.
    #[serde(rename = "AuditorKeyIssued")]
    AuditorKeyIssued {
        /// Names the key.
        auditor: AuditorId,
        /// SHA-256 of the key, in lower-case hex.
        sha256: String,
        /// Whom it is for.
        label: String,
        /// From when on it is refused.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires_at: Option<DateTime<Utc>>,
    },
    /// An auditor's key is refused from now on.
    #[serde(rename = "AuditorKeyRevoked")]
    AuditorKeyRevoked {
        /// Names the key.
        auditor: AuditorId,
    },
    /// An identity provider is trusted, or its addresses changed. Its certificates are told one by one.
    #[serde(rename = "SamlConfigured")]
    SamlConfigured {
        /// Where its metadata is fetched; absent if a document was given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        metadata_url: Option<String>,
        /// The identity provider.
        idp: IdpEndpoints,
    },
    /// The identity provider may sign with this certificate from now on.
    #[serde(rename = "SamlCertificateTrusted")]
    SamlCertificateTrusted {
        /// The certificate.
        certificate: IdpCertificate,
    },
    /// The identity provider may not sign with this certificate any more.
    #[serde(rename = "SamlCertificateDropped")]
    SamlCertificateDropped {
        /// Its fingerprint.
        sha256: String,
    },
    /// A certificate comes to its end, or has.
    #[serde(rename = "SamlCertificateExpiring")]
    SamlCertificateExpiring {
        /// Whose it is.
        owner: CertificateOwner,
        /// Its fingerprint.
        sha256: String,
        /// When it ends.
        not_after: DateTime<Utc>,
        /// Within how many days: 60, 30, 7, 0.
        days: u32,
    },
    /// We have a key pair, the current one from now on. The private half is sealed.
    #[serde(rename = "SamlKeyGenerated")]
    SamlKeyGenerated {
        /// The key pair.
        key: SamlKey,
    },
    /// A key pair is given up.
    #[serde(rename = "SamlKeyRetired")]
    SamlKeyRetired {
        /// Which.
        key: SamlKeyId,
    },
    /// Other things are allowed and asked for.
    #[serde(rename = "SamlPolicyChanged")]
    SamlPolicyChanged {
        /// From now on.
        policy: SamlPolicy,
    },
    /// People can sign in.
    #[serde(rename = "SamlEnabled")]
    SamlEnabled {},
    /// Whoever wants to sign in is answered 503.
    #[serde(rename = "SamlDisabled")]
    SamlDisabled {},
    /// A login was refused of somebody who is no user here, or whose message could not be trusted.
    #[serde(rename = "LoginRefused")]
    LoginRefused(Box<RefusedLogin>),
}

impl OrganizationEvent {
    /// The stable name and payload version of an event.
    pub fn kind(&self) -> (&'static str, &'static str) {
        match self {
            OrganizationEvent::Created { .. } => ("OrganizationCreated", "1"),
            OrganizationEvent::Disabled {} => ("OrganizationDisabled", "1"),
            OrganizationEvent::Enabled {} => ("OrganizationEnabled", "1"),
            OrganizationEvent::ScimEnabled {} => ("ScimEnabled", "1"),
            OrganizationEvent::ScimDisabled {} => ("ScimDisabled", "1"),
            OrganizationEvent::ScimTokenIssued { .. } => ("ScimTokenIssued", "1"),
            OrganizationEvent::ProvisioningLogImported { .. } => ("ProvisioningLogImported", "1"),
            OrganizationEvent::ProvisioningRhythmChanged(_) => ("ProvisioningRhythmChanged", "1"),
            OrganizationEvent::ScimTokenRevoked { .. } => ("ScimTokenRevoked", "1"),
            OrganizationEvent::ScimPolicySet { .. } => ("ScimPolicySet", "1"),
            OrganizationEvent::AuditorKeyIssued { .. } => ("AuditorKeyIssued", "1"),
            OrganizationEvent::AuditorKeyRevoked { .. } => ("AuditorKeyRevoked", "1"),
            OrganizationEvent::SamlConfigured { .. } => ("SamlConfigured", "1"),
            OrganizationEvent::SamlCertificateTrusted { .. } => ("SamlCertificateTrusted", "1"),
            OrganizationEvent::SamlCertificateDropped { .. } => ("SamlCertificateDropped", "1"),
            OrganizationEvent::SamlCertificateExpiring { .. } => ("SamlCertificateExpiring", "1"),
            OrganizationEvent::SamlKeyGenerated { .. } => ("SamlKeyGenerated", "1"),
            OrganizationEvent::SamlKeyRetired { .. } => ("SamlKeyRetired", "1"),
            OrganizationEvent::SamlPolicyChanged { .. } => ("SamlPolicyChanged", "1"),
            OrganizationEvent::SamlEnabled {} => ("SamlEnabled", "1"),
            OrganizationEvent::SamlDisabled {} => ("SamlDisabled", "1"),
            OrganizationEvent::LoginRefused(_) => ("LoginRefused", "1"),
        }
    }
}

impl cqrs_es::DomainEvent for OrganizationEvent {
    fn event_type(&self) -> String {
        self.kind().0.to_owned()
    }
    fn event_version(&self) -> String {
        self.kind().1.to_owned()
    }
}
