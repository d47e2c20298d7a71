//! Scratch stores and promotion.

use super::{count, counters, only};
use crate::fixture::Views;
use crate::given::{ONE, TWO};
use rollcall_domain::sql::SqlError;
use std::sync::Arc;
use tokio::task::JoinSet;

pub async fn a_scratch_store_is_empty_and_apart(it: Views) -> anyhow::Result<()> {
    counters(&*it.views, &["a"]).await?;
    let scratch = it.views.scratch().await?;
    let other = it.views.scratch().await?;
    assert_ne!(scratch.scratch_name(), other.scratch_name());
    assert_eq!(it.views.scratch_name(), None);
    assert!(matches!(count(&*scratch, "a").await, Err(SqlError::Refused(_))));
    counters(&*scratch, &["b"]).await?;
    counters(&*other, &["c"]).await?;
    assert_eq!(count(&*scratch, "b").await?, 0);
    assert_eq!(only(it.views.query("SELECT name FROM counter", vec![]).await?), "a".into());
    drop(scratch);
    assert_eq!(count(&*other, "c").await?, 0);
    Ok(())
}

pub async fn a_scratch_store_is_written_while_the_live_one_is_locked(
    it: Views,
) -> anyhow::Result<()> {
    let scratch = it.views.scratch().await?;
    let exclusive = it.views.begin_exclusive().await?;
    counters(&*scratch, &["a"]).await?;
    let mut transaction = scratch.begin(ONE).await?;
    transaction.execute("UPDATE counter SET n = 3", vec![]).await?;
    transaction.commit().await?;
    it.views.promote(scratch, exclusive).await?;
    assert_eq!(count(&*it.views, "a").await?, 3);
    Ok(())
}

pub async fn a_promoted_scratch_store_is_live(it: Views) -> anyhow::Result<()> {
    // Again and again, so that what one promotion leaves would be in the way of the next.
    counters(&*it.views, &["first", "old"]).await?;
    for round in 0..3 {
        let scratch = it.views.scratch().await?;
        counters(&*scratch, &["first"]).await?;
        let mut transaction = scratch.begin(ONE).await?;
        transaction.execute("UPDATE counter SET n = $1", vec![(round + 10_i64).into()]).await?;
        transaction.commit().await?;
        let mut exclusive = it.views.begin_exclusive().await?;
        exclusive.execute("UPDATE counter SET n = 99", vec![]).await?;
        it.views.promote(scratch.clone(), exclusive).await?;
        drop(scratch);
        assert_eq!(count(&*it.views, "first").await?, round + 10);
        assert_eq!(
            it.views.query("SELECT name FROM counter WHERE name = 'old'", vec![]).await?,
            []
        );
        let mut transaction = it.views.begin(TWO).await?;
        transaction.execute("UPDATE counter SET n = n + 1", vec![]).await?;
        transaction.commit().await?;
        assert_eq!(count(&*it.views, "first").await?, round + 11);
    }
    Ok(())
}

/// Readers and writers have the same statements prepared on every connection, before and after.
pub async fn prepared_statements_survive_a_promotion(it: Views) -> anyhow::Result<()> {
    counters(&*it.views, &["a"]).await?;
    let all = "SELECT * FROM counter";
    let many = async |width: usize| {
        let reads =
            futures::future::try_join_all((0..32).map(|_| it.views.query(all, vec![]))).await?;
        assert!(reads.iter().all(|rows| rows[0].0.len() == width), "{reads:?}");
        for organization in [ONE, TWO] {
            let mut transaction = it.views.begin(organization).await?;
            transaction.execute("UPDATE counter SET n = n + $1", vec![1_i64.into()]).await?;
            transaction.commit().await?;
        }
        anyhow::Ok(())
    };
    many(3).await?;
    let scratch = it.views.scratch().await?;
    counters(&*scratch, &["b"]).await?;
    let exclusive = it.views.begin_exclusive().await?;
    it.views.promote(scratch, exclusive).await?;
    many(3).await?;
    // And one whose tables have another shape.
    let scratch = it.views.scratch().await?;
    let mut transaction = scratch.begin(ONE).await?;
    transaction.execute("CREATE TABLE counter (n BIGINT NOT NULL, name BIGINT)", vec![]).await?;
    transaction.execute("INSERT INTO counter (n) VALUES (1)", vec![]).await?;
    transaction.commit().await?;
    let exclusive = it.views.begin_exclusive().await?;
    it.views.promote(scratch, exclusive).await?;
    many(2).await?;
    Ok(())
}

pub async fn writers_who_waited_write_to_the_new_tables(it: Views) -> anyhow::Result<()> {
    counters(&*it.views, &["a"]).await?;
    let scratch = it.views.scratch().await?;
    counters(&*scratch, &["a"]).await?;
    let exclusive = it.views.begin_exclusive().await?;
    let mut waiting = JoinSet::new();
    for n in 0..10 {
        let views = Arc::clone(&it.views);
        waiting.spawn(async move {
            let mut transaction = views.begin(if n % 2 == 0 { ONE } else { TWO }).await?;
            transaction.execute("UPDATE counter SET n = n + 1", vec![]).await?;
            transaction.commit().await
        });
    }
    tokio::task::yield_now().await;
    it.views.promote(scratch, exclusive).await?;
    while let Some(written) = waiting.join_next().await {
        written??;
    }
    assert_eq!(count(&*it.views, "a").await?, 10);
    Ok(())
}

pub async fn only_a_scratch_store_is_promoted(it: Views) -> anyhow::Result<()> {
    counters(&*it.views, &["a"]).await?;
    let exclusive = it.views.begin_exclusive().await?;
    let refused = it.views.promote(it.views.clone(), exclusive).await;
    assert!(matches!(refused, Err(SqlError::Refused(_))), "{refused:?}");
    // The exclusive transaction is over, and nothing changed.
    let mut transaction = it.views.begin(ONE).await?;
    transaction.execute("UPDATE counter SET n = 1", vec![]).await?;
    transaction.commit().await?;
    assert_eq!(count(&*it.views, "a").await?, 1);
    Ok(())
}
