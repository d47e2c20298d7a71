//! `rollcall database`: what is done to a database before a server is started on it.

use clap::Subcommand;
use rollcall_cli::{Exit, Failure, ServerArgs, output, usage};
use serde_json::json;

/// The PostgreSQL database of `--database-url`, without a server
#[derive(Debug, Subcommand)]
pub enum Database {
    /// Make or upgrade the tables of the log as their owner, and let another role serve by them,
    /// which may add and read records and cannot change or remove them
    Prepare {
        /// The database, as the role that owns the log
        #[arg(long, env = "ROLLCALL_DATABASE_URL", value_name = "URL", hide_env_values = true)]
        database_url: String,
        /// The role of the servers' own --database-url
        #[arg(long, value_name = "NAME")]
        serving_role: String,
    },
}

/// Runs it.
pub fn run(command: Database, server: &ServerArgs) -> Result<Exit, Failure> {
    let Database::Prepare { database_url, serving_role } = command;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(anyhow::Error::from)?;
    let prepared = runtime.block_on(rollcall_stores::prepare_serving(&database_url, &serving_role));
    let prepared = prepared.map_err(|error| usage(error.into()))?;
    if server.json {
        output::json(&json!({
            "database": prepared.database,
            "owner": prepared.owner,
            "serving_role": prepared.role,
        }))?;
    } else {
        output::pairs(&[
            ("Database", prepared.database),
            ("Owner of the log", prepared.owner),
            ("Serves", prepared.role),
        ]);
    }
    Ok(Exit::Success)
}
