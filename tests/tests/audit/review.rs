//! Access reviews as evidence: the same rows in every form, with what they are about at their head.

use anyhow::{Context as _, Result, ensure};
use rollcall_tests::on_both;
use rollcall_tests::scim::{add_members, remove_member, user};
use rollcall_tests::world::World;
use serde_json::{Value, json};

const BASE: &str = "/api/v1/organizations/acme/review";

/// The rows of a review, as group and `userName`.
fn who(review: &Value) -> Vec<(String, String)> {
    let text = |row: &Value, name: &str| row[name].as_str().unwrap_or_default().to_owned();
    let rows = review["rows"].as_array().into_iter().flatten();
    rows.map(|row| (text(row, "group"), text(row, "user_name"))).collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(g, u)| ((*g).to_owned(), format!("{u}@contoso.example"))).collect()
}

async fn a_review_tells_who_was_where_and_by_what(world: &World) -> Result<()> {
    let mut ids = Vec::new();
    for name in ["ada", "bo", "cy"] {
        let mut person = user(&format!("{name}@contoso.example"));
        person["externalId"] = json!(format!("ext-{name}"));
        person["displayName"] = json!(format!("<{name}> & Co"));
        person["emails"] =
            json!([{"type": "work", "value": format!("{name}@mail.example"), "primary": true}]);
        let made = world.scim.post("/Users", &person).await?.expect_json(201)?;
        ids.push(made["id"].as_str().context("id")?.to_owned());
    }
    let (staff, board) =
        (world.scim.create_group("Staff").await?, world.scim.create_group("Board").await?);
    let all: Vec<&str> = ids.iter().map(String::as_str).collect();
    let add = world.scim.operations(&format!("/Groups/{staff}"), add_members(&all)).await?;
    let add = add.expect(204)?.header("exchange-id").context("exchange")?.to_owned();
    world
        .scim
        .operations(&format!("/Groups/{board}"), add_members(&all[..1]))
        .await?
        .expect(204)?;
    let head = world.admin.events_after("acme", 0).await?.len();
    world.scim.operations(&format!("/Groups/{staff}"), remove_member(all[1])).await?.expect(204)?;
    world.scim.delete(&format!("/Users/{}", all[2])).await?.expect(204)?;
    world
        .scim
        .operations(
            &format!("/Users/{}", all[0]),
            json!([{"op": "replace", "path": "displayName", "value": "Ada, now"}]),
        )
        .await?
        .expect(200)?;

    let ask =
        async |query: &str| world.admin.get(&format!("{BASE}{query}")).await?.expect_json(200);
    let now = ask("").await?;
    ensure!(who(&now) == pairs(&[("Staff", "ada"), ("Board", "ada")]), "{now}");
    let then = ask(&format!("?as_of=position:{head}")).await?;
    let before = pairs(&[("Staff", "ada"), ("Staff", "bo"), ("Staff", "cy"), ("Board", "ada")]);
    ensure!(who(&then) == before, "{then}");
    let ever = ask("?from=position:0").await?;
    ensure!(who(&ever) == before, "{ever}");

    let (ada, bo, cy) = (&ever["rows"][0], &ever["rows"][1], &ever["rows"][2]);
    ensure!(
        ada["display_name"] == "Ada, now"
            && then["rows"][0]["display_name"] == "<ada> & Co"
            && then["rows"][0]["display_name_now"] == "Ada, now"
            && ada["mail"] == "ada@mail.example"
            && ada["until"].is_null()
            && ada["since_exchange"] == add.as_str()
            && ada["since_actor"].as_str().is_some_and(|a| a.starts_with("scim_token:")),
        "{ada}"
    );
    ensure!(bo["until_event"] == "GroupMembersRemoved" && !bo["until"].is_null(), "{bo}");
    ensure!(cy["until_event"] == "UserDeleted" && cy["display_name_now"].is_null(), "{cy}");
    // The head says which moment was asked for, where that was an instant.
    let at = now["rows"][0]["since"].as_str().context("since")?;
    let asked = ask(&format!("?as_of={at}")).await?;
    let head_of = |review: &Value| review["head"]["to"]["asked_at"].clone();
    ensure!(head_of(&asked) == at && head_of(&then).is_null(), "{asked}");
    // What ended later had not ended then.
    ensure!(then["rows"][1]["until"].is_null(), "{then}");

    // Whoever it is about is named as people name them; a leaver by the name that was theirs.
    for called in ["ada@contoso.example", "ADA@mail.example", "ext-ada", all[0]] {
        let of_ada = ask(&format!("?user={called}")).await?;
        ensure!(who(&of_ada) == pairs(&[("Staff", "ada"), ("Board", "ada")]), "{called}: {of_ada}");
    }
    let of_cy = ask("?user=cy@contoso.example&from=position:0").await?;
    ensure!(who(&of_cy) == pairs(&[("Staff", "cy")]), "{of_cy}");
    let of_board = ask("?group=board").await?;
    ensure!(who(&of_board) == pairs(&[("Board", "ada")]), "{of_board}");
    let like = world.admin.get(&format!("{BASE}?user=ad")).await?.expect_json(404)?;
    ensure!(like["allowed"] == json!(["ada@contoso.example"]), "{like}");
    for (query, status) in [
        ("?group=nobody", 404),
        ("?as_of=2999-01-01", 400),
        ("?to=-1d", 400),
        ("?from=position:3&to=position:2", 400),
        ("?format=cloudevents", 400),
    ] {
        world.admin.get(&format!("{BASE}{query}")).await?.expect(status)?;
    }
    in_every_form(world, &ever).await
}

/// CSV, NDJSON and the page to print have the same rows and the same head.
async fn in_every_form(world: &World, review: &Value) -> Result<()> {
    let rows = review["rows"].as_array().context("rows")?;
    let head = &review["head"];
    ensure!(
        head["organization"] == "acme"
            && head["made_by"]["kind"] == "operator"
            && head["to"]["position"].as_u64() > Some(0)
            && head["about"].as_str().is_some_and(|about| about.contains("all groups")),
        "{head}"
    );
    let folder = tempfile::tempdir()?;
    let mut forms = Vec::new();
    for format in ["csv", "ndjson", "html"] {
        let file = folder.path().join(format);
        let path = file.display().to_string();
        let args = ["review", "--org", "acme", "--all-groups", "--from", "position:0"];
        world.server.cli(&[&args[..], &["--format", format, "--output", &path]].concat()).await?;
        forms.push(std::fs::read_to_string(file)?);
    }
    let [csv, ndjson, html] = &forms[..] else { anyhow::bail!("three forms") };
    let lines: Vec<&str> = csv.lines().filter(|line| !line.starts_with('#')).collect();
    ensure!(csv.starts_with("# Organization,"), "{csv}");
    ensure!(lines.len() == rows.len() + 1, "{csv}");
    ensure!(
        ndjson.lines().count() == rows.len() + 1 && ndjson.starts_with("{\"head\":"),
        "{ndjson}"
    );
    ensure!(html.matches("<tr>").count() == rows.len() + 1, "{html}");
    ensure!(html.contains(&format!("{} rows, complete", rows.len())), "{html}");
    ensure!(!html.contains("<bo>") && html.contains("&lt;bo&gt; &amp; Co"), "{html}");
    for row in rows {
        for name in ["group", "user_name", "since", "since_exchange", "member_id"] {
            let text = row[name].as_str().context("text")?;
            ensure!(csv.contains(text) && ndjson.contains(text) && html.contains(text), "{name}");
        }
    }
    Ok(())
}

on_both!(a_review_tells_who_was_where_and_by_what);
