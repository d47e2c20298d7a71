//! Makes a store what an older version left: by hand, and with nothing of the code under test.

use anyhow::{Result, ensure};
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::sign::Signer;
use sqlx::{Connection as _, PgConnection, Row as _};
use std::path::PathBuf;
use std::time::Duration;
use uuid::Uuid;

/// A store while no server runs on it, or beside one.
pub enum OldStore {
    Sqlite(PathBuf),
    Postgres(String),
}

/// The claim of a name, as it was made from its folded form.
fn claim(key: &[u8], folded: &str) -> Result<Vec<u8>> {
    let key = PKey::hmac(key)?;
    let mut signer = Signer::new(MessageDigest::sha256(), &key)?;
    signer.update(b"user_name\0")?;
    signer.update(folded.as_bytes())?;
    Ok(signer.sign_to_vec()?)
}

impl OldStore {
    /// The database, if it is one.
    pub fn database(&self) -> Option<&str> {
        match self {
            Self::Sqlite(_) => None,
            Self::Postgres(url) => Some(url),
        }
    }

    fn sqlite(file: &PathBuf) -> Result<rusqlite::Connection> {
        let db = rusqlite::Connection::open(file)?;
        db.busy_timeout(Duration::from_secs(10))?;
        Ok(db)
    }

    /// Takes back that names are claimed as they are folded now.
    pub async fn unmark(&self, organization: Uuid) -> Result<()> {
        let gone = match self {
            Self::Sqlite(file) => {
                let sql = "DELETE FROM claim WHERE scope = ?1 AND kind = 'name_fold'";
                Self::sqlite(file)?.execute(sql, [organization.as_bytes()])? as u64
            }
            Self::Postgres(url) => {
                let sql = sqlx::query(
                    "DELETE FROM rollcall.claims WHERE scope = $1 AND kind = 'name_fold'",
                )
                .bind(organization);
                sql.execute(&mut PgConnection::connect(url).await?).await?.rows_affected()
            }
        };
        ensure!(gone == 1, "{gone} marks");
        Ok(())
    }

    /// Whether names are claimed as they are folded now.
    pub async fn is_marked(&self, organization: Uuid) -> Result<bool> {
        let found: i64 = match self {
            Self::Sqlite(file) => {
                let sql = "SELECT count(*) FROM claim WHERE scope = ?1 AND kind = 'name_fold'";
                Self::sqlite(file)?.query_row(sql, [organization.as_bytes()], |row| row.get(0))?
            }
            Self::Postgres(url) => {
                let sql = sqlx::query(
                    "SELECT count(*) FROM rollcall.claims WHERE scope = $1 AND kind = 'name_fold'",
                )
                .bind(organization);
                sql.fetch_one(&mut PgConnection::connect(url).await?).await?.try_get(0)?
            }
        };
        Ok(found == 1)
    }

    /// Gives a user the name that an older version took: in the exchange that made it, in its first
    /// record, and as its claim.
    pub async fn rename(
        &self,
        organization: Uuid,
        user: Uuid,
        from: &str,
        to: &str,
        folded: &str,
    ) -> Result<()> {
        // As it stands in JSON, without the quotation marks.
        let text = |name: &str| {
            serde_json::to_string(name).map(|quoted| quoted[1..quoted.len() - 1].to_owned())
        };
        let (from, to) = (text(from)?, text(to)?);
        let key = claim(&self.key(organization).await?, folded)?;
        let changed = match self {
            Self::Sqlite(file) => {
                let db = Self::sqlite(file)?;
                let body = |column: &str| {
                    format!("{column} = CAST(replace(CAST({column} AS TEXT), ?2, ?3) AS BLOB)")
                };
                let sql = format!(
                    "UPDATE exchange SET {}, {} WHERE organization = ?1",
                    body("request_body"),
                    body("answer_body")
                );
                db.execute(&sql, (organization.as_bytes(), &from, &to))?;
                let sql = "UPDATE event SET payload = replace(payload, ?2, ?3) WHERE id = ?1 AND version = 1";
                let records = db.execute(sql, (user.as_bytes(), from, to))?;
                records
                    + db.execute(
                        "UPDATE claim SET key = ?2 WHERE holder_id = ?1 AND kind = 'user_name'",
                        (user.as_bytes(), key),
                    )?
            }
            Self::Postgres(url) => {
                let mut db = PgConnection::connect(url).await?;
                let body = |column: &str| {
                    format!(
                        "{column} = convert_to(replace(convert_from({column}, 'UTF8'), $2, $3), 'UTF8')"
                    )
                };
                let sql = format!(
                    "UPDATE rollcall.exchanges SET {}, {} WHERE organization = $1",
                    body("request_body"),
                    body("answer_body")
                );
                sqlx::query(&sql).bind(organization).bind(&from).bind(&to).execute(&mut db).await?;
                let sql = "UPDATE rollcall.events SET payload = replace(payload::text, $2, $3)::json WHERE aggregate_id = $1 AND sequence = 1";
                let records = sqlx::query(sql)
                    .bind(format!("{organization}/{user}"))
                    .bind(from)
                    .bind(to)
                    .execute(&mut db)
                    .await?;
                let sql = "UPDATE rollcall.claims SET key = $2 WHERE holder_id = $1 AND kind = 'user_name'";
                let claims = sqlx::query(sql).bind(user).bind(key).execute(&mut db).await?;
                usize::try_from(records.rows_affected() + claims.rows_affected())?
            }
        };
        ensure!(changed == 2, "{changed} rows changed");
        Ok(())
    }

    async fn key(&self, organization: Uuid) -> Result<Vec<u8>> {
        Ok(match self {
            Self::Sqlite(file) => Self::sqlite(file)?.query_row(
                "SELECT key FROM claim_key WHERE scope = ?1",
                [organization.as_bytes()],
                |row| row.get(0),
            )?,
            Self::Postgres(url) => {
                let sql = sqlx::query("SELECT key FROM rollcall.claim_keys WHERE scope = $1")
                    .bind(organization);
                sql.fetch_one(&mut PgConnection::connect(url).await?).await?.try_get(0)?
            }
        })
    }

    /// Checks that a user claims one name, and which.
    pub async fn claims(&self, organization: Uuid, user: Uuid, folded: &[&str]) -> Result<()> {
        let mut found: Vec<Vec<u8>> = match self {
            Self::Sqlite(file) => {
                let db = Self::sqlite(file)?;
                let mut sql = db
                    .prepare("SELECT key FROM claim WHERE holder_id = ?1 AND kind = 'user_name'")?;
                sql.query_map([user.as_bytes()], |row| row.get(0))?
                    .collect::<rusqlite::Result<_>>()?
            }
            Self::Postgres(url) => {
                let sql = sqlx::query(
                    "SELECT key FROM rollcall.claims WHERE holder_id = $1 AND kind = 'user_name'",
                )
                .bind(user);
                let rows = sql.fetch_all(&mut PgConnection::connect(url).await?).await?;
                rows.iter().map(|row| row.try_get(0)).collect::<sqlx::Result<_>>()?
            }
        };
        let key = self.key(organization).await?;
        let mut expected =
            folded.iter().map(|name| claim(&key, name)).collect::<Result<Vec<_>>>()?;
        found.sort();
        expected.sort();
        ensure!(
            found == expected,
            "{user} has {} claims, but not those of {folded:?}",
            found.len()
        );
        Ok(())
    }
}
