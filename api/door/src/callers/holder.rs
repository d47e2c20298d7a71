//! Whose key a request came with.

use crate::exchange::Visit;
use crate::strangers::Place;
use crate::{App, Refusal};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use rollcall_domain::actor::Actor;
use rollcall_domain::credential::Purpose;
use rollcall_domain::ids::{AuditorId, OrganizationId};
use rollcall_engine::secrets::{same, sha256_hex};
use rollcall_projections::credential::CredentialState;
use rollcall_projections::credentials::CredentialRow;

/// Longer than any key of ours.
const KEY_BYTES: usize = 512;

/// The holder of a live key.
pub struct Holder {
    /// Who it is.
    pub actor: Actor,
    /// What the key is for.
    pub purpose: Purpose,
    /// Where it lets in; everywhere, if none.
    pub organization: Option<OrganizationId>,
    /// The exchange.
    pub visit: Visit,
}

impl Holder {
    /// Finds out who calls, and says so to the exchange. An unknown key, an expired and a revoked
    /// one are answered alike, and so is a SCIM token, which opens nothing here.
    pub async fn of(parts: &Parts, app: &App) -> Result<Self, Refusal> {
        let visit = parts.extensions.get::<Visit>().cloned();
        let visit = visit
            .ok_or_else(|| Refusal::unavailable(&"a request was served without an exchange"))?;
        let nobody = || {
            Refusal::new(
                StatusCode::UNAUTHORIZED,
                "send a live key as a bearer token: the operator's lies in DIR/operator.key",
            )
        };
        let sha256 = sha256_hex(bearer(&parts.headers).ok_or_else(nobody)?);
        if same(&sha256, &app.operator_sha256) {
            visit.caller(Actor::Operator);
            introduce(parts);
            return Ok(Self {
                actor: Actor::Operator,
                purpose: Purpose::Operation,
                organization: None,
                visit,
            });
        }
        // Found by the hash of 256 random bits: nothing is left for the comparison's timing to
        // tell.
        let acquaintances = &app.strangers.acquaintances;
        let turn = acquaintances.turn(&sha256).await;
        let found = app.credentials.bearer(&sha256).await?;
        drop(turn);
        let live = found.filter(|row| row.state(app.engine.clock.now()) == CredentialState::Live);
        let held = match live {
            Some(row) => actor(app, &row).await?.map(|actor| (row, actor)),
            None => None,
        };
        acquaintances.found(&sha256, held.is_some());
        let Some((row, actor)) = held else {
            return Err(match app.strangers.wrong_keys.admits(visit.from()) {
                true => nobody(),
                false => Refusal::new(
                    StatusCode::TOO_MANY_REQUESTS,
                    "too many wrong keys from this address: try again in a minute",
                ),
            });
        };
        introduce(parts);
        if !app.keys.admits(row.id) {
            return Err(Refusal::new(
                StatusCode::TOO_MANY_REQUESTS,
                "too many requests with this key: slow down",
            ));
        }
        let organization = (row.purpose != Purpose::Operation).then_some(row.organization);
        visit.caller(actor.clone());
        visit.organization(row.organization);
        Ok(Self { actor, purpose: row.purpose, organization, visit })
    }
}

/// Looks at the key of a request once more.
///
/// # Errors
/// 401 if it lets nobody in any more.
pub async fn still_holds(parts: &Parts, app: &App) -> Result<(), Refusal> {
    Holder::of(parts, app).await.map(drop)
}

/// Whoever has shown a live key is no stranger, and nor is their connection.
fn introduce(parts: &Parts) {
    if let Some(place) = parts.extensions.get::<Place>() {
        place.known();
    }
}

async fn actor(app: &App, row: &CredentialRow) -> Result<Option<Actor>, Refusal> {
    let name = || row.label.clone();
    Ok(match row.purpose {
        Purpose::Scim => None,
        Purpose::Feed => {
            let (now, found) =
                (app.engine.clock.now(), app.consumers.of_key(row.organization, row.id).await?);
            let held = found.filter(|held| held.until.is_none_or(|until| now < until));
            held.map(|held| Actor::Consumer { consumer: held.consumer, key: row.id })
        }
        Purpose::Audit => Some(Actor::Auditor { auditor: AuditorId(row.id.0) }),
        Purpose::Administration => Some(Actor::Admin { admin: row.id, name: name() }),
        Purpose::Operation => Some(Actor::NamedOperator { operator: row.id, name: name() }),
    })
}

/// The bearer token of a request. Two of them would let whoever stands in between, and us, believe
/// different things.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut sent = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (sent.next(), sent.next()) else { return None };
    let (scheme, key) = value.to_str().ok()?.split_once(' ')?;
    let key = key.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !key.is_empty() && key.len() <= KEY_BYTES)
        .then_some(key)
}

/// A known caller who may not do this.
pub fn not_for(holder: &Holder, needed: &str) -> Refusal {
    let noun = holder.purpose.noun();
    let article = if noun.starts_with(['a', 'o']) { "an" } else { "a" };
    Refusal::new(
        StatusCode::FORBIDDEN,
        format!("this needs {needed}, and the key that was sent is {article} {noun}"),
    )
}
