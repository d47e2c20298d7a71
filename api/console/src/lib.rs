//! The console: pages at `/` for operators, admins and auditors, and the setup of an organization
//! at `/setup`.
//!
//! It has no way of its own to anything: what a page shows and what a form does is asked of
//! `/api/v1` within the process ([`asking`]), so that the guards, the exchanges and the events are
//! those of the API. Its own are the sessions ([`signing`]), the pages, and what the setup observes
//! of real traffic ([`setup`]).
//!
//! Pages are whole without a script. The policy of their answers forbids everything that is not
//! from here ([`policy`]); nothing is written into them without being escaped.

mod asking;
mod assets;
mod form;
mod live;
mod pages;
mod picture;
mod policy;
mod setup;
mod signing;
mod tell;
mod trouble;
mod view;

pub use live::Streams;

use axum::extract::FromRef;
use axum::{Router, middleware};
use rollcall_door::App;
use std::sync::Arc;

/// What its routes share.
#[derive(Clone)]
pub struct Console {
    app: Arc<App>,
    /// `/api/v1`, as it is served to everybody.
    api: Router,
    streams: Streams,
}

impl Console {
    /// Opens it before an API.
    pub fn new(app: Arc<App>, api: Router, streams: Streams) -> Self {
        Self { app, api, streams }
    }
}

impl FromRef<Console> for Arc<App> {
    fn from_ref(console: &Console) -> Self {
        console.app.clone()
    }
}

/// All its routes.
pub fn routes<S: Clone + Send + Sync + 'static>(console: Console) -> Router<S> {
    Router::new()
        .merge(assets::routes())
        .merge(signing::routes())
        .merge(pages::routes())
        .merge(live::routes())
        .merge(setup::routes())
        .layer(middleware::from_fn(policy::guarded))
        .with_state(console)
}
