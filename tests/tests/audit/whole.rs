//! An answer of `/api/v1` is whole, or says what is missing, or is refused: each route, held
//! against its own description.

use anyhow::{Context as _, Result, ensure};
use rollcall_tests::http::{Answer, Request};
use rollcall_tests::world::{World, on_sqlite};
use serde_json::{Value, json};

const NOBODY: &str = "00000000-0000-0000-0000-000000000001";

async fn ask(w: &World, method: &str, target: &str) -> Result<Answer> {
    let key = w.server.operator_key()?;
    let mut request = Request::new(method, target).header("Authorization", format!("Bearer {key}"));
    if method != "GET" && method != "DELETE" {
        request = request.header("Content-Type", "application/json").body("{");
    }
    w.scim.http().fresh().send(request).await
}

/// A path of the description, with something in place of its parameters.
fn filled(path: &str, id: &str) -> String {
    let mut out = path.replace("{organization}", "acme");
    while let (Some(open), Some(close)) = (out.find('{'), out.find('}')) {
        out.replace_range(open..=close, id);
    }
    out
}

/// The problem that an error is.
fn problem(answer: &Answer) -> Result<Value> {
    let said = format!("{} {}: {}", answer.asked, answer.status, answer.text());
    ensure!(answer.header("content-type") == Some("application/problem+json"), "{said}");
    let problem = answer.json()?;
    ensure!(
        problem["status"] == answer.status
            && ["title", "detail"]
                .iter()
                .all(|n| problem[n].as_str().is_some_and(|t| !t.is_empty())),
        "{said}"
    );
    Ok(problem)
}

/// Each operation of the description: method, path, and itself.
async fn operations(w: &World) -> Result<Vec<(String, String, Value)>> {
    let document = w.admin.get_anonymous("/api/v1/openapi.json").await?.expect_json(200)?;
    let paths = document["paths"].as_object().context("paths")?.clone();
    let mut all = Vec::new();
    for (path, item) in paths {
        for (method, operation) in item.as_object().context("operations")? {
            all.push((method.to_uppercase(), path.clone(), operation.clone()));
        }
    }
    Ok(all)
}

fn query_names(operation: &Value) -> Vec<&str> {
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    parameters.filter(|p| p["in"] == "query").filter_map(|p| p["name"].as_str()).collect()
}

#[tokio::test]
async fn every_route_refuses_what_its_description_does_not_declare() {
    on_sqlite(async |w| {
        let (mut asked, mut beyond) = (0, 0);
        for (method, path, operation) in operations(w).await? {
            let target = format!("{}?wrong_one=1", filled(&path, NOBODY));
            let refused = ask(w, &method, &target).await?.expect(400)?;
            let problem = problem(&refused)?;
            let declared = query_names(&operation);
            ensure!(
                problem["parameter"] == "wrong_one"
                    && problem["allowed"].as_array().map_or(0, Vec::len) == declared.len(),
                "{target}: {problem}"
            );
            if declared.contains(&"limit") && !path.ends_with("/export") {
                for limit in ["0", "1001", "100000", "-1", "many"] {
                    let target = format!("{}?limit={limit}", filled(&path, NOBODY));
                    problem_of(w, &method, &target, 400).await?;
                }
                let target = format!("{}?cursor=nonsense", filled(&path, NOBODY));
                let problem = problem_of(w, &method, &target, 400).await?;
                ensure!(problem["parameter"] == "cursor", "{target}: {problem}");
            }
            if declared.contains(&"as_of") {
                for (as_of, status) in
                    [("tomorrow", 400), ("2999-01-01", 400), ("position:999999", 400)]
                {
                    for name in ["as_of", "asOf"] {
                        let target = format!("{}?{name}={as_of}", filled(&path, NOBODY));
                        let problem = problem_of(w, &method, &target, status).await?;
                        ensure!(problem["parameter"] == "as_of", "{target}: {problem}");
                    }
                }
            }
            // A consumer is told in its own way when the log is another one.
            if declared.contains(&"after") && !path.contains("/consumers/") {
                let target = format!("{}?after=99999999", filled(&path, NOBODY));
                let problem = problem_of(w, &method, &target, 400).await?;
                ensure!(problem["parameter"] == "after", "{target}: {problem}");
                beyond += 1;
            }
            // An id that is none, a method that is not there, an address below it.
            if path.replace("{organization}", "").contains('{') {
                // Users and groups have names as well: what is no id is one that nobody has.
                let named = ["/users/{id}", "/groups/{id}"].iter().any(|p| path.contains(p))
                    || (path.contains("/console/groups/") && method == "DELETE");
                let status = if named { 404 } else { 400 };
                problem_of(w, &method, &filled(&path, "no id"), status).await?;
            }
            let wrong = problem_of(w, "OPTIONS", &filled(&path, NOBODY), 405).await?;
            ensure!(
                wrong["allowed"].as_array().is_some_and(|all| all.contains(&json!(method))),
                "{path}: {wrong}"
            );
            problem_of(w, &method, &format!("{}/nowhere/at/all", filled(&path, NOBODY)), 404)
                .await?;
            asked += 1;
        }
        ensure!(asked > 60 && beyond > 8, "{asked} operations, {beyond} of them go on somewhere");
        Ok(())
    })
    .await;
}

