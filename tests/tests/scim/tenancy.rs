//! Organizations do not see each other, and can be switched off and on.

use anyhow::{Context as _, Result, ensure};
use rollcall_tests::http::Answer;
use rollcall_tests::refusal::{refused, refused_naming};
use rollcall_tests::scim::{add_members, filter, user};
use rollcall_tests::world::on_sqlite;
use serde_json::json;

#[tokio::test]
async fn two_organizations_with_the_same_names() {
    on_sqlite(async |w| {
        let (globex, theirs) = w.another("Globex", "globex").await?;
        let ours = &w.scim;
        let our_ada = ours.create_user("ada@contoso.example").await?;
        let their_ada = theirs.create_user("ada@contoso.example").await?;
        let our_door = ours.create_group("Door A").await?;
        let their_door = theirs.create_group("Door A").await?;
        ensure!(our_ada != their_ada && our_door != their_door, "ids are shared");

        for (caller, own, foreign) in [(ours, &our_ada, &their_ada), (&theirs, &their_ada, &our_ada)] {
            let path = format!("/Users/{foreign}");
            refused(caller.get(&path).await?, 404, None)?;
            refused(caller.put(&path, &user("x@contoso.example")).await?, 404, None)?;
            refused(caller.operations(&path, json!([{"op": "replace", "path": "title", "value": "x"}])).await?, 404, None)?;
            refused(caller.delete(&path).await?, 404, None)?;
            let list = caller.get(&format!("/Users?{}", filter("userName eq \"ADA@contoso.example\""))).await?.expect_json(200)?;
            ensure!(list["totalResults"] == 1 && list["Resources"][0]["id"] == own.as_str(), "{list}");
            let list = caller.get(&format!("/Users?{}", filter(&format!("id eq \"{foreign}\"")))).await?.expect_json(200)?;
            ensure!(list["totalResults"] == 0, "{list}");
        }
        refused(theirs.get(&format!("/Groups/{our_door}")).await?, 404, None)?;
        let foreign_member = ours.operations(&format!("/Groups/{our_door}"), add_members(&[&their_ada])).await?;
        refused_naming(foreign_member, 400, Some("invalidValue"), &[&their_ada])?;
        // A manager is a name for somebody, and need not be known; a foreign one must not become
        // known by it.
        theirs
            .operations(&format!("/Users/{their_ada}"), json!([{"op": "add", "path": "displayName", "value": "Ada of Globex"}]))
            .await?
            .expect(200)?;
        let foreign_manager =
            json!([{"op": "add", "path": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager", "value": their_ada}]);
        ours.operations(&format!("/Users/{our_ada}"), foreign_manager).await?;
        ensure!(!ours.get(&format!("/Users/{our_ada}")).await?.text().contains("Globex"), "the name of a foreign manager is shown");
        ensure!(!theirs.get(&format!("/Users/{their_ada}")).await?.text().contains(&our_ada), "a foreign report is shown");

        for (organization, foreign) in [(&w.acme.id, &their_ada), (&globex.id, &our_ada)] {
            let records = w.admin.events_after(organization, 0).await?;
            rollcall_tests::admin::gapless(&records, 0)?;
            ensure!(!records.iter().any(|r| r["subject"] == foreign.as_str()), "an event of {foreign} in the log of {organization}");
        }
        Ok(())
    })
    .await;
}

/// Entra takes a 5xx as "later": it must never be told 401 or 404 for a switched-off organization.
fn away(answer: Answer) -> Result<()> {
    let retry = answer.header("retry-after").map(str::to_owned);
    refused(answer, 503, None)?;
    let seconds: u64 = retry.context("no Retry-After")?.parse()?;
    ensure!(seconds > 0, "Retry-After 0");
    Ok(())
}

#[tokio::test]
async fn switched_off_and_on_again() {
    on_sqlite(async |w| {
        let (_, theirs) = w.another("Globex", "globex").await?;
        let ada = w.scim.create_user("ada@contoso.example").await?;
        for (what, alone) in [("org", None), ("scim", Some("--allow-scim-without-sso"))] {
            w.server.cli(&[what, "disable", "--org", "acme"]).await?;
            away(w.scim.get("/Users").await?)?;
            away(w.scim.get(&format!("/Users/{ada}")).await?)?;
            away(w.scim.post("/Users", &user("x@contoso.example")).await?)?;
            away(w.scim.delete(&format!("/Users/{ada}")).await?)?;
            theirs.get("/Users").await?.expect(200)?;
            refused(w.scim.with_token("wrong").get("/Users").await?, 401, None)?;
            let enable: Vec<&str> =
                [what, "enable", "--org", "acme"].into_iter().chain(alone).collect();
            w.server.cli(&enable).await?;
            ensure!(
                w.scim.get("/Users").await?.expect_json(200)?["totalResults"] == 1,
                "{what} is enabled again"
            );
        }
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_domain_is_taken_once() {
    on_sqlite(async |w| {
        let second = w.server.command(&["org", "create", "Other", "--domain", "ACME"]).await?;
        ensure!(!second.status.success(), "a second organization has the domain");
        let list = w.server.cli(&["org", "list"]).await?;
        ensure!(list.to_string().matches("\"acme\"").count() == 1, "{list}");
        Ok(())
    })
    .await;
}
