//! Credentials on their page: added, shown once, given a new secret, revoked by who types the slug.

use super::visitor::{Site, Visitor};
use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

const PAGE: &str = "/o/acme/credentials";

#[tokio::test]
async fn a_credential_lives_on_its_page() {
    if let Err(e) = story().await {
        panic!("{e:?}");
    }
}

/// What is in the output with this id.
fn output(html: &str, id: &str) -> Result<String> {
    let at = html.find(&format!("id=\"{id}\"")).with_context(|| format!("no {id} in {html}"))?;
    let text = html[at..].split('>').nth(1).and_then(|rest| rest.split('<').next());
    Ok(text.unwrap_or_default().to_owned())
}

async fn change(admin: &mut Visitor, id: &str, what: &[(&str, &str)]) -> Result<(u16, String)> {
    let token = admin.token(PAGE).await?;
    let fields = [&[("token", token.as_str())], what].concat();
    let answer = admin.post(&format!("{PAGE}/{id}"), &fields).await?;
    Ok((answer.status, answer.text()))
}

async fn listed(site: &Site, id: &str) -> Result<Value> {
    let all = site.server.cli(&["scim", "credential", "list", "--org", "acme"]).await?;
    let found = all.as_array().and_then(|all| all.iter().find(|c| c["client_id"] == id).cloned());
    found.with_context(|| format!("no {id} in {all}"))
}

async fn story() -> Result<()> {
    let (site, _) = Site::with_acme().await?;
    let invite = ["console", "invite", "--org", "acme", "--role", "admin", "--label", "Ada"];
    let mut admin = site.by_link(&invite).await?;
    let token = admin.token(PAGE).await?;
    let add = |kind| [("token", token.as_str()), ("label", "Entra <b>"), ("kind", kind)];
    let html = admin.post(PAGE, &add("client-secret")).await?.expect(200)?.text();
    let (id, secret) = (output(&html, "new-client")?, output(&html, "new-secret")?);
    ensure!(!secret.is_empty());
    let again = admin.get(PAGE).await?.expect(200)?.text();
    ensure!(!again.contains(&secret) && !again.contains("Entra <b>"), "{again}");
    let html = admin.post(PAGE, &add("token")).await?.expect(200)?.text();
    ensure!(output(&html, "new-token")?.starts_with("rollcall_scim_"));

    // Federation needs its ids; nothing is added without them.
    let ids = ["tenant", "subject", "application"];
    let without = admin.post(PAGE, &add("federated")).await?;
    ensure!(without.status == 400, "{}", without.status);
    let uuid = "0a1b2c3d-1111-4222-8333-444455556666";
    let fields = [&add("federated")[..], &ids.map(|name| (name, uuid))].concat();
    let html = admin.post(PAGE, &fields).await?.expect(200)?.text();
    ensure!(html.contains(uuid), "{html}");
    ensure!(admin.post(PAGE, &add("burnt")).await?.status == 404);

    // A second secret beside the first; the first goes, and the credential, if the slug is typed.
    let (status, html) = change(&mut admin, &id, &[("do", "rotate")]).await?;
    ensure!(status == 200 && output(&html, "new-secret")? != secret, "{status}");
    for (what, secrets, state) in [("retire", 1, "live"), ("revoke", 1, "revoked")] {
        for confirm in ["", "ACME", "globex"] {
            let (status, html) =
                change(&mut admin, &id, &[("do", what), ("confirm", confirm)]).await?;
            ensure!(
                status == 400 && html.contains("role=\"alert\""),
                "{what} {confirm:?}: {status}"
            );
        }
        let (status, _) = change(&mut admin, &id, &[("do", what), ("confirm", "acme")]).await?;
        ensure!(status == 303, "{what}: {status}");
        let now = listed(&site, &id).await?;
        let left = now["secrets"].as_array().map_or(0, Vec::len);
        ensure!(now["state"] == state && (left == secrets || state == "revoked"), "{now}");
    }
    let log = std::fs::read_to_string(site.server.log_file())?;
    ensure!(!log.contains(&secret), "a secret is in the server's log");
    Ok(())
}
