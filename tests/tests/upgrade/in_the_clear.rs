//! Leaves a log as a version did that sealed nothing.

use anyhow::{Context as _, Result, ensure};
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::Bodies;
use rollcall_engine::clock::Clock;
use rollcall_engine::ids::{Ids, Random};
use rollcall_server::host::wrap_of_folder;
use rollcall_stores::Stores;
use rollcall_tests::world::World;
use sqlx::{Connection as _, PgConnection};

/// Opens all that is sealed of `acme`, in a data folder or a database, while no server runs on it.
pub async fn leave(w: &World, database: Option<&str>) -> Result<()> {
    let data = w.server.data();
    let wrap = wrap_of_folder(&data, &Ids::new(Clock::system(), Random::system()))?;
    let stores = match database {
        None => Stores::in_folder(&data, &wrap)?,
        Some(url) => Stores::in_postgres(url, 2, &wrap).await?,
    };
    let organization = OrganizationId(w.acme.id.parse()?);
    let records = stores.log.records(organization, 0, 100_000).await?;
    let exchanges = stores.log.exchanges(organization, 0, 100_000, Bodies::Read).await?;
    drop(stores);
    ensure!(!records.is_empty() && !exchanges.is_empty());
    let id = organization.0;
    match database {
        None => {
            let mut db = rusqlite::Connection::open(data.join("log.db"))?;
            let db = db.transaction()?;
            for record in &records {
                let sql = "UPDATE event SET payload = ?3 WHERE organization = ?1 AND position = ?2";
                db.execute(sql, (id.as_bytes(), record.position, &record.payload))?;
            }
            for x in &exchanges {
                let document = serde_json::to_string(&x.exchange).context("an exchange")?;
                let bodies = (&x.exchange.request_body, &x.exchange.answer_body);
                let sql = "UPDATE exchange SET document = ?3, request_body = ?4, answer_body = ?5 \
                           WHERE organization = ?1 AND number = ?2";
                db.execute(sql, (id.as_bytes(), x.number, document, bodies.0, bodies.1))?;
            }
            db.commit()?;
        }
        Some(url) => {
            let mut db = PgConnection::connect(url).await?;
            for record in &records {
                let sql = "UPDATE rollcall.events SET payload = $3::json WHERE organization = $1 AND position = $2";
                let query = sqlx::query(sql).bind(id).bind(i64::try_from(record.position)?);
                query.bind(&record.payload).execute(&mut db).await?;
            }
            for x in &exchanges {
                let sql = "UPDATE rollcall.exchanges SET document = $3::json, request_body = $4, answer_body = $5 \
                           WHERE organization = $1 AND number = $2";
                let query = sqlx::query(sql).bind(id).bind(i64::try_from(x.number)?);
                let query = query.bind(serde_json::to_string(&x.exchange)?);
                let query = query.bind(&x.exchange.request_body).bind(&x.exchange.answer_body);
                query.execute(&mut db).await?;
            }
        }
    }
    Ok(())
}
