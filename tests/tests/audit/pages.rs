//! Pages of a list, put together, are the list as it was when the first page was asked for, whoever
//! goes on writing.

use anyhow::{Context as _, Result, ensure};
use rollcall_tests::http::Answer;
use rollcall_tests::on_both;
use rollcall_tests::rng::Rng;
use rollcall_tests::world::World;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// Questions that are asked of each store.
const QUESTIONS: u64 = 100;
/// While somebody waits for the next write.
const PAUSE: Duration = Duration::from_millis(1);

/// So many writes there are at most for each that somebody waits for: where writing is much faster
/// than reading, lists would grow as long as they are read.
const AHEAD: u64 = 5;

/// How many writes there were, and how many somebody waited for.
#[derive(Clone, Default)]
struct Written {
    done: Arc<AtomicU64>,
    awaited: Arc<AtomicU64>,
}

impl Written {
    fn now(&self) -> u64 {
        self.done.load(Ordering::SeqCst)
    }

    fn may_write(&self) -> bool {
        self.now() < (self.awaited.load(Ordering::SeqCst) + 1) * AHEAD
    }

    /// Waits for one more: what is read next is read while others write, however fast it is.
    async fn one_more(&self) {
        let before = self.now();
        // At least one more than there are may be written, whatever was written ahead.
        self.awaited.fetch_max(before / AHEAD, Ordering::SeqCst);
        self.awaited.fetch_add(1, Ordering::SeqCst);
        while self.now() == before {
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// A list: its address, what a row is known by, and where its rows lie in the body.
struct List {
    path: String,
    key: &'static str,
    rows: &'static str,
}

/// The next page's address, as `Link` says.
fn link(answer: &Answer) -> Option<String> {
    let link = answer.header("link")?;
    let (address, relation) = link.strip_prefix('<')?.split_once('>')?;
    relation.contains("next").then(|| address.to_owned())
}

fn rows(list: &List, body: &Value) -> Result<Vec<Value>> {
    let rows = if list.rows.is_empty() { body } else { &body[list.rows] };
    rows.as_array().cloned().with_context(|| format!("{}: no rows in {body}", list.path))
}

/// All pages of a list: as many rows as the first one says, if it says so.
async fn all(
    w: &World,
    list: &List,
    first: &str,
    mut written: Option<&Written>,
) -> Result<Vec<Value>> {
    let (mut found, mut query, mut total) = (Vec::new(), first.to_owned(), None);
    loop {
        let answer = w.admin.get(&format!("{}{query}", list.path)).await?.expect(200)?;
        found.extend(rows(list, &answer.json()?)?);
        total = total.or(answer.header("total-count").map(str::to_owned));
        ensure!(link(&answer).is_some() == answer.header("next-cursor").is_some(), "{query}");
        match link(&answer) {
            Some(next) => query = next,
            None => break,
        }
        // Once is enough: a write for each page would let the list grow as fast as it is read.
        if let Some(written) = written.take() {
            written.one_more().await;
        }
        ensure!(found.len() < 100_000, "{}{first} does not end", list.path);
    }
    let count = found.len().to_string();
    ensure!(total.is_none_or(|total| total == count), "{}{first} has {count} rows", list.path);
    Ok(found)
}

async fn pages_are_the_list_while_others_write(world: &World) -> Result<()> {
    let group = world.scim.create_group("Staff").await?;
    for n in 0..20 {
        let id = world.scim.create_user(&format!("first{n}@contoso.example")).await?;
        let add = rollcall_tests::scim::add_members(&[&id]);
        world.scim.operations(&format!("/Groups/{group}"), add).await?.expect(204)?;
    }
    let stop = Arc::new(AtomicBool::new(false));
    let written = Written::default();
    let writers: Vec<_> = (0..8)
        .map(|writer| {
            let (scim, stop, group) = (world.scim.fresh(), stop.clone(), group.clone());
            let written = written.clone();
            tokio::spawn(async move {
                let mut n = 0;
                while !stop.load(Ordering::SeqCst) {
                    if !written.may_write() {
                        tokio::time::sleep(PAUSE).await;
                        continue;
                    }
                    let name = format!("w{writer}-{n}@contoso.example");
                    let id = scim.create_user(&name).await?;
                    let add = rollcall_tests::scim::add_members(&[&id]);
                    scim.operations(&format!("/Groups/{group}"), add).await?.expect(204)?;
                    n += 1;
                    written.done.fetch_add(1, Ordering::SeqCst);
                }
                anyhow::Ok(n)
            })
        })
        .collect();
    let lists = lists(&group);
    let told = questions(world, &lists, &written).await;
    stop.store(true, Ordering::SeqCst);
    for writer in writers {
        writer.await??;
    }
    hold(world, &told?).await
}

/// A question with what its pages held: the list, the filter, the size of a page, the rows.
type Told<'l> = (&'l List, String, u64, Vec<Value>);

fn lists(group: &str) -> [List; 5] {
    let base = "/api/v1/organizations/acme";
    let list = |path: &str, key, rows| List { path: format!("{base}/{path}"), key, rows };
    [
        list("events", "position", ""),
        list("exchanges", "number", ""),
        list("users", "id", "resources"),
        list(&format!("groups/{group}/members"), "id", "members"),
        list(&format!("groups/{group}/memberships"), "member_id", "memberships"),
    ]
}

async fn questions<'l>(
    world: &World,
    lists: &'l [List],
    written: &Written,
) -> Result<Vec<Told<'l>>> {
    let mut rng = Rng::new(16);
    let mut told = Vec::new();
    for _ in 0..QUESTIONS {
        let list = &lists[rng.below(lists.len() as u64) as usize];
        let limit = 50 + rng.below(450);
        let filter = match (list.key, rng.below(3)) {
            ("position", 1) => "&type=UserCreated".to_owned(),
            ("position", 2) => format!("&after={}", rng.below(20)),
            ("number", 1) => "&after=0".to_owned(),
            ("number", 2) => "&operation=users.create".to_owned(),
            _ => String::new(),
        };
        let first = format!("?limit={limit}{filter}");
        written.one_more().await;
        let pages = all(world, list, &first, Some(written)).await?;
        let keys: Vec<Value> = pages.iter().map(|row| row[list.key].clone()).collect();
        told.push((list, filter, limit, keys));
    }
    Ok(told)
}

