//! `rollcall healthcheck`, as an image or a load balancer runs it.

use anyhow::{Result, ensure};
use rollcall_tests::server::{Server, Store, run};
use rusqlite::Connection;

#[tokio::test]
async fn it_ends_as_the_server_is() -> Result<()> {
    let mut server = Server::start(Store::Sqlite).await?;
    let ends = async |server: &Server, flags: &[&str]| -> Result<(Option<i32>, String)> {
        let output = server.command(&[&["healthcheck"], flags].concat()).await?;
        Ok((output.status.code(), String::from_utf8_lossy(&output.stdout).trim().to_owned()))
    };
    for flags in [&[][..], &["--alive"]] {
        let (code, said) = ends(&server, flags).await?;
        ensure!(code == Some(0) && said.contains("true"), "{code:?} {said}");
    }
    // A log that is another than it was is not served, but the process lives.
    server.kill9()?;
    let log = Connection::open(server.data().join("log.db"))?;
    log.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")?;
    drop(log);
    std::fs::rename(server.data().join("log.db"), server.data().join("log.away"))?;
    for file in ["log.db-wal", "log.db-shm"] {
        let _ = std::fs::remove_file(server.data().join(file));
    }
    server.restart_unready().await?;
    let (code, said) = ends(&server, &[]).await?;
    ensure!(code == Some(1) && said.contains("false"), "{code:?} {said}");
    ensure!(ends(&server, &["--alive"]).await?.0 == Some(0), "it lives");
    server.kill9()?;
    ensure!(ends(&server, &["--timeout", "1"]).await?.0 == Some(4), "nobody is there");
    Ok(())
}

#[test]
fn the_version_names_what_is_not_in_the_lock_file() -> Result<()> {
    let short = String::from_utf8(run(&["-V"])?.stdout)?;
    ensure!(short.trim() == format!("rollcall {}", env!("CARGO_PKG_VERSION")), "{short}");
    let long = String::from_utf8(run(&["--version"])?.stdout)?;
    let mut lines = long.lines();
    ensure!(lines.next() == Some(short.trim()), "{long}");
    for (library, line) in ["SQLite 3.", "OpenSSL ", "libxml2 2.", "xmlsec 1."].iter().zip(lines) {
        ensure!(line.starts_with(library), "{library}: {long}");
    }
    ensure!(!long.contains("unknown"), "{long}");
    Ok(())
}
