//! The pages.

mod access;
mod changes;
mod connection;
mod consumers;
mod credentials;
mod decide;
mod download;
mod evidence;
mod failures;
mod findings;
mod groups;
mod logins;
mod new_link;
mod notifications;
mod organizations;
mod overview;
mod paging;
mod parked;
mod past;
mod reads;
mod requests;
mod review;
mod runs;
mod sessions;
mod users;

use crate::Console;
use axum::Router;
use axum::routing::{get, post};

/// Their routes.
pub fn routes() -> Router<Console> {
    Router::new()
        .route("/", get(organizations::list).post(organizations::create))
        .route("/o/{organization}", get(overview::show))
        .route("/o/{organization}/runs", get(runs::list))
        .route("/o/{organization}/runs/{run}", get(runs::show))
        .route("/o/{organization}/users", get(users::list))
        .route("/o/{organization}/users/{id}", get(users::show))
        .route("/o/{organization}/groups", get(groups::list))
        .route("/o/{organization}/groups/{id}", get(groups::show))
        .route("/o/{organization}/changes", get(changes::show))
        .route("/o/{organization}/changes/download", get(download::changes))
        .route("/o/{organization}/evidence", get(evidence::show))
        .route("/o/{organization}/failures", get(failures::list))
        .route("/o/{organization}/failures/{failure}", get(failures::show))
        .route("/o/{organization}/failures/{failure}/try", post(failures::dry_run))
        .route("/o/{organization}/failures/{failure}/apply", post(failures::apply))
        .route("/o/{organization}/requests", get(requests::list))
        .route("/o/{organization}/requests/{exchange}", get(requests::show))
        .route("/o/{organization}/logins", get(logins::list))
        .route("/o/{organization}/sessions", get(sessions::list))
        .route("/o/{organization}/sessions/{session}/end", post(sessions::end))
        .route("/o/{organization}/review", get(review::show))
        .route("/o/{organization}/review/findings", get(findings::show))
        .route("/o/{organization}/review/findings/download", get(download::findings))
        .route("/o/{organization}/reads", get(reads::list))
        .route("/o/{organization}/credentials", get(credentials::list).post(credentials::add))
        .route("/o/{organization}/credentials/{credential}", post(credentials::change))
        .route("/o/{organization}/review/decide", get(decide::page).post(decide::decide))
        .route("/o/{organization}/review/download", get(download::review))
        .route("/o/{organization}/connection", get(connection::show))
        .route("/o/{organization}/connection/sso", post(connection::sso))
        .route("/o/{organization}/connection/scim", post(connection::scim))
        .route("/o/{organization}/connection/token", post(connection::issue))
        .route("/o/{organization}/connection/token/{token}", post(connection::revoke))
        .route("/o/{organization}/consumers", get(consumers::list))
        .route(
            "/o/{organization}/consumers/{consumer}",
            get(consumers::show).post(consumers::switch),
        )
        .route(
            "/o/{organization}/consumers/{consumer}/parked",
            get(parked::list).post(parked::redeliver),
        )
        .route("/o/{organization}/consumers/{consumer}/parked/{delivery}", post(parked::handle))
        .route(
            "/o/{organization}/notifications",
            get(notifications::show).post(notifications::change),
        )
        .route("/o/{organization}/access", get(access::show))
        .route("/o/{organization}/access/link", post(new_link::make))
        .route("/o/{organization}/access/link/{id}", post(access::revoke_link))
        .route("/o/{organization}/access/group", post(access::set_group))
        .route("/o/{organization}/access/group/{id}", post(access::remove_group))
        .route("/o/{organization}/access/auditor/{id}", post(access::revoke_auditor))
        .route("/o/{organization}/access/admin/{id}", post(access::revoke_admin))
        .route("/o/{organization}/access/session/{id}", post(access::end_session))
}
