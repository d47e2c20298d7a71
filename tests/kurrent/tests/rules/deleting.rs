//! What is deleted, and what metadata hides.

use crate::given::*;
use eventstore::ExpectedRevision::{Any, Exact, NoStream};
use eventstore::{DeleteStreamOptions, Error, StreamMetadataBuilder, TombstoneStreamOptions};
use std::time::Duration;

#[tokio::test]
async fn a_deleted_stream_begins_again_behind_its_end() -> anyhow::Result<()> {
    let it = standin().await?;
    it.append(Way::Batch, "s", NoStream, "abc").await?;
    it.client.delete_stream("s", &DeleteStreamOptions::default()).await?;
    assert_eq!(it.letters("s").await?, None);
    assert_eq!(it.append(Way::Batch, "s", NoStream, "de").await?, Some(4));
    assert_eq!(it.letters("s").await?, Some(("de".into(), vec![3, 4])));
    Ok(())
}

#[tokio::test]
async fn a_tombstoned_stream_is_gone_for_ever() -> anyhow::Result<()> {
    let it = standin().await?;
    it.append(Way::Batch, "s", NoStream, "abc").await?;
    it.client.tombstone_stream("s", &TombstoneStreamOptions::default()).await?;
    assert!(
        matches!(it.letters("s").await, Err(e) if matches!(e.downcast_ref(), Some(Error::ResourceDeleted)))
    );
    let again = it.client.append_to_stream("s", &Default::default(), event(b'd')).await;
    assert!(matches!(again, Err(Error::ResourceDeleted)), "{again:?}");
    assert_eq!(it.append(Way::Batch, "s", Any, "d").await?, None);
    Ok(())
}

#[tokio::test]
async fn metadata_hides_events_and_keeps_their_revisions() -> anyhow::Result<()> {
    let it = standin().await?;
    it.append(Way::Batch, "s", NoStream, "abcde").await?;
    let set =
        async |metadata| it.client.set_stream_metadata("s", &Default::default(), &metadata).await;
    set(StreamMetadataBuilder::new().max_count(2).build()).await?;
    assert_eq!(it.letters("s").await?, Some(("de".into(), vec![3, 4])));
    set(StreamMetadataBuilder::new().truncate_before(1).build()).await?;
    assert_eq!(it.letters("s").await?, Some(("bcde".into(), vec![1, 2, 3, 4])));
    set(StreamMetadataBuilder::new().max_age(Duration::from_secs(3600)).build()).await?;
    assert_eq!(it.letters("s").await?.map(|s| s.0), Some("abcde".into()));
    // A new event is the 5th in any case.
    assert_eq!(it.append(Way::Batch, "s", Exact(4), "f").await?, Some(5));
    Ok(())
}

#[tokio::test]
async fn an_acl_refuses() -> anyhow::Result<()> {
    let it = standin().await?;
    it.append(Way::Plain, "s", NoStream, "a").await?;
    let acl = eventstore::EventData::json(
        "$metadata",
        &serde_json::json!({ "$acl": { "$r": "$admins", "$w": ["$admins"] } }),
    )?;
    it.client.append_to_stream("$$s", &Default::default(), acl).await?;
    assert!(
        matches!(it.letters("s").await, Err(e) if matches!(e.downcast_ref(), Some(Error::AccessDenied)))
    );
    let refused = it.client.append_to_stream("s", &Default::default(), event(b'b')).await;
    assert!(matches!(refused, Err(Error::AccessDenied)), "{refused:?}");
    Ok(())
}
