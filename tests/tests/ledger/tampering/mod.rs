//! Somebody changes the database by other means than Rollcall. Every kind of change, at several
//! places, on both stores: each must be found and named, and what cannot be found without a
//! checkpoint that was kept is listed by [`kinds`], as `docs/evidence.md` lists it.

pub mod forger;
mod kinds;

use crate::copies::{self, Copy, Original};
use anyhow::{Context as _, Result, bail, ensure};
use kinds::{Case, Found};
use rollcall_contract::ledger::{Finding, Verdict};
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::ledger::{Frontier, in_order_of_commit};
use rollcall_domain::log::{Head, Log};
use rollcall_evidence::Statement;
use rollcall_evidence::audit::Audit;
use rollcall_tests::rng::Rng;
use std::collections::BTreeMap;
use uuid::Uuid;

/// Of each kind so many places besides the first and the last: some 70 changes of a store in CI,
/// and more than 500 in a soak.
fn places() -> usize {
    if std::env::var_os("ROLLCALL_SOAK").is_some() { 40 } else { 1 }
}

async fn audit(log: &dyn Log, organization: OrganizationId, kept: &[Statement]) -> Result<Verdict> {
    let mut audit = Audit::begin(log, organization, kept.to_vec()).await?;
    while audit.step().await? {}
    Ok(audit.finish(Vec::new()).await?)
}

/// What an auditor has kept: checkpoints at every tenth leaf, and of the end.
async fn kept(log: &dyn Log, organization: OrganizationId) -> Result<Vec<Statement>> {
    let epoch = log.epoch().await?;
    let records = log.record_leaves(organization, 0, 100_000).await?;
    let exchanges = log.exchange_leaves(organization, 0, 100_000).await?;
    let records = records.into_iter().map(|(at, leaf)| (at, (true, leaf)));
    let exchanges = exchanges.into_iter().map(|x| (x.after, (false, x.leaf)));
    let (mut tree, mut head, mut kept) = (Frontier::default(), Head::default(), Vec::new());
    for (is_record, leaf) in in_order_of_commit(records, exchanges) {
        tree.append(leaf.context("a leaf")?);
        *if is_record { &mut head.position } else { &mut head.exchange_number } += 1;
        let ledger = rollcall_domain::log::LedgerHead {
            head,
            frontier: tree.clone(),
            uncovered: 0,
            last_exchange: None,
        };
        if tree.size() % 10 == 0 {
            kept.push(Statement::of("ledger.example/rollcall/x", &ledger, epoch));
        }
    }
    let end = log.ledger_head(organization).await?;
    ensure!(end.frontier == tree, "the log is not in order before anything is done to it");
    kept.push(Statement::of("ledger.example/rollcall/x", &end, epoch));
    Ok(kept)
}

fn said(verdict: &Verdict) -> String {
    let one = |found: &Finding| {
        let through = found.through.map(|through| format!("-{through}")).unwrap_or_default();
        format!("{:?} {:?} {}{through}", found.kind, found.part, found.number)
    };
    verdict.findings.iter().map(one).collect::<Vec<_>>().join(", ")
}

async fn one(
    original: &Original,
    organization: OrganizationId,
    kept: &[Statement],
    case: &Case,
) -> Result<()> {
    let copy: Copy =
        if case.is_older() { original.older().await? } else { original.copy().await? };
    let expected = case.change(&copy, organization).await?;
    let log = copy.log().await?;
    let with = audit(&*log, organization, kept).await?;
    let without = audit(&*log, organization, &[]).await?;
    for (verdict, expected, how) in
        [(&with, &expected.with, "with"), (&without, &expected.without, "without")]
    {
        match expected {
            Found::Not => ensure!(
                verdict.holds() && verdict.findings.is_empty(),
                "{how} checkpoints it is found by now: {}",
                said(verdict)
            ),
            Found::Named(found) => {
                ensure!(!verdict.holds(), "not found {how} checkpoints");
                let is_named = verdict.findings.iter().any(|other| found.is(other));
                ensure!(is_named, "{how} checkpoints, {found:?} is not among: {}", said(verdict));
            }
        }
    }
    Ok(())
}

async fn all(original: Original, organization: OrganizationId) -> Result<()> {
    let untouched = original.copy().await?;
    let log = untouched.log().await?;
    let kept = kept(&*log, organization).await?;
    let head = log.head(organization).await?;
    let verdict = audit(&*log, organization, &kept).await?;
    ensure!(verdict.holds() && verdict.findings.is_empty(), "untouched: {}", said(&verdict));
    ensure!(
        verdict.checkpoints == kept.len() as u64
            && verdict.leaves == kept.last().context("one")?.size
    );
    drop(log);
    let mut rng = Rng::from_env("ledger tampering", 19);
    let cases = kinds::all(head, places(), &mut rng);
    let mut failed = BTreeMap::new();
    for case in &cases {
        if let Err(error) = one(&original, organization, &kept, case).await {
            failed.insert(format!("{case:?}"), format!("{error:#}"));
        }
    }
    println!("{} changes, {} not found or not named", cases.len(), failed.len());
    if failed.is_empty() { Ok(()) } else { bail!("{failed:#?}") }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_change_of_a_data_folder_is_found_and_named() -> Result<()> {
    let (original, organization) = copies::sqlite().await?;
    all(original, organization).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_change_of_a_database_is_found_and_named() -> Result<()> {
    let (original, organization) = copies::postgres().await?;
    all(original, organization).await
}

/// Of a log whose epoch is another, what a checkpoint says is not what another log says.
#[tokio::test]
async fn another_log_is_told_from_a_changed_one() -> Result<()> {
    let (original, organization) = copies::sqlite().await?;
    let copy = original.copy().await?;
    let log = copy.log().await?;
    let mut kept = kept(&*log, organization).await?;
    for statement in &mut kept {
        statement.epoch = Uuid::from_u128(1);
        statement.root.0[0] ^= 1;
    }
    let verdict = audit(&*log, organization, &kept).await?;
    ensure!(said(&verdict).starts_with("AnotherLog"), "{}", said(&verdict));
    Ok(())
}
