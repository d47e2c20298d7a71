//! Answers rest on a position, and say so: every route, asked of two processes in turn, while a
//! client writes. For one who asks, it never goes backwards, and what was written is in it.

use anyhow::{Context as _, Result, ensure};
use rollcall_contract::request_line::Method;
use rollcall_contract::route;
use rollcall_tests::admin::Admin;
use rollcall_tests::http::Answer;
use rollcall_tests::scim::{Scim, add_members, user};
use rollcall_tests::server::{Server, Store};
use rollcall_tests::world::{World, start_cluster};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use uuid::Uuid;

fn position(answer: &Answer) -> Result<Option<u64>> {
    answer.header("rollcall-position").map(|text| text.parse().context("a number")).transpose()
}

/// Routes that tell no position, each with the reason.
const WITHOUT: [(&str, &str); 3] = [
    ("/api/v1/session", "who holds a session is asked at each click, and is in no log's order"),
    (
        "/api/v1/organizations/{organization}/consumers/{consumer}/keys",
        "anybody may fetch them, and strangers are told nothing else",
    ),
    ("/api/v1/server/proof", "is asked before a key is sent, and strangers are told nothing"),
];

/// A path with everything in it that is known; what is not there is 404, and says of what, too.
fn filled(template: &str, user: &str, group: &str) -> String {
    let id = if template.contains("/groups/") { group } else { user };
    let nobody = Uuid::nil().to_string();
    let mut path = template.replace("{organization}", "acme").replace("{id}", id);
    path = path.replace("{position}", "1").replace("{user}", user);
    while let (Some(open), Some(close)) = (path.find('{'), path.find('}')) {
        path.replace_range(open..=close, &nobody);
    }
    path
}

async fn story(w: &World, other: Option<&Server>) -> Result<()> {
    let admin = |server: &Server| -> Result<Admin> {
        Ok(Admin::new(server.address(), &server.operator_key()?))
    };
    let mut doors = vec![(admin(&w.server)?, w.scim.fresh())];
    if let Some(other) = other {
        let token = w.scim.token().context("a token")?;
        doors.push((admin(other)?, Scim::anonymous(other.address()).with_token(token)));
    }
    let ada = w.scim.create_user("ada@contoso.example").await?;
    let staff = w.scim.create_group("Staff").await?;
    w.scim.operations(&format!("/Groups/{staff}"), add_members(&[&ada])).await?.expect(204)?;

    let (mut last, mut told) = (0, BTreeMap::new());
    let mut last_of_deployment = 0;
    let routes = route::all();
    for (n, route) in routes.iter().enumerate() {
        let (admin, scim) = &doors[n % doors.len()];
        // Whatever was answered before, by whom ever, is not taken back.
        let name = format!("user{n}@contoso.example");
        let written = scim.post("/Users", &user(&name)).await?.expect(201)?;
        let at = position(&written)?.context("a write tells its position")?;
        ensure!(at > last, "a write after {last} is at {at}");
        last = at;
        let taken = scim.post("/Users", &user(&name)).await?.expect(409)?;
        for answer in [
            taken,
            scim.get(&format!("/Users/{}", Uuid::nil())).await?.expect(404)?,
            scim.get("/Users?count=1").await?.expect(200)?,
            scim.get("/nothing").await?,
        ] {
            let at = position(&answer)?.with_context(|| format!("no position: {answer:?}"))?;
            ensure!(at >= last, "SCIM went back from {last} to {at}");
            last = at;
        }
        if route.method != Method::Get {
            continue;
        }
        let path = filled(route.template, &ada, &staff);
        let answer = admin.get(&path).await?;
        if WITHOUT.iter().any(|(without, _)| *without == route.template) {
            ensure!(answer.header("rollcall-position").is_none());
            continue;
        }
        // Not for an operator's key.
        if [401, 403].contains(&answer.status) {
            continue;
        }
        let at = position(&answer)?;
        let at = at.with_context(|| format!("{path} tells no position: {}", answer.status))?;
        told.insert(route.template, answer.status);
        let before = match route.template.contains("{organization}") {
            true => &mut last,
            false => &mut last_of_deployment,
        };
        ensure!(at >= *before, "{path} went back from {before} to {at}");
        *before = at;
    }
    let answered = told.values().filter(|status| **status < 300).count();
    ensure!(told.len() >= 35 && answered >= 25, "{} routes asked: {told:?}", told.len());

    // What is written by the API, and by many operations at once, is told as well.
    let (admin, scim) = &doors[0];
    let issued = admin
        .post("/api/v1/organizations/acme/auditors", &json!({ "label": "Audit" }))
        .await?
        .expect(201)?;
    let at = position(&issued)?.context("a position")?;
    ensure!(at > last, "{at} after {last}");
    let bulk: Vec<Value> = (0..3)
        .map(|n| {
            let data = user(&format!("bulk{n}@contoso.example"));
            json!({ "method": "POST", "path": "/Users", "bulkId": n.to_string(), "data": data })
        })
        .collect();
    let schemas = ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"];
    let done = scim.post("/Bulk", &json!({ "schemas": schemas, "Operations": bulk })).await?;
    ensure!(position(&done.expect(200)?)? == Some(at + 3), "a bulk request rests on its last part");
    // Nobody is told how much there is who has shown no key.
    for answer in [
        w.admin.get_anonymous("/api/v1/organizations").await?,
        w.admin.get_anonymous("/api/v1/organizations/acme/users").await?,
        Scim::anonymous(w.server.address()).get("/Users").await?,
    ] {
        ensure!(answer.status == 401 && answer.header("rollcall-position").is_none(), "{answer:?}");
    }
    Ok(())
}

#[tokio::test]
async fn every_answer_tells_on_what_it_rests() -> Result<()> {
    story(&World::new(Store::Sqlite).await?, None).await
}

#[tokio::test]
async fn every_answer_of_any_process_tells_on_what_it_rests() -> Result<()> {
    let cluster = start_cluster().await;
    let w = World::new(Store::Postgres(cluster.url())).await?;
    let other = Server::start(Store::Postgres(cluster.url())).await?;
    story(&w, Some(&other)).await
}
