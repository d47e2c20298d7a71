//! `rollcall simulate idp`

use anyhow::{Context as _, Result};
use clap::{Args, ValueEnum};
use rollcall_cli::{Exit, Failure, ServerArgs, output, usage};
use rollcall_engine::clock::Clock;
use rollcall_engine::ids::{Ids, Random};
use rollcall_entra::idp::server::{Ambient, Shared, serve};
use rollcall_entra::idp::{Application, Hash, IdentityProvider, Person, SigningKey, SigningOption};
use serde_json::json;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use uuid::Builder;

/// Days that Entra's certificates are valid.
const CERTIFICATE_DAYS: i64 = 1_095;

/// What the identity provider signs.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Sign {
    /// Entra's default
    Assertion,
    Response,
    Both,
}

/// What it is like.
#[derive(Debug, Args)]
pub struct Idp {
    /// Where to listen; loopback only: it signs in whoever asks
    #[arg(long, default_value = "127.0.0.1:7001", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// "Identifier" of the application
    #[arg(long, value_name = "URI")]
    identifier: String,
    /// "Reply URL" of the application
    #[arg(long, value_name = "URL")]
    reply_url: String,
    /// "Logout Url" of the application
    #[arg(long, value_name = "URL")]
    logout_url: Option<String>,
    /// The tenant's id
    #[arg(long, default_value = "7c9e6679-7425-40de-944b-e07fc1f90ae7", value_name = "GUID")]
    tenant: String,
    /// Who can sign in: UPN, object id and display name, separated by commas; may be given again
    #[arg(long = "user", value_name = "UPN,OID,NAME")]
    users: Vec<String>,
    /// What is signed
    #[arg(long, value_enum, default_value = "assertion")]
    sign: Sign,
    /// Encrypt assertions for this certificate (a PEM file)
    #[arg(long, value_name = "FILE")]
    encrypt_for: Option<PathBuf>,
    /// Also write the metadata to a file
    #[arg(long, value_name = "FILE")]
    metadata_out: Option<PathBuf>,
}

/// Runs it until it is stopped.
pub async fn run(command: Idp, server: ServerArgs) -> Result<Exit, Failure> {
    if !command.listen.ip().is_loopback() {
        return Err(usage(anyhow::anyhow!(
            "--listen must be a loopback address: this provider signs in whoever asks"
        )));
    }
    Ok(provide(command, server).await?)
}

async fn provide(command: Idp, server: ServerArgs) -> Result<Exit> {
    let listener = tokio::net::TcpListener::bind(command.listen)
        .await
        .with_context(|| format!("cannot listen on {}", command.listen))?;
    let address = listener.local_addr()?;
    let clock = Clock::system();
    let ids = Ids::new(clock.clone(), Random::system());
    let id: Arc<dyn Fn() -> String + Send + Sync> = Arc::new(move || message_id(&ids));
    let provider = provider(&command, address, &clock)?;
    if let Some(path) = &command.metadata_out {
        std::fs::write(path, provider.metadata(&id())?)
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    let tile = format!("http://{address}/{}/tile", provider.tenant_id);
    if server.json {
        output::json(&json!({
            "metadata_url": provider.metadata_url(),
            "entity_id": provider.entity_id(),
            "sign_on_url": provider.saml_url(),
            "tile_url": tile,
            "certificate_sha256": provider.keys[0].sha256()?,
            "users": provider.people.iter().map(|p| &p.user_principal_name).collect::<Vec<_>>(),
        }))?;
    } else {
        output::pairs(&[
            ("Metadata URL", provider.metadata_url()),
            ("Entity id", provider.entity_id()),
            ("My Apps tile", tile),
            (
                "Users",
                provider
                    .people
                    .iter()
                    .map(|p| p.user_principal_name.as_str())
                    .collect::<Vec<_>>()
                    .join(", "),
            ),
        ]);
    }
    let shared = Shared::new(provider, Ambient { now: Arc::new(move || clock.now()), id });
    tokio::select! {
        served = serve(listener, shared) => served?,
        stopped = tokio::signal::ctrl_c() => stopped?,
    }
    Ok(Exit::Success)
}

/// An underscore and a GUID, as Entra writes them.
fn message_id(ids: &Ids) -> String {
    let mut half = [0; 16];
    half.copy_from_slice(&ids.key()[..16]);
    format!("_{}", Builder::from_random_bytes(half).into_uuid())
}

fn provider(command: &Idp, address: SocketAddr, clock: &Clock) -> Result<IdentityProvider> {
    let people = if command.users.is_empty() {
        vec![person("ada.keller@contoso.example,0b1b9b1e-7f0c-4b6a-9d6a-2f2f5a4a7a10,Ada Keller")?]
    } else {
        command.users.iter().map(|user| person(user)).collect::<Result<_>>()?
    };
    let encrypt_for = command.encrypt_for.as_deref().map(certificate).transpose()?;
    Ok(IdentityProvider {
        tenant_id: command.tenant.clone(),
        base_url: format!("http://{address}"),
        application: Application {
            app_id: "5f0c7b3e-0000-4000-8000-000000000001".to_owned(),
            entity_id: command.identifier.clone(),
            reply_urls: vec![command.reply_url.clone()],
            logout_url: command.logout_url.clone(),
        },
        keys: vec![SigningKey::generate(clock.now(), CERTIFICATE_DAYS)?],
        active: 0,
        signing: match command.sign {
            Sign::Assertion => SigningOption::Assertion,
            Sign::Response => SigningOption::Response,
            Sign::Both => SigningOption::Both,
        },
        hash: Hash::default(),
        encrypt_for,
        people,
    })
}

fn person(user: &str) -> Result<Person> {
    let parts: Vec<&str> = user.splitn(3, ',').map(str::trim).collect();
    let [upn, object_id, name] = parts.as_slice() else {
        anyhow::bail!("--user takes a UPN, an object id and a name, separated by commas: {user}");
    };
    let (given_name, surname) = name.split_once(' ').unwrap_or((name, ""));
    Ok(Person {
        object_id: (*object_id).to_owned(),
        user_principal_name: (*upn).to_owned(),
        mail: (*upn).to_owned(),
        given_name: given_name.to_owned(),
        surname: surname.to_owned(),
        display_name: (*name).to_owned(),
        guest_of: upn.contains("#EXT#").then(|| "live.com".to_owned()),
        ..Person::default()
    })
}

/// The DER of the first certificate in a PEM file.
fn certificate(path: &std::path::Path) -> Result<Vec<u8>> {
    let pem = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    rollcall_entra::idp::encrypt::certificate_der(&pem)
        .with_context(|| format!("{} holds no certificate", path.display()))
}
