//! A database behind PgBouncer. Advisory locks, prepared statements and what is asked of each
//! connection need connections of one's own: it is refused, in one sentence.

use anyhow::{Context as _, Result, ensure};
use rollcall_tests::postgres_cluster::PostgresCluster;
use rollcall_tests::server::run;
use rollcall_tests::world::start_cluster;
use std::fs;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A running PgBouncer; ends with this value.
struct Bouncer {
    child: Child,
    port: u16,
    _folder: tempfile::TempDir,
}

impl Drop for Bouncer {
    fn drop(&mut self) {
        let _ = (self.child.kill(), self.child.wait());
    }
}

fn bouncer(cluster: &PostgresCluster, settings: &str) -> Result<Bouncer> {
    let program = ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer", "/usr/local/bin/pgbouncer"];
    let program = program.into_iter().find(|path| Path::new(path).exists());
    let program = program.context("PgBouncer is not installed (`make deps` installs it)")?;
    let folder = tempfile::tempdir()?;
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
    let to = cluster.port();
    let users = folder.path().join("users");
    fs::write(&users, "\"postgres\" \"\"\n")?;
    let configuration = folder.path().join("pgbouncer.ini");
    fs::write(
        &configuration,
        format!(
            "[databases]\nrollcall = host=127.0.0.1 port={to} dbname=rollcall user=postgres\n\
             [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n\
             auth_type = any\nauth_file = {}\n{settings}\n",
            users.display()
        ),
    )?;
    let mut command = Command::new(program);
    command.arg(&configuration).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // It does not run as root.
    if let Some(account) = cluster.account() {
        for path in [folder.path(), &users, &configuration] {
            chown(path, Some(account.0), Some(account.1))?;
        }
        command.uid(account.0).gid(account.1);
    }
    let bouncer = Bouncer { child: command.spawn()?, port, _folder: folder };
    let deadline = Instant::now() + Duration::from_secs(10);
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
        ensure!(Instant::now() < deadline, "PgBouncer does not listen");
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(bouncer)
}

#[tokio::test]
async fn a_pooler_is_refused_in_a_sentence() -> Result<()> {
    let cluster = start_cluster().await;
    let data = tempfile::tempdir()?;
    let data = data.path().to_string_lossy().into_owned();
    for settings in [
        "pool_mode = transaction",
        "pool_mode = session",
        "pool_mode = transaction\nignore_startup_parameters = options,extra_float_digits",
        "pool_mode = session\nignore_startup_parameters = options,extra_float_digits",
    ] {
        let bouncer = bouncer(&cluster, settings)?;
        let url = cluster.url_by(bouncer.port);
        let args =
            ["serve", "--listen", "127.0.0.1:0", "--data", &data, "--database-url", url.as_str()];
        let ended = run(&args)?;
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        ensure!(ended.status.code() == Some(2), "{settings}: {ended:?}");
        ensure!(said.contains("behind a pooler") && said.contains("PgBouncer"), "{said}");
        ensure!(said.trim().lines().count() == 1, "{said}");
    }
    Ok(())
}

/// So is a database that has no room for another connection.
#[tokio::test]
async fn a_database_without_a_free_connection_is_told() -> Result<()> {
    let cluster = start_cluster().await;
    cluster.sql("CREATE ROLE narrow LOGIN CONNECTION LIMIT 0")?;
    let data = tempfile::tempdir()?;
    let data = data.path().to_string_lossy().into_owned();
    let url = cluster.url().replace("postgres@", "narrow@");
    let args =
        ["serve", "--listen", "127.0.0.1:0", "--data", &data, "--database-url", url.as_str()];
    let ended = run(&args)?;
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    ensure!(ended.status.code() == Some(2) && said.contains("no more connections"), "{ended:?}");
    Ok(())
}
