//! A store that an older version wrote, on today's server.

mod in_the_clear;
mod old_store;
mod sealing;

use anyhow::{Context as _, Result, ensure};
use old_store::OldStore;
use rollcall_tests::refusal::{refused, refused_naming};
use rollcall_tests::scim::{Scim, filter, user};
use rollcall_tests::server::{Server, Store};
use rollcall_tests::world::{World, on_postgres, on_sqlite};
use serde_json::{Value, json};
use uuid::Uuid;

struct People {
    organization: Uuid,
    /// Has the name `ada@x.example`, and had it first.
    ada: Uuid,
    /// Has the same with a line feed behind it, which was another name.
    again: Uuid,
    /// Has a name with a mark behind it that nobody sees.
    fay: Uuid,
}

const AGAIN: &str = "ADA@x.example\n";
const FAY: &str = "fay@x.example\u{200b}";

/// Users as an older version took them, on a store that no server has open.
async fn given(w: &mut World, store: &OldStore) -> Result<People> {
    let mut made = Vec::new();
    for name in ["ada@x.example", "again@x.example", "someone@x.example", "gus@x.example"] {
        made.push(w.scim.create_user(name).await?.parse::<Uuid>()?);
    }
    // The older version found nobody: the name that the user has by now was another one.
    ensure!(found(&w.scim, "fay@x.example").await?.is_empty());
    let organization: Uuid = w.acme.id.parse()?;
    let people = People { organization, ada: made[0], again: made[1], fay: made[2] };
    ensure!(
        store.is_marked(organization).await?,
        "a new organization claims names as they are folded now"
    );
    ensure!(w.server.terminate().await?.success(), "the server did not stop");
    sealing::as_before(w, store.database()).await?;
    store.rename(organization, people.again, "again@x.example", AGAIN, "ada@x.example\n").await?;
    store.rename(organization, people.fay, "someone@x.example", FAY, FAY).await?;
    store.unmark(organization).await?;
    Ok(people)
}

async fn collisions(w: &World) -> Result<(bool, Value)> {
    let told = w.server.command(&["claims", "collisions", "--org", "acme"]).await?;
    let list = serde_json::from_slice(&told.stdout)
        .with_context(|| String::from_utf8_lossy(&told.stderr).into_owned())?;
    Ok((told.status.success(), list))
}

async fn found(scim: &Scim, name: &str) -> Result<Vec<String>> {
    let list = scim
        .get(&format!("/Users?{}", filter(&format!("userName eq \"{name}\""))))
        .await?
        .expect_json(200)?;
    let ids = list["Resources"].as_array().into_iter().flatten().filter_map(|r| r["id"].as_str());
    Ok(ids.map(str::to_owned).collect())
}

/// What holds on every process once names are claimed anew.
async fn one_name_one_user(scim: &Scim, p: &People) -> Result<()> {
    let (ada, again, fay) = (p.ada.to_string(), p.again.to_string(), p.fay.to_string());
    ensure!(
        found(scim, "Fay@x.example").await? == [fay.clone()]
            && found(scim, " fay@X.example\\n").await? == [fay.clone()]
    );
    ensure!(found(scim, "ada@x.example").await? == [ada.clone(), again.clone()]);
    refused_naming(
        scim.post("/Users", &user("fay@x.example")).await?,
        409,
        Some("uniqueness"),
        &[&fay],
    )?;
    refused_naming(
        scim.post("/Users", &user("\tAda@x.example ")).await?,
        409,
        Some("uniqueness"),
        &[&ada],
    )?;
    // Closer to the name that another one holds is no way out.
    let closer = json!([{"op": "replace", "path": "userName", "value": "ada@x.example"}]);
    refused_naming(
        scim.operations(&format!("/Users/{again}"), closer).await?,
        409,
        Some("uniqueness"),
        &[&ada],
    )?;
    // What was sent is what is given back.
    ensure!(scim.get(&format!("/Users/{again}")).await?.expect_json(200)?["userName"] == AGAIN);
    ensure!(scim.get(&format!("/Users/{fay}")).await?.expect_json(200)?["userName"] == FAY);
    Ok(())
}

