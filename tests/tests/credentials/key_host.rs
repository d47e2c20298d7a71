//! The place where a tenant's keys are is slow, gone, or not what it was; and the keys change.

use crate::asking::{Federation, add, token};
use anyhow::{Result, ensure};
use chrono::Duration;
use rollcall_entra::credential::{Audience, Trouble};
use rollcall_tests::clock::now;
use rollcall_tests::http::Answer;

/// Not known is not wrong: 401 would count against the job's credentials.
fn not_now(answer: &Answer) -> Result<()> {
    ensure!(
        answer.status == 503 && answer.header("retry-after").is_some(),
        "{}: {}",
        answer.status,
        answer.text()
    );
    Ok(())
}

#[tokio::test]
async fn keys_that_cannot_be_fetched_are_503() -> Result<()> {
    for trouble in
        [Trouble::Down, Trouble::Redirects, Trouble::Huge, Trouble::ManyKeys, Trouble::Nonsense]
    {
        let federation = Federation::start().await?;
        federation.keys.trouble(trouble);
        let asked = federation.ask(&federation.signer.assertion(now())).await?;
        not_now(&asked)?;
        let kept = federation.kept(&asked).await?;
        let findings = &kept["exchange"]["facts"]["token_request"]["assertion"]["findings"];
        ensure!(findings[5]["axis"] == "signature" && findings[5]["holds"].is_null(), "{kept}");
        // Not every request goes there.
        for _ in 0..5 {
            not_now(&federation.ask(&federation.signer.assertion(now())).await?)?;
        }
        ensure!(federation.keys.asked() == 1, "{trouble:?}: {}", federation.keys.asked());
    }
    Ok(())
}

#[tokio::test]
async fn a_host_that_hangs_holds_up_nobody_else() -> Result<()> {
    let federation = Federation::start().await?;
    federation.keys.trouble(Trouble::Hangs);
    let client = add(&federation.world.server, "acme").await?;
    let scim = &federation.world.scim;
    let assertion = federation.signer.assertion(now());
    let hangs = async {
        let began = std::time::Instant::now();
        let answer = federation.ask(&assertion).await?;
        not_now(&answer)?;
        println!("a host that hangs: 503 after {:.1} s", began.elapsed().as_secs_f64());
        Ok::<_, anyhow::Error>(())
    };
    let others = async {
        let http = scim.http().fresh();
        for _ in 0..20 {
            let token = client.token(&http).await?;
            scim.with_token(&token).get("/Users?count=1").await?.expect(200)?;
        }
        Ok::<_, anyhow::Error>(())
    };
    // Whoever needs no keys is done long before.
    tokio::pin!(hangs);
    tokio::select! {
        biased;
        ended = &mut hangs => { ended?; anyhow::bail!("the others waited for the host") }
        done = others => done?,
    }
    hangs.await
}

#[tokio::test]
async fn keys_roll_over_and_audiences_change() -> Result<()> {
    let federation = Federation::start().await?;
    let (signer, scim) = (&federation.signer, &federation.world.scim);
    let first = signer.assertion(now());
    // The same assertion is sent until it ends.
    for _ in 0..3 {
        let token = token(federation.ask(&first).await?)?;
        scim.with_token(&token).get("/Users").await?.expect(200)?;
    }
    ensure!(federation.keys.asked() == 1, "keys are kept");
    for audience in [Audience::Api, Audience::ApiWithHost, Audience::Bare] {
        signer.write_audience(audience);
        token(federation.ask(&signer.assertion(now())).await?)?;
    }
    for minutes in [4, -4] {
        signer.set_clock_off(Duration::minutes(minutes));
        let answer = federation.ask(&signer.assertion(now())).await?.expect_json(200)?;
        let life = answer["expires_in"].as_i64().unwrap_or_default();
        // A token does not outlive what it was got for.
        ensure!((3_300..=3_600).contains(&life), "{minutes}: {life}");
    }
    signer.set_clock_off(Duration::zero());
    // A key that is not known is looked for once a minute at most: it is refused for now.
    signer.roll_over()?;
    let unknown = federation.ask(&signer.assertion(now())).await?;
    crate::asking::refused(&unknown, 401, "invalid_client")?;
    let kept = federation.kept(&unknown).await?;
    ensure!(
        kept["exchange"]["answer"]["detail"].as_str().is_some_and(|d| d.ends_with("key")),
        "{kept}"
    );
    Ok(())
}
