//! What the exchanges of a route of `/api/v1` are called.

use super::Visit;
use axum::extract::Request;
use axum::middleware::{self, Next};
use rollcall_domain::exchange::Protocol;
use utoipa_axum::router::{UtoipaMethodRouter, UtoipaMethodRouterExt as _};

/// Names the operation of a route, such as `audit.events.list`, for its exchanges.
pub fn operation<S: Clone + Send + Sync + 'static>(
    protocol: Protocol,
    name: &'static str,
    routes: UtoipaMethodRouter<S>,
) -> UtoipaMethodRouter<S> {
    routes.layer(middleware::from_fn(move |request: Request, next: Next| async move {
        if let Some(visit) = request.extensions().get::<Visit>() {
            visit.name(protocol, name);
        }
        next.run(request).await
    }))
}
