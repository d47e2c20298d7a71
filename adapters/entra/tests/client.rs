//! The provisioning client against a target system in memory.

mod support;

use chrono::{DateTime, Duration, Utc};
use rollcall_entra::client::{Client, Mapping, Settings, Shape, Surroundings};
use rollcall_entra::directory::{Change, Churn, Directory, GroupKey, Profile, Scope, UserKey};
use rollcall_entra::log::{Action, ProvisioningLog, RunKind, RunState, StepResult};
use rollcall_entra::seed::Seed;
use rollcall_entra::time::{Simulated, Time};
use rollcall_entra::transport::{Faults, Line};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use support::Roll;

fn start() -> DateTime<Utc> {
    "2026-03-02T06:00:00Z".parse().expect("a time")
}

struct World {
    roll: Arc<Roll>,
    directory: Arc<Mutex<Directory>>,
    time: Arc<Simulated>,
    log: Arc<ProvisioningLog>,
    client: Client,
}

fn world(users: u32, faults: Faults, settings: impl FnOnce(&mut Settings)) -> World {
    scoped(users, Scope::Everything, faults, settings)
}

fn scoped(users: u32, scope: Scope, faults: Faults, change: impl FnOnce(&mut Settings)) -> World {
    let (seed, roll, time, log) = (
        Seed::new(11),
        Arc::new(Roll::default()),
        Arc::new(Simulated::new(start())),
        Arc::new(ProvisioningLog::new()),
    );
    let profile =
        Profile { groups: 6, memberships: users * 2, assigned: 0.8, ..Profile::sized(users) };
    let directory = Arc::new(Mutex::new(Directory::generate(seed, profile, scope)));
    let mut settings = Settings { bad_values: faults.bad_values, ..Settings::new("good") };
    change(&mut settings);
    let line = Line::new(roll.clone(), time.clone(), faults).taking(5..80);
    let surroundings = Surroundings {
        directory: directory.clone(),
        transport: Arc::new(line),
        time: time.clone(),
        recorder: log.clone(),
    };
    World { roll, directory, time, log, client: Client::new(seed, settings, surroundings) }
}

impl World {
    fn apply(&self, change: Change) {
        self.directory.lock().expect("unpoisoned").apply(&change, self.time.now());
    }

    async fn next(&self) -> RunState {
        if let Some(at) = self.client.next_cycle() {
            self.time.sleep_until(at).await;
        }
        self.client.cycle().await.state
    }

    /// Users, managers and members as the target has them, one a line, by sign-in name.
    fn target(&self) -> BTreeSet<String> {
        let (users, groups) = (
            self.roll.users.lock().expect("unpoisoned"),
            self.roll.groups.lock().expect("unpoisoned"),
        );
        let name = |id: &Value| {
            users.get(id.as_str().unwrap_or_default()).and_then(|u| u["userName"].as_str())
        };
        let mut lines = BTreeSet::new();
        for user in users.values().filter(|u| u["active"] == true) {
            let enterprise = &user[rollcall_entra::client::ENTERPRISE];
            let manager = name(&enterprise["manager"]["value"]);
            let attributes = [
                &user["userName"],
                &user["displayName"],
                &user["title"],
                &enterprise["department"],
            ];
            lines.insert(format!(
                "{:?} managed by {manager:?}",
                attributes.map(|v| v.as_str().unwrap_or_default())
            ));
        }
        for group in groups.values() {
            for member in
                group["members"].as_array().into_iter().flatten().filter_map(|m| name(&m["value"]))
            {
                lines.insert(format!(
                    "{} has {member}",
                    group["displayName"].as_str().unwrap_or_default()
                ));
            }
        }
        lines
    }

    /// The same as the tenant has it.
    fn tenant(&self) -> BTreeSet<String> {
        let directory = self.directory.lock().expect("unpoisoned");
        let name = |key: UserKey| {
            self.client
                .user_id(key)
                .and_then(|_| directory.user(key))
                .map(|u| u.user_principal_name)
        };
        let mut lines = BTreeSet::new();
        for key in (0..directory.users()).map(UserKey) {
            let Some(user) = directory.user(key).filter(|u| directory.is_active(key, u)) else {
                continue;
            };
            let manager = user.manager.and_then(name);
            let (title, department) =
                (user.job_title.unwrap_or_default(), user.department.unwrap_or_default());
            lines.insert(format!(
                "{:?} managed by {manager:?}",
                [user.user_principal_name, user.display_name, title, department]
            ));
        }
        for group in directory.groups().iter().filter(|g| !g.deleted) {
            lines.extend(
                group
                    .members
                    .iter()
                    .filter_map(|m| name(*m))
                    .map(|member| format!("{} has {member}", group.display_name)),
            );
        }
        lines
    }

    #[track_caller]
    fn assert_equal(&self) {
        let (target, tenant) = (self.target(), self.tenant());
        let only = |a: &BTreeSet<String>, b: &BTreeSet<String>| {
            a.difference(b).cloned().collect::<Vec<_>>().join("\n")
        };
        assert!(
            target == tenant,
            "only in the target:\n{}\nonly in the tenant:\n{}",
            only(&target, &tenant),
            only(&tenant, &target)
        );
        assert!(tenant.len() > 100);
    }
}

