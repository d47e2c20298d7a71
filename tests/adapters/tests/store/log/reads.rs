//! What reads give.

use crate::fixture::Logs;
use crate::given::*;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::*;

pub async fn an_empty_log_answers(it: Logs) -> anyhow::Result<()> {
    it.log.ping().await?;
    assert_eq!(it.log.head(ONE).await?, Head::default());
    assert_eq!(it.log.heads().await?, []);
    assert_eq!(it.log.load(&user(1), 0).await?, []);
    assert_eq!(it.log.records(ONE, 0, 10).await?, []);
    assert_eq!(it.log.exchanges(ONE, 0, 10, Bodies::Read).await?, []);
    assert_eq!(it.log.snapshot(&user(1)).await?, None);
    assert_eq!(it.log.claims(ONE, None, 10).await?, []);
    assert_eq!(it.log.claim_keys().await?, []);
    Ok(())
}

pub async fn streams_load_after_a_version(it: Logs) -> anyhow::Result<()> {
    it.log.append(write(user(1), 0, 2)).await?;
    it.log.append(write(user(2), 0, 2)).await?;
    it.log.append(write(user(1), 2, 2)).await?;
    // Same id, other kind, other organization: other streams.
    it.log.append(write(StreamId { kind: AggregateKind::Group, ..user(1) }, 0, 1)).await?;
    it.log.append(write(user_in(TWO, 1), 0, 1)).await?;
    let versions = async |after| {
        let loaded = it.log.load(&user(1), after).await?;
        assert!(loaded.iter().all(|r| r.stream == user(1)));
        anyhow::Ok(loaded.iter().map(|r| (r.version, r.position)).collect::<Vec<_>>())
    };
    assert_eq!(versions(0).await?, [(1, 1), (2, 2), (3, 5), (4, 6)]);
    assert_eq!(versions(3).await?, [(4, 6)]);
    assert_eq!(versions(4).await?, []);
    assert_eq!(versions(u64::MAX).await?, []);
    Ok(())
}

pub async fn records_are_paged(it: Logs) -> anyhow::Result<()> {
    for n in 0..12 {
        it.log.append(write(user(1), n, 1)).await?;
    }
    let positions = async |after, limit| {
        let page = it.log.records(ONE, after, limit).await?;
        anyhow::Ok(page.iter().map(|r| r.position).collect::<Vec<_>>())
    };
    // Beyond nine, where an order by text would go wrong.
    assert_eq!(positions(8, 3).await?, [9, 10, 11]);
    assert_eq!(positions(11, 3).await?, [12]);
    assert!(positions(12, 3).await?.is_empty());
    assert_eq!(positions(0, usize::MAX).await?, (1..=12).collect::<Vec<_>>());
    assert!(positions(0, 0).await?.is_empty());
    Ok(())
}

pub async fn snapshots_keep_the_latest(it: Logs) -> anyhow::Result<()> {
    let snapshot = |version, state: &str| AggregateSnapshot {
        stream: user(1),
        version,
        schema: "a".into(),
        state: state.into(),
    };
    it.log.save_snapshot(snapshot(5, "five")).await?;
    it.log.save_snapshot(snapshot(3, "three")).await?;
    assert_eq!(it.log.snapshot(&user(1)).await?, Some(snapshot(5, "five")));
    it.log.save_snapshot(snapshot(8, "eight")).await?;
    assert_eq!(it.log.snapshot(&user(1)).await?, Some(snapshot(8, "eight")));
    // The same version in another shape replaces one that cannot be read any more.
    let reshaped = AggregateSnapshot { schema: "b".into(), ..snapshot(8, "eight again") };
    it.log.save_snapshot(reshaped.clone()).await?;
    assert_eq!(it.log.snapshot(&user(1)).await?, Some(reshaped));
    assert_eq!(it.log.snapshot(&user_in(TWO, 1)).await?, None);
    Ok(())
}

pub async fn heads_name_every_log(it: Logs) -> anyhow::Result<()> {
    it.log.append(bare(OrganizationId::NONE, 1)).await?;
    it.log.append(write(user_in(TWO, 1), 0, 2)).await?;
    it.log.append(write(user(1), 0, 1).exchange(1)).await?;
    // A refused append makes no log.
    let nobody = OrganizationId(uuid::Uuid::from_u128(99));
    assert!(it.log.append(write(user_in(nobody, 1), 4, 1)).await.is_err());
    let mut heads = it.log.heads().await?;
    heads.sort_by_key(|(organization, _)| *organization);
    let head = |position, exchange_number| Head { position, exchange_number };
    assert_eq!(heads, [(OrganizationId::NONE, head(0, 1)), (ONE, head(1, 1)), (TWO, head(2, 0))]);
    Ok(())
}