/// Asked once more when nobody writes, each list has the pages of before in it, whole and in one
/// piece.
async fn hold(world: &World, told: &[Told<'_>]) -> Result<()> {
    let mut known: HashMap<(&str, &str), Vec<Value>> = HashMap::new();
    for (n, (list, filter, limit, keys)) in told.iter().enumerate() {
        let question = (list.path.as_str(), filter.as_str());
        let found = match known.entry(question) {
            Entry::Occupied(found) => found.into_mut(),
            Entry::Vacant(place) => {
                place.insert(all(world, list, &format!("?limit=1000{filter}"), None).await?)
            }
        };
        let mut found = found.iter().map(|row| row[list.key].clone());
        let newest_first = list.key == "number" && !filter.contains("after=0");
        let expected: Vec<Value> = if newest_first {
            found.skip_while(|number| Some(number) != keys.first()).collect()
        } else {
            found.by_ref().take(keys.len()).collect()
        };
        ensure!(
            *keys == expected && !keys.is_empty(),
            "question {n}, {}?limit={limit}{filter}: {} rows on pages, {} in the list",
            list.path,
            keys.len(),
            expected.len()
        );
    }
    Ok(())
}

on_both!(pages_are_the_list_while_others_write);

/// The list of exchanges ends although each page that an auditor reads of it is an exchange.
async fn reading_exchanges_ends(world: &World) -> Result<()> {
    let issued = world.server.cli(&["auditor", "issue", "--org", "acme", "--label", "Eve"]).await?;
    let key = issued["key"].as_str().context("a key")?;
    for n in 0..30 {
        world.scim.create_user(&format!("u{n}@contoso.example")).await?;
    }
    let path = "/api/v1/organizations/acme/exchanges";
    for first in ["?after=0&limit=1", "?limit=1"] {
        let (mut query, mut pages) = (first.to_owned(), 0);
        loop {
            let request = rollcall_tests::http::Request::new("GET", format!("{path}{query}"))
                .header("Authorization", format!("Bearer {key}"));
            let answer = world.scim.http().fresh().send(request).await?.expect(200)?;
            pages += 1;
            ensure!(pages < 200, "{first} does not end");
            match link(&answer) {
                Some(next) => query = next,
                None => break,
            }
        }
        ensure!(pages >= 30, "{first}: {pages} pages");
    }
    let kept = world.admin.get(&format!("{path}?operation=audit.exchanges.list")).await?;
    ensure!(kept.expect_json(200)? != json!([]), "what an auditor read is kept");
    Ok(())
}

on_both!(reading_exchanges_ends);
