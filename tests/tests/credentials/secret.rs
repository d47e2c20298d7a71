//! A client secret, from adding it to revoking it.

use crate::asking::{Client, GRANT, TOKEN, add, form, refused, shown, token};
use anyhow::{Context as _, Result, ensure};
use rollcall_tests::http::Request;
use rollcall_tests::on_both;
use rollcall_tests::server::PUBLIC_URL;
use rollcall_tests::world::World;
use serde_json::Value;

on_both!(story);

async fn story(w: &mut World) -> Result<()> {
    let http = w.scim.http().fresh();
    let client = add(&w.server, "acme").await?;
    let by_header = http.send(client.basic(TOKEN)).await?;
    ensure!(by_header.header("cache-control") == Some("no-store"), "a token may be kept");
    ensure!(by_header.json()?["expires_in"] == 3_600, "{}", by_header.text());
    let (first, second) = (token(by_header)?, token(http.send(client.post(TOKEN)).await?)?);
    ensure!(first != second && first.starts_with("rca_"), "two tokens of one second are two");
    for token in [&first, &second] {
        w.scim.with_token(token).get("/Users").await?.expect(200)?;
    }
    requests_that_get_none(w, &client).await?;
    let open = w.server.cli(&["failures", "list", "--org", "acme"]).await?;
    ensure!(
        open[0]["cause"] == "token-refused" && open[0]["operation"] == "oauth.token",
        "a client that cannot get in is a failure: {open}"
    );
    scopes(w, &client).await?;
    let open = w.server.cli(&["failures", "list", "--org", "acme"]).await?;
    ensure!(open.as_array().is_some_and(Vec::is_empty), "it got in: {open}");
    others_doors(w, &client, &first).await?;
    discovery(w).await?;
    kept(w, &client, &first).await?;
    rotation(w, &client, &first).await?;
    Ok(())
}

async fn requests_that_get_none(w: &World, client: &Client) -> Result<()> {
    let wrong = Client { secret: format!("{}x", client.secret), ..client.clone() };
    let unknown = Client { id: "00000000-0000-0000-0000-000000000007".into(), ..client.clone() };
    let both = format!("{GRANT}&client_id={}&client_secret={}", client.id, client.secret);
    let body = |grant: &str| {
        format!("grant_type={grant}&client_id={}&client_secret={}", client.id, client.secret)
    };
    let exchange = "urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange";
    for (request, status, code) in [
        (wrong.basic(TOKEN), 401, "invalid_client"),
        (wrong.post(TOKEN), 401, "invalid_client"),
        (unknown.basic(TOKEN), 401, "invalid_client"),
        (form(TOKEN, GRANT), 401, "invalid_client"),
        (form(TOKEN, format!("{GRANT}&client_id={}", client.id)), 401, "invalid_client"),
        (form(TOKEN, GRANT).header("Authorization", "Basic x"), 401, "invalid_client"),
        (form(TOKEN, GRANT).header("Authorization", "Bearer x"), 401, "invalid_client"),
        (client.basic(TOKEN).body(both), 400, "invalid_request"),
        (form(TOKEN, body("password")), 400, "unsupported_grant_type"),
        (form(TOKEN, body(exchange)), 400, "unsupported_grant_type"),
        (form(TOKEN, format!("client_id={}", client.id)), 400, "invalid_request"),
        (form(TOKEN, format!("{GRANT}&{GRANT}")), 400, "invalid_request"),
        (Request::new("POST", TOKEN).body("{}"), 400, "invalid_request"),
        (Request::new("GET", TOKEN), 405, "invalid_request"),
    ] {
        let asked = format!("{request:?}");
        let answer = w.scim.http().send(request).await?;
        refused(&answer, status, code).with_context(|| asked)?;
    }
    Ok(())
}

async fn scopes(w: &World, client: &Client) -> Result<()> {
    let ask = |scope: &str| {
        let body = format!(
            "{GRANT}&client_id={}&client_secret={}&scope={scope}",
            client.id, client.secret
        );
        w.scim.http().send(form(TOKEN, body))
    };
    for scope in ["", "scim", "api%3A%2F%2F1%2F.default"] {
        token(ask(scope).await?)?;
    }
    for scope in ["admin", "scim+admin", "SCIM", "api%3A%2F%2F1%2F.default+admin"] {
        refused(&ask(scope).await?, 400, "invalid_scope").with_context(|| scope.to_owned())?;
    }
    Ok(())
}

/// A token is for the SCIM endpoint of one organization, and nowhere else good for anything.
async fn others_doors(w: &World, client: &Client, token: &str) -> Result<()> {
    let (globex, _) = w.another("Globex", "globex").await?;
    let http = w.scim.http();
    let own = format!("/scim/{}/oauth/token", w.acme.id);
    crate::asking::token(http.send(client.basic(&own)).await?)?;
    let other = format!("/scim/{}/oauth/token", globex.id);
    refused(&http.send(client.basic(&other)).await?, 401, "invalid_client")?;
    let bearer = |method: &str, path: &str| {
        Request::new(method, path).header("Authorization", format!("Bearer {token}"))
    };
    for path in [
        "/api/v1/organizations/acme/events",
        "/api/v1/organizations/acme/scim/credentials",
        "/api/v1/organizations/globex/events",
        "/api/v1/operators",
        "/api/v1/session",
        "/scim/oauth/token",
    ] {
        let method = if path == TOKEN { "POST" } else { "GET" };
        let mut request = bearer(method, path);
        if path == TOKEN {
            request =
                request.header("Content-Type", "application/x-www-form-urlencoded").body(GRANT);
        }
        http.send(request).await?.expect(401)?;
    }
    let cookie =
        Request::new("GET", "/api/v1/session").header("Cookie", format!("session={token}"));
    http.send(cookie).await?.expect(401)?;
    // What is no access token any more is none.
    for changed in [&token[..token.len() - 1], &format!("{token}A"), "rca_", "rca_AAAA"] {
        w.scim.with_token(changed).get("/Users").await?.expect(401)?;
    }
    Ok(())
}

