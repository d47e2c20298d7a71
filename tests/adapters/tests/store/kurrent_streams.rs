//! Streams of a KurrentDB server that are not as they were left.

use crate::fixture::kurrent::{Server, connect};
use crate::given::*;
use base64::Engine as _;
use eventstore::{Client, EventData, StreamMetadata};
use rollcall_domain::claim::{Claim, ClaimKind};
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::*;
use serde_json::json;
use std::time::Duration;
use uuid::Uuid;

fn main_stream(organization: OrganizationId) -> String {
    format!("rollcall-{organization}")
}

fn client(it: &Server) -> anyhow::Result<Client> {
    Ok(Client::new(it.url.parse()?)?)
}

/// That an organization is refused with these words, and that nothing is appended.
async fn refused(log: &dyn Log, words: &str) -> anyhow::Result<()> {
    let told = match log.head(ONE).await {
        Err(LogError::Damaged(told)) => told,
        other => anyhow::bail!("{other:?} where {words:?} was expected"),
    };
    assert!(told.contains(words) && !told.contains('\n'), "{told}");
    for append in [write(user(1), 0, 1), write(user(1), 1, 1), bare(ONE, 77)] {
        assert!(
            matches!(log.append(append).await, Err(AppendError::Unavailable(told)) if told.contains(words))
        );
    }
    // Others are served.
    log.append(bare(TWO, Uuid::new_v5(&Uuid::nil(), told.as_bytes()).as_u128())).await?;
    Ok(())
}

#[tokio::test]
async fn a_foreign_event_stops_its_organization() -> anyhow::Result<()> {
    for meta in [
        json!({}),
        json!({ "kind": "fence", "organization": TWO, "batch": { "first": 1, "count": 1 } }),
    ] {
        let it = Server::start().await?;
        let log = it.log("index").await?;
        log.append(write(user(1), 0, 1)).await?;
        let foreign = EventData::json("Letter", &json!({}))?.metadata_as_json(&meta)?;
        client(&it)?.append_to_stream(main_stream(ONE), &Default::default(), foreign).await?;
        refused(&log, "revision 1").await?;
        drop(log);
        refused(&it.log("anew").await?, "revision 1").await?;
    }
    Ok(())
}

