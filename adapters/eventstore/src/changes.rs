//! Changes of claims, as they stand in streams.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use rollcall_domain::claim::{Claim, ClaimKind};
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::{ClaimOutcome, StreamId};
use serde::{Deserialize, Serialize};

/// A claim in its final state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Change {
    kind: ClaimKind,
    /// Base64 without padding.
    key: String,
    /// Who holds it from then on; nobody if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<StreamId>,
    /// Only looked at: it stays as it is until this is settled.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub kept: bool,
}

impl Change {
    pub fn new(claim: &Claim, outcome: ClaimOutcome) -> Self {
        let holder = match outcome {
            ClaimOutcome::Held(stream) => Some(stream),
            ClaimOutcome::Free => None,
        };
        Self { kind: claim.kind, key: BASE64.encode(claim.key), holder, kept: false }
    }

    /// A claim that a pending append rests on without changing it.
    pub fn kept(claim: &Claim) -> Self {
        Self { kind: claim.kind, key: BASE64.encode(claim.key), holder: None, kept: true }
    }

    /// The claim; in words why there is none.
    pub fn claim(&self, scope: OrganizationId) -> Result<Claim, String> {
        let key = BASE64.decode(&self.key).map_err(|e| e.to_string())?;
        let key = key.try_into().map_err(|_| "a claim's key is 32 bytes".to_owned())?;
        Ok(Claim { scope, kind: self.kind, key })
    }
}

/// Reads a list of changes; in words why not.
pub(crate) fn read(data: &[u8]) -> Result<Vec<Change>, String> {
    serde_json::from_slice(data).map_err(|e| format!("changes of claims: {e}"))
}