async fn discovery(w: &World) -> Result<()> {
    let http = w.scim.http();
    let told = http.send(Request::new("GET", "/scim/v2/Users")).await?.expect(401)?;
    let at = format!("{PUBLIC_URL}/.well-known/oauth-protected-resource/scim/v2");
    let challenge = told.header("www-authenticate").context("no challenge")?;
    ensure!(challenge.contains(&format!("resource_metadata=\"{at}\"")), "{challenge}");
    let get = |path: &str| http.send(Request::new("GET", path));
    let resource = get("/.well-known/oauth-protected-resource/scim/v2").await?.expect_json(200)?;
    ensure!(
        resource["resource"] == format!("{PUBLIC_URL}/scim/v2")
            && resource["authorization_servers"][0] == PUBLIC_URL,
        "{resource}"
    );
    let server = get("/.well-known/oauth-authorization-server").await?.expect_json(200)?;
    ensure!(
        server["issuer"] == PUBLIC_URL
            && server["token_endpoint"] == format!("{PUBLIC_URL}{TOKEN}"),
        "{server}"
    );
    let config = w.scim.get("/ServiceProviderConfig").await?.expect_json(200)?;
    let schemes: Vec<&Value> = config["authenticationSchemes"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|s| &s["type"])
        .collect();
    ensure!(schemes == ["oauth2", "oauthbearertoken"], "{config}");
    Ok(())
}

/// A token request is an exchange, and holds nothing that lets anybody in.
async fn kept(w: &World, client: &Client, token: &str) -> Result<()> {
    let listed = w.admin.exchanges(&w.acme.id).await?;
    let asked: Vec<&Value> = listed.iter().filter(|x| x["operation"] == "oauth.token").collect();
    ensure!(asked.iter().any(|x| x["status"] == 200) && asked.iter().any(|x| x["status"] == 401));
    for exchange in asked {
        let id = exchange["id"].as_str().context("no id")?;
        let path = format!("/api/v1/organizations/acme/exchanges/{id}");
        let whole = w.admin.get(&path).await?.expect(200)?;
        let text = whole.text();
        ensure!(!text.contains(&client.secret) && !text.contains(token), "{text}");
        let facts = &whole.json()?["exchange"]["facts"]["token_request"];
        ensure!(facts["client"] == client.id, "{text}");
    }
    Ok(())
}

async fn rotation(w: &World, client: &Client, first: &str) -> Result<()> {
    let http = w.scim.http();
    let scim = |rest: &[&'static str]| {
        let mut args = vec!["scim", "credential"];
        args.extend(rest);
        args.extend(["--org", "acme"]);
        args.into_iter().map(str::to_owned).chain([client.id.clone()]).collect::<Vec<_>>()
    };
    let run = async |rest: &[&'static str]| {
        let args = scim(rest);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        w.server.command(&args).await
    };
    ensure!(!run(&["retire"]).await?.status.success(), "the only secret was retired");
    let rotated = run(&["rotate"]).await?;
    ensure!(rotated.status.success(), "{}", String::from_utf8_lossy(&rotated.stderr));
    let next = shown(&serde_json::from_slice(&rotated.stdout)?)?;
    ensure!(!run(&["rotate"]).await?.status.success(), "there are three secrets");
    client.token(http).await?;
    let second = next.token(http).await?;
    let list = w.server.cli(&["scim", "credential", "list", "--org", "acme"]).await?;
    let this = list.as_array().into_iter().flatten().find(|c| c["client_id"] == client.id);
    let used: Vec<&Value> = this
        .and_then(|c| c["secrets"].as_array())
        .into_iter()
        .flatten()
        .map(|s| &s["last_used"])
        .collect();
    ensure!(used == [false, true], "{list}");
    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(file.path(), &next.secret)?;
    let path = file.path().to_str().context("a path")?;
    let graph = w
        .server
        .cli(&["scim", "credential", "graph", "--org", "acme", &client.id, "--secret-file", path])
        .await?;
    let keys: Vec<&str> =
        graph["value"].as_array().into_iter().flatten().filter_map(|v| v["key"].as_str()).collect();
    ensure!(
        keys == [
            "BaseAddress",
            "Oauth2ClientId",
            "Oauth2ClientSecret",
            "Oauth2TokenExchangeUri",
            "Oauth2AccessToken",
            "Oauth2AccessTokenCreationTime"
        ],
        "{graph}"
    );
    let seeded = graph["value"][4]["value"].as_str().context("a first token")?;
    w.scim.with_token(seeded).get("/Users").await?.expect(200)?;

    ensure!(run(&["retire"]).await?.status.success(), "not retired");
    refused(&http.send(client.basic(TOKEN)).await?, 401, "invalid_client")?;
    w.scim.with_token(first).get("/Users").await?.expect(401)?;
    w.scim.with_token(&second).get("/Users").await?.expect(200)?;
    ensure!(run(&["revoke"]).await?.status.success(), "not revoked");
    w.scim.with_token(&second).get("/Users").await?.expect(401)?;
    refused(&http.send(next.basic(TOKEN)).await?, 401, "invalid_client")?;
    // The token beside it goes on.
    w.scim.get("/Users").await?.expect(200)?;
    let config = w.scim.get("/ServiceProviderConfig").await?.expect_json(200)?;
    ensure!(config["authenticationSchemes"].as_array().is_some_and(|s| s.len() == 1), "{config}");
    Ok(())
}
