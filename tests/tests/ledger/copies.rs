//! Copies of a log that a server wrote, for whoever wants to do something to them.

use anyhow::{Context as _, Result};
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::Log;
use rollcall_postgres::{ConnectOptions, PostgresLog};
use rollcall_sqlite::SqliteLog;
use rollcall_tests::postgres_cluster::PostgresCluster;
use rollcall_tests::scim::{add_members, remove_member};
use rollcall_tests::server::Store;
use rollcall_tests::world::World;
use serde_json::json;
use sqlx::{Connection as _, Executor as _, PgConnection};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

/// A log that is not touched, and an older state of it.
pub enum Original {
    Sqlite {
        now: TempDir,
        older: TempDir,
    },
    /// One database: what is in the log is kept in two schemas beside it.
    Postgres(Box<PostgresCluster>),
}

/// One log to be changed.
pub enum Copy {
    Sqlite(TempDir),
    /// No copy at all: the folder of a server that does not run.
    Folder(PathBuf),
    Postgres(String),
}

/// Something happens in an organization: people come, change, go.
pub async fn days(w: &World, from: u32, to: u32) -> Result<()> {
    for n in from..to {
        let user = w.scim.create_user(&format!("user{n}@x.example")).await?;
        let title = json!([{ "op": "replace", "path": "title", "value": format!("Title {n}") }]);
        w.scim.operations(&format!("/Users/{user}"), title).await?;
        let group = w.scim.create_group(&format!("Group {n}")).await?;
        w.scim.patch(&format!("/Groups/{group}"), &add_members(&[&user])).await?;
        w.scim.get(&format!("/Users/{user}")).await?;
        w.scim.get("/Users?startIndex=1&count=2").await?;
        if n % 3 == 0 {
            w.scim.patch(&format!("/Groups/{group}"), &remove_member(&user)).await?;
            w.scim.delete(&format!("/Users/{user}")).await?;
        }
    }
    Ok(())
}

/// What a server wrote that is stopped now; with its organization.
pub async fn sqlite() -> Result<(Original, OrganizationId)> {
    let mut w = World::new(Store::Sqlite).await?;
    let organization = OrganizationId(w.acme.id.parse()?);
    days(&w, 0, 4).await?;
    w.server.terminate().await?;
    let older = tempfile::tempdir()?;
    files(&w.server.data(), older.path())?;
    w.server.restart().await?;
    days(&w, 4, 9).await?;
    w.server.terminate().await?;
    let now = tempfile::tempdir()?;
    files(&w.server.data(), now.path())?;
    Ok((Original::Sqlite { now, older }, organization))
}

/// The same in a database.
pub async fn postgres() -> Result<(Original, OrganizationId)> {
    let cluster = tokio::task::spawn_blocking(PostgresCluster::start).await??;
    let mut w = World::new(Store::Postgres(cluster.url())).await?;
    let organization = OrganizationId(w.acme.id.parse()?);
    days(&w, 0, 4).await?;
    w.server.terminate().await?;
    sql(&cluster.url(), &keep("older")).await?;
    w.server.restart().await?;
    days(&w, 4, 9).await?;
    w.server.terminate().await?;
    sql(&cluster.url(), &keep("now")).await?;
    Ok((Original::Postgres(Box::new(cluster)), organization))
}

/// The log's files; a server that stopped in good order leaves one.
fn files(from: &Path, to: &Path) -> Result<()> {
    for name in ["log.db", "log.db-wal"] {
        let file = from.join(name);
        if file.exists() {
            std::fs::copy(file, to.join(name))?;
        }
    }
    Ok(())
}

/// The tables of a log.
const TABLES: [&str; 3] = ["heads", "events", "exchanges"];

/// Keeps what is in the log in a schema beside it.
fn keep(schema: &str) -> String {
    let copies = TABLES.map(|t| format!("CREATE TABLE {schema}.{t} AS TABLE rollcall.{t}"));
    format!("CREATE SCHEMA {schema}; {}", copies.join("; "))
}

/// Puts it back.
fn put_back(schema: &str) -> String {
    let back = TABLES.map(|t| {
        format!("DELETE FROM rollcall.{t}; INSERT INTO rollcall.{t} SELECT * FROM {schema}.{t}")
    });
    back.join("; ")
}

