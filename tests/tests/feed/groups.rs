//! Consumers that follow groups: what they get is what somebody would leave who has the whole feed
//! and strikes out what is not about members, with those who enter and leave.

use super::client::{Consumer, number};
use super::receiver::Receiver;
use super::webhooks::{FLAGS, add, until_shown};
use anyhow::{Context as _, Result, ensure};
use rollcall_tests::http::Request;
use rollcall_tests::rng::Rng;
use rollcall_tests::scim::{add_members, remove_member};
use rollcall_tests::server::{Server, Store};
use rollcall_tests::soak::times;
use rollcall_tests::world::World;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// An event as far as it is compared: position, type, subject, and who entered with what.
type Told = (u64, String, String, Value);

/// The whole feed, with what is left of it for a follower of some groups.
#[derive(Default)]
struct Model {
    followed: BTreeSet<String>,
    members: BTreeMap<String, BTreeSet<String>>,
    users: BTreeMap<String, Map<String, Value>>,
    told: Vec<Told>,
}

impl Model {
    fn is_in(&self, user: &str) -> bool {
        self.followed.iter().any(|g| self.members.get(g).is_some_and(|m| m.contains(user)))
    }

    fn inside(&self) -> BTreeSet<String> {
        self.users.keys().filter(|user| self.is_in(user)).cloned().collect()
    }

    /// All events of one record.
    fn record(&mut self, events: &[Value]) {
        let before = self.inside();
        for event in events {
            let (kind, subject) = (text(event, "type"), text(&event["subject"], "id"));
            let is_told = match event["subject"]["kind"].as_str() {
                Some("user") => before.contains(subject),
                Some("group") => self.followed.contains(subject),
                _ => false,
            };
            if is_told {
                self.told.push((position(event), kind.to_owned(), subject.to_owned(), Value::Null));
            }
            self.apply(kind, subject, &event["data"]);
        }
        let after = self.inside();
        let Some(event) = events.first().filter(|e| e["subject"]["kind"] == "group") else {
            return;
        };
        let passes = before.symmetric_difference(&after).filter(|u| self.users.contains_key(*u));
        let passes: Vec<String> = passes.cloned().collect();
        for user in passes {
            let enters = after.contains(&user);
            let kind = if enters { "user.entered" } else { "user.left" };
            let attributes = json!(self.users[&user]);
            let data = if enters { attributes } else { Value::Null };
            self.told.push((position(event), kind.to_owned(), user, data));
        }
    }

