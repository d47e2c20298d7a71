//! Tokens: rotation, expiry, revocation, and what a wrong one learns.

use anyhow::{Context as _, Result, ensure};
use rollcall_tests::http::Answer;
use rollcall_tests::refusal::refused;
use rollcall_tests::scim::{Scim, user};
use rollcall_tests::world::{issue, on_sqlite};

/// Refused as RFC 6750 section 3 says; the text is the same whatever was wrong.
fn unauthorized(answer: Answer) -> Result<String> {
    let challenge = answer.header("www-authenticate").context("no WWW-Authenticate")?.to_owned();
    ensure!(challenge.starts_with("Bearer"), "WWW-Authenticate: {challenge}");
    refused(answer, 401, None)
}

#[tokio::test]
async fn no_token_a_wrong_one_and_other_schemes() {
    on_sqlite(async |w| {
        let ada = w.scim.create_user("ada@contoso.example").await?;
        let anonymous = Scim::anonymous(w.server.address());
        let token = w.scim.token().context("token")?.to_owned();
        let basic = anonymous.request("GET", "/Users").header("Authorization", "Basic YTpi");
        let empty = anonymous.request("GET", "/Users").header("Authorization", "Bearer ");
        let mut details = vec![
            unauthorized(anonymous.get("/Users").await?)?,
            unauthorized(anonymous.get("/Users/unknown").await?)?,
            unauthorized(anonymous.get(&format!("/Users/{ada}")).await?)?,
            unauthorized(anonymous.post("/Users", &user("x@contoso.example")).await?)?,
            unauthorized(anonymous.get("/ServiceProviderConfig").await?)?,
            unauthorized(anonymous.send(basic).await?)?,
            unauthorized(anonymous.send(empty).await?)?,
            unauthorized(w.scim.with_token("not-the-token").get("/Users").await?)?,
            unauthorized(w.scim.with_token(&token[..token.len() - 1]).get("/Users").await?)?,
            unauthorized(w.scim.with_token(&format!("{token}x")).get("/Users").await?)?,
        ];
        details.dedup();
        ensure!(details.len() <= 2, "the answer tells what exists: {details:?}");
        // The scheme's name has no case (RFC 9110 section 11.1).
        let lower =
            anonymous.request("GET", "/Users").header("Authorization", format!("bearer {token}"));
        anonymous.send(lower).await?.expect(200)?;
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn two_tokens_live_at_once_and_a_third_is_refused() {
    on_sqlite(async |w| {
        let second = issue(&w.server, "acme").await?;
        w.scim.get("/Users").await?.expect(200)?;
        w.scim.with_token(&second.secret).get("/Users").await?.expect(200)?;
        let third = w.server.command(&["scim", "token", "issue", "--org", "acme"]).await?;
        ensure!(!third.status.success(), "a third token was issued");

        w.server.cli(&["scim", "token", "revoke", "--org", "acme", &second.id]).await?;
        unauthorized(w.scim.with_token(&second.secret).get("/Users").await?)?;
        w.scim.get("/Users").await?.expect(200)?;
        let third = issue(&w.server, "acme").await?;
        w.scim.with_token(&third.secret).get("/Users").await?.expect(200)?;

        let list = w.server.cli(&["scim", "token", "list", "--org", "acme"]).await?.to_string();
        ensure!(
            list.contains(&third.id) && !list.contains(&third.secret),
            "the list shows ids and no tokens"
        );
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_token_expires() {
    on_sqlite(async |w| {
        let made = w
            .server
            .cli(&[
                "scim",
                "token",
                "issue",
                "--org",
                "acme",
                "--label",
                "short",
                "--expires-in",
                "2s",
            ])
            .await?;
        let short = w.scim.with_token(made["token"].as_str().context("token")?);
        short.get("/Users").await?.expect(200)?;
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
        loop {
            let answer = short.get("/Users").await?;
            if answer.status == 401 {
                unauthorized(answer)?;
                break;
            }
            answer.expect(200)?;
            ensure!(std::time::Instant::now() < deadline, "the token still works");
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        w.scim.get("/Users").await?.expect(200)?;
        // An expired token does not count as one of the two that may live.
        issue(&w.server, "acme").await?;
        Ok(())
    })
    .await;
}
