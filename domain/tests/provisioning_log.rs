//! Entra's own log over inferred runs, and how it is cut into events.

use chrono::{DateTime, Duration, Utc};
use rollcall_domain::ids::{OrganizationId, RunId};
use rollcall_domain::provisioning_log::{
    CHANGES_IN_EVENT, ImportedAction, ImportedChange, ImportedStatus, Initiator, Mismatch, Seen,
    correct, into_parts, own_run,
};
use std::collections::BTreeMap;
use uuid::Uuid;

const ORG: OrganizationId = OrganizationId(Uuid::from_u128(9));

fn at(second: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + Duration::seconds(second)
}

fn run(n: u128) -> RunId {
    RunId(Uuid::from_u128(n))
}

/// A change of a resource.
fn seen(number: u64, second: i64, in_run: u128, subject: &str) -> Seen {
    Seen {
        number,
        at: at(second),
        run: run(in_run),
        subject: Some(subject.to_owned()),
        write: true,
        failed: false,
    }
}

/// A lookup that found nobody.
fn probe(number: u64, second: i64, in_run: u128) -> Seen {
    Seen { subject: None, write: false, ..seen(number, second, in_run, "") }
}

fn change(name: &str, second: i64, target: &str) -> ImportedChange {
    ImportedChange {
        at: at(second),
        change: name.to_owned(),
        took_ms: 500,
        action: ImportedAction::Update,
        status: ImportedStatus::Success,
        error: None,
        target: Some(target.to_owned()),
        initiator: Some(Initiator::Service),
    }
}

fn cycles(of: &[(&str, Vec<ImportedChange>)]) -> BTreeMap<String, Vec<ImportedChange>> {
    of.iter().map(|(cycle, changes)| ((*cycle).to_owned(), changes.clone())).collect()
}

#[test]
fn what_was_taken_for_one_run_is_taken_apart() {
    let inferred = [
        probe(1, 0, 1),
        seen(2, 1, 1, "a"),
        seen(3, 2, 1, "b"),
        seen(4, 3, 1, "c"),
        seen(5, 4, 1, "a"),
    ];
    let told = cycles(&[
        ("c1", vec![change("1", 2, "a"), change("2", 3, "b"), change("3", 5, "a")]),
        ("c2", vec![change("4", 3, "c")]),
    ]);
    let correction = correct(ORG, &inferred, &told);
    assert_eq!(
        correction.moved,
        BTreeMap::from([(4, own_run(ORG, "c2"))]),
        "the larger part keeps the run"
    );
    assert_eq!(
        correction.cycles.iter().map(|c| (c.run, c.new, c.exchanges)).collect::<Vec<_>>(),
        [(run(1), false, 3), (own_run(ORG, "c2"), true, 1)]
    );
    assert_eq!(correction.mismatches, []);
}

#[test]
fn what_was_torn_apart_is_one_run_again_lookups_included() {
    let inferred = [
        probe(1, 0, 1),
        seen(2, 1, 1, "a"),
        seen(3, 2, 1, "b"),
        probe(4, 400, 2),
        seen(5, 401, 2, "c"),
    ];
    let told =
        cycles(&[("c1", vec![change("1", 2, "a"), change("2", 3, "b"), change("3", 402, "c")])]);
    let correction = correct(ORG, &inferred, &told);
    assert_eq!(correction.moved, BTreeMap::from([(4, run(1)), (5, run(1))]));
}

#[test]
fn an_exchange_belongs_to_the_change_that_is_nearest_in_time() {
    let inferred = [seen(1, 0, 1, "a"), seen(2, 150, 2, "a"), seen(3, 4_000, 3, "a")];
    let told = cycles(&[("c1", vec![change("1", 1, "a")]), ("c2", vec![change("1", 151, "a")])]);
    let correction = correct(ORG, &inferred, &told);
    assert_eq!(
        correction.cycles.iter().map(|c| (c.cycle.as_str(), c.run)).collect::<Vec<_>>(),
        [("c1", run(1)), ("c2", run(2))]
    );
    assert_eq!(correction.moved, BTreeMap::new(), "the third is an hour away");
}

#[test]
fn differences_are_told_both_ways() {
    let refused = Seen { failed: true, ..seen(2, 2, 1, "b") };
    let read = Seen { write: false, ..seen(3, 3, 1, "c") };
    let inferred = [seen(1, 1, 1, "a"), refused, read, seen(4, 4, 1, "d")];
    let failed = ImportedChange { status: ImportedStatus::Failure, ..change("1", 1, "a") };
    let nothing_to_do = ImportedChange { status: ImportedStatus::Skipped, ..change("3", 3, "c") };
    let told = cycles(&[(
        "c1",
        vec![failed.clone(), change("2", 2, "b"), nothing_to_do, change("5", 5, "gone")],
    )]);
    let c1 = || "c1".to_owned();
    assert_eq!(
        correct(ORG, &inferred, &told).mismatches,
        [
            Mismatch::DoneHere { cycle: c1(), change: failed, exchange: 1 },
            Mismatch::RefusedHere { cycle: c1(), change: change("2", 2, "b"), exchange: 2 },
            Mismatch::NotSeen { cycle: c1(), change: change("5", 5, "gone") },
            Mismatch::NotInLog { cycle: c1(), exchange: 4 },
        ]
    );
}

#[test]
fn an_import_is_cut_into_events_of_bounded_size_and_known_again() {
    let many = |n: i64| {
        (0..n).map(|i| ("c1".to_owned(), change(&i.to_string(), i, "a"))).collect::<Vec<_>>()
    };
    let mut all = many(2_500);
    all.push(("c0".to_owned(), change("x", 1, "b")));
    all.extend(many(3));
    let parts = into_parts(all.clone(), &BTreeMap::new());
    let sizes: Vec<usize> =
        parts.iter().map(|part| part.iter().map(|cycle| cycle.changes.len()).sum()).collect();
    assert_eq!(
        sizes,
        [CHANGES_IN_EVENT, CHANGES_IN_EVENT, 501],
        "what is there twice is kept once"
    );
    let known: BTreeMap<_, _> =
        parts.iter().flatten().map(|cycle| (cycle.cycle.clone(), cycle.digest.clone())).collect();
    assert_eq!(known.len(), 2);
    all.reverse();
    assert_eq!(into_parts(all.clone(), &known), Vec::<Vec<_>>::new(), "in any order");
    all.push(("c1".to_owned(), change("new", 9, "a")));
    let again: usize =
        into_parts(all, &known).iter().flatten().map(|cycle| cycle.changes.len()).sum();
    assert_eq!(again, 2_501, "a cycle that says more is kept anew, the other is not");
}
