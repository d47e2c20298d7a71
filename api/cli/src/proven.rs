//! The operator key is sent to no server that has not shown that it knows it: whoever took the port
//! of a server that was stopped would get it otherwise.

use super::unreachable::Unreachable;
use anyhow::{Context as _, bail};
use hmac::{Hmac, Mac as _};
use rollcall_contract::proof::{ABOUT, ProofOfServer, ProofOfServerQuery};
use rollcall_contract::request_line::Nothing;
use rollcall_contract::route;
use sha2::{Digest as _, Sha256};
use std::io::Read as _;

/// Asks a server for its proof.
///
/// # Errors
/// If it cannot be reached, or does not know the key.
pub async fn prove(http: &reqwest::Client, base: &str, key: &str) -> anyhow::Result<()> {
    let nonce = nonce()?;
    let query = ProofOfServerQuery { nonce: nonce.clone() };
    let target = route::PROVE_SERVER.line(&Nothing, &query)?.target;
    let response = http.get(format!("{base}{target}")).send().await;
    let response = response.with_context(|| Unreachable::at(base))?;
    let status = response.status();
    let said = response.json::<ProofOfServer>().await.ok().filter(|_| status.is_success());
    let mut mac = Hmac::<Sha256>::new_from_slice(hex(&Sha256::digest(key)).as_bytes())?;
    mac.update(format!("{ABOUT}{nonce}").as_bytes());
    let expected = hex(&mac.finalize().into_bytes());
    if said.is_none_or(|said| said.proof != expected) {
        bail!(
            "whoever answers at {base} does not know the operator key (status {status}), and was not sent it: is it the server of this data folder, and of this version?"
        );
    }
    Ok(())
}

fn nonce() -> anyhow::Result<String> {
    let mut bytes = [0; 32];
    let mut source = std::fs::File::open("/dev/urandom").context("no random bytes")?;
    source.read_exact(&mut bytes).context("no random bytes")?;
    Ok(hex(&bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
