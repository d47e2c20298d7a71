//! No answer outruns the views: whoever was told something, also that nothing was to be done, reads
//! that much from every process. `ROLLCALL_SOAK=1` plays ten times as many.

use anyhow::{Context as _, Result, ensure};
use futures::future::try_join_all;
use rollcall_tests::http::{Answer, Http, Request};
use rollcall_tests::scim::{CONTENT_TYPE, Scim, add_members, filter, user};
use rollcall_tests::server::{Server, Store};
use rollcall_tests::soak::times;
use rollcall_tests::world::{World, on_postgres, on_sqlite};
use serde_json::json;
use sqlx::{Connection as _, PgConnection};

/// So many send the same at once, and each reads when it was answered.
const SENDERS: usize = 6;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_process_on_sqlite() {
    on_sqlite(async |w| {
        everything(std::slice::from_ref(&w.scim)).await?;
        domains(&[&w.server]).await
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_on_postgres() {
    on_postgres(async |w, cluster| {
        let second = Server::start(Store::Postgres(cluster.url())).await?;
        let token = w.scim.token().context("token")?;
        everything(&[w.scim.clone(), Scim::anonymous(second.address()).with_token(token)]).await?;
        domains(&[&w.server, &second]).await
    })
    .await;
}

async fn everything(processes: &[Scim]) -> Result<()> {
    let mut stale = Vec::new();
    stale.push((
        "switched off, but read as active",
        switched_off(processes, times(1_000) / SENDERS + 1).await?,
    ));
    stale.push(("taken, but nobody has it", taken(processes, times(60) / SENDERS).await?));
    stale.push(("gone, but read", gone(processes, times(60) / SENDERS).await?));
    stale.push((
        "of another version, but read as it was",
        overtaken(processes, times(60) / SENDERS).await?,
    ));
    stale.push((
        "switched off in bulk, but read as active",
        in_bulk(processes, times(60) / SENDERS).await?,
    ));
    stale.push((
        "a member, but not read in the group",
        joined(processes, times(60) / SENDERS).await?,
    ));
    stale.push((
        "refused as a member for being gone, but read",
        unreferenced(processes, times(60) / SENDERS).await?,
    ));
    for (what, (cases, wrong)) in &stale {
        println!("{what}: {wrong} of {cases}");
    }
    ensure!(stale.iter().all(|(_, (cases, wrong))| *cases > 0 && *wrong == 0), "{stale:?}");
    Ok(())
}

/// Who sends over one process reads over the next.
fn pairs(processes: &[Scim]) -> Vec<(Scim, Scim)> {
    let of = |n: usize| processes[n % processes.len()].fresh();
    (0..SENDERS).map(|n| (of(n), of(n + 1))).collect()
}

/// Each sender's question, asked at once; counts the answers that had to be read again, and those
/// of them that were read wrong.
async fn at_once<F: Future<Output = Result<Option<bool>>>>(
    pairs: &[(Scim, Scim)],
    ask: impl Fn(usize, Scim, Scim) -> F,
) -> Result<(usize, usize)> {
    let read =
        try_join_all(pairs.iter().enumerate().map(|(n, (a, b))| ask(n, a.clone(), b.clone())))
            .await?;
    Ok((read.iter().flatten().count(), read.iter().flatten().filter(|right| !**right).count()))
}

fn sum(into: &mut (usize, usize), (cases, wrong): (usize, usize)) {
    into.0 += cases;
    into.1 += wrong;
}

async fn switched_off(processes: &[Scim], rounds: usize) -> Result<(usize, usize)> {
    let (pairs, mut found) = (pairs(processes), (0, 0));
    let path = format!("/Users/{}", processes[0].create_user("switched@contoso.example").await?);
    for _ in 0..rounds {
        let on = processes[0]
            .operations(&path, json!([{"op": "replace", "path": "active", "value": true}]))
            .await?;
        on.expect(200)?;
        let told = at_once(&pairs, |_, sender, reader| {
            let path = &path;
            async move {
                let off = json!([{"op": "Replace", "path": "active", "value": "False"}]);
                sender.operations(path, off).await?.expect(200)?;
                Ok(Some(reader.get(path).await?.expect_json(200)?["active"] == false))
            }
        });
        sum(&mut found, told.await?);
    }
    Ok(found)
}

async fn in_bulk(processes: &[Scim], rounds: usize) -> Result<(usize, usize)> {
    let (pairs, mut found) = (pairs(processes), (0, 0));
    for round in 0..rounds {
        let path = format!(
            "/Users/{}",
            processes[0].create_user(&format!("bulk{round}@contoso.example")).await?
        );
        let told = at_once(&pairs, |_, sender, reader| {
            let path = &path;
            async move {
                let off =
                    json!({"Operations": [{"op": "Replace", "path": "active", "value": "False"}]});
                let one = json!({"method": "PATCH", "path": path, "data": off});
                let body = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": [one]});
                let answer = sender.post("/Bulk", &body).await?.expect_json(200)?;
                ensure!(answer["Operations"][0]["status"] == "200", "{answer}");
                Ok(Some(reader.get(path).await?.expect_json(200)?["active"] == false))
            }
        });
        sum(&mut found, told.await?);
    }
    Ok(found)
}

async fn joined(processes: &[Scim], rounds: usize) -> Result<(usize, usize)> {
    let (pairs, mut found) = (pairs(processes), (0, 0));
    for round in 0..rounds {
        let user = processes[0].create_user(&format!("joined{round}@contoso.example")).await?;
        let group = processes[0].create_group(&format!("Joined {round}")).await?;
        let told = at_once(&pairs, |_, sender, reader| {
            let (user, group) = (&user, &group);
            async move {
                let answer =
                    sender.operations(&format!("/Groups/{group}"), add_members(&[user])).await?;
                ensure!(matches!(answer.status, 200 | 204), "{answer:?}");
                Ok(Some(reader.members(group).await?.contains(user)))
            }
        });
        sum(&mut found, told.await?);
    }
    Ok(found)
}

async fn unreferenced(processes: &[Scim], rounds: usize) -> Result<(usize, usize)> {
    let (pairs, mut found) = (pairs(processes), (0, 0));
    for round in 0..rounds {
        let user =
            processes[0].create_user(&format!("unreferenced{round}@contoso.example")).await?;
        let group = processes[0].create_group(&format!("Unreferenced {round}")).await?;
        let told = at_once(&pairs, |n, sender, reader| {
            let (path, user, group) = (format!("/Users/{user}"), &user, &group);
            async move {
                let answer = match n {
                    0 => sender.delete(&path).await?,
                    _ => {
                        sender.operations(&format!("/Groups/{group}"), add_members(&[user])).await?
                    }
                };
                match answer.status {
                    // Quicker than the deletion.
                    200 | 204 if n > 0 => Ok(None),
                    204 | 400 => Ok(Some(reader.get(&path).await?.status == 404)),
                    _ => anyhow::bail!("{answer:?}"),
                }
            }
        });
        sum(&mut found, told.await?);
    }
    Ok(found)
}

/// Organizations of one domain, made at once: whoever is told that another has it finds that one.
async fn domains(servers: &[&Server]) -> Result<()> {
    let (mut taken, mut wrong) = (0, 0);
    let keys = servers.iter().map(|server| server.operator_key()).collect::<Result<Vec<_>>>()?;
    for round in 0..times(10) {
        let asked = (0..SENDERS).map(|n| {
            let (here, there) = (n % servers.len(), (n + 1) % servers.len());
            let with_key = |key: &str, request: Request| {
                request.header("Authorization", format!("Bearer {key}"))
            };
            let body =
                json!({"name": format!("Domain {round}"), "domain": format!("domain{round}")});
            let create = with_key(&keys[here], Request::new("POST", "/api/v1/organizations"))
                .json("application/json", &body);
            let show = with_key(
                &keys[there],
                Request::new("GET", format!("/api/v1/organizations/domain{round}")),
            );
            let (sender, reader) =
                (Http::new(servers[here].address()), Http::new(servers[there].address()));
            async move {
                let answer = sender.send(create).await?;
                ensure!(matches!(answer.status, 201 | 409), "{answer:?}");
                Ok((answer.status, reader.send(show).await?.status))
            }
        });
        for (told, read) in try_join_all(asked).await? {
            taken += usize::from(told == 409);
            wrong += usize::from(read != 200);
        }
    }
    println!("a domain that is taken, but nobody has it: {wrong} of {taken}");
    ensure!(taken > 0 && wrong == 0, "{wrong} of {taken}");
    Ok(())
}

async fn finds(reader: &Scim, name: &str) -> Result<bool> {
    let list =
        reader.get(&format!("/Users?{}", filter(&format!("userName eq \"{name}\"")))).await?;
    Ok(list.expect_json(200)?["totalResults"] == 1)
}

async fn taken(processes: &[Scim], rounds: usize) -> Result<(usize, usize)> {
    let (pairs, mut found) = (pairs(processes), (0, 0));
    for round in 0..rounds {
        let name = format!("taken{round}@contoso.example");
        let told = at_once(&pairs, |_, sender, reader| {
            let name = &name;
            async move {
                let answer = sender.post("/Users", &user(name)).await?;
                ensure!(matches!(answer.status, 201 | 409), "{answer:?}");
                Ok(Some(finds(&reader, name).await?))
            }
        });
        sum(&mut found, told.await?);
    }
    Ok(found)
}

async fn gone(processes: &[Scim], rounds: usize) -> Result<(usize, usize)> {
    let (pairs, mut found) = (pairs(processes), (0, 0));
    for round in 0..rounds {
        let name = format!("gone{round}@contoso.example");
        let path = format!("/Users/{}", processes[0].create_user(&name).await?);
        let told = at_once(&pairs, |n, sender, reader| {
            let (path, name) = (&path, &name);
            async move {
                // A deletion, and changes that find nothing any more.
                let answer = match n % 2 {
                    0 => sender.delete(path).await?,
                    _ => {
                        sender
                            .operations(path, json!([{"op": "add", "path": "title", "value": "T"}]))
                            .await?
                    }
                };
                ensure!(matches!(answer.status, 200 | 204 | 404), "{answer:?}");
                if answer.status == 200 {
                    return Ok(None);
                }
                let read = reader.get(path).await?;
                Ok(Some(read.status == 404 && !finds(&reader, name).await?))
            }
        });
        sum(&mut found, told.await?);
    }
    Ok(found)
}

async fn overtaken(processes: &[Scim], rounds: usize) -> Result<(usize, usize)> {
    let (pairs, mut found) = (pairs(processes), (0, 0));
    let path = format!("/Users/{}", processes[0].create_user("overtaken@contoso.example").await?);
    for round in 0..rounds {
        let before = processes[0].get(&path).await?;
        let tag = before.header("etag").context("an ETag")?.to_owned();
        let told = at_once(&pairs, |n, sender, reader| {
            let (path, tag) = (&path, &tag);
            async move {
                let title = format!("T{round}-{n}");
                let body =
                    json!({"Operations": [{"op": "replace", "path": "title", "value": title}]});
                let request =
                    sender.request("PATCH", path).header("If-Match", tag).json(CONTENT_TYPE, &body);
                let answer = sender.send(request).await?;
                ensure!(matches!(answer.status, 200 | 412), "{answer:?}");
                let read = reader.get(path).await?;
                Ok(Some(read.header("etag") != Some(tag)))
            }
        });
        sum(&mut found, told.await?);
    }
    Ok(found)
}

/// Views that can be read and not written, for as long as this is held.
enum Held {
    Sqlite(rusqlite::Connection),
    Postgres(PgConnection),
}

impl Held {
    async fn sqlite(w: &World) -> Result<Self> {
        let views = rusqlite::Connection::open(w.server.data().join("views.db"))?;
        views.busy_timeout(std::time::Duration::from_secs(10))?;
        views.execute_batch("BEGIN IMMEDIATE")?;
        Ok(Self::Sqlite(views))
    }

    async fn postgres(url: &str) -> Result<Self> {
        let mut connection = PgConnection::connect(url).await?;
        sqlx::raw_sql("BEGIN; LOCK TABLE rollcall_views.checkpoints IN SHARE MODE")
            .execute(&mut connection)
            .await?;
        Ok(Self::Postgres(connection))
    }

    async fn let_go(self) -> Result<()> {
        match self {
            Self::Sqlite(views) => views.execute_batch("ROLLBACK")?,
            Self::Postgres(connection) => connection.close().await?,
        }
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_no_reader_sees_is_not_answered_on_sqlite() {
    on_sqlite(async |w| unseen(w, Held::sqlite(w).await?).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_no_reader_sees_is_not_answered_on_postgres() {
    on_postgres(async |w, cluster| {
        let url = cluster.url();
        unseen(w, Held::postgres(&url).await?).await
    })
    .await;
}

/// Somebody is switched off while no view can be written: no answer says so, however often it is
/// asked, until readers see it.
async fn unseen(w: &World, held: Held) -> Result<()> {
    let waits = |answer: Answer| -> Result<()> {
        ensure!(answer.header("retry-after").is_some(), "{answer:?}");
        answer.expect(503).map(drop)
    };
    // Nobody was created before the views were held: the answers to these come once, from the log.
    waits(w.scim.post("/Users", &user("unseen@contoso.example")).await?)?;
    ensure!(!finds(&w.scim, "unseen@contoso.example").await?, "the views were written");
    // A repetition meets the name that it took itself.
    waits(w.scim.post("/Users", &user("unseen@contoso.example")).await?)?;
    held.let_go().await?;
    let again = w.scim.post("/Users", &user("unseen@contoso.example")).await?;
    again.expect(409)?;
    ensure!(finds(&w.scim, "unseen@contoso.example").await?, "taken by nobody");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repetition_is_not_answered_either_on_sqlite() {
    on_sqlite(async |w| repeated(w, async |w| Held::sqlite(w).await).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repetition_is_not_answered_either_on_postgres() {
    on_postgres(async |w, cluster| {
        let url = cluster.url();
        repeated(w, async |_| Held::postgres(&url).await).await
    })
    .await;
}

async fn repeated(w: &World, hold: impl AsyncFnOnce(&World) -> Result<Held>) -> Result<()> {
    let path = format!("/Users/{}", w.scim.create_user("ada@contoso.example").await?);
    let off = || json!([{"op": "Replace", "path": "active", "value": "False"}]);
    let held = hold(w).await?;
    for _ in 0..2 {
        w.scim.operations(&path, off()).await?.expect(503)?;
        ensure!(
            w.scim.get(&path).await?.expect_json(200)?["active"] == true,
            "the views were written"
        );
    }
    held.let_go().await?;
    w.scim.operations(&path, off()).await?.expect(200)?;
    ensure!(w.scim.get(&path).await?.expect_json(200)?["active"] == false, "still active");
    Ok(())
}
