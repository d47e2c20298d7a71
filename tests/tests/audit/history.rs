//! Users, groups and members as they were; differences; access reviews.

use anyhow::{Context as _, Result, ensure};
use rollcall_tests::on_both;
use rollcall_tests::scim::{add_members, remove_member};
use rollcall_tests::world::{World, on_sqlite};
use serde_json::{Value, json};

/// A small history. Positions 1 to 3 are the organization's: created, SCIM enabled, token issued.
struct Story {
    ada: String,
    grace: String,
    door: String,
}

async fn story(w: &World) -> Result<Story> {
    let ada = w.scim.create_user("ada@contoso.example").await?; // 4
    let grace = w.scim.create_user("grace@contoso.example").await?; // 5
    let door = w.scim.create_group("Door A").await?; // 6
    w.scim
        .operations(&format!("/Groups/{door}"), add_members(&[&ada, &grace]))
        .await?
        .expect(204)?; // 7
    let off = json!([{"op": "Replace", "path": "active", "value": "False"}]);
    w.scim.operations(&format!("/Users/{ada}"), off).await?.expect(200)?; // 8
    w.scim.operations(&format!("/Groups/{door}"), remove_member(&ada)).await?.expect(204)?; // 9
    let name = json!([{"op": "Replace", "path": "displayName", "value": "=Door \"B\""}]);
    w.scim.operations(&format!("/Groups/{door}"), name).await?.expect(204)?; // 10
    w.scim.delete(&format!("/Users/{grace}")).await?.expect(204)?; // 11
    Ok(Story { ada, grace, door })
}

async fn ask(w: &World, path: &str) -> Result<Value> {
    w.admin.get(&format!("/api/v1/organizations/acme{path}")).await?.expect_json(200)
}

fn names(list: &Value, of: &str, field: &str) -> Vec<String> {
    list[of]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|x| x[field].as_str().map(str::to_owned))
        .collect()
}

async fn the_directory_is_told_as_it_was(w: &World) -> Result<()> {
    let Story { ada, grace, door } = story(w).await?;
    let users = ask(w, "/users?asOf=position:4").await?;
    ensure!(
        users["as_of"]["position"] == 4
            && names(&users, "resources", "userName") == ["ada@contoso.example"],
        "{users}"
    );
    ensure!(
        names(&ask(w, "/users?asOf=position:3").await?, "resources", "id").is_empty(),
        "nobody was there yet"
    );
    ensure!(names(&ask(w, "/users").await?, "resources", "id") == [ada.as_str()], "now");
    let first = ask(w, "/users?asOf=position:10&limit=1").await?;
    ensure!(
        names(&first, "resources", "id") == [ada.as_str()] && first["next"].is_string(),
        "{first}"
    );
    let second = ask(w, "/users?asOf=position:10&limit=1&after=4").await?;
    ensure!(names(&second, "resources", "id") == [grace.as_str()], "{second}");
    let named = ask(w, "/users?asOf=position:10&name=GRACE@contoso.example").await?;
    ensure!(names(&named, "resources", "id") == [grace.as_str()], "{named}");

    let then = ask(w, &format!("/users/{ada}?asOf=position:7")).await?;
    ensure!(
        then["resource"]["active"] == true && then["resource"]["groups"][0]["display"] == "Door A",
        "{then}"
    );
    let now = ask(w, &format!("/users/{ada}")).await?;
    ensure!(now["resource"]["active"] == false && now["resource"]["groups"].is_null(), "{now}");
    // As SCIM shows it, to the version.
    let scim = w.scim.get(&format!("/Users/{ada}")).await?.expect_json(200)?;
    ensure!(now["resource"] == scim, "{} is not {scim}", now["resource"]);
    let group = ask(w, &format!("/groups/{door}?asOf=position:9")).await?;
    ensure!(
        group["resource"]["displayName"] == "Door A"
            && group["resource"]["meta"]["version"] == "W/\"3\"",
        "{group}"
    );

    let members = async |at: &str| {
        Ok::<_, anyhow::Error>(names(
            &ask(w, &format!("/groups/{door}/members?asOf={at}")).await?,
            "members",
            "id",
        ))
    };
    ensure!(members("position:6").await?.is_empty());
    ensure!(members("position:8").await? == [ada.clone(), grace.clone()]);
    ensure!(members("position:9").await? == [grace.as_str()]);
    ensure!(members("position:11").await?.is_empty(), "whoever is deleted leaves");
    // The instant of a record is its position.
    let at = ask(w, "/users?asOf=position:8").await?["as_of"]["recorded_at"]
        .as_str()
        .context("an instant")?
        .to_owned();
    ensure!(ask(w, &format!("/users?asOf={at}")).await?["as_of"]["position"] == 8, "{at}");

    let all = ask(w, &format!("/groups/{door}/memberships")).await?;
    let told: Vec<_> = all["memberships"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|m| (&m["member_id"], &m["to"]["type"]))
        .collect();
    ensure!(
        told == [
            (&json!(ada), &json!("GroupMembersRemoved")),
            (&json!(grace), &json!("UserDeleted"))
        ],
        "{all}"
    );
    let exchange = all["memberships"][0]["from"]["exchange"].as_str().context("an exchange")?;
    let caused = ask(w, &format!("/exchanges/{exchange}")).await?;
    ensure!(caused["positions"] == json!([7, 7]), "{caused}");
    ensure!(
        ask(w, &format!("/users/{grace}/memberships")).await?["memberships"][0]["group"]
            == "Door A"
    );
    Ok(())
}

