//! What claims do.

use crate::fixture::Logs;
use crate::given::*;
use rollcall_domain::claim::{Claim, ClaimKind};
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::*;
use uuid::Uuid;

pub async fn one_append_releases_and_takes(it: Logs) -> anyhow::Result<()> {
    it.log.append(write(user(1), 0, 1).takes(name(1))).await?;
    it.log.append(write(user(1), 1, 1).releases(name(1)).takes(name(2))).await?;
    assert_eq!(it.log.holder(&name(1)).await?, None);
    assert_eq!(it.log.holder(&name(2)).await?, Some(user(1)));
    // The old name is free for another.
    it.log.append(write(user(2), 0, 1).takes(name(1)).requires(name(2))).await?;
    assert_eq!(it.log.holder(&name(1)).await?, Some(user(2)));
    Ok(())
}

pub async fn a_stream_may_retake_its_own(it: Logs) -> anyhow::Result<()> {
    it.log.append(write(user(1), 0, 1).takes(name(1))).await?;
    it.log.append(write(user(1), 1, 1).takes(name(1))).await?;
    it.log.append(write(user(1), 2, 1).releases(name(1)).takes(name(1))).await?;
    assert_eq!(it.log.holder(&name(1)).await?, Some(user(1)));
    Ok(())
}

pub async fn what_is_used_once_is_not_even_its_holders_to_take_again(
    it: Logs,
) -> anyhow::Result<()> {
    for (kind, n) in
        [(ClaimKind::Assertion, 1), (ClaimKind::SamlRequest, 2), (ClaimKind::SessionRefusal, 3)]
    {
        let used = claim_in(ONE, kind, n);
        it.log.append(write(user(u128::from(n)), 0, 1).takes(used)).await?;
        for (stream, version) in [(user(u128::from(n)), 1), (user(9), 0)] {
            let again = it.log.append(write(stream, version, 1).takes(used)).await;
            assert_eq!(again, Err(AppendError::ClaimTaken { kind, holder: user(u128::from(n)) }));
        }
    }
    Ok(())
}

pub async fn a_late_release_frees_nobody_elses(it: Logs) -> anyhow::Result<()> {
    it.log.append(write(user(1), 0, 1).takes(name(1))).await?;
    it.log.append(write(user(1), 1, 1).releases(name(1))).await?;
    it.log.append(write(user(2), 0, 1).takes(name(1))).await?;
    it.log.append(write(user(1), 2, 1).releases(name(1))).await?;
    assert_eq!(it.log.holder(&name(1)).await?, Some(user(2)));
    Ok(())
}

pub async fn claims_are_of_one_scope(it: Logs) -> anyhow::Result<()> {
    let there = claim_in(TWO, ClaimKind::UserName, 1);
    let group = claim_in(ONE, ClaimKind::GroupName, 1);
    it.log.append(write(user(1), 0, 1).takes(name(1))).await?;
    it.log.append(write(user_in(TWO, 2), 0, 1).takes(there)).await?;
    it.log.append(write(user(3), 0, 1).takes(group)).await?;
    assert_eq!(it.log.holder(&name(1)).await?, Some(user(1)));
    assert_eq!(it.log.holder(&there).await?, Some(user_in(TWO, 2)));
    assert_eq!(it.log.holder(&group).await?, Some(user(3)));
    Ok(())
}

pub async fn a_claim_without_events_is_held(it: Logs) -> anyhow::Result<()> {
    let appended = it.log.append(write(user(1), 0, 0).takes(name(1))).await?;
    assert_eq!(appended, Appended::default());
    assert_eq!(it.log.holder(&name(1)).await?, Some(user(1)));
    assert_eq!(it.log.head(ONE).await?, Head::default());
    Ok(())
}

/// Two organizations have two heads; the claim both want is in neither's scope.
pub async fn a_claim_of_the_deployment_has_one_holder(it: Logs) -> anyhow::Result<()> {
    let wide = |n| claim_in(OrganizationId::NONE, ClaimKind::Domain, n);
    for n in 0..40 {
        let take = |organization| {
            it.log.append(write(user_in(organization, n), 0, 1).takes(wide(n as u8)))
        };
        let (one, two) = tokio::join!(take(ONE), take(TWO));
        assert!(one.is_ok() != two.is_ok(), "{one:?} and {two:?}");
        let winner = user_in(if one.is_ok() { ONE } else { TWO }, n);
        assert_eq!(it.log.holder(&wide(n as u8)).await?, Some(winner));
    }
    Ok(())
}

pub async fn claims_are_paged_in_their_order(it: Logs) -> anyhow::Result<()> {
    let mut expected = Vec::new();
    for kind in ClaimKind::ALL {
        for n in [200, 0, 7] {
            let claim = claim_in(ONE, kind, n);
            let stream = user(expected.len() as u128 + 1);
            it.log.append(write(stream, 0, 1).takes(claim)).await?;
            expected.push((claim, stream));
        }
    }
    it.log
        .append(write(user_in(TWO, 1), 0, 1).takes(claim_in(TWO, ClaimKind::UserName, 3)))
        .await?;
    expected.sort();
    for limit in [1, 2, 5, 100] {
        let mut found: Vec<(Claim, StreamId)> = Vec::new();
        loop {
            let page = it.log.claims(ONE, found.last().map(|(claim, _)| *claim), limit).await?;
            assert!(page.len() <= limit);
            if page.is_empty() {
                break;
            }
            found.extend(page);
        }
        assert_eq!(found, expected, "by {limit}");
    }
    Ok(())
}

pub async fn the_first_claim_key_wins(it: Logs) -> anyhow::Result<()> {
    let first = it.log.claim_key(ONE, [1; 32]).await?;
    assert_eq!(first, [1; 32]);
    assert_eq!(it.log.claim_key(ONE, [2; 32]).await?, [1; 32]);
    let other = OrganizationId(Uuid::from_u128(3));
    let keys =
        futures::future::try_join_all((10..26).map(|n| it.log.claim_key(other, [n; 32]))).await?;
    assert!(keys.iter().all(|key| *key == keys[0]), "{keys:?}");
    assert_eq!(it.log.claim_keys().await?, [(ONE, [1; 32]), (other, keys[0])]);
    Ok(())
}