#[tokio::test]
async fn what_hides_events_stops_its_organization() -> anyhow::Result<()> {
    let acl = serde_json::from_value(json!({ "$acl": { "$r": ["$admins"] } }))?;
    let some = StreamMetadata::default;
    let set = [
        (StreamMetadata { max_age: Some(Duration::from_secs(86_400)), ..some() }, "$maxAge"),
        (StreamMetadata { max_count: Some(1000), ..some() }, "$maxCount"),
        (StreamMetadata { truncate_before: Some(1), ..some() }, "$tb"),
        (acl, "$acl"),
    ];
    for (metadata, words) in set {
        let it = Server::start().await?;
        it.log("index").await?.append(write(user(1), 0, 1)).await?;
        client(&it)?.set_stream_metadata(main_stream(ONE), &Default::default(), &metadata).await?;
        refused(&it.log("other").await?, words).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_deleted_stream_stops_its_organization() -> anyhow::Result<()> {
    for for_ever in [false, true] {
        let it = Server::start().await?;
        let log = it.log("index").await?;
        log.append(write(user(1), 0, 1)).await?;
        match for_ever {
            false => drop(client(&it)?.delete_stream(main_stream(ONE), &Default::default()).await?),
            true => {
                _ = client(&it)?.tombstone_stream(main_stream(ONE), &Default::default()).await?;
            }
        }
        // While it runs, and at the next start.
        refused(&log, "was deleted").await?;
        refused(&it.log("other").await?, "was deleted").await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_head_that_went_backwards_stops_its_organization() -> anyhow::Result<()> {
    let mut it = Server::start().await?;
    let log = it.log("index").await?;
    log.append(write(user(1), 0, 1)).await?;
    std::fs::copy(it.file(), it.index("backup"))?;
    log.append(write(user(1), 1, 3)).await?;
    it.kill();
    std::fs::copy(it.index("backup"), it.file())?;
    it.run().await?;
    refused(&log, "3 fewer than were read").await?;
    // Another node went on from the backup.
    let other = it.log("other").await?;
    other.append(write(user(9), 0, 5)).await?;
    refused(&log, "another history").await?;
    drop(log);
    assert_eq!(other.head(ONE).await?.position, 6);
    Ok(())
}

#[tokio::test]
async fn an_index_of_another_server_stops_the_organization() -> anyhow::Result<()> {
    let (here, there) = (Server::start().await?, Server::start().await?);
    for it in [&here, &there] {
        it.log("index").await?.append(write(user(1), 0, 2)).await?;
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    refused(&connect(&there.url, &here.index("index")).await?, "another server").await?;
    assert_eq!(there.log("index").await?.head(ONE).await?.position, 2);
    Ok(())
}

#[tokio::test]
async fn a_user_who_may_not_is_told_at_the_start() -> anyhow::Result<()> {
    let it = Server::start().await?;
    it.log("index").await?.append(bare(ONE, 1)).await?;
    let acl = json!({ "$acl": { "$r": ["$admins"], "$w": ["$admins"] } });
    let acl: StreamMetadata = serde_json::from_value(acl)?;
    client(&it)?.set_stream_metadata("rollcall-organizations", &Default::default(), &acl).await?;
    let told = it.log("other").await.err().map(|e| e.to_string()).unwrap_or_default();
    assert!(told.starts_with("the KurrentDB server cannot be used"), "{told}");
    for url in [
        "esdb://",
        "http://localhost:2113",
        "esdb://localhost:2113?tls=maybe",
        "esdb://localhost?nodePreference=best",
    ] {
        let told =
            connect(url, &it.index("third")).await.err().map(|e| e.to_string()).unwrap_or_default();
        assert!(
            told.starts_with("the address of the KurrentDB server cannot be used"),
            "{url}: {told}"
        );
    }
    Ok(())
}

/// Puts claims of the deployment down as pending for an append of another organization.
async fn pending(
    it: &Server,
    claim: &Claim,
    behind: Option<u64>,
    token: Uuid,
) -> anyhow::Result<()> {
    let key = base64::engine::general_purpose::STANDARD_NO_PAD.encode(claim.key);
    let changes = json!([{ "kind": claim.kind, "key": key, "holder": user_in(TWO, 1) }]);
    let batch = json!({ "first": 0, "count": 1 });
    let meta = json!({ "organization": claim.scope, "kind": "pending", "of": TWO, "behind": behind, "token": token, "batch": batch });
    let event = EventData::json("ClaimsPending", &changes)?.metadata_as_json(&meta)?;
    client(it)?.append_to_stream(main_stream(claim.scope), &Default::default(), event).await?;
    Ok(())
}

#[tokio::test]
async fn a_claim_that_waits_for_an_append_that_never_comes_is_freed() -> anyhow::Result<()> {
    let it = Server::start().await?;
    let wide = claim_in(OrganizationId::NONE, ClaimKind::Domain, 1);
    pending(&it, &wide, None, Uuid::from_u128(4711)).await?;
    let log = it.log("index").await?;
    assert_eq!(log.holder(&wide).await?, None);
    log.append(write(user(1), 0, 1).takes(wide)).await?;
    assert_eq!(log.holder(&wide).await?, Some(user(1)));
    // The fence took a revision, and no position.
    assert_eq!(log.append(write(user_in(TWO, 1), 0, 1)).await?.positions, Some((1, 1)));
    let late = log.append(write(user_in(TWO, 1), 1, 1).takes(wide)).await;
    assert_eq!(late, Err(AppendError::ClaimTaken { kind: ClaimKind::Domain, holder: user(1) }));
    Ok(())
}

#[tokio::test]
async fn a_claim_whose_append_came_is_held_although_nobody_said_so() -> anyhow::Result<()> {
    let it = Server::start().await?;
    let wide = claim_in(OrganizationId::NONE, ClaimKind::Domain, 1);
    let log = it.log("index").await?;
    log.append(write(user_in(TWO, 1), 0, 1)).await?;
    let mut read = client(&it)?.read_stream(main_stream(TWO), &Default::default()).await?;
    let token = read.next().await?.map(|event| event.get_original_event().id).unwrap_or_default();
    pending(&it, &wide, None, token).await?;
    assert_eq!(log.holder(&wide).await?, Some(user_in(TWO, 1)));
    let late = log.append(write(user(1), 0, 1).takes(wide)).await;
    assert_eq!(
        late,
        Err(AppendError::ClaimTaken { kind: ClaimKind::Domain, holder: user_in(TWO, 1) })
    );
    Ok(())
}

#[tokio::test]
async fn a_claim_of_the_deployment_is_held_without_events() -> anyhow::Result<()> {
    let it = Server::start().await?;
    let wide = claim_in(OrganizationId::NONE, ClaimKind::Domain, 1);
    let log = it.log("index").await?;
    assert_eq!(log.append(write(user(1), 0, 0).takes(wide)).await?, Appended::default());
    assert_eq!(log.holder(&wide).await?, Some(user(1)));
    assert_eq!(log.append(write(user(1), 0, 1)).await?.positions, Some((1, 1)));
    assert_eq!(
        it.log("other").await?.claims(OrganizationId::NONE, None, 9).await?,
        [(wide, user(1))]
    );
    Ok(())
}

/// Dropped bodies leave the server as far as no other is still wanted behind them.
#[tokio::test]
async fn bodies_are_truncated_and_what_is_gone_is_said() -> anyhow::Result<()> {
    let it = Server::start().await?;
    let log = it.log("index").await?;
    for n in 1..=4 {
        log.append(bare(ONE, n)).await?;
    }
    // The fixture's exchanges are all of one month.
    let stream = format!("rollcall-{ONE}-bodies-202611");
    let left = async || -> anyhow::Result<Vec<u64>> {
        let mut read = client(&it)?.read_stream(stream.as_str(), &Default::default()).await?;
        let mut revisions = Vec::new();
        while let Ok(Some(event)) = read.next().await {
            revisions.push(event.get_original_event().revision);
        }
        Ok(revisions)
    };
    assert_eq!(log.drop_bodies(ONE, 1, 3).await?, 2);
    assert_eq!(left().await?, [0, 1, 2, 3]);
    assert_eq!(log.drop_bodies(ONE, 0, 3).await?, 1);
    assert_eq!(left().await?, [3]);
    // Somebody truncated more than the log says.
    let more = StreamMetadata { truncate_before: Some(4), ..StreamMetadata::default() };
    client(&it)?.set_stream_metadata(stream.as_str(), &Default::default(), &more).await?;
    let read = log.exchanges(ONE, 0, 9, Bodies::Read).await?;
    assert!(read.iter().map(|x| x.number).eq(1..=4));
    assert!(
        read.iter().all(|x| x.exchange.bodies_dropped && x.exchange.answer_body.is_empty()),
        "{read:?}"
    );
    Ok(())
}
