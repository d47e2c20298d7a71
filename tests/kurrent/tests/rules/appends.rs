//! What an expected revision means (the whole table is beside the code that decides it).

use crate::given::*;
use eventstore::ExpectedRevision::{Any, Exact, NoStream, StreamExists};

#[tokio::test]
async fn both_ways_decide_alike() -> anyhow::Result<()> {
    for way in WAYS {
        let it = standin().await?;
        let append = async |expected, letters| it.append(way, "s", expected, letters).await;
        assert_eq!(append(StreamExists, "a").await?, None, "{way:?}");
        assert_eq!(append(Exact(0), "a").await?, None);
        assert_eq!(append(NoStream, "ab").await?, Some(1));
        assert_eq!(append(Exact(1), "cd").await?, Some(3));
        // A repetition is answered as the first time.
        assert_eq!(append(NoStream, "ab").await?, Some(1));
        assert_eq!(append(Exact(1), "cd").await?, Some(3));
        assert_eq!(append(Any, "bc").await?, Some(2));
        assert_eq!(append(Exact(1), "cx").await?, None);
        assert_eq!(append(Exact(1), "xd").await?, None);
        assert_eq!(append(Exact(4), "e").await?, None);
        assert_eq!(it.letters("s").await?, Some(("abcd".into(), vec![0, 1, 2, 3])));
        // At the current revision a known id is written again.
        assert_eq!(append(Exact(3), "d").await?, Some(4));
        assert_eq!(it.letters("s").await?, Some(("abcdd".into(), vec![0, 1, 2, 3, 4])));
    }
    Ok(())
}

#[tokio::test]
async fn what_is_too_large_leaves_nothing() -> anyhow::Result<()> {
    for way in WAYS {
        let it = standin().await?;
        let large = eventstore::EventData::binary("large", vec![0; 600 * 1024].into());
        let events = vec![large.clone(), large];
        let failed = match way {
            Way::Plain => {
                it.client.append_to_stream("s", &Default::default(), events).await.is_err()
            }
            Way::Batch => {
                let batch = it.client.batch_append(&Default::default()).await?;
                batch.append_to_stream("s", Any, events).await.is_err()
            }
        };
        assert!(failed, "{way:?}");
        assert_eq!(it.letters("s").await?, None);
        assert_eq!(it.append(way, "s", NoStream, "a").await?, Some(0));
    }
    Ok(())
}

#[tokio::test]
async fn what_was_answered_is_there_when_opened_again_and_half_a_frame_is_not() -> anyhow::Result<()>
{
    let it = standin().await?;
    it.append(Way::Batch, "s", NoStream, "abc").await?;
    it.append(Way::Plain, "s", Exact(2), "de").await?;
    let file = it.file();
    let whole = std::fs::read(&file)?;
    let mut torn = whole.clone();
    torn.extend_from_slice(&whole[..whole.len() / 2 - 3]);
    torn.truncate(whole.len() + 9);
    std::fs::write(&file, torn)?;
    let it = it.again().await?;
    assert_eq!(it.letters("s").await?, Some(("abcde".into(), vec![0, 1, 2, 3, 4])));
    assert_eq!(it.append(Way::Batch, "s", Exact(2), "de").await?, Some(4));
    assert_eq!(it.append(Way::Batch, "s", Exact(4), "f").await?, Some(5));
    let it = it.again().await?;
    assert_eq!(it.letters("s").await?.map(|s| s.0), Some("abcdef".into()));
    Ok(())
}
