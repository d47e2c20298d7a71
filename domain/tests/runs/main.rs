//! Runs inferred from simulated traffic, against the truth.

mod facts;
mod rules;
mod score;
mod traffic;

use chrono::{DateTime, Duration, Utc};
use rollcall_domain::ids::TokenId;
use rollcall_domain::run::{Inference, Shape};
use score::Score;
use traffic::{Job, Rng, Traffic};
use uuid::Uuid;

fn start() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + Duration::days(20_000)
}

fn job(n: u128, prefix: &'static str, rng: &mut Rng) -> Job {
    const SOURCES: [&str; 4] = ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"];
    let several = rng.chance(50);
    Job {
        token: TokenId(Uuid::from_u128(n)),
        sources: if several { SOURCES.to_vec() } else { vec![SOURCES[0]] },
        shape: if rng.chance(50) { Shape::Modern } else { Shape::Legacy },
        matching: if rng.chance(25) { "externalId" } else { "userName" },
        latency: (20, rng.pick(60, 500)),
        parallel: usize::try_from(rng.pick(1, 6)).unwrap(),
        prefix,
    }
}

/// From 1 to 5,000, small numbers as often as large ones; but not most of a directory at once.
fn changes(rng: &mut Rng, users: i64) -> i64 {
    let top = [3, 10, 40, 200, 1_000, 5_000][usize::try_from(
        [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 3, 3, 4, 5][rng.next() as usize % 15],
    )
    .unwrap()];
    rng.pick(1, top.min((users / 2).max(2)))
}

/// Cycles every 40 minutes for some days, with everything that disturbs them.
fn life(
    traffic: &mut Traffic,
    job: &Job,
    from: DateTime<Utc>,
    cycles: i64,
    users: i64,
    disturbed: bool,
) -> DateTime<Utc> {
    let mut begins = from;
    let mut ends = traffic.initial(job, begins, users);
    for cycle in 1..=cycles {
        begins = (begins + Duration::minutes(40) + Duration::seconds(traffic.rng.pick(-45, 45)))
            .max(ends + Duration::seconds(traffic.rng.pick(8, 30)));
        if disturbed && cycle % 40 == 39 {
            begins = quarantine(traffic, job, begins);
            ends = traffic.test(job, begins - Duration::minutes(20));
        }
        let before = ends;
        let restart = disturbed && cycle % 25 == 24;
        let changes = if traffic.rng.chance(25) { 0 } else { changes(&mut traffic.rng, users) };
        ends = if restart {
            traffic.restart(job, begins)
        } else {
            traffic.incremental(job, begins, changes)
        };
        if !disturbed {
            continue;
        }
        let which = traffic.rng.pick(1, 12);
        let soon = ends + Duration::seconds(traffic.rng.pick(61, 600));
        let later = ends + Duration::seconds(traffic.rng.pick(360, 540));
        let inside = traffic.rng.pick(3, (ends - begins).num_seconds().max(13) - 10);
        match which {
            // Between two cycles.
            1 => drop(traffic.on_demand(job, soon)),
            2 => drop(traffic.test(job, soon)),
            // In the middle of a cycle.
            3 | 4 if ends - begins > Duration::seconds(20) => {
                _ = traffic.on_demand(job, begins + Duration::seconds(inside));
            }
            5 => traffic.discovery(job, later, 12),
            6 => traffic.script(job, later, 9),
            7 => {
                let pause = Duration::seconds(traffic.rng.pick(4, 40));
                let second = traffic.on_demand(job, soon) + pause;
                traffic.on_demand(job, second);
            }
            _ => assert!(before <= begins),
        }
    }
    ends
}

/// Refused lookups, further and further apart, up to a day; then it works again.
fn quarantine(traffic: &mut Traffic, job: &Job, from: DateTime<Utc>) -> DateTime<Utc> {
    let mut at = from;
    let mut gap = Duration::minutes(40);
    for _ in 0..7 {
        traffic.refused(job, at);
        gap = (gap * 2).min(Duration::hours(24));
        at += gap;
    }
    at
}

fn judge(name: &str, traffic: Traffic, total: &mut Score) {
    let (facts, kinds) = traffic.finish();
    let score = Score::of(&facts, &kinds);
    println!("{name:28} {score}");
    score.print_misses();
    total.add(&score);
}

#[test]
fn runs_are_as_the_truth_has_them() {
    let mut total = Score::default();
    for seed in 0..12 {
        let mut traffic = Traffic::new(seed);
        let job = job(1, "a", &mut traffic.rng);
        let users = [5, 40, 300, 12_000][seed as usize % 4];
        life(&mut traffic, &job, start(), 60, users, false);
        judge(&format!("quiet, seed {seed}"), traffic, &mut total);
    }
    for seed in 100..124 {
        let mut traffic = Traffic::new(seed);
        let job = job(1, "a", &mut traffic.rng);
        let users = [30, 120, 600, 2_500][seed as usize % 4];
        traffic.test(&job, start() - Duration::minutes(90));
        traffic.on_demand(&job, start() - Duration::minutes(65));
        life(&mut traffic, &job, start(), 100, users, true);
        judge(&format!("disturbed, seed {seed}"), traffic, &mut total);
    }
    for seed in 200..210 {
        let mut traffic = Traffic::new(seed);
        let (one, other) = (job(1, "a", &mut traffic.rng), job(2, "b", &mut traffic.rng));
        let later = Duration::seconds(traffic.rng.pick(0, 2_400));
        life(&mut traffic, &one, start(), 50, 200, true);
        life(&mut traffic, &other, start() + later, 50, 80, true);
        judge(&format!("two clients, seed {seed}"), traffic, &mut total);
    }
    println!("{:28} {total}", "all");
    assert!(
        total.sessions > 4_000 && total.exchanges > 300_000,
        "the truth is large enough to mean something: {total}"
    );
    assert!(total.share_of_exchanges() >= 0.98, "{total}");
    assert!(total.share_of_kinds() >= 0.95, "{total}");
}

#[test]
fn the_state_can_be_kept_at_any_place_and_stays_small() {
    let mut traffic = Traffic::new(7);
    let job = job(1, "a", &mut traffic.rng);
    life(&mut traffic, &job, start(), 45, 2_000, true);
    let (facts, _) = traffic.finish();
    let organization = rollcall_domain::ids::OrganizationId(Uuid::from_u128(9));
    let (mut straight, mut halting) = (Inference::default(), Inference::default());
    let mut largest = 0;
    for (i, (fact, _)) in facts.iter().enumerate() {
        if i % 97 == 0 {
            let kept = serde_json::to_string(&halting).unwrap();
            largest = largest.max(kept.len());
            halting = serde_json::from_str(&kept).unwrap();
        }
        assert_eq!(
            straight.observe(organization, fact),
            halting.observe(organization, fact),
            "exchange {i}"
        );
    }
    assert_eq!(straight, halting);
    println!("largest state: {largest} bytes over {} exchanges", facts.len());
    assert!(largest < 64 * 1024, "{largest} bytes");
}
