//! Certificates for servers at `localhost`, made by OpenSSL.

use anyhow::{Context as _, Result, ensure};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A certificate of its own authority, good for 30 days.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// The certificate (PEM).
    pub file: PathBuf,
    /// Its private key (PEM).
    pub key: PathBuf,
}

impl Certificate {
    /// Makes one in a folder, as `NAME.pem` and `NAME.key`.
    pub fn new(folder: &Path, name: &str) -> Result<Self> {
        let (file, key) = (folder.join(format!("{name}.pem")), folder.join(format!("{name}.key")));
        let made = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"])
            .args(["-nodes", "-days", "30", "-subj", &format!("/CN={name}")])
            .args(["-addext", "subjectAltName=DNS:localhost"])
            .args(["-addext", "basicConstraints=critical,CA:FALSE", "-keyout"])
            .arg(&key)
            .arg("-out")
            .arg(&file)
            .output()
            .context("openssl is missing: `make deps`")?;
        ensure!(made.status.success(), "{made:?}");
        Ok(Self { file, key })
    }
}
