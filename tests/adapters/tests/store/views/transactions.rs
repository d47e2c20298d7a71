//! Reading and writing.

use super::{count, counters, number, only};
use crate::fixture::Views;
use crate::given::{ONE, TWO};
use rollcall_domain::sql::{OpenTransaction, SqlError, SqlRow, SqlValue};
use std::time::Duration;
use tokio::task::JoinSet;

pub async fn rows_come_back_with_their_types(it: Views) -> anyhow::Result<()> {
    let mut transaction = it.views.begin(ONE).await?;
    transaction
        .execute("CREATE TABLE t (k TEXT NOT NULL PRIMARY KEY, n BIGINT, s TEXT)", vec![])
        .await?;
    let insert = "INSERT INTO t (k, n, s) VALUES ($1, $2, $3)";
    let touched = transaction
        .execute(insert, vec!["a".into(), i64::MIN.into(), "ö\u{1F600}'".into()])
        .await?;
    assert_eq!(touched, 1);
    transaction
        .execute(insert, vec!["b".into(), SqlValue::Int(None), SqlValue::Text(None)])
        .await?;
    assert_eq!(transaction.execute("UPDATE t SET s = $1", vec!["x".into()]).await?, 2);
    assert_eq!(
        transaction
            .execute("UPDATE t SET s = $1 WHERE k = $2", vec![SqlValue::Text(None), "b".into()])
            .await?,
        1
    );
    transaction.commit().await?;
    let rows = it.views.query("SELECT k, n, s FROM t ORDER BY n IS NULL, n", vec![]).await?;
    let [full, bare] = rows.as_slice() else { panic!("not two rows: {rows:?}") };
    assert_eq!(full.0, ["a".into(), i64::MIN.into(), "x".into()]);
    let is_null = |value: &SqlValue| matches!(value, SqlValue::Int(None) | SqlValue::Text(None));
    assert!(
        matches!(bare.0.as_slice(), [k, n, s] if *k == "b".into() && is_null(n) && is_null(s)),
        "{bare:?}"
    );
    let counted = it.views.query("SELECT count(*), max(n), count(s) FROM t", vec![]).await?;
    assert_eq!(counted, [SqlRow(vec![2_i64.into(), i64::MIN.into(), 1_i64.into()])]);
    let there =
        it.views.query("SELECT EXISTS (SELECT 1 FROM t WHERE k = $1)", vec!["a".into()]).await?;
    assert_eq!(number(there), 1);
    Ok(())
}

pub async fn a_parameter_may_appear_twice(it: Views) -> anyhow::Result<()> {
    counters(&*it.views, &["a", "b"]).await?;
    let sql =
        "SELECT name FROM counter WHERE name = $1 AND n = $2 AND n + 1 = $2 + 1 AND $1 <> 'b'";
    let rows = it.views.query(sql, vec!["a".into(), 0_i64.into()]).await?;
    assert_eq!(only(rows), "a".into());
    Ok(())
}

pub async fn a_wrong_statement_is_refused(it: Views) -> anyhow::Result<()> {
    let no_table = it.views.query("SELECT n FROM nothing", vec![]).await;
    assert!(matches!(no_table, Err(SqlError::Refused(_))), "{no_table:?}");
    let no_sql = it.views.query("SELEC 1", vec![]).await;
    assert!(matches!(no_sql, Err(SqlError::Refused(_))), "{no_sql:?}");
    let no_type_of_ours = it.views.query("SELECT 1.5", vec![]).await;
    assert!(matches!(no_type_of_ours, Err(SqlError::Shape(_))), "{no_type_of_ours:?}");
    Ok(())
}

pub async fn a_dropped_transaction_is_rolled_back(it: Views) -> anyhow::Result<()> {
    counters(&*it.views, &["a"]).await?;
    let mut transaction = it.views.begin(ONE).await?;
    assert_eq!(transaction.execute("UPDATE counter SET n = 5", vec![]).await?, 1);
    assert_eq!(number(transaction.query("SELECT n FROM counter", vec![]).await?), 5);
    drop(transaction);
    let mut transaction = it.views.begin(ONE).await?;
    assert_eq!(number(transaction.query("SELECT n FROM counter", vec![]).await?), 0);
    assert_eq!(count(&*it.views, "a").await?, 0);
    Ok(())
}

