//! What one SCIM connection asks of its client, beyond what is read by default.

use serde::{Deserialize, Serialize};

/// The choices of one connection. The default is what Entra needs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Keep the rules of the SCIM interoperability profile and of IPSIE AL that Entra's habits break:
    /// what needs one of these liberties is refused.
    #[serde(default)]
    pub strict: bool,
    /// Read a `replace` of some members as `add`: a client that means "add" by it would empty groups
    /// (RFC 7644 section 3.5.2.3 says that it replaces).
    #[serde(default)]
    pub members_replace_adds: bool,
}