async fn problem_of(w: &World, method: &str, target: &str, status: u16) -> Result<Value> {
    problem(&ask(w, method, &target.replace(' ', "%20")).await?.expect(status)?)
}

#[tokio::test]
async fn what_never_was_is_refused_with_what_there_is() {
    on_sqlite(async |w| {
        let ada = w.scim.create_user("ada@contoso.example").await?;
        let there_is = [
            ("events?type=Foo", "type", "UserCreated"),
            ("events?actor=nobody", "actor", "operator"),
            ("events?actor=scim_token:x", "actor", "scim_token:ID"),
            ("exchanges?operation=users.frobnicate", "operation", "users.patch"),
            ("runs?kind=sideways", "kind", "incremental"),
            ("failures?cause=bad-luck", "cause", "name-taken"),
            ("diff?from=position:0&format=cloudevents", "format", "csv"),
        ];
        for (question, parameter, among) in there_is {
            let target = format!("/api/v1/organizations/acme/{question}");
            let problem = problem_of(w, "GET", &target, 400).await?;
            let allowed = problem["allowed"].as_array().context("allowed")?;
            ensure!(
                problem["parameter"] == parameter && allowed.contains(&json!(among)),
                "{question}: {problem}"
            );
        }
        for list in ["events", "events/export", "diff", "review"] {
            let back = "from=position:3&to=position:1";
            let target = format!("/api/v1/organizations/acme/{list}?{back}");
            let problem = problem_of(w, "GET", &target, 400).await?;
            let detail = problem["detail"].as_str().unwrap_or_default();
            ensure!(detail.contains("swap"), "{list}, from the end to the beginning: {problem}");
        }
        for question in [
            format!("events?subject={NOBODY}"),
            format!("events?exchange={NOBODY}"),
            format!("events?run={NOBODY}"),
            format!("exchanges?subject={NOBODY}"),
            format!("exchanges?run={NOBODY}"),
            format!("failures?subject={NOBODY}"),
            format!("logins?user={NOBODY}"),
            format!("sessions?user={NOBODY}"),
            format!("users/{NOBODY}"),
            format!("groups/{NOBODY}/members"),
            format!("diff?from=run:{NOBODY}"),
        ] {
            let target = format!("/api/v1/organizations/acme/{question}");
            problem_of(w, "GET", &target, 404).await?;
        }
        // Of somebody who is there, nothing is an answer.
        for question in [
            format!("failures?subject={ada}"),
            format!("logins?user={ada}"),
            format!("sessions?user={ada}"),
        ] {
            let target = format!("/api/v1/organizations/acme/{question}");
            ensure!(ask(w, "GET", &target).await?.expect_json(200)? == json!([]), "{question}");
        }
        Ok(())
    })
    .await;
}

