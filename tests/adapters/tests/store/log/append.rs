//! What one append does.

use crate::fixture::Logs;
use crate::given::*;
use rollcall_domain::actor::Actor;
use rollcall_domain::claim::ClaimKind;
use rollcall_domain::ids::ExchangeId;
use rollcall_domain::log::*;
use uuid::Uuid;

pub async fn positions_are_gapless_in_every_organization(it: Logs) -> anyhow::Result<()> {
    let mut positions = Vec::new();
    for append in [
        write(user(1), 0, 2),
        write(user_in(TWO, 1), 0, 1),
        write(user(2), 0, 1),
        write(user(1), 2, 3),
    ] {
        positions.push(it.log.append(append).await?.positions);
    }
    assert_eq!(positions, [Some((1, 2)), Some((1, 1)), Some((3, 3)), Some((4, 6))]);
    let records = all_records(&it.log, ONE).await?;
    assert_complete(&records);
    assert_eq!(records.iter().map(|r| r.stream).collect::<Vec<_>>(), [1, 1, 2, 1, 1, 1].map(user));
    assert_eq!(it.log.head(ONE).await?, Head { position: 6, exchange_number: 0 });
    assert_eq!(it.log.head(TWO).await?.position, 1);
    Ok(())
}

pub async fn a_refused_append_leaves_no_trace(it: Logs) -> anyhow::Result<()> {
    it.log.append(write(user(1), 0, 1).takes(name(1))).await?;
    let refused =
        it.log.append(write(user(2), 0, 2).takes(name(2)).takes(name(1)).exchange(9)).await;
    assert!(matches!(refused, Err(AppendError::ClaimTaken { .. })), "{refused:?}");
    assert_eq!(it.log.head(ONE).await?, Head { position: 1, exchange_number: 0 });
    assert_eq!(all_records(&it.log, ONE).await?.len(), 1);
    assert_eq!(it.log.load(&user(2), 0).await?, []);
    assert_eq!(it.log.holder(&name(2)).await?, None);
    assert_eq!(it.log.exchange(ONE, ExchangeId(Uuid::from_u128(9))).await?, None);
    // The place it would have had goes to the next.
    let next = it.log.append(write(user(2), 0, 1).exchange(9)).await?;
    assert_eq!(
        next,
        Appended {
            positions: Some((2, 2)),
            exchange_number: Some(1),
            head: 2,
            ..Appended::default()
        }
    );
    Ok(())
}

pub async fn four_refusals_are_four_answers(it: Logs) -> anyhow::Result<()> {
    it.log.append(write(user(1), 0, 2).takes(name(1)).exchange(1)).await?;
    let lost = it.log.append(write(user(1), 1, 1)).await;
    assert_eq!(lost, Err(AppendError::LostRace { stream: user(1), expected: 1, actual: 2 }));
    let ahead = it.log.append(write(user(1), 3, 1)).await;
    assert_eq!(ahead, Err(AppendError::LostRace { stream: user(1), expected: 3, actual: 2 }));
    let taken = it.log.append(write(user(2), 0, 1).takes(name(1))).await;
    assert_eq!(taken, Err(AppendError::ClaimTaken { kind: ClaimKind::UserName, holder: user(1) }));
    let missing = it.log.append(write(user(2), 0, 1).requires(name(1)).requires(name(2))).await;
    assert_eq!(missing, Err(AppendError::ReferenceMissing { index: 1 }));
    let repeated = it.log.append(write(user(1), 0, 2).takes(name(1)).exchange(1)).await;
    assert_eq!(
        repeated,
        Ok(Appended {
            positions: Some((1, 2)),
            exchange_number: Some(1),
            head: 2,
            repeated: true,
            folded: false
        })
    );
    Ok(())
}

pub async fn an_append_of_two_organizations_is_refused(it: Logs) -> anyhow::Result<()> {
    let crossed = Append { organization: TWO, ..write(user(1), 0, 1) };
    assert!(matches!(it.log.append(crossed).await, Err(AppendError::Unavailable(_))));
    let crossed = Append { exchange: Some(exchange(TWO, 1)), ..write(user(1), 0, 1) };
    assert!(matches!(it.log.append(crossed).await, Err(AppendError::Unavailable(_))));
    assert_eq!(it.log.heads().await?, []);
    Ok(())
}

pub async fn payloads_come_back_as_they_were(it: Logs) -> anyhow::Result<()> {
    it.log.append(write(user(1), 0, 3)).await?;
    let payloads =
        |records: Vec<Record>| records.into_iter().map(|r| r.payload).collect::<Vec<_>>();
    assert_eq!(payloads(it.log.records(ONE, 0, 10).await?), [1, 2, 3].map(payload));
    assert_eq!(payloads(it.log.load(&user(1), 0).await?), [1, 2, 3].map(payload));
    Ok(())
}

pub async fn envelopes_come_back_as_they_were(it: Logs) -> anyhow::Result<()> {
    let mut caused = write(user(1), 0, 1);
    if let Some(write) = &mut caused.write {
        write.cause = Some(ExchangeId(Uuid::from_u128(5)));
        write.actor = Actor::Operator;
    }
    it.log.append(caused).await?;
    it.log.append(write(user(1), 1, 1).exchange(6)).await?;
    let records = it.log.load(&user(1), 0).await?;
    let expected = Record {
        position: 1,
        stream: user(1),
        version: 1,
        event_type: "UserChanged".into(),
        event_version: "1".into(),
        payload: payload(1),
        recorded_at: time(0),
        exchange: Some(ExchangeId(Uuid::from_u128(5))),
        actor: Actor::Operator,
    };
    assert_eq!(records[0], expected);
    assert_eq!(records[1].recorded_at, time(1));
    assert_eq!(records[1].exchange, Some(ExchangeId(Uuid::from_u128(6))));
    assert_eq!(it.log.records(ONE, 0, 10).await?, records);
    Ok(())
}