async fn sql(url: &str, sql: &str) -> Result<()> {
    let mut db = PgConnection::connect(url).await?;
    db.execute(sql).await.with_context(|| sql.to_owned())?;
    Ok(db.close().await?)
}

impl Original {
    /// A copy as it is now. In a database there is only one copy at a time.
    pub async fn copy(&self) -> Result<Copy> {
        self.state("now").await
    }

    /// A copy as it was.
    pub async fn older(&self) -> Result<Copy> {
        self.state("older").await
    }

    async fn state(&self, of: &str) -> Result<Copy> {
        match self {
            Self::Sqlite { now, older } => {
                sqlite_copy(if of == "now" { now.path() } else { older.path() })
            }
            Self::Postgres(cluster) => {
                let url = cluster.url();
                sql(&url, &put_back(of)).await?;
                Ok(Copy::Postgres(url))
            }
        }
    }
}

fn sqlite_copy(of: &Path) -> Result<Copy> {
    let dir = tempfile::tempdir()?;
    files(of, dir.path())?;
    Ok(Copy::Sqlite(dir))
}

/// How the two stores say the same.
pub struct Dialect {
    pub events: &'static str,
    pub exchanges: &'static str,
    pub heads: &'static str,
    /// Place of an event in its stream.
    pub version: &'static str,
    is_postgres: bool,
}

impl Dialect {
    /// Bytes.
    pub fn bytes(&self, bytes: &[u8]) -> String {
        let hex = super::pymerkle::hex(bytes);
        if self.is_postgres { format!("'\\x{hex}'::bytea") } else { format!("x'{hex}'") }
    }

    /// The organization in a WHERE.
    pub fn of(&self, organization: OrganizationId) -> String {
        if self.is_postgres {
            format!("organization = '{organization}'")
        } else {
            format!("organization = {}", self.bytes(organization.0.as_bytes()))
        }
    }

    /// A payload with a blank behind it.
    pub fn longer_payload(&self) -> &'static str {
        if self.is_postgres { "(payload::text || ' ')::json" } else { "payload || ' '" }
    }

    /// A document with another value at a place such as `answer.status`.
    pub fn document_with(&self, path: &str, value: &str) -> String {
        if self.is_postgres {
            let path = path.replace('.', ",");
            format!("jsonb_set(document::jsonb, '{{{path}}}', '{value}')::json")
        } else {
            format!("json_set(document, '$.{path}', json('{value}'))")
        }
    }
}

const SQLITE: Dialect = Dialect {
    events: "event",
    exchanges: "exchange",
    heads: "head",
    version: "version",
    is_postgres: false,
};

const POSTGRES: Dialect = Dialect {
    events: "rollcall.events",
    exchanges: "rollcall.exchanges",
    heads: "rollcall.heads",
    version: "sequence",
    is_postgres: true,
};

impl Copy {
    /// The folder of a server that does not run.
    pub fn at(folder: PathBuf) -> Self {
        Self::Folder(folder)
    }

    fn folder(&self) -> &Path {
        match self {
            Copy::Sqlite(dir) => dir.path(),
            Copy::Folder(folder) => folder,
            Copy::Postgres(_) => Path::new(""),
        }
    }

    /// Its words.
    pub fn dialect(&self) -> &'static Dialect {
        match self {
            Copy::Sqlite(_) | Copy::Folder(_) => &SQLITE,
            Copy::Postgres(_) => &POSTGRES,
        }
    }

    /// Runs statements past Rollcall.
    pub async fn run(&self, sql: &[String]) -> Result<()> {
        match self {
            Copy::Sqlite(_) | Copy::Folder(_) => {
                let db = rusqlite::Connection::open(self.folder().join("log.db"))?;
                db.execute_batch(&sql.join(";\n")).with_context(|| sql.join(";\n"))?;
            }
            Copy::Postgres(url) => self::sql(url, &sql.join(";\n")).await?,
        }
        Ok(())
    }

    /// Opens it as Rollcall does.
    pub async fn log(&self) -> Result<Arc<dyn Log>> {
        Ok(match self {
            Copy::Sqlite(_) | Copy::Folder(_) => Arc::new(SqliteLog::open(self.folder())?),
            Copy::Postgres(url) => {
                let options = ConnectOptions { readers: 1, ..ConnectOptions::default() };
                Arc::new(PostgresLog::connect(url, options).await?)
            }
        })
    }
}
