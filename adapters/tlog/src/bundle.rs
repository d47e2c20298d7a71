//! Bundles of entries: 256 of them, or fewer at the end of a log, each after its length in two
//! bytes (tlog-tiles, "Log entries").

/// Bytes of an entry at most.
pub const MAX_ENTRY: usize = u16::MAX as usize;

/// Why entries are no bundle, or bytes are none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// An entry that is longer than [`MAX_ENTRY`], by its place in the bundle.
    #[error("entry {0} has more than {MAX_ENTRY} bytes")]
    TooLong(usize),
    /// Another number of entries, or bytes that break off.
    #[error("this is not a bundle of {0} entries")]
    Length(u16),
}

/// The bytes of a bundle.
pub fn write<'e>(entries: impl IntoIterator<Item = &'e [u8]>) -> Result<Vec<u8>, BundleError> {
    let mut bytes = Vec::new();
    for (at, entry) in entries.into_iter().enumerate() {
        let length = u16::try_from(entry.len()).map_err(|_| BundleError::TooLong(at))?;
        bytes.extend(length.to_be_bytes());
        bytes.extend(entry);
    }
    Ok(bytes)
}

/// The entries of a bundle of so many (the width of its [`crate::Tile`]), in their order.
pub fn read(mut bytes: &[u8], width: u16) -> Result<Vec<&[u8]>, BundleError> {
    let mut entries = Vec::with_capacity(usize::from(width).min(bytes.len() / 2));
    for _ in 0..width {
        let (length, rest) = bytes.split_first_chunk().ok_or(BundleError::Length(width))?;
        let length = usize::from(u16::from_be_bytes(*length));
        let (entry, rest) = rest.split_at_checked(length).ok_or(BundleError::Length(width))?;
        entries.push(entry);
        bytes = rest;
    }
    if bytes.is_empty() { Ok(entries) } else { Err(BundleError::Length(width)) }
}
