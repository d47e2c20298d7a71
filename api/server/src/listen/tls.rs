//! TLS in the server itself, for machines without a proxy.

use anyhow::{Context, bail};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// What connections are encrypted with; another certificate takes the place of the first for those
/// that come after it.
#[derive(Clone)]
pub struct Tls {
    certificate: PathBuf,
    key: PathBuf,
    in_force: Arc<Mutex<TlsAcceptor>>,
}

impl Tls {
    /// Reads the certificate with its chain, and its key.
    ///
    /// # Errors
    /// Name the file that cannot be used.
    pub fn read(certificate: &Path, key: &Path) -> anyhow::Result<Self> {
        let in_force = Arc::new(Mutex::new(acceptor(certificate, key)?));
        Ok(Self { certificate: certificate.to_owned(), key: key.to_owned(), in_force })
    }

    /// Reads the files again.
    ///
    /// # Errors
    /// As [`Tls::read`]; what was in force stays so.
    pub fn reload(&self) -> anyhow::Result<()> {
        let fresh = acceptor(&self.certificate, &self.key)?;
        *self.in_force.lock().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(())
    }

    /// Shakes hands.
    ///
    /// # Errors
    /// If the other side does not.
    pub async fn accept(&self, socket: TcpStream) -> std::io::Result<TlsStream<TcpStream>> {
        let acceptor = self.in_force.lock().unwrap_or_else(PoisonError::into_inner).clone();
        acceptor.accept(socket).await
    }
}

fn acceptor(certificate: &Path, key: &Path) -> anyhow::Result<TlsAcceptor> {
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .with_context(|| format!("cannot read the certificate {}", certificate.display()))?;
    if chain.is_empty() {
        bail!("there is no certificate in {}", certificate.display());
    }
    // The text of an error may quote what it could not read.
    let Ok(private) = PrivateKeyDer::from_pem_file(key) else {
        bail!(
            "cannot read a private key from {}: it must be in PEM, without a password",
            key.display()
        );
    };
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .with_context(|| {
            format!("{} is not the key of {}", key.display(), certificate.display())
        })?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
