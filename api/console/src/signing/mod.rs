//! Who is at the door: signing in by a key or by a link, sessions, and the guards of all pages.

mod begin;
mod cookie;
mod guard;
mod kept;
mod key;
mod link;
mod organization;
mod origin;
mod out;
mod watch;

pub use guard::{Guard, Manager, OperatorHere, OperatorOf, Posted, Reader, Reviewer, Setter};
pub use link::{redeem, setup_page};
pub use watch::{opened, watched};

use crate::Console;
use axum::Router;
use axum::routing::{get, post};
use rollcall_contract::console::{OPEN_PATH, SIGN_IN_PATH};

/// Its routes.
pub fn routes() -> Router<Console> {
    Router::new()
        .route("/sign-in", get(key::page).post(key::sign_in))
        .route(OPEN_PATH, get(link::page).post(link::open))
        .route(SIGN_IN_PATH, get(organization::which))
        .route(
            &format!("{SIGN_IN_PATH}/{{organization}}"),
            get(organization::page).post(organization::sign_in),
        )
        .route("/sign-out", post(out::sign_out))
}
