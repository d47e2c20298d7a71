//! Two processes on one database: a session of one is a session of both, and so is its end.

use super::visitor::Visitor;
use anyhow::{Context as _, Result, ensure};
use rollcall_tests::http::Http;
use rollcall_tests::server::{Server, Store};
use rollcall_tests::world::{organization, start_cluster};

#[tokio::test]
async fn a_session_is_one_of_both() {
    let cluster = start_cluster().await;
    let told = story(&cluster.url()).await;
    if let Err(e) = told {
        panic!("{e:?}");
    }
}

async fn story(database: &str) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let key = folder.path().join("deployment.key");
    let key = key.to_str().context("a path")?;
    let flags = ["--rate-limit", "0", "--deployment-key-file", key];
    let store = || Store::Postgres(database.to_owned());
    let one = Server::start_with(store(), &std::env::temp_dir(), &flags).await?;
    let two = Server::start_with(store(), &std::env::temp_dir(), &flags).await?;
    organization(&one, "Acme", "acme").await?;
    let invite = ["console", "invite", "--org", "acme", "--role", "admin", "--label", "Ada"];
    let link = one.cli(&invite).await?;
    let link = link["url"].as_str().context("url")?;
    // Made at one, used at the other, once in all.
    let mut here = visitor(&two);
    here.redeem(link).await?.expect(303)?;
    visitor(&one).redeem(link).await?.expect(404)?;
    let mut there = here.at(one.address());
    there.get("/o/acme").await?.expect(200)?;
    let token = there.token("/o/acme").await?;
    let fields = [("token", token.as_str()), ("do", "generate")];
    there.post("/o/acme/connection/sso", &fields).await?.expect(303)?;
    let page = here.get("/o/acme/connection").await?.expect(200)?.text();
    ensure!(page.contains("SHA-256"), "what was done at one is not seen at the other");
    there.post("/sign-out", &[("token", &token)]).await?.expect(303)?;
    here.get("/o/acme").await?.expect(303)?;
    Ok(())
}

fn visitor(server: &Server) -> Visitor {
    Visitor::new(Http::new(server.address()))
}
