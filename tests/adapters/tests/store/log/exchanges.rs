//! What exchanges do.

use crate::fixture::Logs;
use crate::given::*;
use anyhow::{Context as _, ensure};
use rollcall_domain::ids::ExchangeId;
use rollcall_domain::ledger::entry::{ExchangeHashes, exchange_entry};
use rollcall_domain::log::*;
use uuid::Uuid;

pub async fn exchanges_come_back_with_and_without_bodies(it: Logs) -> anyhow::Result<()> {
    it.log.append(bare(ONE, 1)).await?;
    let full = it.log.exchanges(ONE, 0, 10, Bodies::Read).await?;
    assert_eq!(
        full,
        [RecordedExchange { number: 1, positions: None, after: 0, exchange: exchange(ONE, 1) }]
    );
    assert_eq!(it.log.exchange(ONE, ExchangeId(Uuid::from_u128(1))).await?.as_ref(), full.first());
    let mut bodiless = exchange(ONE, 1);
    bodiless.request_body.clear();
    bodiless.answer_body.clear();
    assert_eq!(it.log.exchanges(ONE, 0, 10, Bodies::Skip).await?[0].exchange, bodiless);
    // Another organization's is not there.
    assert_eq!(it.log.exchange(TWO, ExchangeId(Uuid::from_u128(1))).await?, None);
    Ok(())
}

pub async fn an_exchange_names_the_positions_it_caused(it: Logs) -> anyhow::Result<()> {
    it.log.append(write(user(1), 0, 2)).await?;
    it.log.append(write(user(1), 2, 2).exchange(1)).await?;
    it.log.append(bare(ONE, 2)).await?;
    it.log.append(write(user(1), 4, 0).exchange(3)).await?;
    let found = it.log.exchanges(ONE, 0, 10, Bodies::Skip).await?;
    let found: Vec<_> = found.iter().map(|x| (x.number, x.positions, x.after)).collect();
    assert_eq!(found, [(1, Some((3, 4)), 4), (2, None, 4), (3, None, 4)]);
    assert_eq!(it.log.head(ONE).await?, Head { position: 4, exchange_number: 3 });
    Ok(())
}

pub async fn a_repeated_exchange_appends_nothing(it: Logs) -> anyhow::Result<()> {
    let first = it.log.append(write(user(1), 0, 2).exchange(1)).await?;
    // Whatever else the second try brings along.
    let again = it.log.append(write(user(2), 0, 1).takes(name(1)).exchange(1)).await?;
    assert_eq!(again, Appended { repeated: true, ..first });
    assert_eq!(it.log.head(ONE).await?, Head { position: 2, exchange_number: 1 });
    assert_eq!(it.log.holder(&name(1)).await?, None);
    // The same id means nothing in another organization.
    assert!(!it.log.append(bare(TWO, 1)).await?.repeated);
    Ok(())
}

pub async fn one_exchange_sent_by_many_at_once_is_appended_once(it: Logs) -> anyhow::Result<()> {
    let sent = (0..16).map(|_| it.log.append(write(user(1), 0, 1).exchange(1)));
    let appended = futures::future::try_join_all(sent).await?;
    assert_eq!(appended.iter().filter(|a| !a.repeated).count(), 1);
    assert!(
        appended.iter().all(|a| (a.positions, a.exchange_number) == (Some((1, 1)), Some(1))),
        "{appended:?}"
    );
    assert_eq!(it.log.exchanges(ONE, 0, 10, Bodies::Skip).await?.len(), 1);
    Ok(())
}

pub async fn exchanges_are_paged(it: Logs) -> anyhow::Result<()> {
    for n in 1..=5 {
        it.log.append(bare(ONE, n)).await?;
    }
    let numbers = async |after, limit| {
        let page = it.log.exchanges(ONE, after, limit, Bodies::Skip).await?;
        anyhow::Ok(
            page.iter().map(|x| (x.number, x.exchange.id.0.as_u128() as u64)).collect::<Vec<_>>(),
        )
    };
    assert_eq!(numbers(0, 2).await?, [(1, 1), (2, 2)]);
    assert_eq!(numbers(2, 2).await?, [(3, 3), (4, 4)]);
    assert_eq!(numbers(4, 2).await?, [(5, 5)]);
    assert_eq!(numbers(5, 2).await?, []);
    Ok(())
}

