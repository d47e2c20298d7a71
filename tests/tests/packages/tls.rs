//! TLS in the server itself, looked at by OpenSSL and by the command line.

use super::service::Service;
use super::tools::tried;
use anyhow::{Context as _, Result, ensure};
use rollcall_tests::certificate::Certificate;
use std::path::Path;
use std::process::Command;

/// Puts a certificate where the server reads it.
fn put(certificate: &Certificate, file: &Path, key: &Path) -> Result<()> {
    std::fs::copy(&certificate.file, file)?;
    std::fs::copy(&certificate.key, key)?;
    Ok(())
}

/// Who answers there, and in which protocol.
fn seen(port: &str, offer: &str) -> Result<String> {
    let at = format!("localhost:{port}");
    let (_, said) = tried(Command::new("openssl").args([
        "s_client",
        "-connect",
        &at,
        "-servername",
        "localhost",
        "-alpn",
        offer,
    ]))?;
    Ok(said)
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_are_served_and_read_again() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (first, second) =
        (Certificate::new(folder.path(), "first")?, Certificate::new(folder.path(), "second")?);
    let (file, key) = (folder.path().join("in-use.pem"), folder.path().join("in-use.key"));
    put(&first, &file, &key)?;
    let path = |p: &Path| p.to_str().map(str::to_owned).context("a path");
    let (file_flag, key_flag) = (path(&file)?, path(&key)?);
    let flags = ["--tls-certificate-file", &file_flag, "--tls-key-file", &key_flag];
    let mut service = Service::start(&flags, None)?;
    service.told_until("READY=1").await?;
    let address = service.address()?;
    let port = address.rsplit(':').next().context("a port")?.to_owned();
    ensure!(address.starts_with("https://"), "{address}");
    let said = seen(&port, "h2,http/1.1")?;
    ensure!(said.contains("CN = first") && said.contains("ALPN protocol: h2"), "{said}");
    ensure!(seen(&port, "http/1.1")?.contains("ALPN protocol: http/1.1"), "HTTP/1.1 too");
    let old = tried(Command::new("openssl").args([
        "s_client",
        "-connect",
        &format!("localhost:{port}"),
        "-tls1_1",
    ]))?;
    ensure!(!old.1.contains("CN = first"), "TLS 1.1 is served: {}", old.1);

    // Those who speak no TLS are let go, and nobody else waits for them.
    let mut plain = tokio::net::TcpStream::connect(("127.0.0.1", port.parse::<u16>()?)).await?;
    tokio::io::AsyncWriteExt::write_all(&mut plain, b"GET /healthz HTTP/1.1\r\n\r\n").await?;
    let mut answer = Vec::new();
    let _ = tokio::io::AsyncReadExt::read_to_end(&mut plain, &mut answer).await;
    ensure!(!String::from_utf8_lossy(&answer).contains("ok"), "plain http is served");

    // Another certificate in the same files; then files that do not fit: those of before stay.
    put(&second, &file, &key)?;
    service.signal("HUP")?;
    service.told_until("READY=1").await?;
    ensure!(seen(&port, "h2")?.contains("CN = second"), "the second is not served");
    std::fs::copy(&first.key, &key)?;
    service.signal("HUP")?;
    service.told_until("READY=1").await?;
    service.logs("the certificate of before stays in force").await?;
    ensure!(seen(&port, "h2")?.contains("CN = second"), "the second is not served any more");

    // The command line trusts it when it is told to, and not before.
    let data = path(&service.data())?;
    let url = format!("https://localhost:{port}");
    let ask = |more: &[&str]| {
        let mut command = Command::new(rollcall_tests::server::binary()?);
        command.env_clear().args(["--data", &data, "--url", &url, "org", "list"]).args(more);
        tried(&mut command)
    };
    ensure!(!ask(&[])?.0, "anybody's certificate is trusted");
    let (good, said) = ask(&["--ca-file", &path(&second.file)?])?;
    ensure!(good, "{said}");
    service.signal("TERM")?;
    ensure!(service.ended().await?, "it did not end well");
    let log = service.log();
    let private = std::fs::read_to_string(&first.key)?;
    let line = private.lines().nth(1).context("a key")?;
    ensure!(!log.contains(line), "a key is in the log");
    Ok(())
}

#[tokio::test]
async fn what_cannot_be_served_is_refused_at_the_start() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (first, second) =
        (Certificate::new(folder.path(), "first")?, Certificate::new(folder.path(), "second")?);
    let nothing = folder.path().join("nothing");
    let path = |p: &Path| p.to_str().map(str::to_owned).context("a path");
    let cases = [
        (vec!["--tls-certificate-file".into(), path(&first.file)?], "go together"),
        (flags(&path(&first.file)?, &path(&second.key)?), "is not the key of"),
        (flags(&path(&nothing)?, &path(&first.key)?), "cannot read the certificate"),
        (flags(&path(&first.file)?, &path(&first.file)?), "cannot read a private key"),
        (flags(&path(&first.key)?, &path(&first.key)?), "there is no certificate"),
    ];
    for (flags, reason) in cases {
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        let mut service = Service::start(&flags, None)?;
        ensure!(!service.ended().await?, "{flags:?} was accepted");
        ensure!(service.log().contains(reason), "{flags:?}: {}", service.log());
    }
    Ok(())
}

fn flags(file: &str, key: &str) -> Vec<String> {
    ["--tls-certificate-file", file, "--tls-key-file", key].map(str::to_owned).to_vec()
}
