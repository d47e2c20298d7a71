//! How much of everything a message may have.

/// Depth of elements. A response of Entra has nine levels.
pub(super) const MAX_DEPTH: usize = 32;
/// Bytes of a start tag: the parser's time grows with the square of attributes and namespaces.
pub(super) const MAX_TAG: usize = 4 * 1024;
/// Nodes of a document, text included.
pub(super) const MAX_NODES: u32 = 12_000;
/// Namespaces that one element sees.
pub(super) const MAX_NAMESPACES: usize = 48;
/// Values of attributes in an assertion: samael's time grows with their square. Entra sends 150
/// groups.
pub(crate) const MAX_VALUES: usize = 1_000;
/// Characters of a single value such as an id, an issuer or a name id.
pub(crate) const MAX_FIELD: usize = 1_024;