#[tokio::test]
async fn an_initial_cycle_and_a_day_bring_the_target_to_the_tenant() {
    for (shape, width) in [(Shape::Legacy, 1), (Shape::Flagged, 8)] {
        let w = world(150, Faults::default(), |s| (s.shape, s.concurrency) = (shape, width));
        assert_eq!(w.next().await, RunState::Succeeded);
        w.assert_equal();
        let mut churn = Churn::new(Seed::new(2), 150.0, start());
        for _ in 0..36 {
            churn.advance(&mut w.directory.lock().expect("unpoisoned"), w.time.now());
            w.next().await;
        }
        // References that led out of scope are made good by a restart only.
        w.client.restart();
        assert_eq!(w.next().await, RunState::Succeeded);
        w.assert_equal();
        let kinds: BTreeSet<String> =
            w.log.runs().iter().map(|r| format!("{:?}", r.kind)).collect();
        assert_eq!(kinds.into_iter().collect::<Vec<_>>(), ["Incremental", "Initial", "Restart"]);
        let actions: BTreeSet<String> =
            w.log.summaries().iter().map(|s| format!("{:?}", s.provisioning_action)).collect();
        for action in ["Create", "Update", "Disable", "Delete"] {
            assert!(actions.contains(action), "no {action} in {actions:?}");
        }
    }
}

#[tokio::test]
async fn the_same_seed_sends_the_same_requests() {
    async fn run(seed: u64) -> (Vec<(String, String, String)>, String) {
        let w = world(80, Faults::all(0.02), |s| s.concurrency = 6);
        let mut churn = Churn::new(Seed::new(seed), 100.0, start());
        for _ in 0..20 {
            churn.advance(&mut w.directory.lock().expect("unpoisoned"), w.time.now());
            w.next().await;
        }
        let received = w.roll.received.lock().expect("unpoisoned").clone();
        (received, w.log.to_json().to_string())
    }
    let (first, second) = (run(3).await, run(3).await);
    assert!(first.0.len() > 500, "{}", first.0.len());
    assert!(first == second, "the same seed gave other requests");
    assert!(first.0 != run(4).await.0);
}

#[tokio::test]
async fn all_faults_are_overcome_in_time() {
    let w = world(120, Faults::all(0.06), |s| s.shape = Shape::Flagged);
    let mut churn = Churn::new(Seed::new(2), 80.0, start());
    for _ in 0..20 {
        churn.advance(&mut w.directory.lock().expect("unpoisoned"), w.time.now());
        w.next().await;
    }
    let codes: BTreeSet<String> = w
        .log
        .summaries()
        .iter()
        .filter_map(|s| {
            Some(s.provisioning_status_info.error_information.as_ref()?.error_code.clone())
        })
        .collect();
    for code in [
        "EntryConflict",
        "Timeout",
        "WebExceptionProtocolError",
        "UnprocessableEntity",
        "ReferenceNotResolved",
    ] {
        assert!(codes.contains(code), "no {code} in {codes:?}");
    }
    w.client.restart();
    let mut cycles = 0;
    while cycles == 0 || w.client.escrows() > 0 {
        cycles += 1;
        assert!(cycles < 28 * 36, "{} escrows are left", w.client.escrows());
        w.next().await;
    }
    w.assert_equal();
}

#[tokio::test]
async fn a_refused_token_quarantines_until_it_is_renewed() {
    let w = world(20, Faults::default(), |_| {});
    w.next().await;
    w.client.set_token("expired");
    let before = w.time.now();
    let mut waits = Vec::new();
    for _ in 0..4 {
        assert_eq!(w.next().await, RunState::Failed);
        waits.push((w.client.next_cycle().expect("a next cycle") - w.time.now()).num_minutes());
    }
    assert_eq!(waits, [40, 80, 160, 320]);
    assert_eq!(w.client.quarantine(), Some("EncounteredQuarantineException"));
    assert!(w.time.now() - before > Duration::hours(5));
    w.client.set_token("good");
    assert_eq!(w.next().await, RunState::Succeeded);
    assert_eq!(w.client.quarantine(), None);
}

#[tokio::test]
async fn a_job_in_quarantine_for_four_weeks_is_disabled() {
    let w = world(5, Faults::default(), |_| {});
    w.client.set_token("expired");
    let mut probes = 0;
    while w.client.next_cycle().is_some() {
        w.next().await;
        probes += 1;
        assert!(probes < 100);
    }
    assert!((28..40).contains(&probes), "{probes} cycles");
}