on_both!(the_directory_is_told_as_it_was);

#[tokio::test]
async fn two_moments_are_compared() {
    on_sqlite(async |w| {
        let Story { ada, grace, door } = story(w).await?;
        let diff = w
            .server
            .cli(&["diff", "--org", "acme", "--from", "position:7", "--to", "position:11"])
            .await?;
        let all: Vec<_> = diff
            .as_array()
            .context("a list")?
            .iter()
            .map(|d| (d["what"].clone(), d["id"].clone(), d["position"].clone()))
            .collect();
        let expected = [
            (json!("disabled"), json!(ada), json!(8)),
            (json!("renamed"), json!(door), json!(10)),
            (json!("deleted"), json!(grace), json!(11)),
            (json!("left"), json!(ada), json!(9)),
            (json!("left"), json!(grace), json!(11)),
        ];
        ensure!(all == expected, "{diff}");
        ensure!(
            diff[1]["changes"][0]["before"] == "Door A" && diff[0]["exchange"].is_string(),
            "{diff}"
        );
        // What came and went in between is no difference.
        let quiet = w.server.cli(&["diff", "--org", "acme", "--from", "position:3"]).await?;
        let quiet: Vec<_> =
            quiet.as_array().context("a list")?.iter().map(|d| d["what"].clone()).collect();
        ensure!(quiet == ["created", "created"], "{quiet:?}");

        let csv = w
            .admin
            .get("/api/v1/organizations/acme/diff?from=position:7&format=csv")
            .await?
            .expect(200)?;
        ensure!(csv.header("content-type").is_some_and(|t| t.starts_with("text/csv")), "{csv:?}");
        let text = csv.text();
        let lines: Vec<&str> = text.split_terminator("\r\n").collect();
        ensure!(lines.len() == 6 && lines[0].starts_with("what,type,id,name,"), "{text}");
        ensure!(
            lines[2].contains(r#","'=Door ""B""","#),
            "a formula is not a formula any more: {}",
            lines[2]
        );
        for (wrong, words) in [
            ("from=yesterday", "is no moment"),
            ("from=position:99", "beyond the end"),
            ("from=position:5&to=position:4", "swap them"),
            ("from=position:1&format=cloudevents", "json, ndjson, csv"),
        ] {
            let refused = w
                .admin
                .get(&format!("/api/v1/organizations/acme/diff?{wrong}"))
                .await?
                .expect_json(400)?;
            ensure!(refused["detail"].as_str().is_some_and(|d| d.contains(words)), "{refused}");
        }
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_review_says_who_since_when_and_by_which_request() {
    on_sqlite(async |w| {
        let Story { ada, door, .. } = story(w).await?;
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("review.csv");
        let path = file.to_str().context("a path")?;
        w.server
            .command(&[
                "directory",
                "review",
                "--org",
                "acme",
                &door,
                "--as-of",
                "position:8",
                "--to",
                path,
            ])
            .await?;
        let csv = std::fs::read_to_string(&file)?;
        ensure!(
            csv.lines().count() == 3
                && csv.lines().nth(1).is_some_and(|l| l.contains(&ada) && l.contains(",false,")),
            "{csv}"
        );
        let review = w
            .server
            .cli(&[
                "directory",
                "review",
                "--org",
                "acme",
                &door,
                "--as-of",
                "position:7",
                "--format",
                "json",
            ])
            .await?;
        ensure!(
            review[0]["active"] == true
                && review[0]["position"] == 7
                && review[0]["exchange"].is_string(),
            "{review}"
        );
        ensure!(
            csv.starts_with(
                "group_id,group,member_id,type,member,active,since,position,exchange,run,run_kind"
            ),
            "{csv}"
        );
        let run = review[0]["run"].as_str().context("a run")?;
        let shown = w.server.cli(&["runs", "show", "--org", "acme", run]).await?;
        ensure!(shown["kind"] == review[0]["run_kind"], "{shown}");
        let caused = w
            .server
            .cli(&["events", "list", "--org", "acme", "--run", run, "--type", "GroupMembersAdded"])
            .await?;
        ensure!(
            caused.as_array().is_some_and(|all| all.len() == 1 && all[0]["position"] == 7),
            "{caused}"
        );
        let members = w
            .server
            .cli(&["directory", "members", "--org", "acme", &door, "--as-of", "position:9"])
            .await?;
        ensure!(members["members"].as_array().is_some_and(|m| m.len() == 1), "{members}");
        let lost = w.server.command(&["directory", "review", "--org", "acme", &ada]).await?;
        ensure!(
            !lost.status.success()
                && String::from_utf8_lossy(&lost.stderr).contains("there was no group"),
            "{lost:?}"
        );
        Ok(())
    })
    .await;
}
