//! Whose key a request came with.

use super::signed_in::{Inside, LocalAccount, SignedIn};
use crate::exchange::Visit;
use crate::strangers::Place;
use crate::{App, Refusal};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use rollcall_domain::actor::Actor;
use rollcall_domain::credential::Purpose;
use rollcall_domain::ids::OrganizationId;
use rollcall_engine::secrets::{same, sha256_hex};

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
        let shows_a_key = parts.headers.contains_key(header::AUTHORIZATION);
        let local = parts.extensions.get::<LocalAccount>().filter(|_| !shows_a_key);
        let signed_in = match (parts.extensions.get::<SignedIn>(), local) {
            (Some(signed_in), _) => signed_in.clone(),
            (None, Some(local)) => SignedIn::local(local),
            (None, None) => by_key(parts, app, &visit).await?,
        };
        let SignedIn { actor, purpose, organization, home, .. } = signed_in;
        visit.caller(actor.clone());
        visit.organization(home);
        Ok(Self { actor, purpose, organization, visit })
    }
}

/// Looks at the key of a request once more.
///
/// # Errors
/// 401 if it lets nobody in any more.
pub async fn still_holds(parts: &Parts, app: &App) -> Result<(), Refusal> {
    Holder::of(parts, app).await.map(drop)
}

/// The holder of the key that a request came with, within the limits of strangers and of the key.
async fn by_key(parts: &Parts, app: &App, visit: &Visit) -> Result<SignedIn, Refusal> {
    let nobody = || {
        Refusal::new(
            StatusCode::UNAUTHORIZED,
            "send a live key as a bearer token: the operator's lies in DIR/operator.key",
        )
    };
    let key = bearer(&parts.headers).ok_or_else(nobody)?;
    let sha256 = sha256_hex(key);
    let acquaintances = &app.strangers.acquaintances;
    // Who has the key of the data folder waits for no stranger.
    let turn = match same(&sha256, &app.operator_sha256) {
        true => None,
        false => Some(acquaintances.turn(&sha256).await),
    };
    let found = SignedIn::by_key(app, key).await?;
    drop(turn);
    acquaintances.found(&sha256, found.is_some());
    if found.as_ref().is_some_and(|found| found.purpose == Purpose::Operation)
        && !Inside::is_open(app, &parts.extensions)
    {
        return Err(Refusal::new(
            StatusCode::FORBIDDEN,
            "operators come in through the socket of the data folder, or at --admin-listen",
        ));
    }
    let Some(signed_in) = found else {
        return Err(match app.strangers.wrong_keys.admits(visit.from()) {
            true => nobody(),
            false => Refusal::new(
                StatusCode::TOO_MANY_REQUESTS,
                "too many wrong keys from this address: try again in a minute",
            ),
        });
    };
    introduce(parts);
    if signed_in.credential.is_some_and(|id| !app.keys.admits(id)) {
        return Err(Refusal::new(
            StatusCode::TOO_MANY_REQUESTS,
            "too many requests with this key: slow down",
        ));
    }
    Ok(signed_in)
}

/// Whoever has shown a live key is no stranger, and nor is their connection.
fn introduce(parts: &Parts) {
    if let Some(place) = parts.extensions.get::<Place>() {
        place.known();
    }
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