async fn told(w: &World, store: &OldStore, p: &People) -> Result<()> {
    store.claims(p.organization, p.ada, &["ada@x.example"]).await?;
    store.claims(p.organization, p.again, &["ada@x.example\n"]).await?;
    store.claims(p.organization, p.fay, &["fay@x.example"]).await?;
    ensure!(!store.is_marked(p.organization).await?, "a name is contested");
    let (none, list) = collisions(w).await?;
    let [one] = list.as_array().map(Vec::as_slice).unwrap_or_default() else {
        anyhow::bail!("{list}")
    };
    ensure!(!none && one["name"] == "ada@x.example", "{list}");
    let of = |n: usize| {
        (
            one["users"][n]["user_id"].clone(),
            one["users"][n]["user_name"].clone(),
            one["users"][n]["holds_name"].clone(),
        )
    };
    ensure!(of(0) == (json!(p.ada), json!("ada@x.example"), json!(true)), "{list}");
    ensure!(
        of(1) == (json!(p.again), json!(AGAIN), json!(false)) && one["users"][2].is_null(),
        "{list}"
    );
    let metrics = w.admin.get_anonymous("/metrics").await?.expect(200)?.text();
    let wanted = format!("rollcall_contested_names{{organization=\"{}\"}} 1", p.organization);
    ensure!(metrics.lines().any(|line| line == wanted), "{metrics}");
    ensure!(
        w.server.log_tail(1_000).contains("rollcall claims collisions"),
        "the log says nothing"
    );
    Ok(())
}

/// The operator puts it right, and the next start finds nothing left to do.
async fn put_right(w: &mut World, store: &OldStore, p: &People) -> Result<()> {
    let renamed = json!([{"op": "replace", "path": "userName", "value": "ada.two@x.example"}]);
    w.scim.operations(&format!("/Users/{}", p.again), renamed).await?.expect_json(200)?;
    ensure!(collisions(w).await? == (true, json!([])));
    store.claims(p.organization, p.again, &["ada.two@x.example"]).await?;
    w.server.restart().await?;
    ensure!(store.is_marked(p.organization).await?, "it is not settled");
    store.claims(p.organization, p.ada, &["ada@x.example"]).await?;
    store.claims(p.organization, p.fay, &["fay@x.example"]).await?;
    w.scim.delete(&format!("/Users/{}", p.fay)).await?.expect(204)?;
    store.claims(p.organization, p.fay, &[]).await?;
    w.scim.create_user("fay@x.example").await?;
    w.server.cli(&["views", "verify"]).await.map(drop)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_are_claimed_anew_on_sqlite() {
    on_sqlite(async |w| {
        let store = OldStore::Sqlite(w.server.data().join("log.db"));
        let p = given(w, &store).await?;
        w.server.spawn()?;
        w.server.ready().await?;
        w.server.cli(&["views", "rebuild"]).await?;
        one_name_one_user(&w.scim, &p).await?;
        told(w, &store, &p).await?;
        elsewhere(w).await?;
        put_right(w, &store, &p).await
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_are_claimed_anew_by_two_that_start_at_once() {
    on_postgres(async |w, cluster| {
        let store = OldStore::Postgres(cluster.url());
        let p = given(w, &store).await?;
        w.server.spawn()?;
        let (first, second) =
            tokio::join!(w.server.ready(), Server::start(Store::Postgres(cluster.url())));
        first?;
        w.server.cli(&["views", "rebuild"]).await?;
        let token = w.scim.token().context("token")?;
        for scim in [w.scim.clone(), Scim::anonymous(second?.address()).with_token(token)] {
            one_name_one_user(&scim, &p).await?;
        }
        told(w, &store, &p).await?;
        put_right(w, &store, &p).await
    })
    .await;
}

/// A log with two users of one name can be replayed, and put in place elsewhere.
async fn elsewhere(w: &World) -> Result<()> {
    // The second user of the name would be refused now, the one who was looked for found, and
    // nothing else comes out otherwise.
    let told = w.server.cli(&["replay", "verify", "--org", "acme"]).await?;
    let summary = &told["summary"];
    ensure!(
        summary["rules"] == json!({"user-name-ends": 2}) && summary["unexplained"] == json!({}),
        "{told}"
    );
    let differs: Vec<&Value> = told["exchanges"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|x| x["result"] == "events_differ")
        .collect();
    let [one] = differs[..] else { anyhow::bail!("{told}") };
    ensure!(
        one["rules"] == json!(["user-name-ends"])
            && one["now"]["status"] == 409
            && one["recorded"]["status"] == 201,
        "{one}"
    );
    let file = w.server.data().join("whole.backup");
    let path = file.to_str().context("a path")?;
    w.server.cli(&["backup", "--to", path]).await?;
    let other = Server::start(Store::Sqlite).await?;
    other.cli(&["restore", "--from", path]).await?;
    let there = other.command(&["claims", "collisions", "--org", "acme"]).await?;
    let list: Value = serde_json::from_slice(&there.stdout)?;
    ensure!(list == collisions(w).await?.1, "{list}");
    let scim = Scim::anonymous(other.address()).with_token(w.scim.token().context("token")?);
    refused(scim.post("/Users", &user("ada@x.example ")).await?, 409, Some("uniqueness"))?;
    Ok(())
}
