//! On the machine of the server no key is sent: the machine says who asks.

use anyhow::{Context as _, Result, ensure};
use rollcall_tests::http::{Address, Http, Request};
use rollcall_tests::server::{Server, Store, binary};
use serde_json::Value;
use std::fs::{self, Permissions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Output};

/// Asks over a socket, and prints what comes.
const ASKS: &str = "
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
s.sendall(b'GET /api/v1/organizations HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n')
print(s.recv(4096))
";

/// A command of somebody on the machine, who names the data folder alone.
fn here(data: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(binary().unwrap_or_default());
    command.args(args).arg("--data").arg(data).arg("--json");
    for name in ["ROLLCALL_URL", "ROLLCALL_KEY_FILE", "ROLLCALL_DATA"] {
        command.env_remove(name);
    }
    command
}

fn said(output: &Output) -> Result<Value> {
    ensure!(output.status.success(), "{output:?}");
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Where operators have an address of their own, their keys open nothing elsewhere, and nobody reads
/// metrics; everybody else comes in where they always did.
#[tokio::test]
async fn operators_may_have_an_address_of_their_own() -> Result<()> {
    let free = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
    let server =
        Server::start_with(Store::Sqlite, &std::env::temp_dir(), &["--admin-listen", &free])
            .await?;
    let data = server.data();
    let refused = server.command(&["org", "list"]).await?;
    ensure!(refused.status.code() == Some(3), "the operator key, outside: {refused:?}");
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    ensure!(told.contains("--admin-listen"), "{told}");
    said(&here(&data, &["org", "create", "Acme", "--domain", "acme"]).output()?)?;
    let mut inside = here(&data, &["operator", "add", "--label", "Grace"]);
    let grace = said(&inside.arg("--url").arg(format!("http://{free}")).output()?)?;
    let audit = ["auditor", "issue", "--org", "acme", "--label", "Ada"];
    let ada = said(&here(&data, &audit).output()?)?;
    let token = said(&here(&data, &["scim", "token", "issue", "--org", "acme"]).output()?)?;
    let outside = Http::new(server.address());
    let inside = Http::new(Address::new(&free));
    let key = |made: &Value, name: &str| made[name].as_str().map(str::to_owned).context("a key");
    for (target, key, at_outside, at_inside) in [
        ("/api/v1/organizations", key(&grace, "key")?, 403, 200),
        ("/api/v1/organizations", server.operator_key()?, 403, 200),
        ("/api/v1/organizations/acme/users", key(&ada, "key")?, 200, 200),
        ("/scim/v2/Users", key(&token, "token")?, 200, 200),
        ("/api/v1/organizations", "wrong".to_owned(), 401, 401),
        ("/metrics", "none".to_owned(), 404, 200),
        ("/readyz", "none".to_owned(), 200, 200),
    ] {
        for (http, expected) in [(&outside, at_outside), (&inside, at_inside)] {
            let request =
                Request::new("GET", target).header("Authorization", format!("Bearer {key}"));
            let answer = http.fresh().send(request).await?;
            ensure!(answer.status == expected, "{target}: {} and not {expected}", answer.status);
        }
    }
    let refused = said(&here(&data, &["exchanges", "list", "--org", "none"]).output()?)?;
    ensure!(refused.to_string().contains("organizations.list"), "what was refused is evidence");
    Ok(())
}

#[tokio::test]
async fn who_is_on_the_machine_needs_no_key_and_is_known_by_their_account() -> Result<()> {
    let mut server = Server::start(Store::Sqlite).await?;
    let data = server.data();
    let socket = data.join("rollcall.sock");
    let about = fs::metadata(&socket)?;
    ensure!(about.file_type().is_socket() && about.permissions().mode() & 0o777 == 0o600);
    // The key can be kept elsewhere.
    let key = data.join("operator.key");
    let aside = data.join("aside.key");
    fs::rename(&key, &aside)?;
    said(&here(&data, &["org", "create", "Acme", "--domain", "acme"]).output()?)?;
    let account = Command::new("id").arg("-un").output()?;
    let account = String::from_utf8(account.stdout)?.trim().to_owned();
    let events = said(&here(&data, &["events", "list", "--org", "acme"]).output()?)?;
    let actor = &events[0]["actor"];
    ensure!(actor["kind"] == "local_operator" && actor["name"] == account, "{events}");
    let by = ["events", "list", "--org", "acme", "--actor", "local_operator"];
    ensure!(said(&here(&data, &by).output()?)?.as_array().map(Vec::len) == Some(1));
    let exchanges = said(&here(&data, &["exchanges", "list", "--org", "acme"]).output()?)?;
    ensure!(exchanges[0]["operation"] == "organizations.create", "{exchanges}");
    ensure!(said(&here(&data, &["ledger", "audit", "--org", "acme"]).output()?).is_ok());

    // Whoever shows a key is judged by the key, here as everywhere.
    let wrong = data.join("wrong.key");
    fs::write(&wrong, "rollcall_operator_wrong")?;
    let mut by_key = here(&data, &["org", "list"]);
    by_key.arg("--key-file").arg(&wrong);
    ensure!(by_key.output()?.status.code() == Some(3), "a wrong key");
    let mut raw = UnixStream::connect(&socket)?;
    write!(
        raw,
        "GET /api/v1/organizations HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer wrong\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = String::new();
    raw.read_to_string(&mut answer)?;
    ensure!(answer.starts_with("HTTP/1.1 401"), "{answer}");

    // Another account is nobody, also if the socket were open to it.
    fs::set_permissions(&data, Permissions::from_mode(0o755))?;
    fs::set_permissions(&socket, Permissions::from_mode(0o666))?;
    let nobody = Command::new("setpriv")
        .args(["--reuid", "65534", "--regid", "65534", "--clear-groups"])
        .args(["python3", "-c", ASKS])
        .arg(&socket)
        .output()?;
    ensure!(!String::from_utf8_lossy(&nobody.stdout).contains("HTTP"), "{nobody:?}");

    // A server that was killed leaves its socket; the next one takes its place.
    fs::rename(&aside, &key)?;
    server.kill9()?;
    let away = here(&data, &["org", "list"]).output()?;
    ensure!(away.status.code() == Some(4), "nobody is there: {away:?}");
    server.restart().await?;
    let all = said(&here(&data, &["org", "list"]).output()?)?;
    ensure!(all.as_array().context("organizations")?.len() == 1, "{all}");
    server.terminate().await?;
    ensure!(!socket.exists(), "a server that ended leaves none");
    Ok(())
}
