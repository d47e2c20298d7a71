//! What signatures alone cost, without rules and without a log: what a login costs is measured
//! against it.

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use openssl::hash::{MessageDigest, hash};
use openssl::pkey::{PKey, Public};
use openssl::sign::Verifier;
use openssl::x509::X509;
use rollcall_entra::idp::c14n::canonical;
use roxmltree::{Document, Node};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A signature of a response, taken apart beforehand: RSA with SHA-256.
#[derive(Clone)]
pub struct BareSignature {
    signed: Vec<u8>,
    digest: Vec<u8>,
    signed_info: Vec<u8>,
    value: Vec<u8>,
    key: PKey<Public>,
}

impl BareSignature {
    /// All signatures of a response that is not encrypted.
    pub fn all_of(response_xml: &str) -> Result<Vec<Self>> {
        let document = Document::parse(response_xml)?;
        let signatures: Vec<_> =
            document.descendants().filter(|n| n.tag_name().name() == "Signature").collect();
        ensure!(!signatures.is_empty(), "the response is not signed");
        signatures.into_iter().map(Self::of).collect()
    }

    fn of(signature: Node<'_, '_>) -> Result<Self> {
        let bytes = |name: &str| -> Result<Vec<u8>> {
            let node = signature
                .descendants()
                .find(|n| n.tag_name().name() == name)
                .with_context(|| format!("no {name}"))?;
            let dense: String = node.text().unwrap_or_default().split_whitespace().collect();
            Ok(STANDARD.decode(dense)?)
        };
        let signed = signature.parent_element().context("a signature without what it signs")?;
        let info = signature.first_element_child().context("a signature without SignedInfo")?;
        Ok(Self {
            signed: canonical(signed, Some(signature)).into_bytes(),
            digest: bytes("DigestValue")?,
            signed_info: canonical(info, None).into_bytes(),
            value: bytes("SignatureValue")?,
            key: X509::from_der(&bytes("X509Certificate")?)?.public_key()?,
        })
    }

    /// Whether it holds.
    pub fn verify(&self) -> Result<bool> {
        let digest = hash(MessageDigest::sha256(), &self.signed)?;
        Ok(*digest == *self.digest
            && Verifier::new(MessageDigest::sha256(), &self.key)?
                .verify_oneshot(&self.value, &self.signed_info)?)
    }
}

/// Verifications per second by `threads` threads, which take the messages in turn.
pub fn verifications_per_second<M: Sync>(
    messages: &[M],
    threads: usize,
    time: Duration,
    verify: impl Fn(&M) -> Result<()> + Sync,
) -> Result<f64> {
    ensure!(!messages.is_empty(), "no messages");
    let done = AtomicU64::new(0);
    let begun = Instant::now();
    std::thread::scope(|scope| {
        let work = |first: usize| {
            let (done, verify) = (&done, &verify);
            move || -> Result<()> {
                for message in messages.iter().cycle().skip(first) {
                    if begun.elapsed() >= time {
                        break;
                    }
                    verify(message)?;
                    done.fetch_add(1, Ordering::Relaxed);
                }
                Ok(())
            }
        };
        let threads: Vec<_> =
            (0..threads.max(1)).map(|n| scope.spawn(work(n % messages.len()))).collect();
        threads.into_iter().try_for_each(|thread| {
            thread.join().map_err(|_| anyhow::anyhow!("a thread has panicked"))?
        })
    })?;
    Ok(done.load(Ordering::Relaxed) as f64 / begun.elapsed().as_secs_f64())
}