pub async fn dropped_bodies_are_gone_and_it_is_said(it: Logs) -> anyhow::Result<()> {
    it.log.append(write(user(1), 0, 1).exchange(1)).await?;
    for n in 2..=4 {
        it.log.append(bare(ONE, n)).await?;
    }
    it.log.append(bare(TWO, 1)).await?;
    let records = it.log.records(ONE, 0, 10).await?;
    let whole = stored(&it.log).exchange(ONE, ExchangeId(Uuid::from_u128(2))).await?;
    let hashes = whole.map(|x| x.exchange.hashes_of_bodies());
    assert_eq!(it.log.drop_bodies(ONE, 1, 3).await?, 2);
    assert_eq!(
        it.log.drop_bodies(ONE, 0, 3).await?,
        1,
        "the first, for the others have none any more"
    );
    let mut dropped = exchange(ONE, 2);
    dropped.body_hashes = hashes;
    (dropped.request_body, dropped.answer_body, dropped.bodies_dropped) =
        (Vec::new(), Vec::new(), true);
    assert_eq!(
        it.log.exchange(ONE, ExchangeId(Uuid::from_u128(2))).await?.map(|x| x.exchange),
        Some(dropped.clone())
    );
    assert_eq!(it.log.exchanges(ONE, 1, 1, Bodies::Skip).await?[0].exchange, dropped);
    assert_eq!(it.log.exchanges(ONE, 3, 10, Bodies::Read).await?[0].exchange, exchange(ONE, 4));
    assert_eq!(it.log.exchanges(TWO, 0, 10, Bodies::Read).await?[0].exchange, exchange(TWO, 1));
    assert_eq!(it.log.records(ONE, 0, 10).await?, records);
    // A number that was given is still taken.
    assert_eq!(it.log.append(bare(ONE, 5)).await?.exchange_number, Some(5));
    Ok(())
}

/// What an exchange was and who it was about is gone, also from what it is found by; its number, its
/// time, its outcome and its leaf stay. Once is enough, and nothing else changes.
pub async fn erased_exchanges_keep_their_place_and_their_leaf(it: Logs) -> anyhow::Result<()> {
    it.log.append(write(user(1), 0, 1).exchange(1)).await?;
    for n in 2..=4 {
        it.log.append(bare(ONE, n)).await?;
    }
    let inner = stored(&it.log);
    let before = inner.exchanges(ONE, 0, 10, Bodies::Read).await?;
    let leaves = it.log.exchange_leaves(ONE, 0, 10).await?;
    let subject = exchange(ONE, 2).subject;
    let about = subject.as_deref().map(Facet::Subject).context("it is about somebody")?;
    let found = it.log.exchanges_with(ONE, about, Start::Latest, 10).await?;
    ensure!(found.iter().any(|x| x.number == 2), "it is not found before, neither");
    let Some(erased) = it.log.erase_exchanges(ONE, &[2, 3, 99]).await? else {
        // A store that never changes what it holds says so, and changes nothing.
        assert_eq!(inner.exchanges(ONE, 0, 10, Bodies::Read).await?, before);
        return Ok(());
    };
    assert_eq!(erased, 2);
    assert_eq!(it.log.erase_exchanges(ONE, &[2, 3]).await?, Some(0));
    let after = inner.exchanges(ONE, 0, 10, Bodies::Read).await?;
    assert_eq!((&after[0], &after[3]), (&before[0], &before[3]));
    for n in [1, 2] {
        let (was, is) = (&before[n], &after[n]);
        ensure!(is.exchange.is_erased() && is.exchange.bodies_dropped, "{is:?}");
        let text = serde_json::to_string(&is.exchange)?;
        for word in [&was.exchange.target, &was.exchange.method] {
            ensure!(!text.contains(word.as_str()), "{word} is left in {text}");
        }
        assert_eq!(
            (is.number, is.exchange.received_at, is.exchange.answer.status, &is.exchange.operation),
            (
                was.number,
                was.exchange.received_at,
                was.exchange.answer.status,
                &was.exchange.operation
            )
        );
        // The entry is the same, and so the leaf.
        let entry = |x: &RecordedExchange| exchange_entry(x, &ExchangeHashes::of(&x.exchange));
        assert_eq!(entry(is), entry(was));
        // Something that is put under the hash is not vouched for by it.
        let mut forged = is.clone();
        forged.exchange.target = "/scim/v2/Users".to_owned();
        ensure!(entry(&forged) != entry(was), "a forged target has the leaf of what was erased");
    }
    assert_eq!(it.log.exchange_leaves(ONE, 0, 10).await?, leaves);
    let left = it.log.exchanges_with(ONE, about, Start::Latest, 10).await?;
    ensure!(left.iter().all(|x| ![2, 3].contains(&x.number)), "{left:?}");
    // Readers are told of one that is nobody's.
    let read = it.log.exchanges(ONE, 1, 1, Bodies::Read).await?.remove(0).exchange;
    ensure!(read.is_erased() && read.target.is_empty() && read.subject.is_none(), "{read:?}");
    Ok(())
}
