//! Whether the clients of an organization are served at present.

use rollcall_projections::checkpoint::StopReason;
use rollcall_projections::organizations::{OrganizationRow, ScimState};

/// Why the requests of an organization's clients are not carried out at present.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Standing {
    /// The organization is switched off.
    #[error("this organization is switched off; nothing is lost, Entra will retry")]
    OrganizationOff,
    /// Its SCIM connection is switched off.
    #[error("the SCIM connection is switched off; nothing is lost, Entra will retry")]
    ConnectionOff,
    /// A record cannot be folded, and what follows from it is not known.
    #[error("the directory is being repaired; nothing is lost, Entra will retry")]
    Stopped(StopReason),
}

impl Standing {
    /// A stable word, for programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OrganizationOff => "organization-off",
            Self::ConnectionOff => "connection-off",
            Self::Stopped(reason) => reason.as_str(),
        }
    }
}

/// Why the requests of an organization's clients are not carried out at present, if they are not.
pub fn standing(organization: &OrganizationRow) -> Option<Standing> {
    if !organization.enabled {
        Some(Standing::OrganizationOff)
    } else if organization.scim != ScimState::Enabled {
        Some(Standing::ConnectionOff)
    } else {
        organization.stopped.as_ref().map(|stop| Standing::Stopped(stop.reason))
    }
}
