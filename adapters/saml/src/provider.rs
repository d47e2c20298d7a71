//! The service provider of one organization, made of its connection.

use crate::connection::Connection;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use openssl::pkey::{PKey, Public};
use openssl::x509::X509;
use rollcall_domain::saml::IdpCertificate;
use samael::crypto::CertificateDer;

/// Why a connection cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// Signatures could not be checked at all.
    #[error("the identity provider has no usable signing certificate")]
    NoSigningCertificate,
    /// A stored certificate cannot be read.
    #[error("the identity provider's certificate {sha256} cannot be read: {why}")]
    Certificate {
        /// Its fingerprint.
        sha256: String,
        /// What is wrong with it.
        why: String,
    },
    /// An address or an entity id is empty or no URL.
    #[error("{what} is not usable: {value}")]
    Address {
        /// Which one.
        what: &'static str,
        /// What it says.
        value: String,
    },
}

/// The service provider of one organization. Cheap to share, made once for each change of settings.
#[derive(Debug)]
pub struct ServiceProvider {
    pub(crate) connection: Connection,
    pub(crate) trusted: Vec<Trusted>,
}

/// A certificate of the identity provider, ready for use.
#[derive(Debug)]
pub(crate) struct Trusted {
    pub(crate) settings: IdpCertificate,
    pub(crate) certificate: CertificateDer,
    pub(crate) key: PKey<Public>,
}

impl Trusted {
    /// Whether it counts at an instant. A clock behind ours may have made it a moment ago.
    pub(crate) fn is_valid(&self, now: DateTime<Utc>, skew: TimeDelta) -> bool {
        self.settings.not_before <= now + skew && now < self.settings.not_after
    }

    fn of(settings: &IdpCertificate) -> Result<Self, SetupError> {
        let refused =
            |why: String| SetupError::Certificate { sha256: settings.sha256.clone(), why };
        let der = STANDARD.decode(&settings.der).map_err(|e| refused(e.to_string()))?;
        let certificate = X509::from_der(&der).map_err(|e| refused(e.to_string()))?;
        let key = certificate.public_key().map_err(|e| refused(e.to_string()))?;
        if let Some(weak) = crate::metadata::weakness(&key) {
            return Err(refused(weak));
        }
        if crate::keys::fingerprint(&certificate) != settings.sha256 {
            return Err(refused("its fingerprint is another".to_owned()));
        }
        Ok(Self { settings: settings.clone(), certificate: CertificateDer::from(der), key })
    }
}

impl ServiceProvider {
    /// Checks a connection and makes a service provider of it.
    pub fn new(connection: Connection) -> Result<Self, SetupError> {
        if connection.idp.signing_certificates.is_empty() {
            return Err(SetupError::NoSigningCertificate);
        }
        for (what, value) in [
            ("the reply URL", &connection.acs_url),
            ("the logout URL", &connection.slo_url),
            ("the sign-on URL of the identity provider", &connection.idp.sso_redirect_url),
        ] {
            if url::Url::parse(value).is_err() {
                return Err(SetupError::Address { what, value: value.clone() });
            }
        }
        for (what, value) in [
            ("our entity id", &connection.entity_id),
            ("the identity provider's entity id", &connection.idp.entity_id),
        ] {
            if value.trim().is_empty() {
                return Err(SetupError::Address { what, value: value.clone() });
            }
        }
        let trusted = connection
            .idp
            .signing_certificates
            .iter()
            .map(Trusted::of)
            .collect::<Result<_, _>>()?;
        Ok(Self { connection, trusted })
    }

    /// What it was made from.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Our metadata: what an identity provider that imports it needs.
    pub fn metadata_xml(&self) -> String {
        crate::metadata::write(&self.connection)
    }
}
