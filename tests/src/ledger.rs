//! What a server has promised: every answered write, to be held against what it knows after a
//! crash.

use crate::admin::{Admin, gapless};
use crate::http::Answer;
use crate::rng::Rng;
use crate::scim::{Scim, add_members, id, user};
use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// An answered write.
#[derive(Clone, Debug)]
pub enum Promise {
    /// This user exists.
    User(String),
    /// This user has the title.
    Title(String, String),
    /// This user is a member of the group under load.
    Member(String),
}

/// What the load saw so far.
#[derive(Debug, Default)]
pub struct Ledger {
    promises: Mutex<Vec<Promise>>,
    refusals: Mutex<Vec<String>>,
    unavailable: AtomicU64,
    stopped: AtomicBool,
    paused: AtomicBool,
    names: AtomicU64,
}

impl Ledger {
    /// Takes the promises made since the last call.
    pub fn take(&self) -> Vec<Promise> {
        std::mem::take(&mut *lock(&self.promises))
    }

    /// How many writes were answered since the last [`Self::take`].
    pub fn len(&self) -> usize {
        lock(&self.promises).len()
    }

    /// True if none was.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How often the server said that it cannot serve now.
    pub fn unavailable(&self) -> u64 {
        self.unavailable.load(Ordering::Relaxed)
    }

    /// An error if the server ever answered with anything but success or 503 with `Retry-After`.
    pub fn no_refusal(&self) -> Result<()> {
        let refusals = lock(&self.refusals);
        ensure!(
            refusals.is_empty(),
            "{} answers that Entra would take amiss, the first: {}",
            refusals.len(),
            refusals[0]
        );
        Ok(())
    }

    /// Lets the load rest, so that what it was promised can be looked at in peace, or go on.
    pub fn pause(&self, paused: bool) {
        self.paused.store(paused, Ordering::Relaxed);
    }

    /// Ends the load after the requests under way.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    fn promise(&self, promise: Promise) {
        lock(&self.promises).push(promise);
    }

    /// True if the answer was a success.
    fn judge(&self, answer: &Answer) -> bool {
        match answer.status {
            200 | 201 | 204 => return true,
            503 if answer.headers.contains_key("retry-after") => {
                self.unavailable.fetch_add(1, Ordering::Relaxed);
            }
            _ => lock(&self.refusals).push(format!(
                "{}: {} {}",
                answer.asked,
                answer.status,
                answer.text()
            )),
        }
        false
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|e| e.into_inner())
}

/// One client: creates users, gives them titles, puts them into the group, until the ledger stops
/// it. A connection that breaks is opened again; what was not answered is not promised.
pub async fn load(ledger: Arc<Ledger>, scim: Scim, group: String, mut rng: Rng) {
    while !ledger.stopped.load(Ordering::Relaxed) {
        let paused = ledger.paused.load(Ordering::Relaxed);
        if paused || one_user(&ledger, &scim, &group, &mut rng).await.is_err() {
            // The server is gone or its database is: look again soon.
            tokio::time::sleep(rng.millis(2, 20)).await;
        }
    }
}

async fn one_user(ledger: &Ledger, scim: &Scim, group: &str, rng: &mut Rng) -> Result<()> {
    let name = format!("load-{}@contoso.example", ledger.names.fetch_add(1, Ordering::Relaxed));
    let answer = scim.post("/Users", &user(&name)).await?;
    if !ledger.judge(&answer) {
        bail!("refused");
    }
    let id = id(answer.json()?)?;
    ledger.promise(Promise::User(id.clone()));
    let title = format!("T{}", rng.below(1_000_000));
    let answer = scim
        .operations(
            &format!("/Users/{id}"),
            json!([{"op": "Replace", "path": "title", "value": title}]),
        )
        .await?;
    if ledger.judge(&answer) {
        ledger.promise(Promise::Title(id.clone(), title));
    }
    let answer = scim.operations(&format!("/Groups/{group}"), add_members(&[&id])).await?;
    if ledger.judge(&answer) {
        ledger.promise(Promise::Member(id));
    }
    Ok(())
}

/// Holds promises against the directory and the log. It remembers what it has read of the log: a
/// promise may be told a moment after its record was seen.
#[derive(Debug, Default)]
pub struct Audit {
    position: u64,
    created: BTreeSet<String>,
    changed: BTreeSet<String>,
    members: BTreeSet<String>,
}

impl Audit {
    /// An error if one of the promises is not kept, or the log has a gap.
    pub async fn check(
        &mut self,
        promises: &[Promise],
        scim: &Scim,
        admin: &Admin,
        organization: &str,
        group: &str,
    ) -> Result<()> {
        let records = admin.events_after(organization, self.position).await?;
        self.position = gapless(&records, self.position)?;
        for record in &records {
            self.read(record)?;
        }
        let members: BTreeSet<String> = scim.members(group).await?.into_iter().collect();
        for promise in promises {
            match promise {
                Promise::User(id) => {
                    scim.get(&format!("/Users/{id}"))
                        .await?
                        .expect(200)
                        .context("an answered user is gone")?;
                    ensure!(self.created.contains(id), "an answered user {id} is not in the log");
                }
                Promise::Title(id, title) => {
                    let found =
                        scim.get(&format!("/Users/{id}")).await?.expect_json(200)?["title"].clone();
                    ensure!(
                        found == title.as_str(),
                        "the answered title {title} of {id} is {found}"
                    );
                    ensure!(
                        self.changed.contains(id),
                        "an answered change of {id} is not in the log"
                    );
                }
                Promise::Member(id) => {
                    ensure!(members.contains(id), "an answered member {id} is not in the group");
                    ensure!(self.members.contains(id), "an answered member {id} is not in the log");
                }
            }
        }
        Ok(())
    }

    fn read(&mut self, record: &Value) -> Result<()> {
        let kind = record["type"].as_str().with_context(|| format!("no type in {record}"))?;
        let subject = || {
            record["subject"]
                .as_str()
                .map(str::to_owned)
                .with_context(|| format!("no subject in {record}"))
        };
        match kind {
            "UserCreated" => drop(self.created.insert(subject()?)),
            "UserChanged" => drop(self.changed.insert(subject()?)),
            "GroupMembersAdded" => {
                let members = record["payload"]["members"].as_array().cloned().unwrap_or_default();
                ensure!(!members.is_empty(), "no members in {record}");
                self.members.extend(members.iter().filter_map(|m| m.as_str().map(str::to_owned)));
            }
            _ => {}
        }
        Ok(())
    }
}
