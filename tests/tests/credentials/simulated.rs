//! `rollcall simulate entra` with each kind of credential, against the real server.

use crate::asking::{GRANT, IDS, TOKEN, add, federate, form, token};
use anyhow::{Result, ensure};
use rollcall_tests::scim::BASE;
use rollcall_tests::server::{Server, Store, run};
use rollcall_tests::world::World;
use serde_json::Value;
use std::net::TcpListener;
use std::path::Path;

/// Two cycles of a small tenant; gives what the command says.
fn simulate(server: &Server, flags: &[&str]) -> Result<Value> {
    let base = server.address().url();
    let (tenant_url, token_url) = (format!("{base}{BASE}"), format!("{base}{TOKEN}"));
    let about = ["--url", &tenant_url, "--token-url", &token_url, "--json"];
    let size = ["--users", "12", "--cycles", "2"];
    let args = [&["simulate", "entra"][..], &about, &size, flags].concat();
    let output = tokio::task::block_in_place(|| run(&args))?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(output.status.success(), "{flags:?}: {said}");
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn went_well(said: &Value) -> Result<()> {
    let runs = &said["runs"];
    ensure!(runs["initial"] == 1 && runs["incremental"] == 1, "{said}");
    ensure!(said["failed_runs"] == 0 && said["statuses"]["401"].is_null(), "{said}");
    Ok(())
}

fn file(folder: &Path, name: &str, text: &str) -> Result<String> {
    let path = folder.join(name);
    std::fs::write(&path, text)?;
    Ok(path.to_string_lossy().into_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_shows_who_it_is_in_each_way() -> Result<()> {
    // The server has to be told where the keys are before they are published.
    let published = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let (authority, at) = (format!("http://{published}"), published.to_string());
    let flags = ["--allow-private-outbound", "127.0.0.0/8", "--federation-authorities", &authority];
    let server = Server::start_with(Store::Sqlite, &std::env::temp_dir(), &flags).await?;
    let world = World::around(server).await?;
    let (server, http) = (&world.server, world.scim.http());
    let folder = tempfile::tempdir()?;

    let client = add(server, "acme").await?;
    let secret = file(folder.path(), "secret", &format!("{}\n", client.secret))?;
    let with_secret = ["--client-id", &client.id, "--client-secret-file", &secret];
    went_well(&simulate(server, &with_secret)?)?;

    let got = token(http.send(client.basic(TOKEN)).await?)?;
    let got = file(folder.path(), "token", &got)?;
    went_well(&simulate(server, &[&with_secret[..], &["--access-token-file", &got]].concat())?)?;

    let client = federate(server, "acme", &authority).await?;
    let [tenant, subject, application] = IDS.map(|id| id.to_string());
    let signed = [
        "--client-id",
        &client,
        "--publish-keys",
        &at,
        "--tenant-id",
        &tenant,
        "--subject",
        &subject,
        "--application",
        &application,
    ];
    went_well(&simulate(server, &signed)?)?;

    // Somebody else's principal is refused, and the tenant sees that nothing goes.
    let other = IDS[0].to_string();
    let wrong: Vec<&str> =
        signed.iter().map(|f| if *f == subject { &*other } else { *f }).collect();
    ensure!(simulate(server, &wrong).is_err(), "another principal was let in");
    let answer = http.send(form(TOKEN, format!("{GRANT}&client_id={client}"))).await?;
    ensure!(answer.status == 401, "{}", answer.text());
    Ok(())
}

#[test]
fn flags_that_do_not_belong_together_are_refused() -> Result<()> {
    let id = IDS[0].to_string();
    let way = ["--client-id", &id, "--token-url", "http://127.0.0.1:9/token"];
    let cases: [(&[&str], &str); 4] = [
        (&[], "--client-secret-file or --publish-keys"),
        (&["--publish-keys", "127.0.0.1:0"], "--tenant-id"),
        (&["--publish-keys", "127.0.0.1:0", "--client-secret-file", "x"], "cannot be used with"),
        (&["--client-secret-file", "/nowhere/secret"], "cannot read /nowhere/secret"),
    ];
    for (flags, told) in cases {
        let args = [&["simulate", "entra", "--url", "http://127.0.0.1:9"][..], &way, flags];
        let output = run(&args.concat())?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(output.status.code() == Some(2) && said.contains(told), "{flags:?}: {said}");
    }
    let ids = ["--tenant-id", &id, "--subject", &id, "--application", &id];
    let args = [&["simulate", "entra"][..], &way, &["--publish-keys", "192.0.2.1:80"], &ids];
    let output = run(&args.concat())?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(output.status.code() == Some(2) && said.contains("stay on this machine"), "{said}");
    Ok(())
}
