//! A sealed value as text: the id of its key, a full stop, the rest in base64.

use crate::error::SealingError;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rollcall_domain::log::KeyId;

pub(crate) fn write(id: KeyId, sealed: &[u8]) -> String {
    format!("{id}.{}", URL_SAFE_NO_PAD.encode(sealed))
}

pub(crate) fn read(text: &str) -> Result<(KeyId, Vec<u8>), SealingError> {
    let (id, sealed) = text.split_once('.').ok_or(SealingError::Shape)?;
    let is_number = !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit());
    let id = if is_number { id.parse().ok() } else { None };
    let sealed = URL_SAFE_NO_PAD.decode(sealed).map_err(|_| SealingError::Shape)?;
    Ok((KeyId(id.ok_or(SealingError::Shape)?), sealed))
}
