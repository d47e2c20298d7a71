//! Guessing is answered 429 after a while, and keeps nobody out who knows the secret.

use crate::asking::{Client, TOKEN, add, refused, token};
use anyhow::{Result, ensure};
use rollcall_tests::server::{Server, Store};
use rollcall_tests::world::World;

#[tokio::test]
async fn guesses_are_too_many_and_the_right_secret_is_not() -> Result<()> {
    let server = Server::start_with(Store::Sqlite, &std::env::temp_dir(), &[]).await?;
    let w = World::around(server).await?;
    let client = add(&w.server, "acme").await?;
    let guess = Client { secret: "rollcall_client_guess".into(), ..client.clone() };
    let mut wrong = 0;
    // At ten requests a second with fifty at once, these come through.
    let last = loop {
        let answer = w.scim.http().send(guess.basic(TOKEN)).await?;
        if answer.status == 429 {
            break answer;
        }
        refused(&answer, 401, "invalid_client")?;
        wrong += 1;
        ensure!(wrong < 40, "nothing ends the guessing");
    };
    ensure!(last.header("retry-after").is_some(), "{last:?}");
    ensure!(wrong >= 20, "{wrong} wrong secrets were answered");
    // While they go on, faster than any client may ask.
    let http = w.scim.http();
    for _ in 0..10 {
        let guesses = (0..12).map(|_| {
            let (http, request) = (http.fresh(), guess.basic(TOKEN));
            async move { http.send(request).await }
        });
        for answer in futures::future::try_join_all(guesses).await? {
            ensure!(answer.status == 429 || answer.status == 401, "{}", answer.text());
        }
        token(http.send(client.basic(TOKEN)).await?)?;
    }
    let good = w.scim.http().send(client.basic(TOKEN)).await?;
    w.scim.with_token(&token(good)?).get("/Users").await?.expect(200)?;
    Ok(())
}
