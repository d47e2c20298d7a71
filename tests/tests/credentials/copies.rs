//! An organization made from a bundle stands beside the one that it was made of: its credentials
//! are other ones, and let nobody in.

use crate::asking::{TOKEN, add, federate, shown, token};
use anyhow::{Context as _, Result, ensure};
use rollcall_tests::on_both;
use rollcall_tests::world::World;
use serde_json::Value;

async fn clients(w: &World, org: &str) -> Result<Vec<String>> {
    let list = w.server.cli(&["scim", "credential", "list", "--org", org]).await?;
    let list = list.as_array().context("a list")?;
    Ok(list.iter().filter_map(|c| c["client_id"].as_str().map(str::to_owned)).collect())
}

async fn users(w: &World, org: &str) -> Result<usize> {
    let list = w.server.cli(&["directory", "users", "--org", org]).await?;
    Ok(list["resources"].as_array().or_else(|| list.as_array()).context("users")?.len())
}

async fn a_copy_takes_nobody_away(w: &mut World) -> Result<()> {
    let http = w.scim.http().fresh();
    let client = add(&w.server, "acme").await?;
    let trusted = federate(&w.server, "acme", "https://login.microsoftonline.com").await?;
    let before = token(http.send(client.basic(TOKEN)).await?)?;
    w.scim.with_token(&before).create_user("first@contoso.example").await?;

    let folder = tempfile::tempdir()?;
    let file = folder.path().join("bundle").display().to_string();
    w.server.cli(&["bundle", "export", "--org", "acme", "--file", &file]).await?;
    w.server.cli(&["bundle", "import", "--file", &file, "--domain", "copy"]).await?;
    let (ours, theirs) = (clients(w, "acme").await?, clients(w, "copy").await?);
    ensure!(ours.contains(&client.id) && ours.contains(&trusted), "{ours:?}");
    ensure!(theirs.len() == ours.len(), "{theirs:?} of {ours:?}");
    ensure!(theirs.iter().all(|id| !ours.contains(id)), "{theirs:?} of {ours:?}");

    // The row of a credential is written anew: nothing hangs on the order of rows.
    let rotated =
        w.server.cli(&["scim", "credential", "rotate", "--org", "acme", &client.id]).await?;
    let after = token(http.send(shown(&rotated)?.basic(TOKEN)).await?)?;
    let audience = ["--audience", "api://one-more"];
    let trust = ["scim", "credential", "trust", "--org", "acme", &trusted];
    let _: Value = w.server.cli(&[&trust[..], &audience].concat()).await?;
    let (here, there) = (users(w, "acme").await?, users(w, "copy").await?);
    for (n, token) in [&before, &after].into_iter().enumerate() {
        w.scim.with_token(token).create_user(&format!("next{n}@contoso.example")).await?;
    }
    ensure!(users(w, "acme").await? == here + 2, "users went elsewhere");
    ensure!(users(w, "copy").await? == there, "users came from elsewhere");
    Ok(())
}
on_both!(a_copy_takes_nobody_away);
