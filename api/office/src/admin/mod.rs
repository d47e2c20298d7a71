//! Administration: what the operator does to organizations, tokens, views and the whole.

mod auditors;
mod backup;
mod claims;
mod connection;
mod guard;
mod organizations;
mod provisioning_log;
mod saml;
mod saml_keys;
mod scim_policy;
mod sessions;
mod tokens;
mod views;

pub(crate) use backup::Line;
pub use guard::{Admin, organization_named};

use crate::Office;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Routes of the administration.
pub fn routes() -> OpenApiRouter<Office> {
    OpenApiRouter::new()
        .routes(routes!(organizations::list, organizations::create))
        .routes(routes!(organizations::show))
        .routes(routes!(connection::enable_organization))
        .routes(routes!(connection::disable_organization))
        .routes(routes!(connection::enable_scim))
        .routes(routes!(connection::disable_scim))
        .routes(routes!(scim_policy::show, scim_policy::change))
        .routes(routes!(tokens::list, tokens::issue))
        .routes(routes!(tokens::revoke))
        .routes(routes!(saml::show, saml::configure))
        .routes(routes!(saml::refresh_now))
        .routes(routes!(saml::policy))
        .routes(routes!(saml::enable))
        .routes(routes!(saml::disable))
        .routes(routes!(saml_keys::download, saml_keys::generate))
        .routes(routes!(saml_keys::rotate))
        .routes(routes!(saml_keys::retire))
        .routes(routes!(sessions::list))
        .routes(routes!(sessions::end))
        .routes(routes!(provisioning_log::import))
        .routes(routes!(auditors::list, auditors::issue))
        .routes(routes!(auditors::revoke))
        .routes(routes!(claims::collisions))
        .routes(routes!(views::status))
        .routes(routes!(views::rebuild))
        .routes(routes!(views::verify))
        .routes(routes!(views::resume))
        .routes(routes!(backup::backup))
        .routes(routes!(backup::restore))
}
