//! Which position an instant is, also where the clock was wrong for a while.

mod support;

use rollcall_domain::organization::OrganizationEvent;
use rollcall_domain::scim::ResourceKind;
use rollcall_projections::history::History;
use support::*;

#[tokio::test]
async fn an_instant_is_a_position() {
    let world = World::new().await;
    for n in 1..=3 {
        world.user(n, vec![created(&format!("u{n}"))]).await;
    }
    world.audit_folder().await.fold(ORG).await.unwrap();
    let history = History::new(world.audit.clone());
    let position = async |n: u64| history.position_at(ORG, at(n)).await.unwrap();
    assert_eq!(
        (position(0).await, position(1).await, position(2).await, position(9).await),
        (0, 1, 2, 3)
    );
    assert_eq!(history.recorded_at(ORG, 2).await.unwrap(), Some(at(2)));
    let ada = history.resources(ORG, ResourceKind::User, 2, Some("U2"), 0, 9).await.unwrap();
    assert_eq!(ada.iter().map(|row| row.id).collect::<Vec<_>>(), [user(2)]);
    assert!(
        history.resources(ORG, ResourceKind::User, 1, Some("U2"), 0, 9).await.unwrap().is_empty()
    );
}

/// What is recorded: by a clock that runs as it should, that jumped ahead, or that was set right.
#[derive(Clone, Copy, PartialEq)]
enum Step {
    Next,
    Ahead(u64),
    Corrected,
}

/// Numbers that look random, and are the same each time.
fn steps(seed: u64) -> Vec<Step> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut below = |n: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) % n
    };
    let mut steps: Vec<Step> = (0..30)
        .map(|_| match below(10) {
            0 => Step::Ahead(1 + below(40)),
            1 => Step::Corrected,
            _ => Step::Next,
        })
        .collect();
    steps.push(Step::Corrected);
    steps
}

/// A clock that runs ahead, and stands still when it is told that it did, bends what an instant
/// means until it is set right; then no instant from there on is bent, and none before it is out of
/// order. Folded in whichever pieces.
#[tokio::test]
async fn a_clock_that_was_set_right_bends_nothing() {
    for seed in 1..=40 {
        let world = World::new().await;
        let (folder, history) = (world.audit_folder().await, History::new(world.audit.clone()));
        // Seconds that truly passed, and what the clock said; what was recorded, and what it counts as.
        let (mut truly, mut clock) = (0, 0);
        let (mut counts_as, mut true_times): (Vec<u64>, Vec<u64>) = (Vec::new(), Vec::new());
        let mut last_correction = 0;
        for (n, step) in steps(seed).into_iter().enumerate() {
            truly += 1;
            clock = (clock + 1).max(truly);
            match step {
                Step::Ahead(by) => clock += by,
                Step::Corrected => {
                    clock = truly;
                    counts_as.iter_mut().for_each(|time| *time = (*time).min(clock));
                    last_correction = truly;
                }
                Step::Next => {}
            }
            world.set_clock(clock);
            match step {
                Step::Corrected => {
                    let until = at(1_000);
                    world.organization(ORG, vec![OrganizationEvent::TimesBounded { until }]).await;
                }
                Step::Next | Step::Ahead(_) => {
                    world.user(n as u128, vec![created(&format!("u{n}"))]).await;
                }
            }
            counts_as.push(counts_as.last().copied().unwrap_or(0).max(clock));
            true_times.push(truly);
            if n % 7 == seed as usize % 7 {
                folder.fold(ORG).await.unwrap();
            }
        }
        folder.fold(ORG).await.unwrap();
        let reached =
            |times: &[u64], n: u64| times.iter().filter(|time| **time <= n).count() as u64;
        for n in 0..=truly {
            let position = history.position_at(ORG, at(n)).await.unwrap();
            assert_eq!(position, reached(&counts_as, n), "seed {seed}, second {n}");
            if n >= last_correction {
                assert_eq!(position, reached(&true_times, n), "seed {seed}, second {n}: bent");
            }
        }
        assert_eq!(history.reached_at(ORG).await.unwrap(), Some(at(clock)), "seed {seed}");
    }
}
