//! Many clients at once: nothing is lost, nothing is refused that need not be, on one process with
//! the embedded store and on two processes that share a PostgreSQL database.

mod crowd;
mod frozen;
mod outrun;
mod pooler;
mod rolling;
mod round_trips;
mod serving_role;

use anyhow::{Context as _, Result, ensure};
use futures::future::{join_all, try_join_all};
use rollcall_tests::http::Answer;
use rollcall_tests::refusal::refused;
use rollcall_tests::scim::{CONTENT_TYPE, Scim, add_members, remove_member, user};
use rollcall_tests::server::{Server, Store};
use rollcall_tests::world::{World, on_postgres, on_sqlite};
use serde_json::json;

const CLIENTS: usize = 64;
/// Each client adds and removes its member this often before its last word.
const ROUNDS: usize = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_process_on_sqlite() {
    on_sqlite(async |w| {
        let clients = [w.scim.clone()];
        members_of_one_group(w, &clients).await?;
        one_user_name(w, &clients).await?;
        consistent(w).await
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_on_postgres() {
    on_postgres(async |w, cluster| {
        let second = Server::start(Store::Postgres(cluster.url())).await?;
        let token = w.scim.token().context("token")?;
        let clients = [w.scim.clone(), Scim::anonymous(second.address()).with_token(token)];
        read_your_writes_anywhere(&clients).await?;
        judged_on_what_another_process_wrote(&clients).await?;
        members_of_one_group(w, &clients).await?;
        one_user_name(w, &clients).await?;
        consistent(w).await
    })
    .await;
}

/// A connection of its own for each client, spread over the processes.
fn spread(processes: &[Scim]) -> Vec<Scim> {
    (0..CLIENTS).map(|n| processes[n % processes.len()].fresh()).collect()
}

/// Entra never sees a lost race: 409 and 412 would make it put the group aside for hours.
fn applied(answer: Answer) -> Result<()> {
    ensure!(
        answer.status == 204 || answer.status == 200,
        "{}: {} {}",
        answer.asked,
        answer.status,
        answer.text()
    );
    Ok(())
}

/// A process judges a request on what is in the log, not on a copy that another process has
/// overtaken.
async fn judged_on_what_another_process_wrote(processes: &[Scim]) -> Result<()> {
    let [a, b] = processes else { anyhow::bail!("two processes") };
    let path = format!("/Users/{}", a.create_user("overtaken@contoso.example").await?);
    let mail = |kind: &str| json!([{"op": "add", "path": "emails", "value": [{"type": kind, "value": format!("{kind}@contoso.example")}]}]);
    applied(b.operations(&path, mail("home")).await?)?;
    let title = json!({"Operations": [{"op": "add", "path": "title", "value": "Chief"}]});
    let request =
        a.request("PATCH", &path).header("If-Match", "W/\"2\"").json(CONTENT_TYPE, &title);
    applied(a.send(request).await?)?;
    applied(b.operations(&path, mail("work")).await?)?;
    applied(
        a.operations(
            &path,
            json!([{"op": "replace", "path": "emails[value sw \"work\"].display", "value": "W"}]),
        )
        .await?,
    )?;
    applied(b.operations(&path, json!([{"op": "remove", "path": "emails"}])).await?)?;
    let gone = a
        .operations(
            &path,
            json!([{"op": "replace", "path": "emails[value sw \"work\"].display", "value": "W"}]),
        )
        .await?;
    refused(gone, 400, Some("noTarget"))?;
    Ok(())
}

async fn members_of_one_group(w: &World, processes: &[Scim]) -> Result<()> {
    let users = try_join_all((0..CLIENTS).map(|n| {
        let client = w.scim.fresh();
        async move { client.create_user(&format!("member{n}@contoso.example")).await }
    }))
    .await?;
    let group = w.scim.create_group("Everybody at once").await?;
    let path = format!("/Groups/{group}");
    try_join_all(spread(processes).into_iter().zip(&users).enumerate().map(|(n, (client, id))| {
        let path = &path;
        async move {
            for _ in 0..ROUNDS {
                applied(client.operations(path, add_members(&[id])).await?)?;
                applied(client.operations(path, remove_member(id)).await?)?;
            }
            if n % 2 == 0 {
                applied(client.operations(path, add_members(&[id])).await?)?;
            }
            Ok::<_, anyhow::Error>(())
        }
    }))
    .await?;
    let mut expected: Vec<String> = users.into_iter().step_by(2).collect();
    expected.sort();
    for process in processes {
        let found = process.members(&group).await?;
        ensure!(found == expected, "{} members instead of {}", found.len(), expected.len());
    }
    Ok(())
}

async fn one_user_name(w: &World, processes: &[Scim]) -> Result<()> {
    for round in 0..5 {
        let name = format!("wanted{round}@contoso.example");
        let answers = join_all(spread(processes).into_iter().map(|client| {
            let body = user(&name);
            async move { client.post("/Users", &body).await }
        }))
        .await;
        let (mut created, mut taken) = (0, 0);
        for answer in answers {
            match answer? {
                answer if answer.status == 201 => created += 1,
                answer => {
                    refused(answer, 409, Some("uniqueness"))?;
                    taken += 1;
                }
            }
        }
        ensure!((created, taken) == (1, CLIENTS - 1), "{created} created and {taken} refused");
        let list = w
            .scim
            .get(&format!(
                "/Users?{}",
                rollcall_tests::scim::filter(&format!("userName eq \"{name}\""))
            ))
            .await?
            .expect_json(200)?;
        ensure!(list["totalResults"] == 1, "{list}");
    }
    Ok(())
}

/// What one process has answered, another must know: Entra looks for what it has just created.
async fn read_your_writes_anywhere(processes: &[Scim; 2]) -> Result<()> {
    for n in 0..50 {
        let (writer, reader) = (&processes[n % 2], &processes[(n + 1) % 2]);
        let id = writer.create_user(&format!("seen{n}@contoso.example")).await?;
        reader.get(&format!("/Users/{id}")).await?.expect(200)?;
        let list = reader
            .get(&format!(
                "/Users?{}",
                rollcall_tests::scim::filter(&format!("userName eq \"SEEN{n}@contoso.example\""))
            ))
            .await?;
        ensure!(
            list.expect_json(200)?["totalResults"] == 1,
            "user {n} is not found by name in the other process"
        );
        writer
            .operations(
                &format!("/Users/{id}"),
                serde_json::json!([{"op": "replace", "path": "title", "value": "T"}]),
            )
            .await?
            .expect(200)?;
        // The other process holds a copy of the user that is out of date now: it must notice.
        let twice = reader
            .operations(
                &format!("/Users/{id}"),
                serde_json::json!([{"op": "replace", "path": "nickName", "value": "N"}]),
            )
            .await?;
        let body = twice.expect_json(200)?;
        ensure!(body["title"] == "T" && body["nickName"] == "N", "{body}");
    }
    Ok(())
}

async fn consistent(w: &World) -> Result<()> {
    rollcall_tests::admin::gapless(&w.admin.events_after(&w.acme.id, 0).await?, 0)?;
    w.server.cli(&["views", "verify"]).await?;
    Ok(())
}
