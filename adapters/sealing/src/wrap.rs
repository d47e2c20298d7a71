//! Keys that wrap keys: the deployment's those of organizations, an organization's its data keys.

use crate::about;
use crate::cipher::Key;
use crate::error::SealingError;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::Wrapped;
use sha2::{Digest as _, Sha256};
use std::sync::Arc;

/// The deployment's key, as far as it wraps the keys of organizations.
#[derive(Clone, Debug)]
pub struct DeploymentWrap {
    key: Arc<Key>,
    id: String,
    /// What it wrapped is unwrapped, and nothing more is wrapped with it.
    former: Option<Arc<DeploymentWrap>>,
}

impl DeploymentWrap {
    /// Wraps with these 32 secret bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        let digest = Sha256::new().chain_update(b"rollcall wrapping key id").chain_update(bytes);
        let id = digest.finalize()[..6].iter().map(|byte| format!("{byte:02x}")).collect();
        Self { key: Arc::new(Key::new(bytes)), id, former: None }
    }

    /// The same, which also unwraps what was wrapped with these bytes before.
    pub fn after(self, former: [u8; 32]) -> Self {
        Self { former: Some(Arc::new(Self::new(former))), ..self }
    }

    /// Whether a key was wrapped with these bytes, and not with those before them.
    pub(crate) fn has_wrapped(&self, wrapped: &Wrapped) -> bool {
        wrapped.0.split_once('.').is_some_and(|(id, _)| id == self.id)
    }

    /// Wraps with what is drawn now and kept nowhere: for stores that are gone with the process.
    ///
    /// # Errors
    /// If OpenSSL has no random bytes.
    pub fn for_once() -> Result<Self, openssl::error::ErrorStack> {
        crate::draw().map(Self::new)
    }

    pub(crate) fn wrap(
        &self,
        organization: OrganizationId,
        key: &Key,
    ) -> Result<Wrapped, SealingError> {
        let sealed = self.key.seal(key.bytes(), &about::organization_key(organization))?;
        Ok(Wrapped(format!("{}.{}", self.id, URL_SAFE_NO_PAD.encode(sealed))))
    }

    pub(crate) fn unwrap(
        &self,
        organization: OrganizationId,
        wrapped: &Wrapped,
    ) -> Result<Key, SealingError> {
        let (id, sealed) = wrapped.0.split_once('.').ok_or(SealingError::Shape)?;
        if let Some(former) = self.former.as_deref().filter(|former| former.has_wrapped(wrapped)) {
            return former.unwrap(organization, wrapped);
        }
        if id != self.id {
            let (wrapped_with, ours) = (id.to_owned(), self.id.clone());
            return Err(SealingError::OtherDeployment { wrapped_with, ours });
        }
        key_of(&self.key, sealed, &about::organization_key(organization))
    }
}

/// Wraps a data key.
pub(crate) fn wrap(
    by: &Key,
    organization: OrganizationId,
    key: &Key,
) -> Result<Wrapped, SealingError> {
    let sealed = by.seal(key.bytes(), &about::data_key(organization))?;
    Ok(Wrapped(URL_SAFE_NO_PAD.encode(sealed)))
}

/// Unwraps a data key.
pub(crate) fn unwrap(
    by: &Key,
    organization: OrganizationId,
    wrapped: &Wrapped,
) -> Result<Key, SealingError> {
    key_of(by, &wrapped.0, &about::data_key(organization))
}

fn key_of(by: &Key, sealed: &str, about: &[u8]) -> Result<Key, SealingError> {
    let sealed = URL_SAFE_NO_PAD.decode(sealed).map_err(|_| SealingError::Shape)?;
    let opened = zeroize::Zeroizing::new(by.open(&sealed, about)?);
    let bytes = <[u8; 32]>::try_from(opened.as_slice()).map_err(|_| SealingError::Shape)?;
    Ok(Key::new(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn a_key_is_unwrapped_by_its_deployment_and_for_its_organization() {
        let (one, two) = (OrganizationId(Uuid::from_u128(1)), OrganizationId(Uuid::from_u128(2)));
        let (ours, theirs) = (DeploymentWrap::new([1; 32]), DeploymentWrap::new([2; 32]));
        let key = Key::draw().unwrap();
        let wrapped = ours.wrap(one, &key).unwrap();
        assert_eq!(ours.unwrap(one, &wrapped).unwrap().bytes(), key.bytes());
        assert_eq!(ours.unwrap(two, &wrapped).unwrap_err(), SealingError::Changed);
        let other = theirs.unwrap(one, &wrapped).unwrap_err();
        assert!(matches!(other, SealingError::OtherDeployment { .. }));
        let data = wrap(&key, one, &Key::new([7; 32])).unwrap();
        assert_eq!(unwrap(&key, one, &data).unwrap().bytes(), &[7; 32]);
        assert!(unwrap(&key, two, &data).is_err());
    }
}
