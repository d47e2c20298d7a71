//! Administration: what the operator does to organizations, tokens, views and the whole.

mod admins;
mod auditors;
mod backup;
mod because;
mod claims;
mod clock;
mod connection;
mod console_links;
mod console_sessions;
mod consumers;
mod credential_body;
mod credentials;
mod erasure;
mod erasure_list;
mod holds;
mod keys;
mod log;
mod new_proof;
mod notifications;
mod operators;
mod organization_erasure;
mod organizations;
mod parked;
mod proof;
mod provisioning_log;
mod redelivery;
mod repair;
mod repin;
mod restore;
mod saml;
mod saml_keys;
mod scim_policy;
mod session_ends;
mod sessions;
mod token_consumers;
mod tokens;
mod views;

use crate::Office;
use crate::entry::operation;
use rollcall_domain::exchange::Protocol;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};
use utoipa_axum::routes;

fn named(name: &'static str, routes: UtoipaMethodRouter<Office>) -> UtoipaMethodRouter<Office> {
    operation(Protocol::Administration, name, routes)
}

/// Routes of the administration.
pub fn routes() -> OpenApiRouter<Office> {
    OpenApiRouter::new()
        .routes(named("organizations.list", routes!(organizations::list)))
        .routes(named("organizations.create", routes!(organizations::create)))
        .routes(named("organizations.show", routes!(organizations::show)))
        .routes(named("organizations.enable", routes!(connection::enable_organization)))
        .routes(named("organizations.disable", routes!(connection::disable_organization)))
        .routes(named("scim.enable", routes!(connection::enable_scim)))
        .routes(named("scim.disable", routes!(connection::disable_scim)))
        .routes(named("credentials.list", routes!(credentials::list)))
        .routes(named("credentials.add", routes!(credentials::add)))
        .routes(named("credentials.rotate", routes!(credentials::rotate)))
        .routes(named("credentials.retire", routes!(credentials::retire)))
        .routes(named("credentials.trust", routes!(credentials::trust)))
        .routes(named("credentials.revoke", routes!(credentials::revoke)))
        .routes(named("scim.policy.show", routes!(scim_policy::show)))
        .routes(named("scim.policy.change", routes!(scim_policy::change)))
        .routes(named("notifications.show", routes!(notifications::show)))
        .routes(named("notifications.change", routes!(notifications::change)))
        .routes(named("notifications.test", routes!(notifications::test)))
        .routes(named("scim.tokens.list", routes!(tokens::list)))
        .routes(named("scim.tokens.issue", routes!(tokens::issue)))
        .routes(named("scim.tokens.revoke", routes!(tokens::revoke)))
        .routes(named("saml.show", routes!(saml::show)))
        .routes(named("saml.configure", routes!(saml::configure)))
        .routes(named("saml.refresh", routes!(saml::refresh_now)))
        .routes(named("saml.policy.change", routes!(saml::policy)))
        .routes(named("saml.enable", routes!(saml::enable)))
        .routes(named("saml.disable", routes!(saml::disable)))
        .routes(named("saml.certificate.download", routes!(saml_keys::download)))
        .routes(named("saml.certificate.generate", routes!(saml_keys::generate)))
        .routes(named("saml.certificate.rotate", routes!(saml_keys::rotate)))
        .routes(named("saml.certificate.retire", routes!(saml_keys::retire)))
        .routes(named("logins.repin", routes!(repin::repin)))
        .routes(operation(Protocol::Audit, "audit.sessions.list", routes!(sessions::list)))
        .routes(named("sessions.end", routes!(sessions::end)))
        .routes(named("sessions.end-all", routes!(session_ends::end_many)))
        .routes(named("provisioning-log.forget", routes!(provisioning_log::forget)))
        .routes(named("provisioning-log.import", routes!(provisioning_log::import)))
        .routes(named("auditors.list", routes!(auditors::list)))
        .routes(named("auditors.issue", routes!(auditors::issue)))
        .routes(named("auditors.revoke", routes!(auditors::revoke)))
        .routes(named("admins.list", routes!(admins::list)))
        .routes(named("admins.issue", routes!(admins::issue)))
        .routes(named("admins.revoke", routes!(admins::revoke)))
        .routes(named("operators.list", routes!(operators::list)))
        .routes(named("operators.issue", routes!(operators::issue)))
        .routes(named("operators.revoke", routes!(operators::revoke)))
        .routes(named("console.open", routes!(console_links::open)))
        .routes(named("console.links.make", routes!(console_links::make)))
        .routes(named("console.links.list", routes!(console_links::list)))
        .routes(named("console.links.revoke", routes!(console_links::revoke)))
        .routes(named("console.sessions.list", routes!(console_sessions::list)))
        .routes(named("console.sessions.end", routes!(console_sessions::end)))
        .routes(named("consumers.list", routes!(consumers::list)))
        .routes(named("consumers.add", routes!(consumers::add)))
        .routes(named("consumers.show", routes!(consumers::show)))
        .routes(named("consumers.pause", routes!(consumers::pause)))
        .routes(named("consumers.resume", routes!(consumers::resume)))
        .routes(named("consumers.redeliver", routes!(redelivery::redeliver)))
        .routes(named("consumers.parked.list", routes!(parked::list)))
        .routes(named("consumers.parked.redeliver", routes!(parked::redeliver)))
        .routes(named("consumers.parked.show", routes!(parked::show)))
        .routes(named("consumers.parked.handle", routes!(parked::handle)))
        .routes(named("consumers.rotate", routes!(consumers::rotate)))
        .routes(named("consumers.remove", routes!(consumers::remove)))
        .routes(named("claims.collisions", routes!(claims::collisions)))
        .routes(named("server.prove", routes!(proof::prove)))
        .routes(named("views.show", routes!(views::status)))
        .routes(named("views.rebuild", routes!(views::rebuild)))
        .routes(operation(Protocol::Audit, "views.verify", routes!(views::verify)))
        .routes(named("views.resume", routes!(views::resume)))
        .routes(named("organizations.erase", routes!(organization_erasure::erase)))
        .routes(named("person.erase", routes!(erasure::erase)))
        .routes(named("person.erasures", routes!(erasure_list::list)))
        .routes(named("person.hold", routes!(holds::hold)))
        .routes(named("person.release", routes!(holds::release)))
        .routes(named("log.show", routes!(log::show)))
        .routes(named("log.accept", routes!(log::accept)))
        .routes(named("log.clock", routes!(clock::correct)))
        .routes(named("log.repair.plan", routes!(repair::plan)))
        .routes(named("log.repair", routes!(repair::repair)))
        .routes(named("backup", routes!(backup::backup)))
        .routes(named("restore", routes!(restore::restore)))
        .routes(named("restore.discard", routes!(restore::discard)))
}
