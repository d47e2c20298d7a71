//! Audit: what was asked, what was answered, what happened, and how it was at any time.

mod bundle;
mod cell;
mod difference;
mod events;
mod exchanges;
mod failures;
mod guard;
mod logins;
mod members;
mod memberships;
mod moment;
mod reconcile;
mod replay;
mod resources;
mod runs;
mod stream;

pub use bundle::{BundleImported, BundleRequest};
pub use difference::DifferenceBody;
pub use events::EventBody;
pub use exchanges::{ExchangeBody, ExchangeSummary};
pub use failures::FailureBody;
pub use guard::Auditor;
pub use logins::LoginBody;
pub use members::{MemberBody, MembersBody};
pub use memberships::MembershipsBody;
pub use moment::Moment;
pub use reconcile::{CycleBody, MismatchBody, ReconciliationBody};
pub use replay::ReplayRequest;
pub use resources::{ResourceBody, ResourcesBody};
pub use runs::{RhythmBody, RunBody};
pub use stream::Format;

use crate::state::App;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Routes of the audit.
pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(events::list))
        .routes(routes!(exchanges::list))
        .routes(routes!(exchanges::show))
        .routes(routes!(runs::list))
        .routes(routes!(runs::show))
        .routes(routes!(runs::changes))
        .routes(routes!(runs::rhythm))
        .routes(routes!(failures::list))
        .routes(routes!(failures::show))
        .merge(replay::routes())
        .routes(routes!(resources::users))
        .routes(routes!(resources::user))
        .routes(routes!(resources::groups))
        .routes(routes!(resources::group))
        .routes(routes!(members::list))
        .routes(routes!(members::review))
        .routes(routes!(memberships::of_group))
        .routes(routes!(memberships::of_user))
        .routes(routes!(difference::difference))
        .routes(routes!(logins::list))
        .routes(routes!(logins::show))
        .merge(bundle::routes())
        .routes(routes!(reconcile::reconcile))
}
