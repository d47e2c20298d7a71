//! Audit: what was asked, what was answered, what happened, and how it was at any time.

mod attention;
mod bundle;
mod cell;
mod difference;
mod events;
mod exchange_summary;
mod exchanges;
mod failures;
mod findings;
mod holds;
mod ledger;
mod logins;
mod members;
mod memberships;
mod moment;
mod named;
mod page_of_rows;
pub mod paging;
mod person;
mod readings;
mod reads;
mod reconcile;
mod replay;
mod resources;
mod review;
mod runs;
pub mod session_summary;
mod start;
mod strangers;
mod stream;
mod subjects;
pub mod there;

pub use holds::{erased, held};
pub use ledger::tiles;

use crate::Office;
use crate::entry::operation;
use rollcall_domain::exchange::Protocol;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};
use utoipa_axum::routes;

fn audited(name: &'static str, routes: UtoipaMethodRouter<Office>) -> UtoipaMethodRouter<Office> {
    operation(Protocol::Audit, name, routes)
}

/// Routes of the audit.
pub fn routes() -> OpenApiRouter<Office> {
    OpenApiRouter::new()
        .routes(audited("audit.events.list", routes!(events::list)))
        .routes(audited("audit.events.export", routes!(events::export)))
        .routes(audited("audit.events.show", routes!(events::show)))
        .routes(audited("audit.exchanges.list", routes!(exchanges::list)))
        .routes(audited("audit.exchanges.show", routes!(exchanges::show)))
        .routes(audited("audit.reads.list", routes!(reads::list)))
        .routes(audited("audit.attention.list", routes!(attention::list)))
        .routes(audited("audit.runs.list", routes!(runs::list)))
        .routes(audited("audit.runs.show", routes!(runs::show)))
        .routes(audited("audit.runs.changes", routes!(runs::changes)))
        .routes(audited("audit.runs.rhythm", routes!(runs::rhythm)))
        .routes(audited("audit.failures.list", routes!(failures::list)))
        .routes(audited("audit.failures.show", routes!(failures::show)))
        .merge(replay::routes())
        .routes(audited("audit.users.list", routes!(resources::users)))
        .routes(audited("audit.users.show", routes!(resources::user)))
        .routes(audited("audit.groups.list", routes!(resources::groups)))
        .routes(audited("audit.groups.show", routes!(resources::group)))
        .routes(audited("audit.members.list", routes!(members::list)))
        .routes(audited("audit.groups.review", routes!(members::review)))
        .routes(audited("audit.groups.memberships", routes!(memberships::of_group)))
        .routes(audited("audit.users.memberships", routes!(memberships::of_user)))
        .routes(audited("audit.review", routes!(review::review)))
        .routes(audited("audit.review.findings", routes!(findings::findings)))
        .routes(audited("audit.diff", routes!(difference::difference)))
        .routes(audited("audit.person.holds", routes!(holds::list)))
        .routes(audited("audit.person.export", routes!(person::export)))
        .routes(audited("audit.logins.list", routes!(logins::list)))
        .routes(audited("audit.logins.show", routes!(logins::show)))
        .merge(bundle::routes())
        .merge(ledger::routes())
        .routes(audited("audit.reconcile", routes!(reconcile::reconcile)))
}
