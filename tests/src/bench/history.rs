//! A directory with a long past, and the auditors' questions that are measured on it.

use super::directory::{add_many, member_change, user_name};
use super::wire::{Driven, Until, Wire, drive, get, prepare};
use crate::rng::Rng;
use crate::world::World;
use anyhow::{Context as _, Result, ensure};
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::time::Instant;

/// Groups that people join and leave all the time.
const GROUPS: usize = 100;
/// Every so many changes, somebody joins or leaves a group.
const ONE_IN: u64 = 10;

/// Users and groups with a past.
#[derive(Debug)]
pub struct Past {
    users: Vec<String>,
    groups: Vec<String>,
    /// The group that half of the users are in.
    large: String,
    first: u64,
    last: u64,
}

impl Past {
    /// Gives users that are there already a past of `changes` more records: titles change, and
    /// people join and leave groups.
    pub async fn make(w: &World, users: Vec<String>, changes: u64) -> Result<(Self, Driven)> {
        let large = w.scim.create_group("Everybody").await?;
        add_many(w, &large, &users[..users.len() / 2], 1_000).await?;
        let mut groups = Vec::new();
        for n in 0..GROUPS {
            groups.push(w.scim.create_group(&format!("Project {n}")).await?);
        }
        let token = w.scim.token().context("no token")?;
        let first = position(w).await?;
        let of = |n: u64, list: &[String]| list[n as usize % list.len()].clone();
        let request = |n: u64| {
            let user = of(n, &users);
            if n.is_multiple_of(ONE_IN) {
                // In the first round through all users everybody joins; in the next they leave.
                let joins = (n / users.len() as u64).is_multiple_of(2);
                return member_change(&of(n / ONE_IN, &groups), token, joins, &[user]);
            }
            let body = format!(
                "{{\"schemas\":[\"urn:ietf:params:scim:api:messages:2.0:PatchOp\"],\"Operations\":[{{\"op\":\"Replace\",\"path\":\"title\",\"value\":\"Title {n}\"}}]}}"
            );
            prepare("PATCH", &format!("/Users/{user}"), token, &body)
        };
        let answered = |n: u64, status: u16, body: &[u8]| {
            ensure!(
                status == 200 || status == 204,
                "change {n}: {status}: {}",
                String::from_utf8_lossy(body)
            );
            Ok(())
        };
        let driven = drive(
            &w.server.address().authority(),
            super::directory::CONNECTIONS,
            Until::Count(changes),
            request,
            answered,
        )
        .await?;
        let last = position(w).await?;
        ensure!(last - first == changes, "{changes} changes led to {} records", last - first);
        Ok((Self { users, groups, large, first, last }, driven))
    }

    /// How many records there are.
    pub fn records(&self) -> u64 {
        self.last
    }

    /// Asks for users, small groups and a page of 1,000 members of the large group as they were at
    /// positions chosen at random; gives how long each answer took, in ms.
    pub async fn as_of(&self, w: &World, questions: u64) -> Result<Vec<f64>> {
        let (authority, key) = (w.server.address().authority(), w.server.operator_key()?);
        let mut wire = Wire::connect(&authority).await?;
        let (mut rng, mut times) = (Rng::new(23), Vec::new());
        for n in 0..questions {
            let at = self.first + rng.below(self.last - self.first + 1);
            let chosen = |list: &[String], rng: &mut Rng| {
                list[rng.below(list.len() as u64) as usize].clone()
            };
            let target = match n % 4 {
                0 => format!("users/{}?asOf=position:{at}", chosen(&self.users, &mut rng)),
                1 => format!(
                    "users?name={}&asOf=position:{at}",
                    user_name(rng.below(self.users.len() as u64))
                ),
                2 => format!(
                    "groups/{}/members?limit=1000&asOf=position:{at}",
                    chosen(&self.groups, &mut rng)
                ),
                _ => format!("groups/{}/members?limit=1000&asOf=position:{at}", self.large),
            };
            let request = get(&format!("/api/v1/organizations/acme/{target}"), &key);
            let begun = Instant::now();
            let (status, body) = wire.call(&request).await?;
            times.push(begun.elapsed().as_secs_f64() * 1_000.0);
            ensure!(status == 200, "{target}: {status}: {}", String::from_utf8_lossy(body));
            // Everybody that is asked for was there.
            ensure!(
                n % 4 == 2 || body.len() > 200,
                "{target} gave nothing: {}",
                String::from_utf8_lossy(body)
            );
        }
        Ok(times)
    }
}

/// The last position of `acme`, with the auditors' views folded up to it.
async fn position(w: &World) -> Result<u64> {
    let body = w.admin.get("/api/v1/organizations/acme/users?limit=1").await?.expect_json(200)?;
    body["as_of"]["position"].as_u64().with_context(|| format!("no position in {body}"))
}

/// Exports all events to a file; gives how many there were and how many bytes.
pub async fn export(w: &World, folder: &Path) -> Result<(u64, u64)> {
    let folder = tempfile::tempdir_in(folder)?;
    let path = folder.path().join("events.ndjson");
    let name = path.to_str().context("a path in UTF-8")?;
    let output = w.server.command(&["events", "export", "--org", "acme", "--output", name]).await?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let file = File::open(&path)?;
    let bytes = file.metadata()?.len();
    let mut lines = 0;
    let mut reader = BufReader::new(file);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line)? > 0 {
        lines += 1;
        line.clear();
    }
    Ok((lines, bytes))
}
