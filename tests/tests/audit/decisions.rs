//! What reviewers decide: kept in the log as they said it, shown in every form of a review, and
//! changing nobody's access.

use anyhow::{Context as _, Result, ensure};
use rollcall_tests::admin::Admin;
use rollcall_tests::on_both;
use rollcall_tests::scim::{add_members, remove_member};
use rollcall_tests::world::World;
use serde_json::{Value, json};

const DECISIONS: &str = "/api/v1/organizations/acme/review/decisions";
const REVIEW: &str = "/api/v1/organizations/acme/review";

/// What is decided about a row, as of the end of its review.
fn about(review: &Value, row: usize, verdict: &str, remark: Option<&str>) -> Value {
    let at = &review["rows"][row];
    json!({
        "group_id": at["group_id"], "member_id": at["member_id"],
        "since_position": at["since_position"], "seen_position": review["head"]["to"]["position"],
        "verdict": verdict, "remark": remark,
    })
}

async fn decisions_are_kept_and_shown_and_change_nothing(world: &World) -> Result<()> {
    let ada = world.scim.create_user("ada@contoso.example").await?;
    let bob = world.scim.create_user("bob@contoso.example").await?;
    let group = world.scim.create_group("Server room").await?;
    let path = format!("/Groups/{group}");
    world.scim.operations(&path, add_members(&[&ada, &bob])).await?.expect(204)?;
    let issue = ["auditor", "issue", "--org", "acme", "--label", "Year-end"];
    let issued = world.server.cli(&issue).await?;
    let auditor = Admin::new(world.server.address(), issued["key"].as_str().context("a key")?);
    let review =
        async |query: &str| world.admin.get(&format!("{REVIEW}{query}")).await?.expect_json(200);
    let first = review("").await?;
    ensure!(first["rows"][0]["verdict"] == Value::Null, "{first}");

    // An auditor decides; that is an event, by them, and nobody's access is another.
    let decision = about(&first, 0, "remove", Some("moved to the other site"));
    let kept = auditor.post(DECISIONS, &decision).await?.expect_json(201)?;
    let list = ["events", "list", "--org", "acme", "--type", "AccessDecided"];
    let events = world.server.cli(&list).await?;
    let id = &issued["auditor_id"];
    ensure!(
        events[0]["position"] == kept["position"]
            && events[0]["actor"] == json!({ "kind": "auditor", "auditor": id }),
        "{events}"
    );
    ensure!(world.scim.members(&group).await?.len() == 2);
    let shown = review("").await?;
    let row = &shown["rows"][0];
    ensure!(
        row["verdict"] == "remove"
            && row["remark"] == "moved to the other site"
            && row["decided_by"].as_str().is_some_and(|by| by.starts_with("auditor:"))
            && row["decided_position"] == kept["position"]
            && row["seen_position"] == first["head"]["to"]["position"],
        "{row}"
    );
    ensure!(shown["rows"][1]["verdict"] == Value::Null, "{shown}");
    for form in ["csv", "html", "ndjson"] {
        let told = world.admin.get(&format!("{REVIEW}?format={form}")).await?.expect(200)?.text();
        ensure!(told.contains("moved to the other site") && told.contains("remove"), "{told}");
    }

    // The last one stands, and each is as of the moment that was looked at.
    let by_command = [
        "review",
        "decide",
        "--org",
        "acme",
        "--group",
        "Server room",
        "--user",
        "ada@contoso.example",
        "--verdict",
        "keep",
    ];
    world.server.cli(&by_command).await?;
    ensure!(review("").await?["rows"][0]["verdict"] == "keep");
    let position = &first["head"]["to"]["position"];
    let then = review(&format!("?as_of=position:{position}")).await?;
    ensure!(then["rows"][0]["verdict"] == "remove", "{then}");
    let before = position.as_u64().context("position")? - 1;
    let earlier = review(&format!("?from=position:0&to=position:{before}")).await?;
    let decided = earlier["rows"].as_array().context("rows")?;
    ensure!(decided.iter().all(|row| row["verdict"] == Value::Null), "{earlier}");

    // Another time in the group is another membership.
    world.scim.operations(&path, remove_member(&ada)).await?.expect(204)?;
    world.scim.operations(&path, add_members(&[&ada])).await?.expect(204)?;
    let again = review(&format!("?user={ada}")).await?;
    ensure!(again["rows"][0]["verdict"] == Value::Null, "{again}");
    let both = review(&format!("?user={ada}&from=position:0")).await?;
    let verdicts: Vec<_> =
        both["rows"].as_array().context("rows")?.iter().map(|row| &row["verdict"]).collect();
    ensure!(verdicts == [&json!("keep"), &Value::Null], "{both}");

    // What cannot be meant is refused, and kept nowhere.
    let count =
        async || Ok::<_, anyhow::Error>(world.server.cli(&list).await?.as_array().map(Vec::len));
    let kept = count().await?;
    let now = review("").await?;
    let with = |name: &str, value: Value| {
        let mut decision = about(&now, 0, "keep", None);
        decision[name] = value;
        decision
    };
    let long = "x".repeat(501);
    for (decision, status) in [
        (with("verdict", json!("burn")), 400),
        (with("verdict", json!("note")), 400),
        (with("remark", json!("  ")), 400),
        (with("remark", json!(long)), 400),
        (with("remark", json!("a\u{7}b")), 400),
        (with("seen_position", json!(9_000_000)), 400),
        (with("seen_position", json!(1)), 400),
        (with("since_position", json!(u64::MAX)), 404),
        (with("since_position", json!(1)), 404),
        (with("group_id", json!(ada)), 404),
        (with("member_id", json!(group)), 404),
        (with("color", json!("red")), 400),
    ] {
        let answer = auditor.post(DECISIONS, &decision).await?;
        ensure!(answer.status == status, "{decision}: {} {}", answer.status, answer.text());
    }
    ensure!(count().await? == kept);
    Ok(())
}

on_both!(decisions_are_kept_and_shown_and_change_nothing);
