//! What a visit is served with, and what its visitor is told when it cannot be.

use super::SignOn;
use super::addresses::Addresses;
use super::page::Page;
use super::reply::Reply;
use super::visit::Visit;
use rollcall_door::App;
use rollcall_door::exchange::Kept;
use rollcall_projections::organizations::OrganizationRow;
use rollcall_projections::saml::SamlConnection;
use rollcall_saml::ServiceProvider;
use std::sync::Arc;

/// One visit to an organization that is there and switched on.
pub struct Call {
    /// The application.
    pub app: Arc<App>,
    /// What all visits share.
    pub door: Arc<SignOn>,
    /// The exchange.
    pub visit: Visit,
    /// The organization.
    pub organization: OrganizationRow,
    /// Its connection.
    pub connection: SamlConnection,
    /// Its addresses.
    pub addresses: Addresses,
    /// Reads and writes its messages.
    pub provider: Arc<ServiceProvider>,
}

/// The answer when something is switched off, or our own trouble.
pub fn unavailable(visit: &Visit) -> Reply {
    let text = "Sign-on is not available at the moment. Please try again in a few minutes.";
    Reply::page(
        503,
        &Page { title: "Not available", text, code: Some("unavailable"), asks: None },
        visit,
    )
    .beside_the_log()
}

/// The answer to one visit too many, which is counted and not kept.
pub fn too_many(visit: &Visit) -> Reply {
    let text = "Too many attempts at once. Please try again in a minute.";
    Reply {
        kept: Kept::CountOnly,
        ..Reply::page(
            429,
            &Page { title: "Too many attempts", text, code: Some("too-many"), asks: None },
            visit,
        )
    }
}
