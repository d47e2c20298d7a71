//! A backup of one store is restored into another, of every kind.

use crate::fixture::{self, Logs};
use crate::given::*;
use crate::log::ledger;
use rollcall_domain::claim::ClaimKind;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::*;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Everything a log holds, in the order in which it is restored.
pub async fn backup(log: &Arc<dyn Log>) -> anyhow::Result<Vec<Restored>> {
    let keys = log.claim_keys().await?;
    let mut parts: Vec<_> =
        keys.iter().map(|(scope, key)| Restored::ClaimKey(*scope, *key)).collect();
    let heads = log.heads().await?;
    for (organization, _) in &heads {
        parts.extend(all_records(log, *organization).await?.into_iter().map(Restored::Record));
        let exchanges = log.exchanges(*organization, 0, 10_000, Bodies::Read).await?;
        parts.extend(exchanges.into_iter().map(|x| Restored::Exchange(Box::new(x))));
    }
    for scope in [OrganizationId::NONE, ONE, TWO] {
        let claims = log.claims(scope, None, 10_000).await?;
        parts.extend(claims.into_iter().map(|(claim, holder)| Restored::Claim(claim, holder)));
    }
    Ok(parts)
}

pub async fn fill(log: &Arc<dyn Log>) -> anyhow::Result<()> {
    log.claim_key(OrganizationId::NONE, [7; 32]).await?;
    log.claim_key(ONE, [8; 32]).await?;
    log.append(bare(OrganizationId::NONE, 1)).await?;
    for n in 0..20 {
        let organization = if n % 3 == 0 { TWO } else { ONE };
        let stream = user_in(organization, n);
        let taken = claim_in(organization, ClaimKind::UserName, n as u8);
        log.append(write(stream, 0, 3).takes(taken).exchange(n + 100)).await?;
        log.append(bare(organization, n + 200)).await?;
        if n % 5 == 0 {
            log.append(write(stream, 3, 1).releases(taken)).await?;
        }
    }
    log.append(write(user(50), 0, 1).takes(claim_in(OrganizationId::NONE, ClaimKind::Domain, 1)))
        .await?;
    Ok(())
}

async fn round_trip(from: Logs, to: Logs) -> anyhow::Result<()> {
    fill(&from.log).await?;
    let parts = backup(&from.log).await?;
    for part in parts.chunks(13) {
        to.log.restore(part.to_vec()).await?;
    }
    assert_eq!(backup(&to.log).await?, parts);
    assert_eq!(to.log.heads().await?, from.log.heads().await?);
    // The leaves are what they were; but they came later than what is under them.
    for organization in [OrganizationId::NONE, ONE, TWO] {
        let (before, _) = ledger::check(&from.log, organization).await?;
        assert_eq!(ledger::check(&to.log, organization).await?, (before.clone(), before.size()));
    }
    assert_ne!(to.log.epoch().await?, from.log.epoch().await?);
    // It goes on where it was: same positions, same claims, same exchanges known.
    let next = |log: Arc<dyn Log>| async move {
        (
            log.append(write(user(1), 3, 2)).await,
            log.append(write(user(60), 0, 1).takes(name(1))).await,
            log.append(bare(ONE, 101)).await,
            log.append(write(user(1), 3, 1)).await,
        )
    };
    assert_eq!(next(to.log.clone()).await, next(from.log.clone()).await);
    let (grown, _) = ledger::check(&from.log, ONE).await?;
    assert_eq!(ledger::check(&to.log, ONE).await?.0, grown);
    // A part that does not follow what is there is refused, and leaves nothing.
    let before = to.log.heads().await?;
    let refused = to.log.restore(parts).await;
    assert!(matches!(refused, Err(LogError::Damaged(_))), "{refused:?}");
    assert_eq!(to.log.heads().await?, before);
    Ok(())
}

/// Strangers call before the restore and in the middle of it; nothing of them is lost, on either
/// side.
async fn beside_strangers(to: Logs) -> anyhow::Result<()> {
    let from = fixture::sqlite_memory::log().await?;
    fill(&from.log).await?;
    from.log.append(bare(OrganizationId::NONE, 2)).await?;
    let parts = backup(&from.log).await?;
    let mut expected = BTreeSet::from([1, 2]);
    for (part, n) in parts.chunks(13).zip(900..) {
        to.log.append(bare(OrganizationId::NONE, n)).await?;
        expected.insert(n);
        to.log.restore(part.to_vec()).await?;
    }
    let strangers = to.log.exchanges(OrganizationId::NONE, 0, 10_000, Bodies::Read).await?;
    assert!(strangers.iter().map(|x| x.number).eq(1..=expected.len() as u64), "{strangers:?}");
    assert_eq!(
        strangers.iter().map(|x| x.exchange.id.0.as_u128()).collect::<BTreeSet<_>>(),
        expected
    );
    for organization in [ONE, TWO] {
        assert_eq!(to.log.head(organization).await?, from.log.head(organization).await?);
        assert_eq!(
            all_records(&to.log, organization).await?,
            all_records(&from.log, organization).await?
        );
    }
    for organization in [OrganizationId::NONE, ONE, TWO] {
        ledger::check(&to.log, organization).await?;
    }
    // Those that are there already are not put down twice.
    let known = strangers.into_iter().map(|x| Restored::Exchange(Box::new(x))).collect();
    let before = to.log.heads().await?;
    to.log.restore(known).await?;
    assert_eq!(to.log.heads().await?, before);
    Ok(())
}

#[tokio::test]
async fn beside_strangers_in_a_file() -> anyhow::Result<()> {
    beside_strangers(fixture::sqlite_file::log().await?).await
}

#[tokio::test]
async fn beside_strangers_in_postgres() -> anyhow::Result<()> {
    beside_strangers(fixture::postgres::log().await?).await
}

#[tokio::test]
async fn beside_strangers_in_kurrent() -> anyhow::Result<()> {
    beside_strangers(fixture::kurrent::log().await?).await
}

#[tokio::test]
async fn from_a_file_to_kurrent() -> anyhow::Result<()> {
    round_trip(fixture::sqlite_file::log().await?, fixture::kurrent::log().await?).await
}

#[tokio::test]
async fn from_kurrent_to_postgres() -> anyhow::Result<()> {
    round_trip(fixture::kurrent::log().await?, fixture::postgres::log().await?).await
}

#[tokio::test]
async fn from_a_file_to_postgres() -> anyhow::Result<()> {
    round_trip(fixture::sqlite_file::log().await?, fixture::postgres::log().await?).await
}

#[tokio::test]
async fn from_postgres_to_a_file() -> anyhow::Result<()> {
    round_trip(fixture::postgres::log().await?, fixture::sqlite_file::log().await?).await
}

#[tokio::test]
async fn from_a_file_to_memory() -> anyhow::Result<()> {
    round_trip(fixture::sqlite_file::log().await?, fixture::sqlite_memory::log().await?).await
}