pub async fn a_failed_statement_fails_its_transaction(it: Views) -> anyhow::Result<()> {
    counters(&*it.views, &["a"]).await?;
    let mut transaction = it.views.begin(ONE).await?;
    transaction.execute("UPDATE counter SET n = 5", vec![]).await?;
    let twice = transaction.execute("INSERT INTO counter (name, n) VALUES ('a', 1)", vec![]).await;
    assert!(matches!(twice, Err(SqlError::Refused(_))), "{twice:?}");
    let after = transaction.execute("UPDATE counter SET n = 6", vec![]).await;
    assert!(matches!(after, Err(SqlError::Refused(_))), "{after:?}");
    assert!(transaction.commit().await.is_err());
    assert_eq!(count(&*it.views, "a").await?, 0);
    // The next one is not touched by it.
    let mut transaction = it.views.begin(ONE).await?;
    transaction.execute("UPDATE counter SET n = 7", vec![]).await?;
    transaction.commit().await?;
    assert_eq!(count(&*it.views, "a").await?, 7);
    Ok(())
}

pub async fn several_writes_are_one_call(it: Views) -> anyhow::Result<()> {
    counters(&*it.views, &["a", "b"]).await?;
    let add = |name: &str| {
        ("UPDATE counter SET n = n + 1 WHERE name = $1".to_owned(), vec![SqlValue::from(name)])
    };
    let mut transaction = it.views.begin(ONE).await?;
    transaction.execute_all(vec![add("a"), add("b"), add("a")]).await?;
    transaction.commit().await?;
    assert_eq!((count(&*it.views, "a").await?, count(&*it.views, "b").await?), (2, 1));
    let mut transaction = it.views.begin(ONE).await?;
    let wrong = ("UPDATE counter SET n = NULL".to_owned(), vec![]);
    assert!(transaction.execute_all(vec![add("a"), wrong, add("b")]).await.is_err());
    drop(transaction);
    assert_eq!((count(&*it.views, "a").await?, count(&*it.views, "b").await?), (2, 1));
    Ok(())
}

pub async fn readers_see_what_is_committed_and_do_not_wait(it: Views) -> anyhow::Result<()> {
    counters(&*it.views, &["a"]).await?;
    let mut transaction = it.views.begin(ONE).await?;
    transaction.execute("UPDATE counter SET n = 1", vec![]).await?;
    assert_eq!(count(&*it.views, "a").await?, 0);
    transaction.commit().await?;
    assert_eq!(count(&*it.views, "a").await?, 1);
    Ok(())
}

/// Reads, lets others run, writes what it read plus one: loses counts unless it is alone.
async fn add_slowly(mut transaction: Box<dyn OpenTransaction>, name: &str) -> anyhow::Result<()> {
    let n = number(
        transaction.query("SELECT n FROM counter WHERE name = $1", vec![name.into()]).await?,
    );
    tokio::time::sleep(Duration::from_millis(1)).await;
    transaction
        .execute("UPDATE counter SET n = $1 WHERE name = $2", vec![(n + 1).into(), name.into()])
        .await?;
    Ok(transaction.commit().await?)
}

pub async fn an_organization_has_one_writer(it: Views) -> anyhow::Result<()> {
    counters(&*it.views, &["one", "two"]).await?;
    let mut writers = JoinSet::new();
    for n in 0..40 {
        let views = it.views.clone();
        let (organization, name) = if n % 2 == 0 { (ONE, "one") } else { (TWO, "two") };
        writers.spawn(async move { add_slowly(views.begin(organization).await?, name).await });
    }
    while let Some(written) = writers.join_next().await {
        written??;
    }
    assert_eq!((count(&*it.views, "one").await?, count(&*it.views, "two").await?), (20, 20));
    Ok(())
}

pub async fn the_exclusive_writer_is_alone(it: Views) -> anyhow::Result<()> {
    counters(&*it.views, &["one"]).await?;
    let mut writers = JoinSet::new();
    for n in 0..30 {
        let views = it.views.clone();
        writers.spawn(async move {
            let transaction =
                if n % 3 == 0 { views.begin_exclusive().await? } else { views.begin(ONE).await? };
            add_slowly(transaction, "one").await
        });
    }
    while let Some(written) = writers.join_next().await {
        written??;
    }
    assert_eq!(count(&*it.views, "one").await?, 30);
    Ok(())
}

pub async fn a_begin_that_is_given_up_leaves_nothing_locked(it: Views) -> anyhow::Result<()> {
    counters(&*it.views, &["one"]).await?;
    for _ in 0..5 {
        let open = it.views.begin(ONE).await?;
        let mut waiting = JoinSet::new();
        for n in 0..10 {
            let views = it.views.clone();
            waiting.spawn(async move {
                if n % 2 == 0 { views.begin(ONE).await } else { views.begin_exclusive().await }
            });
        }
        // Long enough for some of them to wait inside the server.
        assert!(
            tokio::time::timeout(Duration::from_millis(50), waiting.join_next()).await.is_err()
        );
        drop(waiting);
        drop(open);
        add_slowly(it.views.begin_exclusive().await?, "one").await?;
        add_slowly(it.views.begin(ONE).await?, "one").await?;
    }
    assert_eq!(count(&*it.views, "one").await?, 10);
    Ok(())
}
