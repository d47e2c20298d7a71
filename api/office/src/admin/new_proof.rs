//! What proves a new credential, made of what was asked for.

use rollcall_contract::credentials::NewProof;
use rollcall_domain::credential::federation::{self, AUTHORITIES};
use rollcall_domain::credential::{CLIENT_SECRET_PREFIX, KeySource, Proof, Purpose};
use rollcall_door::{App, Refusal};
use rollcall_engine::secrets::sha256_hex;
use rollcall_jose::KeySet;
use rollcall_outbound::{Bounds, fetch};
use std::time::Duration;
use url::Url;

/// What is to be shown once.
pub enum Secret {
    /// Nothing.
    None,
    /// A bearer token.
    Token(String),
    /// A client's secret.
    Client(String),
}

/// How much of a document of keys is read, and for how long.
const BOUNDS: Bounds = Bounds { bytes: 1024 * 1024, patience: Duration::from_secs(8) };

/// Draws a secret where one is needed, and checks what was given: keys are fetched once now, so
/// that a mistake shows here, and not at the client's first request.
///
/// # Errors
/// 400 if it cannot prove anything.
pub async fn of(app: &App, asked: NewProof) -> Result<(Proof, Secret), Refusal> {
    match asked {
        NewProof::Token {} => {
            let token = app.engine.ids.secret(Purpose::Scim.token_prefix());
            Ok((Proof::Token { sha256: sha256_hex(&token) }, Secret::Token(token)))
        }
        NewProof::ClientSecret {} => {
            let secret = app.engine.ids.secret(CLIENT_SECRET_PREFIX);
            Ok((Proof::ClientSecret { sha256: sha256_hex(&secret) }, Secret::Client(secret)))
        }
        NewProof::PrivateKeyJwt { jwks_url, jwks } => {
            let keys = match (jwks_url, jwks) {
                (Some(url), None) => {
                    let fetched = fetch(&url, &app.outbound, BOUNDS).await;
                    let document = fetched.map_err(|e| unusable("the address", &e))?;
                    KeySet::to_keep(&document).map_err(|e| unusable("the document", &e))?;
                    KeySource::Url(url)
                }
                (None, Some(document)) => {
                    let kept = KeySet::to_keep(document.as_bytes());
                    KeySource::Document(kept.map_err(|e| unusable("the document", &e))?)
                }
                _ => {
                    return Err(Refusal::bad_request(
                        "give the client's public keys, as jwks_url or as jwks",
                    ));
                }
            };
            Ok((Proof::PrivateKeyJwt { keys }, Secret::None))
        }
        NewProof::Federated { tenant, subject, application, authority, authorized_party } => {
            let authority = authority.unwrap_or_else(|| AUTHORITIES[0].to_owned());
            if !is_trusted(app, &authority) {
                return Err(Refusal::bad_request(format!(
                    "the authority must be one of {}, or one that the operator names with --federation-authorities",
                    AUTHORITIES.join(", ")
                )));
            }
            let host = Url::parse(&app.public_url).ok();
            let host = host.as_ref().and_then(Url::host_str).unwrap_or_default();
            let authorized_party = authorized_party.map(|party| party.to_string());
            let proof =
                federation::trust(&authority, tenant, subject, application, host, authorized_party);
            Ok((proof, Secret::None))
        }
    }
}

fn is_trusted(app: &App, authority: &str) -> bool {
    let more = app.config.federation_authorities.split(',').map(str::trim);
    let mut all = AUTHORITIES.into_iter().chain(more.filter(|more| !more.is_empty()));
    all.any(|known| known.trim_end_matches('/') == authority.trim_end_matches('/'))
}

fn unusable(what: &str, error: &dyn std::fmt::Display) -> Refusal {
    Refusal::bad_request(format!("{what} of the keys cannot be used: {error}"))
}
