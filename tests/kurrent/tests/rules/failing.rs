//! What goes wrong on purpose.

use crate::given::*;
use eventstore::ExpectedRevision::{Exact, NoStream};
use eventstore::{AppendToStreamOptions, Error, ExpectedRevision};
use rollcall_kurrent_standin::{Fault, Refusal};
use std::time::Duration;

fn options(expected: ExpectedRevision) -> AppendToStreamOptions {
    AppendToStreamOptions::default()
        .expected_revision(expected)
        .deadline(Duration::from_millis(300))
}

#[tokio::test]
async fn a_refusal_before_leaves_nothing_and_one_after_leaves_all() -> anyhow::Result<()> {
    for refusal in [Refusal::Busy, Refusal::Cut] {
        let it = standin().await?;
        it.faults.at_next_append(Fault::Before(refusal.clone()));
        assert!(it.client.append_to_stream("s", &options(NoStream), event(b'a')).await.is_err());
        assert_eq!(it.letters("s").await?, None);
        it.faults.at_next_append(Fault::After(refusal));
        assert!(it.client.append_to_stream("s", &options(NoStream), event(b'a')).await.is_err());
        assert_eq!(it.letters("s").await?.map(|s| s.0), Some("a".into()));
        assert_eq!(it.append(Way::Plain, "s", NoStream, "a").await?, Some(0));
    }
    Ok(())
}

#[tokio::test]
async fn an_answer_that_never_comes_is_the_clients_deadline() -> anyhow::Result<()> {
    let it = standin().await?;
    it.faults.at_next_append(Fault::Unanswered);
    let unanswered = it.client.append_to_stream("s", &options(NoStream), event(b'a')).await;
    assert!(matches!(unanswered, Err(Error::DeadlineExceeded)), "{unanswered:?}");
    assert_eq!(it.letters("s").await?.map(|s| s.0), Some("a".into()));
    it.faults.leave_repetitions_unanswered(true);
    let repeated = it.client.append_to_stream("s", &options(NoStream), event(b'a')).await;
    assert!(matches!(repeated, Err(Error::DeadlineExceeded)), "{repeated:?}");
    // What is new is answered all the same.
    assert_eq!(it.append(Way::Plain, "s", Exact(0), "b").await?, Some(1));
    it.faults.leave_repetitions_unanswered(false);
    assert_eq!(it.append(Way::Plain, "s", NoStream, "a").await?, Some(0));
    Ok(())
}

#[tokio::test]
async fn another_leader_is_named() -> anyhow::Result<()> {
    let it = standin().await?;
    it.faults.at_next_append(Fault::Before(Refusal::NotLeader("127.0.0.1".into(), 4711)));
    match it.client.append_to_stream("s", &options(NoStream), event(b'a')).await {
        Err(Error::NotLeaderException(leader)) => {
            assert_eq!((leader.host.as_str(), leader.port), ("127.0.0.1", 4711))
        }
        other => panic!("{other:?}"),
    }
    Ok(())
}
