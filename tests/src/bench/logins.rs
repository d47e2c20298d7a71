//! Sign-ins with responses that were signed beforehand, and what verifying alone costs.

use super::directory::{external_id, fill, user_name};
use super::signatures::{BareSignature, verifications_per_second};
use super::wire::{Driven, Until, drive, form, status_is};
use crate::server::PUBLIC_URL;
use crate::world::World;
use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use rollcall_entra::idp::{Application, Hash, IdentityProvider, Person, SigningKey, SigningOption};
use samael::crypto::{CertificateDer, Crypto, CryptoProvider as _};
use std::time::Duration;

/// Connections that bring logins.
pub const CONNECTIONS: usize = 8;
const TENANT: &str = "11111111-2222-4333-8444-555555555555";

/// An organization with single sign-on and people who are provisioned.
#[derive(Debug)]
pub struct SignOn {
    provider: IdentityProvider,
    signed: u64,
}

/// Responses of one round, each for one sign-in.
#[derive(Debug)]
pub struct Responses(Vec<String>);

impl SignOn {
    /// Sets single sign-on up for `acme` and provisions `people`.
    pub async fn begin(w: &World, people: u64, now: DateTime<Utc>) -> Result<Self> {
        let at = |action: &str| format!("{PUBLIC_URL}/saml/acme/{action}");
        let provider = IdentityProvider {
            tenant_id: TENANT.to_owned(),
            base_url: "https://login.microsoftonline.com".to_owned(),
            application: Application {
                app_id: "99999999-2222-4333-8444-555555555555".to_owned(),
                entity_id: at("metadata"),
                reply_urls: vec![at("acs")],
                logout_url: None,
            },
            keys: vec![SigningKey::generate(now, 100)?],
            active: 0,
            signing: SigningOption::Assertion,
            hash: Hash::Sha256,
            encrypt_for: None,
            people: (0..people).map(person).collect(),
        };
        let metadata = tempfile::NamedTempFile::new()?;
        std::fs::write(metadata.path(), provider.metadata("_bench")?)?;
        let path = metadata.path().to_str().context("a path in UTF-8")?;
        w.server.cli(&["saml", "configure", "--org", "acme", "--metadata-file", path]).await?;
        w.server
            .cli(&["saml", "policy", "--org", "acme", "--target", "https://app.example/"])
            .await?;
        fill(w, people).await?;
        Ok(Self { provider, signed: 0 })
    }

    /// Signs `count` responses; nobody's turn comes twice in a row.
    pub fn sign(&mut self, count: u64, now: DateTime<Utc>) -> Result<Responses> {
        let (provider, first) = (&self.provider, self.signed);
        let one = |n: u64| -> Result<String> {
            let person = &provider.people[usize::try_from(n)? % provider.people.len()];
            let mut drawn = 0;
            let token = provider.token(person, None, None, now, || {
                drawn += 1;
                format!("_{n:016x}{drawn:016x}")
            });
            Ok(provider.issue(&token)?)
        };
        let halves = std::thread::scope(|scope| {
            let halves = [first..first + count / 2, first + count / 2..first + count];
            let signers =
                halves.map(|half| scope.spawn(|| half.map(one).collect::<Result<Vec<_>>>()));
            signers.map(|signer| {
                signer.join().map_err(|_| anyhow::anyhow!("a signer has panicked"))?
            })
        });
        self.signed += count;
        let mut responses = Vec::with_capacity(usize::try_from(count)?);
        for half in halves {
            responses.extend(half?);
        }
        Ok(Responses(responses))
    }

    /// Verifications of these messages per second by samael, on `threads` threads.
    pub fn verifications(
        &self,
        responses: &Responses,
        threads: usize,
        time: Duration,
    ) -> Result<f64> {
        let key = self.provider.keys.first().context("a key")?;
        let certificate = CertificateDer::from(STANDARD.decode(key.certificate_base64()?)?);
        verifications_per_second(&responses.0, threads, time, |xml| {
            Crypto::verify_signed_xml(xml, &certificate, Some("ID"))
                .context("a good signature does not hold")
        })
    }
}

impl Responses {
    /// Signs everybody in, each response once.
    pub async fn sign_in(&self, w: &World) -> Result<Driven> {
        let authority = w.server.address().authority();
        let prepared: Vec<Vec<u8>> = self
            .0
            .iter()
            .map(|xml| form("/saml/acme/acs", &[("SAMLResponse", &STANDARD.encode(xml))]))
            .collect();
        let count = prepared.len() as u64;
        drive(
            &authority,
            CONNECTIONS,
            Until::Count(count),
            |n| prepared[n as usize].clone(),
            status_is(303),
        )
        .await
    }

    /// Verifications of digest and RSA signature per second, without XML, on `threads` threads.
    pub fn arithmetic(&self, threads: usize, time: Duration) -> Result<f64> {
        let bare =
            self.0.iter().map(|xml| BareSignature::all_of(xml)).collect::<Result<Vec<_>>>()?;
        verifications_per_second(&bare, threads, time, |signatures| {
            for signature in signatures {
                ensure!(signature.verify()?, "a good signature does not hold");
            }
            Ok(())
        })
    }
}

fn person(n: u64) -> Person {
    let name = user_name(n);
    Person {
        object_id: external_id(n),
        mail: name.clone(),
        user_principal_name: name,
        given_name: "Person".to_owned(),
        surname: format!("Number{n:07}"),
        display_name: format!("Person {n:07}"),
        groups: Vec::new(),
        guest_of: None,
        unassigned: false,
    }
}
