//! The rules one by one, as stories of a few sessions.

use crate::traffic::{Job, Traffic};
use chrono::{DateTime, Duration, Utc};
use rollcall_domain::ids::{OrganizationId, TokenId};
use rollcall_domain::run::{Confidence, Evidence, Inference, Pulse, Run, RunKind, Shape};
use std::collections::BTreeMap;
use uuid::Uuid;

fn at(minutes: i64) -> DateTime<Utc> {
    crate::start() + Duration::minutes(minutes)
}

fn entra() -> Job {
    Job {
        token: TokenId(Uuid::from_u128(1)),
        sources: vec!["192.0.2.1"],
        shape: Shape::Modern,
        matching: "userName",
        latency: (50, 80),
        parallel: 1,
        prefix: "a",
    }
}

/// The runs in the order in which they began, and the state they leave.
fn told(story: impl FnOnce(&mut Traffic)) -> (Vec<Run>, Inference) {
    let mut traffic = Traffic::new(1);
    story(&mut traffic);
    let (facts, _) = traffic.finish();
    let organization = OrganizationId(Uuid::from_u128(9));
    let mut inference = Inference::default();
    let mut runs = BTreeMap::new();
    for (fact, _) in &facts {
        runs.extend(
            inference
                .observe(organization, fact)
                .settled
                .into_iter()
                .map(|run| (run.tally.first, run)),
        );
    }
    runs.extend(inference.open_runs().map(|run| (run.tally.first, run)));
    (runs.into_values().collect(), inference)
}

fn kinds(runs: &[Run]) -> Vec<&'static str> {
    runs.iter().map(|run| run.kind.as_str()).collect()
}

#[test]
fn a_first_day_reads_as_it_was() {
    let (runs, inference) = told(|t| {
        t.test(&entra(), at(0));
        t.initial(&entra(), at(20), 50);
        t.incremental(&entra(), at(60), 0);
        t.on_demand(&entra(), at(75));
        t.test(&entra(), at(90));
        t.incremental(&entra(), at(100), 9);
        t.restart(&entra(), at(115));
        t.incremental(&entra(), at(155), 1);
    });
    let expected = [
        "connection-test",
        "initial",
        "incremental",
        "on-demand",
        "connection-test",
        "incremental",
        "restart",
        "incremental",
    ];
    assert_eq!(kinds(&runs), expected);
    assert!(runs[..7].iter().all(|run| !run.open) && runs[7].open, "only the last may go on");
    assert_eq!(
        (runs[2].confidence, runs[2].place.map(|p| (p.since_previous, p.missed))),
        (Confidence::High, Some((2_400, 0)))
    );
    assert!(
        runs[6].evidence.iter().any(|e| matches!(e, Evidence::ReadAgain { .. })),
        "{:?}",
        runs[6].evidence
    );
    assert_eq!(inference.pulse(at(160)), Pulse::Regular);
    assert_eq!(inference.pulse(at(400)), Pulse::Silent);
}

#[test]
fn on_demand_inside_a_cycle_is_told_by_its_shape_and_its_subject() {
    let (runs, _) = told(|t| {
        t.initial(&entra(), at(0), 50);
        t.incremental(&entra(), at(40), 25);
        t.on_demand(&entra(), at(40) + Duration::seconds(1));
        t.incremental(&entra(), at(80), 2);
    });
    assert_eq!(kinds(&runs), ["initial", "incremental", "on-demand", "incremental"]);
    assert!(runs[2].evidence.contains(&Evidence::InsideCycle));
    assert_eq!(runs[2].tally.subjects(), 1);
}

#[test]
fn a_new_token_goes_on_in_the_rhythm_of_the_old() {
    let new = Job { token: TokenId(Uuid::from_u128(2)), ..entra() };
    let (runs, _) = told(|t| {
        t.initial(&entra(), at(0), 50);
        t.incremental(&entra(), at(40), 3);
        t.incremental(&new, at(80), 5);
        t.incremental(&new, at(120), 0);
    });
    assert_eq!(kinds(&runs), ["initial", "incremental", "incremental", "incremental"]);
    assert!(runs[1].token != runs[2].token);
}

#[test]
fn a_second_client_is_not_taken_for_a_new_token() {
    let other = Job { token: TokenId(Uuid::from_u128(2)), prefix: "b", ..entra() };
    let (runs, _) = told(|t| {
        t.initial(&entra(), at(0), 50);
        t.initial(&other, at(38), 20);
        t.incremental(&entra(), at(40), 3);
        t.incremental(&other, at(78), 3);
    });
    assert_eq!(kinds(&runs), ["initial", "initial", "incremental", "incremental"]);
}

#[test]
fn a_test_before_a_cycle_that_was_due_is_seen_once_the_cycle_has_come() {
    let (runs, _) = told(|t| {
        t.initial(&entra(), at(0), 50);
        t.incremental(&entra(), at(40), 3);
        t.test(&entra(), at(72));
        t.incremental(&entra(), at(80), 0);
        t.incremental(&entra(), at(120), 0);
    });
    assert_eq!(
        kinds(&runs),
        ["initial", "incremental", "connection-test", "incremental", "incremental"]
    );
    assert_eq!(runs[4].place.map(|p| p.since_previous), Some(2_400));
}

#[test]
fn missed_cycles_and_a_stretched_rhythm_are_noted() {
    let (runs, inference) = told(|t| {
        t.initial(&entra(), at(0), 50);
        t.incremental(&entra(), at(40), 3);
        for minutes in [80, 160, 320, 640] {
            t.refused(&entra(), at(minutes));
        }
    });
    assert_eq!(runs.last().and_then(|run| run.place).map(|p| p.missed), Some(7));
    assert!(
        runs[2..].iter().all(|run| run.kind == RunKind::Incremental && run.tally.failures == 1)
    );
    assert!(runs[2].evidence.contains(&Evidence::ProbeFailed { status: 401 }));
    assert_eq!(inference.pulse(at(700)), Pulse::Stretched);
    assert_eq!(inference.pulse(at(640 + 31 * 60)), Pulse::Silent);
}

#[test]
fn who_never_probes_is_another_client_and_listings_are_discovery() {
    let (runs, _) = told(|t| {
        t.initial(&entra(), at(0), 20);
        t.discovery(&entra(), at(15), 4);
        t.script(&entra(), at(25), 5);
    });
    assert_eq!(kinds(&runs), ["initial", "account-discovery", "other-client"]);
    assert_eq!(runs[1].tally.exchanges, 4);
}
