//! What the other kinds have of their own: an audience that is not trusted, keys of the client's
//! own, the doctor; and no secret in any file afterwards.

use crate::asking::{Federation, add, asserting, refused, token};
use anyhow::{Context as _, Result, ensure};
use rollcall_entra::credential::Signer;
use rollcall_tests::clock::now;
use rollcall_tests::server::{Server, Store};
use rollcall_tests::world::World;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;
use uuid::Uuid;

/// A tenant that names us otherwise than before is let in by one command, and nobody else is.
#[tokio::test]
async fn an_audience_that_changed_is_trusted_by_one_command() -> Result<()> {
    let mut federation = Federation::start().await?;
    let signer = federation.signer.clone();
    let mut claims = signer.claims(now());
    claims["aud"] = json!("api://another-name");
    let renamed = signer.signed(&claims)?;
    claims["tid"] = json!(Uuid::from_u128(9));
    claims["aud"] = json!("api://of-another-tenant");
    let foreign = signer.signed(&claims)?;
    for assertion in [&renamed, &foreign] {
        refused(&federation.ask(assertion).await?, 401, "invalid_client")?;
    }
    // Keys were fetched for neither: what could not be right with any key asks for none. Once they
    // are at hand, the finding is whole.
    token(federation.ask(&signer.assertion(now())).await?)?;
    refused(&federation.ask(&renamed).await?, 401, "invalid_client")?;
    let list =
        async |w: &World| w.server.cli(&["scim", "credential", "list", "--org", "acme"]).await;
    let refused_audiences = |list: &Value| -> Vec<Value> {
        let all = list.as_array().into_iter().flatten();
        all.flat_map(|c| c["refused_audiences"].as_array().cloned().unwrap_or_default()).collect()
    };
    let seen = refused_audiences(&list(&federation.world).await?);
    ensure!(seen.len() == 1 && seen[0]["audience"] == "api://another-name", "{seen:?}");
    let trust = ["scim", "credential", "trust", "--org", "acme", &federation.client];
    let trust = [&trust[..], &["--audience", "api://another-name"]].concat();
    federation.world.server.cli(&trust).await?;
    let good = token(federation.ask(&renamed).await?)?;
    federation.world.scim.with_token(&good).get("/Users").await?.expect(200)?;
    refused(&federation.ask(&foreign).await?, 401, "invalid_client")?;
    ensure!(refused_audiences(&list(&federation.world).await?).is_empty());

    // Nothing of it is in any file.
    let client = add(&federation.world.server, "acme").await?;
    let access = client.token(federation.world.scim.http()).await?;
    federation.world.scim.with_token(&access).get("/Users").await?.expect(200)?;
    let metrics = federation.world.admin.get("/metrics").await?.expect(200)?.body.to_vec();
    let server = &mut federation.world.server;
    ensure!(server.terminate().await?.success(), "the server did not end well");
    let mut files = vec![
        (PathBuf::from("/metrics"), metrics),
        (server.log_file(), std::fs::read(server.log_file())?),
    ];
    read_all(&server.data(), &mut files)?;
    let signature = |assertion: &str| assertion.rsplit('.').next().unwrap_or_default().to_owned();
    let claims = |assertion: &str| assertion.split('.').nth(1).unwrap_or_default().to_owned();
    let secrets =
        [client.secret, access, good, signature(&renamed), claims(&renamed), signature(&foreign)];
    ensure!(files.iter().any(|(_, bytes)| holds(bytes, "another-name")), "the log is not there");
    for (path, bytes) in &files {
        for secret in &secrets {
            ensure!(
                secret.len() > 40 && !holds(bytes, secret),
                "a secret is in {}",
                path.display()
            );
        }
    }
    Ok(())
}

fn read_all(folder: &Path, files: &mut Vec<(PathBuf, Vec<u8>)>) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        match path.is_dir() {
            true => read_all(&path, files)?,
            false => files.push((path.clone(), std::fs::read(&path)?)),
        }
    }
    Ok(())
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

