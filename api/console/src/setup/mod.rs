//! The setup of an organization: from nothing to a green first cycle, in the order and the words of
//! Entra's pages. What was done is not asked but observed ([`observe`]): each step turns green by
//! traffic that really came, and the usual mistakes are told from it ([`mistakes`]).

mod mistakes;
mod observe;
mod observed;
mod page;
mod steps;

pub use observe::users;

use crate::Console;
use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::{get, post};
use rollcall_contract::console::SETUP_PATH;

/// Its routes.
pub fn routes() -> Router<Console> {
    let below = |rest: &str| format!("{SETUP_PATH}/{{organization}}{rest}");
    Router::new()
        .route(SETUP_PATH, get(crate::signing::setup_page).post(redeem))
        .route(&below(""), get(page::show))
        .route(&below("/checks"), get(page::checks))
        .route(&below("/metadata"), post(page::metadata))
        .route(&below("/certificate"), post(page::certificate))
        .route(&below("/token"), post(page::token))
}

async fn redeem(State(console): State<Console>, request: Request) -> Response {
    crate::signing::redeem(console, request, true).await
}
