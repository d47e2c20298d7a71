//! A session begins.

use super::cookie;
use crate::Console;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Redirect, Response};
use chrono::TimeDelta;
use rollcall_domain::credential::Purpose;
use rollcall_domain::ids::OrganizationId;
use rollcall_door::callers::SignedIn;
use rollcall_engine::secrets::sha256_hex;
use rollcall_projections::console::{ConsoleRole, ConsoleSessionRow, IDLE_MINUTES, TOTAL_HOURS};

/// Minutes without a question that end the session of a setup: its admin is in Entra meanwhile, and
/// a cycle takes 40 of them.
const SETUP_IDLE_MINUTES: i64 = 12 * 60;

/// A session that is about to begin, with what its cookie will hold.
pub struct Begun {
    /// What is kept.
    pub row: ConsoleSessionRow,
    secret: String,
}

impl Begun {
    /// Draws one for whoever is signed in. A session lasts no longer than the key it stands for.
    pub fn new(
        console: &Console,
        signed_in: &SignedIn,
        role: ConsoleRole,
        source: Option<String>,
    ) -> Self {
        let app = &console.app;
        let (now, secret) = (app.engine.clock.now(), app.engine.ids.secret("rcc_"));
        let longest = match role {
            ConsoleRole::Setup => None,
            _ => Some(now + TimeDelta::hours(TOTAL_HOURS)),
        };
        let ends_at = [longest, signed_in.ends_at].into_iter().flatten().min();
        let row = ConsoleSessionRow {
            sha256: sha256_hex(&secret),
            id: app.engine.ids.session().0,
            organization: signed_in.organization.unwrap_or(OrganizationId::NONE),
            role,
            credential: signed_in.credential,
            label: label(signed_in),
            began_at: now,
            seen_at: now,
            idle_minutes: match role {
                ConsoleRole::Setup => SETUP_IDLE_MINUTES,
                _ => IDLE_MINUTES,
            },
            ends_at: ends_at.unwrap_or(now + TimeDelta::hours(TOTAL_HOURS)),
            source,
            ended_at: None,
        };
        Self { row, secret }
    }

    /// Sends the browser on with its cookie.
    pub fn on_to(&self, target: &str) -> Response {
        let mut response = Redirect::to(target).into_response();
        let seconds = (self.row.ends_at - self.row.began_at).num_seconds();
        let seconds = (self.row.role == ConsoleRole::Setup).then_some(seconds);
        if let Some(cookie) = cookie::set(&self.secret, seconds) {
            response.headers_mut().insert(header::SET_COOKIE, cookie);
        }
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

/// Who it is, for people.
fn label(signed_in: &SignedIn) -> String {
    let actor = &signed_in.actor;
    actor.name().unwrap_or_else(|| crate::tell::actor(actor.kind())).to_owned()
}

/// As whom the holder of a key uses the console; SCIM clients and consumers do not.
pub fn role_of(purpose: Purpose) -> Option<ConsoleRole> {
    match purpose {
        Purpose::Operation => Some(ConsoleRole::Operator),
        Purpose::Administration => Some(ConsoleRole::Admin),
        Purpose::Audit => Some(ConsoleRole::Auditor),
        Purpose::Scim | Purpose::Feed => None,
    }
}

/// What a role's credential is for.
pub fn purpose_of(role: ConsoleRole) -> Purpose {
    match role {
        ConsoleRole::Operator => Purpose::Operation,
        ConsoleRole::Admin | ConsoleRole::Setup => Purpose::Administration,
        ConsoleRole::Auditor => Purpose::Audit,
    }
}
