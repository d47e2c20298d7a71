//! What can have happened to an organization. Published payloads are frozen: a change is a new
//! version.

use super::saml::{IdpEndpoints, SamlKey, SamlPolicy};
use crate::claim::{ClaimKind, ClearClaim};
use crate::credential::{
    CredentialEnded, CredentialExpiring, CredentialFirstUsed, CredentialIssued,
    CredentialProofChanged, CredentialRevoked, CredentialSecretAdded, CredentialSecretRetired,
};
use crate::event_macro::events;
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

/// A logout request that was carried out. Of the message its hash is kept: it names a person, and
/// could be sent again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogoutRequested {
    /// Who issued it.
    pub issuer: String,
    /// Its id, used once.
    pub request: String,
    /// SHA-256 of the message as it was sent, in lower-case hex.
    pub message_sha256: String,
}

impl LogoutRequested {
    /// That it was carried out.
    pub fn claim(&self) -> ClearClaim {
        ClearClaim::new(ClaimKind::LogoutRequest, format!("{}\n{}", self.issuer, self.request))
    }
}

events! {
    /// An event of an organization.
    OrganizationEvent, OrganizationEventKind {
        /// The organization came to be.
        "OrganizationCreated" "1" Created {
            /// Its name for people.
            name: String,
            /// Its slug in URLs and on the command line, unique in the deployment.
            domain: String,
        },
        /// The operator switched it off: every request is answered 503 until it is on again.
        "OrganizationDisabled" "1" Disabled {},
        /// The operator switched it on again.
        "OrganizationEnabled" "1" Enabled {},
        /// All keys are destroyed that what is personal in its log was sealed with. It is switched off
        /// for good; what was done, when and by whom stays.
        "OrganizationErased" "1" Erased {
            /// Why, in the operator's words.
            because: String,
        },
        /// Its SCIM connection accepts requests.
        "ScimEnabled" "1" ScimEnabled {},
        /// Its SCIM connection answers 503.
        "ScimDisabled" "1" ScimDisabled {},
        /// A SCIM token was issued, as it was told before there were credentials. Written no more.
        "ScimTokenIssued" "1" ScimTokenIssued {
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
        "ProvisioningLogImported" "1" ProvisioningLogImported {
            /// What it says of each cycle.
            cycles: Vec<ImportedCycle>,
        },
        /// What was imported of these cycles of Entra's own log was taken back: it was another
        /// application's, or a wrong export.
        "ProvisioningLogForgotten" "1" ProvisioningLogForgotten {
            /// Entra's ids of the cycles, in order.
            cycles: Vec<String>,
        },
        /// Its sync cycles fell silent, came further and further apart, or came regularly again. It
        /// was noticed by the clock, and nothing is derived from it.
        "ProvisioningRhythmChanged" "1" ProvisioningRhythmChanged(Noticed),
        /// The clock had run ahead, and was set right (see `ClockCorrected` of the deployment): no
        /// record up to here was recorded later than this one.
        "TimesBounded" "1" TimesBounded {
            /// The latest time that was recorded before.
            until: DateTime<Utc>,
        },
        /// A SCIM token is refused from now on. Written no more.
        "ScimTokenRevoked" "1" ScimTokenRevoked {
            /// Names the token.
            token: TokenId,
        },
        /// Its SCIM connection asks other things of its client from now on.
        "ScimPolicySet" "1" ScimPolicySet {
            /// All of its choices.
            policy: Policy,
        },
        /// An auditor's key was issued, as it was told before there were credentials. Written no
        /// more.
        "AuditorKeyIssued" "1" AuditorKeyIssued {
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
        /// An auditor's key is refused from now on. Written no more.
        "AuditorKeyRevoked" "1" AuditorKeyRevoked {
            /// Names the key.
            auditor: AuditorId,
        },
        /// Somebody has a credential.
        "CredentialIssued" "1" CredentialIssued(CredentialIssued),
        /// A credential let its holder in for the first time.
        "CredentialFirstUsed" "1" CredentialFirstUsed(CredentialFirstUsed),
        /// A credential has one more secret.
        "CredentialSecretAdded" "1" CredentialSecretAdded(CredentialSecretAdded),
        /// A secret of a credential is refused from now on.
        "CredentialSecretRetired" "1" CredentialSecretRetired(CredentialSecretRetired),
        /// A credential is proved otherwise from now on.
        "CredentialProofChanged" "1" CredentialProofChanged(CredentialProofChanged),
        /// A credential is refused from now on.
        "CredentialRevoked" "1" CredentialRevoked(CredentialRevoked),
        /// A credential comes to its end.
        "CredentialExpiring" "1" CredentialExpiring(CredentialExpiring),
        /// A credential has come to its end.
        "CredentialEnded" "1" CredentialEnded(CredentialEnded),
        /// An identity provider is trusted, or its addresses changed. Its certificates are told one
        /// by one.
        "SamlConfigured" "1" SamlConfigured {
            /// Where its metadata is fetched; absent if a document was given.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            metadata_url: Option<String>,
            /// The identity provider.
            idp: IdpEndpoints,
        },
        /// The identity provider may sign with this certificate from now on.
        "SamlCertificateTrusted" "1" SamlCertificateTrusted {
            /// The certificate.
            certificate: IdpCertificate,
        },
        /// The identity provider may not sign with this certificate any more.
        "SamlCertificateDropped" "1" SamlCertificateDropped {
            /// Its fingerprint.
            sha256: String,
        },
        /// A certificate comes to its end, or has.
        "SamlCertificateExpiring" "1" SamlCertificateExpiring {
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
        "SamlKeyGenerated" "1" SamlKeyGenerated {
            /// The key pair.
            key: SamlKey,
        },
        /// A key pair is given up.
        "SamlKeyRetired" "1" SamlKeyRetired {
            /// Which.
            key: SamlKeyId,
        },
        /// Other things are allowed and asked for.
        "SamlPolicyChanged" "2" SamlPolicyChanged {
            /// From now on.
            policy: SamlPolicy,
        },
        /// People can sign in.
        "SamlEnabled" "1" SamlEnabled {},
        /// Whoever wants to sign in is answered 503.
        "SamlDisabled" "1" SamlDisabled {},
        /// The identity provider asked to end somebody's sessions. It can ask so once.
        "SamlLogoutRequested" "1" LogoutRequested(LogoutRequested),
        /// A login was refused of somebody who is no user here, or whose message could not be
        /// trusted.
        "LoginRefused" "1" LoginRefused(Box<RefusedLogin>),
        /// Others are told by mail from now on what needs somebody.
        "NotificationRecipientsSet" "1" NotificationRecipientsSet {
            /// All who are, in order.
            recipients: Vec<String>,
        },
    }
}

impl OrganizationEventKind {
    /// Whether what a SCIM request is answered depends on it.
    pub fn concerns_scim(self) -> bool {
        match self {
            Self::Created
            | Self::Disabled
            | Self::Enabled
            | Self::Erased
            | Self::ScimEnabled
            | Self::ScimDisabled
            | Self::ScimTokenIssued
            | Self::ScimTokenRevoked
            | Self::ScimPolicySet
            | Self::CredentialIssued
            | Self::CredentialSecretAdded
            | Self::CredentialSecretRetired
            | Self::CredentialProofChanged
            | Self::CredentialRevoked => true,
            Self::ProvisioningLogImported
            | Self::ProvisioningLogForgotten
            | Self::ProvisioningRhythmChanged
            | Self::TimesBounded
            | Self::AuditorKeyIssued
            | Self::AuditorKeyRevoked
            | Self::CredentialFirstUsed
            | Self::CredentialExpiring
            | Self::CredentialEnded
            | Self::SamlConfigured
            | Self::SamlCertificateTrusted
            | Self::SamlCertificateDropped
            | Self::SamlCertificateExpiring
            | Self::SamlKeyGenerated
            | Self::SamlKeyRetired
            | Self::SamlPolicyChanged
            | Self::SamlEnabled
            | Self::SamlDisabled
            | Self::LogoutRequested
            | Self::LoginRefused
            | Self::NotificationRecipientsSet => false,
        }
    }

    /// Whether it says something of a credential.
    pub fn concerns_credentials(self) -> bool {
        matches!(
            self,
            Self::ScimTokenIssued
                | Self::ScimTokenRevoked
                | Self::AuditorKeyIssued
                | Self::AuditorKeyRevoked
                | Self::CredentialIssued
                | Self::CredentialFirstUsed
                | Self::CredentialSecretAdded
                | Self::CredentialSecretRetired
                | Self::CredentialProofChanged
                | Self::CredentialRevoked
                | Self::CredentialExpiring
                | Self::CredentialEnded
        )
    }
}
