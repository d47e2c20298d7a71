//! Live views beside a log on every database that has both.

use super::tally::{Mood, stands, tables};
use crate::fixture::Inlined;
use crate::given::*;
use anyhow::ensure;
use futures::future::join_all;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use uuid::Uuid;

pub async fn what_an_append_says_is_folded_is_there_for_every_reader(
    it: Inlined,
) -> anyhow::Result<()> {
    for (n, events) in (0..).zip([1, 3, 2, 1]) {
        let appended = it.log.append(write(user(n), 0, events).exchange(n)).await?;
        assert!(appended.folded);
        assert_eq!(stands(&it.views, ONE).await?, appended.head);
        assert_eq!(it.log.head(ONE).await?.position, appended.head);
    }
    // One that has no event shows nothing that was not shown before.
    let read = it.log.append(bare(ONE, 100)).await?;
    assert_eq!((read.head, stands(&it.views, ONE).await?), (7, 7));
    Ok(())
}

pub async fn whatever_is_wrong_with_the_views_fails_no_append_and_is_caught_up(
    it: Inlined,
) -> anyhow::Result<()> {
    let mut version = 0;
    for mood in Mood::BAD {
        for good in [false, false, true, true] {
            it.tally.set(if good { Mood::Good } else { mood });
            let before = stands(&it.views, ONE).await?;
            let append = write(user(1), version, 2).exchange(u128::from(version) + 1);
            let appended = it.log.append(append).await?;
            version += 2;
            assert_eq!((appended.head, appended.folded), (version, good), "{mood:?}");
            // Nothing of a fold that failed is left, and all that was missed is caught up.
            let now = if good { version } else { before };
            assert_eq!(stands(&it.views, ONE).await?, now, "{mood:?}");
        }
    }
    assert_complete(&all_records(&it.log, ONE).await?);
    assert_eq!(it.log.head(ONE).await?, Head { position: 24, exchange_number: 12 });
    Ok(())
}

pub async fn an_append_of_many_organizations_folds_each(it: Inlined) -> anyhow::Result<()> {
    let organizations: Vec<_> = (1..=9).map(|n| OrganizationId(Uuid::from_u128(n))).collect();
    for round in 0..6 {
        // What fails for one organization is caught up for all of them.
        it.tally.set(if round == 2 { Mood::Refused } else { Mood::Good });
        let appends = organizations.iter().flat_map(|organization| {
            let stream = |n| user_in(*organization, n);
            [write(stream(1), round, 1), write(stream(2), round, 1), write(stream(3), 99, 1)]
        });
        let outcomes = join_all(appends.map(|append| it.log.append(append))).await;
        for (outcome, refused) in outcomes.iter().zip([false, false, true].into_iter().cycle()) {
            assert_eq!(outcome.is_err(), refused, "{outcome:?}");
        }
    }
    for organization in organizations {
        assert_eq!(it.log.head(organization).await?.position, 12);
        assert_eq!(stands(&it.views, organization).await?, 12);
    }
    Ok(())
}

pub async fn whoever_writes_the_views_is_not_waited_for(it: Inlined) -> anyhow::Result<()> {
    assert!(it.log.append(write(user(1), 0, 1)).await?.folded);
    let busy = it.views.begin(ONE).await?;
    // SQLite begins when it is first asked.
    let mut busy = busy;
    busy.query("SELECT position FROM stands", Vec::new()).await?;
    assert!(!it.log.append(write(user(1), 1, 1)).await?.folded);
    drop(busy);
    let exclusive = it.views.begin_exclusive().await?;
    assert!(!it.log.append(write(user(1), 2, 1)).await?.folded);
    assert_eq!(stands(&it.views, ONE).await?, 1);
    exclusive.commit().await?;
    assert!(it.log.append(write(user(1), 3, 1)).await?.folded);
    assert_eq!(stands(&it.views, ONE).await?, 4);
    Ok(())
}

