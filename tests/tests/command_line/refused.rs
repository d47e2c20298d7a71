//! A command that cannot work says in one line what to change, and ends with 2.

use anyhow::{Context as _, Result, bail, ensure};
use rollcall_tests::server::{Server, Store, run};
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use tempfile::TempDir;

/// A command, and the words that its one line must hold.
type Case<'a> = (&'a [&'a str], &'a [&'a str]);

/// Runs all of them; an error tells of every one that is not as it should be.
fn check(cases: &[Case]) -> Result<()> {
    let failed: Vec<String> = cases
        .iter()
        .filter_map(|(args, words)| one(args, words).err().map(|e| format!("{e:#}")))
        .collect();
    if failed.is_empty() {
        Ok(())
    } else {
        bail!("{} of {}:\n{}", failed.len(), cases.len(), failed.join("\n"))
    }
}

fn one(args: &[&str], words: &[&str]) -> Result<()> {
    ends(2, args, words)
}

fn ends(code: i32, args: &[&str], words: &[&str]) -> Result<()> {
    let output = run(args)?;
    let (out, err) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let asked = args.join(" ");
    ensure!(
        output.status.code() == Some(code),
        "{asked}: ended with {:?}: {err}",
        output.status.code()
    );
    ensure!(out.is_empty(), "{asked}: printed {out:?}");
    ensure!(
        err.starts_with("rollcall: ") && err.ends_with('\n') && err.lines().count() == 1,
        "{asked}: no single line: {err:?}"
    );
    for word in words {
        ensure!(err.contains(word), "{asked}: does not say {word:?}: {err:?}");
    }
    Ok(())
}

/// A folder with a file in it.
fn folder_with(name: &str, text: &str) -> Result<TempDir> {
    let folder = tempfile::tempdir()?;
    fs::write(folder.path().join(name), text)?;
    fs::set_permissions(folder.path().join(name), fs::Permissions::from_mode(0o600))?;
    Ok(folder)
}

fn text(path: &Path) -> Result<&str> {
    path.to_str().context("a path in UTF-8")
}

#[test]
fn wrong_flags() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let data = text(folder.path())?;
    check(&[
        (&["servee"], &["servee", "serve", "--help"]),
        (
            &["serve", "--data", data, "--listne", "127.0.0.1:0"],
            &["--listne", "--listen", "--help"],
        ),
        (&["serve"], &["--data DIR", "ROLLCALL_DATA"]),
        (&["serve", "--data", data, "--listen", "8080"], &["--listen 8080", "127.0.0.1:8080"]),
        (&["serve", "--data", data, "--max-members", "many"], &["--max-members", "many"]),
        (&["serve", "--data", data, "--max-in-flight", "0"], &["--max-in-flight", "at least 1"]),
        (
            &["serve", "--data", data, "--public-url", "rollcall.example"],
            &["--public-url rollcall.example", "https://"],
        ),
        (
            &["serve", "--data", data, "--public-url", "https://rollcall.example/scim"],
            &["https://rollcall.example/scim", "a host of its own"],
        ),
        (
            &["serve", "--data", data, "--public-url", "https://me:hush@rollcall.example"],
            &["https://rollcall.example/", "a host of its own"],
        ),
        (&["serve", "--data", data, "--log", "=="], &["--log ==", "such as info"]),
        (
            &["serve", "--data", data, "--keep-bodies-for", "ever"],
            &["--keep-bodies-for ever", "90d"],
        ),
        (
            &["serve", "--data", data, "--database-url", "mysql://x/y"],
            &["--database-url", "postgres://"],
        ),
        (&["config", "check", "--data", data, "--listen", "here"], &["--listen here"]),
        (&["org", "create", "Acme"], &["--domain"]),
        (
            &["scim", "token", "issue", "--org", "acme", "--expires-in", "soon"],
            &["--expires-in", "soon", "90d"],
        ),
    ])
}

#[test]
fn wrong_files() -> Result<()> {
    let config = folder_with("rollcall.toml", "# Ours.\nlistne = \"127.0.0.1:0\"\n")?;
    let open_key = folder_with("operator.key", "rollcall_operator_x\n")?;
    fs::set_permissions(open_key.path().join("operator.key"), fs::Permissions::from_mode(0o644))?;
    let short_key = folder_with("operator.key", "rollcall_operator_x\n")?;
    let short_key = text(short_key.path())?.to_owned();
    let odd_key = folder_with("deployment.key", "not a key\n")?;
    let (config, open_key, odd_key) =
        (text(config.path())?, text(open_key.path())?, text(odd_key.path())?);
    let absent = format!("{config}/absent.toml");
    // Whoever runs this, root included, cannot make a folder below a file.
    let below = format!("{config}/rollcall.toml/data");
    check(&[
        (&["serve", "--data", config], &["rollcall.toml", "line 2", "listne"]),
        (&["serve", "--data", open_key, "--config", &absent], &["absent.toml"]),
        (
            &["serve", "--data", &below, "--listen", "127.0.0.1:0"],
            &[&below, "choose another with --data"],
        ),
        (&["serve", "--data", open_key, "--listen", "127.0.0.1:0"], &["operator.key", "chmod 600"]),
        (
            &["serve", "--data", &short_key, "--listen", "127.0.0.1:0"],
            &["operator.key", "can be guessed"],
        ),
        (
            &["serve", "--data", odd_key, "--listen", "127.0.0.1:0"],
            &["deployment.key", "32 bytes in base64url"],
        ),
    ])
}

#[test]
fn no_server() -> Result<()> {
    let (empty, keyed) =
        (tempfile::tempdir()?, folder_with("operator.key", "rollcall_operator_x\n")?);
    let blank = folder_with("operator.key", "\n")?;
    let (empty, keyed, blank) = (text(empty.path())?, text(keyed.path())?, text(blank.path())?);
    // Port 9 of the loopback answers nobody.
    let nobody = "http://127.0.0.1:9";
    check(&[
        (&["org", "list", "--data", empty], &["operator.key", "--data"]),
        (&["org", "list", "--data", blank], &["operator.key", "empty"]),
        (&["org", "list", "--data", empty, "--key-file", "absent.key"], &["absent.key"]),
        (
            &["org", "list", "--data", keyed, "--url", "localhost:8080"],
            &["--url localhost:8080", "http://127.0.0.1:8080"],
        ),
    ])?;
    for asking in [&["org", "list"][..], &["events", "follow", "--org", "acme"]] {
        let args = [asking, &["--data", keyed, "--url", nobody]].concat();
        ends(4, &args, &[nobody, "is it running", "--url"])?;
    }
    Ok(())
}

#[test]
fn what_belongs_to_somebody_else() -> Result<()> {
    let (folder, taken) = (tempfile::tempdir()?, TcpListener::bind("127.0.0.1:0")?);
    let address = taken.local_addr()?.to_string();
    let newer = tempfile::tempdir()?;
    rusqlite::Connection::open(newer.path().join("log.db"))?.pragma_update(
        None,
        "user_version",
        99,
    )?;
    let (data, newer) = (text(folder.path())?, text(newer.path())?);
    check(&[
        (
            &["serve", "--data", data, "--listen", &address],
            &[&address, "choose another address with --listen"],
        ),
        (
            &["serve", "--data", newer, "--listen", "127.0.0.1:0"],
            &["--data", "format 99", "use a newer one"],
        ),
        (
            &[
                "serve",
                "--data",
                data,
                "--listen",
                "127.0.0.1:0",
                "--database-url",
                "postgres://nobody@127.0.0.1:9/none",
            ],
            &["--database-url"],
        ),
    ])
}

#[tokio::test]
async fn a_folder_in_use() -> Result<()> {
    let server = Server::start(Store::Sqlite).await?;
    let data = server.data();
    let data = text(&data)?;
    check(&[(
        &["serve", "--data", data, "--listen", "127.0.0.1:0"],
        &["--data", data, "in use by another process", "choose another"],
    )])
}
