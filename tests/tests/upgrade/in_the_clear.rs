//! Leaves a log with nothing sealed in it.

use anyhow::{Context as _, Result, ensure};
use rollcall_domain::log::{Bodies, exchange_leaf, record_leaf};
use rollcall_engine::clock::Clock;
use rollcall_engine::ids::{Ids, Random};
use rollcall_server::host::wrap_of_folder;
use rollcall_stores::Stores;
use rollcall_tests::world::World;
use sqlx::{Connection as _, PgConnection};

/// Opens all that is sealed, in a data folder or a database, while no server runs on it, with the
/// leaves that follow from it.
pub async fn leave(w: &World, database: Option<&str>) -> Result<()> {
    let data = w.server.data();
    let wrap = wrap_of_folder(&data, &Ids::new(Clock::system(), Random::system()))?;
    let stores = match database {
        None => Stores::in_folder(&data, &wrap)?,
        Some(url) => Stores::in_postgres(url, 2, &wrap).await?,
    };
    let (mut records, mut exchanges) = (Vec::new(), Vec::new());
    for (organization, _) in stores.log.heads().await? {
        records.extend(stores.log.records(organization, 0, 100_000).await?);
        exchanges.extend(stores.log.exchanges(organization, 0, 100_000, Bodies::Read).await?);
    }
    drop(stores);
    ensure!(!records.is_empty() && !exchanges.is_empty());
    match database {
        None => {
            let mut db = rusqlite::Connection::open(data.join("log.db"))?;
            let db = db.transaction()?;
            for r in &records {
                let sql = "UPDATE event SET payload = ?3, leaf = ?4 WHERE organization = ?1 AND position = ?2";
                let id = r.stream.organization.0;
                db.execute(sql, (id.as_bytes(), r.position, &r.payload, record_leaf(r).0))?;
            }
            for x in &exchanges {
                let document = serde_json::to_string(&x.exchange).context("an exchange")?;
                let (request, answer) = (&x.exchange.request_body, &x.exchange.answer_body);
                let sql = "UPDATE exchange SET document = ?3, request_body = ?4, answer_body = ?5, leaf = ?6 \
                           WHERE organization = ?1 AND number = ?2";
                let (id, leaf) = (x.exchange.organization.0, exchange_leaf(x).0);
                db.execute(sql, (id.as_bytes(), x.number, document, request, answer, leaf))?;
            }
            db.commit()?;
        }
        Some(url) => {
            let mut db = PgConnection::connect(url).await?;
            for r in &records {
                let sql = "UPDATE rollcall.events SET payload = $3::json, leaf = $4 WHERE organization = $1 AND position = $2";
                let query = sqlx::query(sql).bind(r.stream.organization.0);
                let query = query.bind(i64::try_from(r.position)?).bind(&r.payload);
                query.bind(record_leaf(r).0.to_vec()).execute(&mut db).await?;
            }
            for x in &exchanges {
                let sql = "UPDATE rollcall.exchanges SET document = $3::json, request_body = $4, answer_body = $5, leaf = $6 \
                           WHERE organization = $1 AND number = $2";
                let query = sqlx::query(sql).bind(x.exchange.organization.0);
                let query = query.bind(i64::try_from(x.number)?);
                let query = query.bind(serde_json::to_string(&x.exchange)?);
                let query = query.bind(&x.exchange.request_body).bind(&x.exchange.answer_body);
                query.bind(exchange_leaf(x).0.to_vec()).execute(&mut db).await?;
            }
        }
    }
    Ok(())
}