#[tokio::test]
async fn an_outage_is_over_with_the_next_cycle_and_quarantines_nobody() {
    let w = world(20, Faults::default(), |_| {});
    w.next().await;
    w.apply(Change::Phone(UserKey(3), "+41 1".into()));
    w.roll.refuse(Some(503));
    assert_eq!(w.next().await, RunState::Failed);
    assert_eq!(w.client.quarantine(), None);
    w.roll.refuse(None);
    assert_eq!(w.next().await, RunState::Succeeded);
    let name = w
        .directory
        .lock()
        .expect("unpoisoned")
        .user(UserKey(3))
        .expect("a user")
        .user_principal_name;
    assert_eq!(
        w.roll.user(&name).expect("the user")["phoneNumbers"],
        json!([{"type": "mobile", "value": "+41 1"}])
    );
}

#[tokio::test]
async fn too_many_deletions_are_held_back_until_they_are_allowed() {
    let w = world(60, Faults::default(), |s| s.deletion_threshold = Some(5));
    w.next().await;
    for n in 0..10 {
        w.apply(Change::Leave(UserKey(n)));
    }
    w.next().await;
    let active = |w: &World| {
        w.roll.users.lock().expect("unpoisoned").values().filter(|u| u["active"] == true).count()
    };
    assert_eq!(active(&w), 60);
    assert_eq!(w.client.quarantine(), Some("TooManyDeletes"));
    assert_eq!(
        w.log.summaries().iter().filter(|s| s.provisioning_action == Action::StagedDelete).count(),
        10
    );
    w.client.allow_deletions();
    w.next().await;
    assert_eq!((active(&w), w.client.quarantine()), (50, None));
}

#[tokio::test]
async fn on_demand_probes_matches_and_writes_only_what_differs() {
    let w = world(30, Faults::default(), |s| s.shape = Shape::Flagged);
    w.next().await;
    w.apply(Change::Move(UserKey(4), "Security".into(), "Astronaut".into()));
    w.roll.received.lock().expect("unpoisoned").clear();
    let run = w.client.provision_user_on_demand(UserKey(4)).await;
    assert_eq!((run.kind, run.state), (RunKind::OnDemand, RunState::Succeeded));
    let received = w.roll.received.lock().expect("unpoisoned").clone();
    assert_eq!(received.len(), 3, "{received:?}");
    assert!(
        received[2].2.contains("\"op\":\"Replace\""),
        "the legacy shape, also in a flagged tenant: {}",
        received[2].2
    );
    w.client.provision_user_on_demand(UserKey(4)).await;
    assert_eq!(w.roll.lines().len(), 5, "nothing differs: a probe and a match");
    let summaries = w.log.summaries();
    let last = &summaries.last().expect("a summary").provisioning_status_info;
    assert_eq!(last.status, StepResult::Skipped);
    assert_eq!(
        last.error_information.as_ref().map(|e| e.error_code.as_str()),
        Some("RedundantExport")
    );

    let members: Vec<UserKey> = (0..30).map(UserKey).collect();
    w.apply(Change::Exit(GroupKey(0), UserKey(4)));
    w.apply(Change::Enter(GroupKey(0), UserKey(4)));
    w.roll.received.lock().expect("unpoisoned").clear();
    w.client.provision_group_on_demand(GroupKey(0), &members).await;
    let checks = w.roll.lines().iter().filter(|l| l.contains("members+eq")).count();
    assert!(checks <= 5, "{checks}");
}

#[tokio::test]
async fn a_user_out_of_scope_is_switched_off_and_forgotten() {
    let w = scoped(40, Scope::Assigned, Faults::default(), |_| {});
    w.next().await;
    let key = UserKey(6);
    w.apply(Change::Assign(key));
    w.next().await;
    let name =
        w.directory.lock().expect("unpoisoned").user(key).expect("a user").user_principal_name;
    assert_eq!(w.roll.user(&name).expect("the user")["active"], true);
    for group in 0..6 {
        w.apply(Change::Exit(GroupKey(group), key));
    }
    w.apply(Change::Unassign(key));
    w.next().await;
    assert_eq!(w.roll.user(&name).expect("still there")["active"], false);
    assert_eq!(w.client.user_id(key), None);
    w.apply(Change::Leave(key));
    w.apply(Change::Purge(key));
    w.next().await;
    assert!(w.roll.user(&name).is_some(), "no deletion follows");
}

#[tokio::test]
async fn a_user_who_is_gone_from_the_target_is_an_invalid_anchor_until_a_restart() {
    let w = world(10, Faults::default(), |s| s.mapping = Mapping::kisi());
    w.next().await;
    let id = w.client.user_id(UserKey(2)).expect("linked");
    w.roll.users.lock().expect("unpoisoned").remove(&id);
    w.apply(Change::Rename(UserKey(2), "Zwingli".into()));
    assert_eq!(w.next().await, RunState::EntryLevelErrors);
    let codes: Vec<String> = w
        .log
        .summaries()
        .iter()
        .filter_map(|s| {
            Some(s.provisioning_status_info.error_information.as_ref()?.error_code.clone())
        })
        .collect();
    assert!(codes.contains(&"InvalidAnchor".to_owned()), "{codes:?}");
    w.client.restart();
    assert_eq!(w.next().await, RunState::Succeeded);
    assert_eq!(w.roll.users.lock().expect("unpoisoned").len(), 10);
}
