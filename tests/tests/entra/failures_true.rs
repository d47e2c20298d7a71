//! What is listed as an open failure, against what a simulated tenant knows that it lacks.

use super::truth::play_quarter;
use anyhow::{Result, ensure};
use rollcall_entra::client::Shape;
use rollcall_tests::soak::times;

/// Users of the tenants.
const USERS: usize = 60;

#[tokio::test]
async fn every_open_failure_of_ninety_days_is_true_and_none_is_missed() -> Result<()> {
    let mut differences = Vec::new();
    for seed in 1..=times(3) {
        let shape = if seed.is_multiple_of(2) { Shape::Flagged } else { Shape::Legacy };
        // The first is large in a soak.
        let users = if seed == 1 { times(USERS) } else { USERS };
        let tally = play_quarter(u64::try_from(seed)?, u32::try_from(users)?, shape).await?;
        println!("seed {seed}, {users} users, {shape:?}: at the end {}", tally.last);
        let (wrong, missed) = (tally.wrong.len(), tally.missed.len());
        println!(
            "  over {} looks: {} true, {wrong} false, {missed} missed; {} could not be told",
            tally.looks, tally.right, tally.undecided
        );
        println!("  tried again although nothing was refused: {}", tally.only_read.len());
        ensure!(
            tally.requests > 5_000 && tally.opened > 20 && tally.cured > 10,
            "too little happened: {tally:?}"
        );
        ensure!(tally.right > 100 && tally.others.is_empty(), "{tally:?}");
        differences
            .extend(tally.wrong.into_iter().map(|what| format!("seed {seed}, false: {what}")));
        differences
            .extend(tally.missed.into_iter().map(|what| format!("seed {seed}, missed: {what}")));
    }
    ensure!(differences.is_empty(), "{}", differences.join("\n"));
    Ok(())
}