    fn apply(&mut self, kind: &str, subject: &str, data: &Value) {
        let member = data["member"].as_str().unwrap_or_default().to_owned();
        match kind {
            "user.created" => {
                let attributes = data["attributes"].as_object().cloned().unwrap_or_default();
                self.users.insert(subject.to_owned(), attributes);
            }
            "user.updated" => {
                let values = data["values"].as_object().cloned().unwrap_or_default();
                self.users.entry(subject.to_owned()).or_default().extend(values);
            }
            "user.deactivated" | "user.reactivated" => {
                let active = json!(kind == "user.reactivated");
                self.users.entry(subject.to_owned()).or_default().insert("active".into(), active);
            }
            "user.deleted" => {
                self.users.remove(subject);
                self.members.values_mut().for_each(|all| {
                    all.remove(subject);
                });
            }
            "group.member_added" => {
                self.members.entry(subject.to_owned()).or_default().insert(member);
            }
            "group.member_removed" => {
                self.members.entry(subject.to_owned()).or_default().remove(&member);
            }
            "group.deleted" => {
                self.members.remove(subject);
            }
            _ => {}
        }
    }
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

fn position(event: &Value) -> u64 {
    number(event, "position")
}

/// What a follower got, as the model says it; users that pass at one record in any order.
fn got(consumer: &Consumer) -> Vec<Told> {
    let told = |event: &Value| {
        let kind = text(event, "type").to_owned();
        let subject = text(&event["subject"], "id").to_owned();
        let is_entry = kind == "user.entered";
        let data = if is_entry { event["data"]["attributes"].clone() } else { Value::Null };
        (position(event), kind, subject, data)
    };
    consumer.got.iter().map(told).collect()
}

async fn world() -> Result<World> {
    World::around(Server::start_with(Store::Sqlite, &std::env::temp_dir(), &FLAGS).await?).await
}

/// Something happens, by chance.
async fn happen(
    w: &World,
    groups: &[String],
    users: &mut Vec<String>,
    rng: &mut Rng,
) -> Result<()> {
    let group = &groups[rng.below(groups.len() as u64) as usize];
    let some =
        |rng: &mut Rng, users: &[String]| users[rng.below(users.len() as u64) as usize].clone();
    let at = format!("/Groups/{group}");
    match rng.below(10) {
        0 => users.push(w.scim.create_user(&format!("n{}@contoso.example", rng.next_u64())).await?),
        1..=3 => {
            let (one, other) = (some(rng, users), some(rng, users));
            w.scim.operations(&at, add_members(&[&one, &other])).await?.expect(204)?;
        }
        4 | 5 => {
            let one = some(rng, users);
            let answer = w.scim.operations(&at, remove_member(&one)).await?;
            ensure!(matches!(answer.status, 200 | 204 | 400 | 404), "{}", answer.text());
        }
        6 | 7 => {
            let title =
                json!([{ "op": "add", "path": "title", "value": rng.next_u64().to_string() }]);
            let one = format!("/Users/{}", some(rng, users));
            w.scim.operations(&one, title).await?.expect(200)?;
        }
        8 => {
            let active = json!([{ "op": "replace", "path": "active", "value": rng.below(2) == 0 }]);
            let one = format!("/Users/{}", some(rng, users));
            w.scim.operations(&one, active).await?.expect(200)?;
        }
        _ if users.len() > 3 => {
            let at = rng.below(users.len() as u64) as usize;
            let one = users.swap_remove(at);
            w.scim.delete(&format!("/Users/{one}")).await?.expect(204)?;
        }
        _ => {}
    }
    Ok(())
}

#[tokio::test]
async fn who_follows_groups_gets_what_is_about_their_members() -> Result<()> {
    let mut w = world().await?;
    let mut rng = Rng::from_env("groups followed", 20_261_203);
    let mut groups = Vec::new();
    for name in ["Server room", "Laboratory", "Canteen"] {
        groups.push(w.scim.create_group(name).await?);
    }
    let mut users = Vec::new();
    for n in 0..5 {
        users.push(w.scim.create_user(&format!("u{n}@contoso.example")).await?);
    }
    let mut whole = Consumer::add(&w.server, "whole", &[]).await?;
    let followed = ["--groups", "Server room,Laboratory"];
    let mut part = Consumer::add(&w.server, "part", &followed).await?;
    let few = [&followed[..], &["--types", "user.entered,user.left"]].concat();
    let mut few = Consumer::add(&w.server, "few", &few).await?;
    for round in 0..times(150) {
        happen(&w, &groups, &mut users, &mut rng).await?;
        // What is known of the crowd is carried along.
        if round % 7 == 0 {
            part.step("&limit=3").await?;
        }
    }
    w.scim.delete(&format!("/Groups/{}", groups[0])).await?.expect(204)?;
    whole.all("&limit=1000").await?;
    let mut model = Model { followed: groups[..2].iter().cloned().collect(), ..Model::default() };
    for record in whole.got.chunk_by(|a, b| a["position"] == b["position"]) {
        model.record(record);
    }
    for consumer in [&mut part, &mut few] {
        consumer.all("&limit=5").await?;
    }
    same(&got(&part), &model.told)?;
    let is_pass = |told: &&Told| matches!(&*told.1, "user.entered" | "user.left");
    let passes: Vec<Told> = model.told.iter().filter(is_pass).cloned().collect();
    same(&got(&few), &passes)?;
    ensure!(passes.len() > 10 && model.told.len() > passes.len() + 20, "{} passes", passes.len());
    // A process that remembers nothing tells the same, wherever it is asked to begin.
    w.server.terminate().await?;
    w.server.restart().await?;
    for consumer in [&part, &few] {
        for after in (0..number(&part.got[part.got.len() - 1], "position")).step_by(9) {
            let target = format!("{}?after={after}&limit=4", consumer.feed);
            let again = consumer.at(w.server.address());
            let page = again.ask(&target).await?.expect_json(200)?;
            let expected: Vec<&Value> =
                consumer.got.iter().filter(|e| position(e) > after).collect();
            let before = consumer.got.iter().rev().find(|e| position(e) <= after);
            ensure!(page["previous"] == before.map_or(0, position), "after {after}: {page}");
            let events = page["events"].as_array().context("events")?;
            ensure!(!events.is_empty() || expected.is_empty(), "after {after}: {page}");
            ensure!(events.iter().eq(expected.into_iter().take(events.len())), "{after}: {page}");
        }
    }
    // The snapshot has whom the feed has, and the feed goes on after it.
    let again = part.at(w.server.address());
    let (mut after, mut items) = (String::new(), Vec::new());
    loop {
        let page = again.ask(&format!("{}?limit=2{after}", again.snapshot)).await?;
        let page = page.expect_json(200)?;
        items.extend(page["items"].as_array().context("items")?.iter().cloned());
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    let of = |kind: &str, name: &str| -> BTreeSet<String> {
        let of_kind = items.iter().filter(|item| item["kind"] == kind);
        of_kind.map(|item| text(item, name).to_owned()).collect()
    };
    ensure!(of("user", "id") == model.inside(), "{items:?}");
    ensure!(of("group", "id") == [groups[1].clone()].into(), "{items:?}");
    let members = model.members.get(&groups[1]).cloned().unwrap_or_default();
    ensure!(of("member", "member") == members, "{items:?}");
    println!("{} of {} events, {} passes", part.got.len(), whole.got.len(), passes.len());
    Ok(())
}

/// The order of those who pass at one record is its own business.
fn same(got: &[Told], expected: &[Told]) -> Result<()> {
    let key = |told: &Told| (told.0, told.1.starts_with("user."), told.2.clone());
    let sorted = |all: &[Told]| {
        let mut all = all.to_vec();
        all.sort_by_key(key);
        all
    };
    let (got, expected) = (sorted(got), sorted(expected));
    for (one, other) in got.iter().zip(&expected) {
        ensure!(one == other, "{one:?}\nis not\n{other:?}");
    }
    ensure!(got.len() == expected.len(), "{} of {}", got.len(), expected.len());
    Ok(())
}

#[tokio::test]
async fn who_is_posted_to_is_told_who_enters_and_leaves() -> Result<()> {
    let w = world().await?;
    let group = w.scim.create_group("Server room").await?;
    let (doors, tokens) = (Receiver::start().await?, Receiver::start().await?);
    let notice = ["--groups", &group, "--payload", "notice", "--types", "user.*"];
    add(&w, "doors", &doors, &notice).await?;
    let push = ["consumer", "add", "--org", "acme", "--kind", "set-push", "--name", "signals"];
    let more = ["--post-to", &tokens.url, "--audience", "doors", "--groups", "Server room"];
    w.server.cli(&[&push[..], &more].concat()).await?;
    let ada = w.scim.create_user("ada@contoso.example").await?;
    let at = format!("/Groups/{group}");
    w.scim.operations(&at, add_members(&[&ada])).await?.expect(204)?;
    w.scim.operations(&at, remove_member(&ada)).await?.expect(204)?;
    w.scim.delete(&format!("/Users/{ada}")).await?.expect(204)?;
    let taken = doors.until(|taken| taken.len() == 2).await?;
    let types: Vec<_> = taken.iter().map(|l| l.event()["type"].clone()).collect();
    ensure!(types == [json!("rollcall.user.entered"), json!("rollcall.user.left")], "{types:?}");
    ensure!(!taken[0].body.contains("contoso"), "a notice tells: {}", taken[0].body);
    until_shown(&w, "doors", |state| state["lag_records"] == 0).await?;
    until_shown(&w, "signals", |state| state["lag_records"] == 0).await?;
    let told: String = tokens.taken().iter().map(|l| claims(&l.body)).collect();
    for name in ["event:feed:add", "event:feed:remove"] {
        ensure!(told.contains(name), "no {name} in {told}");
    }
    ensure!(!told.contains("prov:delete") && !told.contains("prov:create"), "{told}");
    // Groups that are not there, or too many.
    let key = w.server.operator_key()?;
    let ids = |n: u128| (0..n).map(uuid::Uuid::from_u128).collect::<Vec<_>>();
    for groups in [json!(ids(1)), json!(ids(101)), json!(["Server room"]), json!("x")] {
        let body = json!({ "name": "x", "kind": "pull", "groups": groups });
        let request = Request::new("POST", "/api/v1/organizations/acme/consumers")
            .header("Authorization", format!("Bearer {key}"))
            .json("application/json", &body);
        let answer = w.scim.http().fresh().send(request).await?;
        ensure!(answer.status == 400, "{groups}: {}", answer.text());
    }
    Ok(())
}

/// What a token claims.
fn claims(token: &str) -> String {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let part = token.split('.').nth(1).unwrap_or_default();
    String::from_utf8(URL_SAFE_NO_PAD.decode(part).unwrap_or_default()).unwrap_or_default()
}