pub async fn views_that_are_replaced_meanwhile_miss_nothing(it: Inlined) -> anyhow::Result<()> {
    it.log.append(write(user(1), 0, 3)).await?;
    for version in [3, 4] {
        let scratch = it.views.scratch().await?;
        let mut empty = scratch.begin_exclusive().await?;
        empty.execute_all(tables()).await?;
        empty.commit().await?;
        let exclusive = it.views.begin_exclusive().await?;
        assert!(!it.log.append(write(user(1), version, 1)).await?.folded);
        it.views.promote(scratch, exclusive).await?;
        assert_eq!(stands(&it.views, ONE).await?, 0);
        // The next append goes into the tables of now, with all that they lack.
        let appended = it.log.append(write(user(2), version - 3, 1)).await?;
        assert!(appended.folded);
        assert_eq!(stands(&it.views, ONE).await?, appended.head);
    }
    Ok(())
}

pub async fn views_that_are_far_behind_are_left_to_the_folder(it: Inlined) -> anyhow::Result<()> {
    it.tally.set(Mood::Leaves);
    let far = usize::try_from(CATCH_UP)?;
    it.log.append(write(user(1), 0, far)).await?;
    it.tally.set(Mood::Good);
    assert!(it.log.append(write(user(2), 0, 1)).await?.folded, "just near enough");
    it.tally.set(Mood::Leaves);
    it.log.append(write(user(1), CATCH_UP, far + 1)).await?;
    it.tally.set(Mood::Good);
    assert!(!it.log.append(write(user(2), 1, 1)).await?.folded, "too far");
    assert_eq!(stands(&it.views, ONE).await?, CATCH_UP + 1);
    Ok(())
}

pub async fn a_refused_or_repeated_append_folds_nothing_twice(it: Inlined) -> anyhow::Result<()> {
    it.log.append(write(user(1), 0, 2).takes(name(1)).exchange(1)).await?;
    let lost = write(user(1), 0, 1);
    let taken = write(user(2), 0, 1).takes(name(1));
    let repeated = write(user(1), 0, 2).takes(name(1)).exchange(1);
    let good = write(user(3), 0, 1);
    let outcomes = join_all([lost, taken, repeated, good].map(|a| it.log.append(a))).await;
    assert!(outcomes[0].is_err() && outcomes[1].is_err());
    assert!(outcomes[2].as_ref().is_ok_and(|a| a.repeated) && outcomes[3].is_ok());
    assert_eq!((it.log.head(ONE).await?.position, stands(&it.views, ONE).await?), (3, 3));
    Ok(())
}

/// Writers, somebody who takes the views away from them again and again, and a reader: the views
/// hold what was said, and never what is not in the log.
pub async fn views_are_never_ahead_of_the_log(it: Inlined) -> anyhow::Result<()> {
    let it = Arc::new(it);
    let done = Arc::new(AtomicBool::new(false));
    let reader = {
        let (it, done) = (it.clone(), done.clone());
        tokio::spawn(async move {
            let mut looks = 0;
            while !done.load(Ordering::Acquire) {
                let at = stands(&it.views, ONE).await?;
                ensure!(at <= it.log.head(ONE).await?.position, "ahead at {at}");
                looks += 1;
            }
            anyhow::Ok(looks)
        })
    };
    let nuisance = {
        let (it, done) = (it.clone(), done.clone());
        tokio::spawn(async move {
            while !done.load(Ordering::Acquire) {
                let mut tx = it.views.begin(ONE).await?;
                tx.query("SELECT position FROM stands", Vec::new()).await?;
                drop(tx);
                tokio::time::sleep(std::time::Duration::from_millis(2)).await;
            }
            anyhow::Ok(())
        })
    };
    let writers = (0..8).map(|n| {
        let it = it.clone();
        tokio::spawn(async move {
            let mut folded = 0;
            for version in 0..25 {
                let appended = it.log.append(write(user(n), version, 1)).await?;
                if appended.folded {
                    folded += 1;
                    ensure!(stands(&it.views, ONE).await? >= appended.head);
                }
            }
            anyhow::Ok(folded)
        })
    });
    let mut folded = 0;
    for writer in join_all(writers).await {
        folded += writer??;
    }
    done.store(true, Ordering::Release);
    let looks: u32 = reader.await??;
    nuisance.await??;
    assert!(folded > 0 && looks > 0, "{folded} folded, {looks} looks");
    let last = it.log.append(write(user(50), 0, 1)).await?;
    assert_eq!((last.folded, last.head, stands(&it.views, ONE).await?), (true, 201, 201));
    Ok(())
}
