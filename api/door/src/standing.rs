//! Whether the clients of an organization are served at present.

use rollcall_projections::organizations::{OrganizationRow, ScimState};

/// Why the requests of an organization's clients are not carried out at present, if they are not.
pub fn standing(organization: &OrganizationRow) -> Option<&'static str> {
    if !organization.enabled {
        Some("this organization is switched off; nothing is lost, Entra will retry")
    } else if organization.scim != ScimState::Enabled {
        Some("the SCIM connection is switched off; nothing is lost, Entra will retry")
    } else if organization.stopped.is_some() {
        Some("the directory is being repaired; nothing is lost, Entra will retry")
    } else {
        None
    }
}
