//! Somebody else answers where the server was: no key is sent to them, nor where others can read it.

use anyhow::{Context as _, Result, ensure};
use rollcall_tests::server::binary;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Output};
use std::sync::mpsc;
use std::time::Duration;

const KEY: &str = "rollcall_operator_0123456789abcdef0123456789abcdef";

/// Whoever took the port: answers anything, and tells what came.
fn impostor(listener: TcpListener) -> mpsc::Receiver<String> {
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        for mut socket in listener.incoming().flatten() {
            let mut came = [0; 8_192];
            let length = socket.read(&mut came).unwrap_or_default();
            let _ = tell.send(String::from_utf8_lossy(&came[..length]).into_owned());
            let body = r#"{"proof":"0000","organizations":[]}"#;
            let _ = write!(
                socket,
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
        }
    });
    told
}

fn folder() -> Result<tempfile::TempDir> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("operator.key");
    std::fs::write(&file, format!("{KEY}\n"))?;
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600))?;
    Ok(folder)
}

fn org_list(data: &std::path::Path, more: &[&str], proxy: Option<&str>) -> Result<Output> {
    let mut command = Command::new(binary()?);
    command.args(["org", "list", "--data"]).arg(data).args(more);
    for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
        match proxy {
            Some(proxy) => command.env(name, proxy),
            None => command.env_remove(name),
        };
    }
    Ok(command.output()?)
}

#[test]
fn whoever_took_the_port_of_the_server_gets_no_key() -> Result<()> {
    let (data, listener) = (folder()?, TcpListener::bind("127.0.0.1:0")?);
    let address = format!("http://{}", listener.local_addr()?);
    std::fs::write(data.path().join("address"), &address)?;
    let told = impostor(listener);
    let output = org_list(data.path(), &[], None)?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(!output.status.success() && said.contains("does not know the operator key"), "{said}");
    let came = told.recv_timeout(Duration::from_secs(10)).context("nothing was asked")?;
    ensure!(came.contains("/api/v1/server/proof?nonce="), "{came}");
    ensure!(!came.to_lowercase().contains("authorization") && !came.contains(KEY), "{came}");
    ensure!(told.try_recv().is_err(), "something else was sent as well");
    Ok(())
}

#[test]
fn nothing_is_sent_over_plain_http_or_through_a_proxy_that_nobody_named() -> Result<()> {
    let (data, listener) = (folder()?, TcpListener::bind("127.0.0.1:0")?);
    let proxy = format!("http://{}", listener.local_addr()?);
    let told = impostor(listener);
    let far = ["--url", "http://rollcall.invalid"];
    let output = org_list(data.path(), &far, Some(&proxy))?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(output.status.code() == Some(2) && said.contains("--insecure"), "{said}");
    // Where that is meant, it goes there by itself.
    let output = org_list(data.path(), &[&far[..], &["--insecure"]].concat(), Some(&proxy))?;
    ensure!(!output.status.success());
    ensure!(told.recv_timeout(Duration::from_millis(200)).is_err(), "the proxy was asked");
    Ok(())
}
