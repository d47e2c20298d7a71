//! `$all`, filters, subscriptions.

use crate::given::*;
use eventstore::ExpectedRevision::{Any, NoStream};
use eventstore::{
    Position, ReadAllOptions, StreamPosition, SubscribeToAllOptions, SubscribeToStreamOptions,
    SubscriptionEvent, SubscriptionFilter,
};

async fn all(it: &Standin, options: ReadAllOptions) -> anyhow::Result<Vec<(String, Position)>> {
    let mut read = it.client.read_all(&options).await?;
    let mut found = Vec::new();
    while let Some(event) = read.next().await? {
        let event = event.get_original_event();
        found.push((
            format!("{}:{}", event.stream_id, String::from_utf8_lossy(&event.data)),
            event.position,
        ));
    }
    Ok(found)
}

#[tokio::test]
async fn positions_rise_and_a_read_starts_at_the_one_it_names() -> anyhow::Result<()> {
    let it = standin().await?;
    it.append(Way::Batch, "s", NoStream, "ab").await?;
    it.append(Way::Plain, "t", NoStream, "c").await?;
    it.client.set_stream_metadata("t", &Default::default(), &Default::default()).await?;
    it.append(Way::Plain, "s", Any, "d").await?;
    let found = all(&it, ReadAllOptions::default()).await?;
    let names: Vec<&str> = found.iter().map(|f| f.0.as_str()).collect();
    assert_eq!(names, ["s:a", "s:b", "t:c", "$$t:{}", "s:d"]);
    assert!(
        found.windows(2).all(|w| w[0].1.commit < w[1].1.commit && w[0].1.prepare < w[1].1.prepare)
    );
    let from =
        all(&it, ReadAllOptions::default().position(StreamPosition::Position(found[2].1))).await?;
    assert_eq!(from, found[2..]);
    Ok(())
}

#[tokio::test]
async fn a_subscription_resumes_after_what_it_names() -> anyhow::Result<()> {
    let it = standin().await?;
    it.append(Way::Batch, "s", NoStream, "abc").await?;
    let options = SubscribeToStreamOptions::default().start_from(StreamPosition::Position(1));
    let mut subscription = it.client.subscribe_to_stream("s", &options).await;
    assert_eq!(soon(subscription.next()).await??.get_original_event().data.as_ref(), b"c");
    it.append(Way::Batch, "s", Any, "d").await?;
    assert_eq!(soon(subscription.next()).await??.get_original_event().data.as_ref(), b"d");
    Ok(())
}

#[tokio::test]
async fn a_filtered_subscription_is_told_how_far_it_is() -> anyhow::Result<()> {
    let it = standin().await?;
    for _ in 0..40 {
        it.client
            .append_to_stream(
                "other",
                &Default::default(),
                eventstore::EventData::binary("x", vec![0].into()),
            )
            .await?;
    }
    it.append(Way::Batch, "rollcall-1", NoStream, "a").await?;
    let filter = SubscriptionFilter::on_stream_name().add_prefix("rollcall-");
    let options = SubscribeToAllOptions::default().position(StreamPosition::Start).filter(filter);
    let mut subscription = it.client.subscribe_to_all(&options).await;
    let mut checkpoints = 0;
    loop {
        match soon(subscription.next_subscription_event()).await?? {
            SubscriptionEvent::Checkpoint(_) => checkpoints += 1,
            SubscriptionEvent::EventAppeared(event) => {
                assert_eq!(event.get_original_stream_id(), "rollcall-1");
                break;
            }
            _ => {}
        }
    }
    assert_eq!(checkpoints, 1, "one for 32 events");
    Ok(())
}