/// What is asked for at an address where nothing is, or by a method that is not there, is kept as
/// everything else, and names who asked.
#[tokio::test]
async fn a_question_that_nobody_answers_leaves_an_exchange_with_its_caller() {
    on_sqlite(async |w| {
        let issued = w.server.cli(&["auditor", "issue", "--org", "acme", "--label", "Eve"]).await?;
        let key = issued["key"].as_str().context("a key")?;
        for (method, target, status, log) in [
            ("GET", "/api/v1/organizations/acme/nowhere", 404, "acme"),
            ("PUT", "/api/v1/organizations/acme/events", 405, "acme"),
            ("GET", "/api/v1/organizations/acme/events?wrong_one=1", 400, "acme"),
            ("GET", "/api/v1/nowhere", 404, "acme"),
            ("GET", "/api/v1", 404, "acme"),
        ] {
            let request =
                Request::new(method, target).header("Authorization", format!("Bearer {key}"));
            let answer = w.scim.http().fresh().send(request).await?.expect(status)?;
            let problem = problem(&answer)?;
            let id = answer.header("exchange-id").context("an exchange id")?;
            ensure!(problem["instance"] == format!("urn:uuid:{id}"), "{problem}");
            let target = format!("/api/v1/organizations/{log}/exchanges/{id}");
            let kept = w.admin.get(&target).await?.expect_json(200)?;
            ensure!(
                kept["exchange"]["caller"]["auditor"] == issued["auditor_id"]
                    && kept["exchange"]["answer"]["status"] == status,
                "{kept}"
            );
        }
        for target in ["/api/v1/nowhere", "/api/v1/organizations/acme/events?wrong_one=1"] {
            let stranger = Request::new("GET", target);
            problem(&w.scim.http().fresh().send(stranger).await?.expect(401)?)?;
        }
        Ok(())
    })
    .await;
}

/// The texts of all instants in a body: what begins as RFC 3339 has it.
fn instants(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => {
            let bytes = text.as_bytes();
            if bytes.len() > 10 && bytes[4] == b'-' && bytes[7] == b'-' && bytes[10] == b'T' {
                found.push(text.clone());
            }
        }
        Value::Array(all) => all.iter().for_each(|v| instants(v, found)),
        Value::Object(all) => all.values().for_each(|v| instants(v, found)),
        _ => {}
    }
}

#[tokio::test]
async fn instants_are_written_in_one_way() {
    on_sqlite(async |w| {
        let ada = w.scim.create_user("ada@contoso.example").await?;
        let group = w.scim.create_group("Staff").await?;
        w.scim
            .operations(&format!("/Groups/{group}"), rollcall_tests::scim::add_members(&[&ada]))
            .await?
            .expect(204)?;
        w.server
            .cli(&["auditor", "issue", "--org", "acme", "--label", "x", "--expires-in", "9d"])
            .await?;
        let mut found = Vec::new();
        for (method, path, _) in operations(w).await? {
            let id = if path.contains("/users/") { &ada } else { &group };
            let mut target = filled(&path.replace("{position}", "1"), id);
            if path.ends_with("/diff") {
                target.push_str("?from=position:0");
            }
            let answered = if method == "GET" && !path.ends_with("/backup") {
                ask(w, "GET", &target).await?
            } else {
                continue;
            };
            let is_json = answered.header("content-type") == Some("application/json");
            if answered.status == 200 && is_json {
                instants(&answered.json()?, &mut found);
            }
        }
        ensure!(found.len() > 30, "{found:?}");
        for text in found {
            ensure!(
                text.len() == "2026-11-24T08:00:00.000Z".len() && text.ends_with('Z'),
                "{text}"
            );
        }
        Ok(())
    })
    .await;
}
