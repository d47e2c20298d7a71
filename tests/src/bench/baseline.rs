//! What the stores can do by themselves, measured in the same run on the same disk.

use anyhow::{Context as _, Result, ensure};
use sqlx::{Connection as _, Executor as _};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// About as long as a record of a created user.
const ROW_BYTES: usize = 330;

/// Rows per second that SQLite takes one by one, each committed and synchronised by itself.
pub fn sqlite_inserts(folder: &Path, time: Duration) -> Result<f64> {
    let folder = tempfile::tempdir_in(folder)?;
    let connection = rusqlite::Connection::open(folder.path().join("baseline.db"))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection
        .execute_batch("CREATE TABLE rows (id INTEGER PRIMARY KEY, payload TEXT NOT NULL)")?;
    let mut insert = connection.prepare("INSERT INTO rows (payload) VALUES (?1)")?;
    let payload = "x".repeat(ROW_BYTES);
    let (begun, mut rows) = (Instant::now(), 0u64);
    while begun.elapsed() < time {
        insert.execute([&payload])?;
        rows += 1;
    }
    Ok(rows as f64 / begun.elapsed().as_secs_f64())
}

/// Transactions per second of `pgbench` with 16 clients that insert one row each time.
pub async fn pgbench_inserts(url: &str, folder: &Path, time: Duration) -> Result<f64> {
    let mut connection = sqlx::PgConnection::connect(url).await?;
    connection.execute("CREATE TABLE IF NOT EXISTS public.pgbench_rows (id BIGSERIAL PRIMARY KEY, payload TEXT NOT NULL)").await?;
    connection.close().await?;
    let folder = tempfile::tempdir_in(folder)?;
    let script = folder.path().join("insert.sql");
    std::fs::write(
        &script,
        format!(
            "INSERT INTO public.pgbench_rows (payload) VALUES ('{}');\n",
            "x".repeat(ROW_BYTES)
        ),
    )?;
    let seconds = time.as_secs().max(1).to_string();
    let mut command = Command::new(tool("pgbench")?);
    command
        .args(["--no-vacuum", "-M", "prepared", "-c", "16", "-j", "2", "-T", &seconds, "-f"])
        .arg(&script)
        .arg(url);
    let output = tokio::task::spawn_blocking(move || command.output()).await??;
    let text = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success(), "pgbench failed: {}", String::from_utf8_lossy(&output.stderr));
    let tps = text.lines().find_map(|l| l.strip_prefix("tps = ")).and_then(|l| l.split(' ').next());
    tps.with_context(|| format!("no tps in {text}"))?.parse().context("tps is no number")
}

/// A program of PostgreSQL: on the path, or where Debian puts it (the newest).
fn tool(name: &str) -> Result<std::path::PathBuf> {
    let on_path = std::env::var_os("PATH")
        .and_then(|p| std::env::split_paths(&p).map(|f| f.join(name)).find(|f| f.is_file()));
    if let Some(found) = on_path {
        return Ok(found);
    }
    let mut versions: Vec<_> = std::fs::read_dir("/usr/lib/postgresql")
        .map(|d| d.flatten().map(|e| e.path().join("bin").join(name)).collect())
        .unwrap_or_default();
    versions.retain(|f: &std::path::PathBuf| f.is_file());
    versions.sort();
    versions.pop().with_context(|| format!("{name} is missing: `make deps` installs it"))
}
