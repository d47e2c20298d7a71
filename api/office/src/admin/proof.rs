//! Shows that this server knows the operator key: whoever has it sends it to no server that does not.

use axum::Json;
use axum::extract::{Query, State};
use rollcall_contract::Problem;
use rollcall_contract::proof::{ABOUT, ProofOfServer, ProofOfServerQuery};
use rollcall_door::{App, Refusal};
use rollcall_engine::secrets::hmac_hex;
use std::sync::Arc;

/// Characters of a nonce.
const NONCE: usize = 64;

/// Proves that the server knows the operator key, without telling anything of it. Needs no key.
#[utoipa::path(
    get,
    path = "/api/v1/server/proof",
    tag = "server",
    params(ProofOfServerQuery),
    responses((status = 200, body = ProofOfServer), (status = 400, body = Problem)),
)]
pub async fn prove(
    State(app): State<Arc<App>>,
    Query(query): Query<ProofOfServerQuery>,
) -> Result<Json<ProofOfServer>, Refusal> {
    let nonce = &query.nonce;
    if nonce.len() != NONCE || !nonce.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(Refusal::parameter("nonce", "a nonce is 32 random bytes in hex".to_owned()));
    }
    let proof = hmac_hex(&app.operator_sha256, &format!("{ABOUT}{nonce}"));
    Ok(Json(ProofOfServer { proof }))
}
