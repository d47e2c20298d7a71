//! The operator key, and how secrets are compared.

use crate::ids::Ids;
use anyhow::{Context, bail};
use hmac::{Hmac, Mac as _};
use rollcall_domain::credential::Purpose;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use subtle::ConstantTimeEq;

/// Operator keys begin with this.
pub const OPERATOR_PREFIX: &str = Purpose::Operation.token_prefix();

/// SHA-256 of a secret, in lower-case hex: all that is kept of it.
pub fn sha256_hex(secret: &str) -> String {
    Sha256::digest(secret.as_bytes()).iter().fold(String::with_capacity(64), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// HMAC-SHA256 of a text under a key that is a text, in lower-case hex.
#[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
pub fn hmac_hex(key: &str, text: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("a key of any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Compares in a time that does not depend on where the two differ.
pub fn same(a: &str, b: &str) -> bool {
    a.as_bytes().ct_eq(b.as_bytes()).into()
}

/// A key that is shorter can be guessed.
const KEY_CHARACTERS: usize = 32;

/// Where the operator key lies.
pub fn operator_key_path(data: &Path) -> PathBuf {
    data.join("operator.key")
}

/// Reads the operator key, made on first use with mode 0600.
pub fn operator_key(data: &Path, ids: &Ids) -> anyhow::Result<String> {
    let path = operator_key_path(data);
    let key = key_file(&path, || ids.secret(OPERATOR_PREFIX))?;
    if key.len() < KEY_CHARACTERS {
        bail!(
            "the key in {} has {} characters, and can be guessed: it needs {KEY_CHARACTERS}; remove it and start the server again",
            path.display(),
            key.len()
        );
    }
    Ok(key)
}

/// Reads a key from its file, made on first use with mode 0600.
pub fn key_file(path: &Path, make: impl FnOnce() -> String) -> anyhow::Result<String> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(mut file) => {
            let key = make();
            file.write_all(format!("{key}\n").as_bytes())
                .and_then(|()| file.sync_all())
                .with_context(|| format!("cannot write {}", path.display()))?;
            Ok(key)
        }
        Err(e) if e.kind() == ErrorKind::AlreadyExists => {
            let found = fs::metadata(path)?;
            // As secrets are given to a container: root's, to be read by its group.
            let given = found.uid() == 0 && found.mode() & 0o337 == 0;
            if found.mode() & 0o077 != 0 && !given {
                bail!(
                    "{} can be read by others: run chmod 600 {0} and start again",
                    path.display()
                );
            }
            let key = fs::read_to_string(path)
                .with_context(|| format!("cannot read {}", path.display()))?;
            match key.trim() {
                "" => bail!("{} is empty: remove it and start the server again", path.display()),
                key => Ok(key.to_owned()),
            }
        }
        Err(e) => Err(e).with_context(|| format!("cannot write {}", path.display())),
    }
}
