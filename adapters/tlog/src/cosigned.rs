//! What a witness signs (tlog-cosignature, "Ed25519 signed message").

/// No time is later: 2^63 - 1 seconds after 1970.
pub const MAX_TIME: u64 = i64::MAX as u64;

/// What is signed of a checkpoint: its whole text, with the time in front.
pub(crate) fn message(at: u64, text: &str) -> String {
    format!("cosignature/v1\ntime {at}\n{text}")
}

/// The bytes of a signature: time and Ed25519.
pub(crate) fn split(signature: &[u8]) -> Option<(u64, &[u8])> {
    let (at, signature) = signature.split_first_chunk()?;
    let at = u64::from_be_bytes(*at);
    (at <= MAX_TIME).then_some((at, signature))
}