/// A client that signs by itself (RFC 7523 section 3).
#[tokio::test]
async fn keys_of_the_clients_own() -> Result<()> {
    let w = World::new(Store::Sqlite).await?;
    let own = Signer::new("unused", [Uuid::nil(); 3], "unused")?;
    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(file.path(), own.keys().to_string())?;
    let path = file.path().to_str().context("a path")?;
    let add = ["scim", "credential", "add", "--org", "acme", "--kind", "private-key-jwt"];
    let added = w.server.cli(&[&add[..], &["--jwks-file", path]].concat()).await?;
    let id = added["client_id"].as_str().context("a client id")?.to_owned();
    let url = added["token_url"].as_str().context("a token endpoint")?.to_owned();
    let claims = |issuer: &str, audience: &str, life: i64| {
        let now = now().timestamp();
        json!({"iss": issuer, "sub": issuer, "aud": audience, "exp": now + life, "jti": "1"})
    };
    let ask = async |claims: Value| {
        let assertion = own.signed(&claims)?;
        w.scim.http().send(asserting(&id, &assertion)).await
    };
    let answer = ask(claims(&id, &url, 60)).await?.expect_json(200)?;
    ensure!(answer["expires_in"] == 3_600, "it says who asks, not for how long: {answer}");
    for (claims, why) in [
        (claims(&id, "https://elsewhere.example/token", 60), "audience"),
        (claims("00000000-0000-0000-0000-000000000001", &url, 60), "issuer"),
        (claims(&id, &url, -61), "expiry"),
        (claims(&id, &url, 90_000), "lifetime"),
    ] {
        let answer = ask(claims).await?;
        refused(&answer, 401, "invalid_client").with_context(|| why)?;
        let exchange = answer.header("exchange-id").context("an exchange")?;
        let path = format!("/api/v1/organizations/acme/exchanges/{exchange}");
        let kept = w.admin.get(&path).await?.expect_json(200)?;
        let detail = kept["exchange"]["answer"]["detail"].as_str().unwrap_or_default().to_owned();
        ensure!(detail.ends_with(why), "{detail}");
    }
    Ok(())
}

/// Clients that live, but for the token that Entra has.
async fn live_secrets(w: &World) -> Result<usize> {
    let list = w.server.cli(&["scim", "credential", "list", "--org", "acme"]).await?;
    let live = |c: &&Value| c["state"] == "live" && c["kind"] == "client-secret";
    Ok(list.as_array().context("a list")?.iter().filter(live).count())
}

/// A doctor who is told to stop while the public URL gives no answer leaves nothing behind either.
#[tokio::test]
async fn a_doctor_who_is_stopped_leaves_no_credential() -> Result<()> {
    for signal in ["-INT", "-TERM"] {
        let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", silent.local_addr()?);
        let flags = ["--public-url", url.as_str()];
        let server = Server::start_with(Store::Sqlite, &std::env::temp_dir(), &flags).await?;
        let w = World::around(server).await?;
        let mut doctor = w.server.command_line(&["doctor", "entra", "--org", "acme"]).spawn()?;
        let _asked = silent.accept().await?;
        ensure!(live_secrets(&w).await? == 1);
        Command::new("kill").args([signal, &doctor.id().to_string()]).status()?;
        let ended = tokio::task::spawn_blocking(move || doctor.wait()).await??;
        ensure!(ended.code() == Some(3), "{ended:?}");
        ensure!(live_secrets(&w).await? == 0, "{signal}");
    }
    Ok(())
}

/// The doctor plays Entra's part, says so, and leaves nothing behind.
#[tokio::test]
async fn the_doctor_sees_what_entra_would() -> Result<()> {
    let probe = std::net::TcpListener::bind("127.0.0.1:0")?;
    let address = probe.local_addr()?.to_string();
    drop(probe);
    let url = format!("http://{address}");
    let flags = ["--public-url", url.as_str(), "--listen", address.as_str()];
    let server = Server::start_with(Store::Sqlite, &std::env::temp_dir(), &flags).await?;
    let w = World::around(server).await?;
    let output = w.server.command(&["doctor", "entra", "--org", "acme"]).await?;
    let report: Value = serde_json::from_slice(&output.stdout)?;
    let steps = report.as_array().context("steps")?;
    let failed: Vec<&Value> = steps.iter().filter(|step| step["outcome"] == "failed").collect();
    ensure!(output.status.success() && failed.is_empty() && steps.len() >= 11, "{report}");
    ensure!(live_secrets(&w).await? == 0);

    w.server.cli(&["scim", "disable", "--org", "acme"]).await?;
    let output = w.server.command(&["doctor", "entra", "--org", "acme"]).await?;
    ensure!(output.status.code() == Some(1), "{:?}", output.status);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(said.contains("switched off"), "{said}");
    Ok(())
}
