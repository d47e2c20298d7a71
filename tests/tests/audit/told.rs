//! What needs somebody is told by mail: to a mail server that nobody here wrote, once, by whatever
//! process comes first.

use anyhow::{Context as _, Result, bail, ensure};
use rollcall_tests::certificate::Certificate;
use rollcall_tests::http::{Http, Request};
use rollcall_tests::python;
use rollcall_tests::scim::{add_members, remove_member};
use rollcall_tests::server::{Server, Store};
use rollcall_tests::world::{World, start_cluster};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Longer than two passes of the job.
const PATIENCE: Duration = Duration::from_secs(150);

/// A mail server that puts what comes into a folder (Maildir).
struct MailServer {
    child: Option<Child>,
    folder: tempfile::TempDir,
    port: u16,
    certificate: Option<Certificate>,
}

impl MailServer {
    /// On a free port, not yet listening.
    fn new() -> Result<Self> {
        let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        Ok(Self { child: None, folder: tempfile::tempdir()?, port, certificate: None })
    }

    /// One that speaks TLS from the first byte.
    fn with_tls() -> Result<Self> {
        let mut server = Self::new()?;
        server.certificate = Some(Certificate::new(server.folder.path(), "mail")?);
        Ok(server)
    }

    async fn start(&mut self) -> Result<()> {
        let mut command = Command::new(python::tool("aiosmtpd")?);
        command.args(["-n", "-l", &format!("127.0.0.1:{}", self.port)]);
        if let Some(Certificate { file, key }) = &self.certificate {
            command.arg("--smtpscert").arg(file).arg("--smtpskey").arg(key);
        }
        command.args(["-c", "aiosmtpd.handlers.Mailbox"]).arg(self.folder.path().join("mail"));
        self.child = Some(command.stdin(Stdio::null()).stderr(Stdio::null()).spawn()?);
        let deadline = Instant::now() + Duration::from_secs(20);
        while tokio::net::TcpStream::connect(("127.0.0.1", self.port)).await.is_err() {
            ensure!(Instant::now() < deadline, "the mail server does not listen");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    /// All that came, as it came.
    fn mails(&self) -> Result<Vec<String>> {
        let new = self.folder.path().join("mail/new");
        if !new.is_dir() {
            return Ok(Vec::new());
        }
        let mut files: Vec<PathBuf> =
            fs::read_dir(new)?.map(|file| Ok(file?.path())).collect::<Result<_>>()?;
        files.sort();
        files.iter().map(|file| Ok(fs::read_to_string(file)?)).collect()
    }

    /// Waits until so many have come.
    async fn wait_for(&self, wanted: usize) -> Result<Vec<String>> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let mails = self.mails()?;
            if mails.len() >= wanted {
                return Ok(mails);
            }
            if Instant::now() > deadline {
                bail!("{} of {wanted} mails came: {mails:?}", mails.len());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    fn flags(&self) -> Vec<String> {
        let scheme = if self.certificate.is_some() { "smtps" } else { "smtp" };
        let url = format!("{scheme}://localhost:{}", self.port);
        ["--smtp-url", &url, "--mail-from", "Rollcall <rollcall@example.com>"]
            .map(str::to_owned)
            .to_vec()
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

async fn start(store: Store, flags: &[String]) -> Result<Server> {
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    Server::start_with(store, &std::env::temp_dir(), &flags).await
}

/// Somebody keeps access because a request was refused that would have taken it away.
async fn access_is_left(w: &World) -> Result<String> {
    let ada = w.scim.create_user("ada.lovelace@contoso.example").await?;
    let room = w.scim.create_group("Server room").await?;
    let group = format!("/Groups/{room}");
    w.scim.operations(&group, add_members(&[&ada])).await?.expect(204)?;
    w.server.cli(&["scim", "disable", "--org", "acme"]).await?;
    w.scim.operations(&group, remove_member(&ada)).await?.expect(503)?;
    w.server.cli(&["scim", "enable", "--org", "acme"]).await?;
    Ok(ada)
}

/// Waits until a server has looked, since its start, whether there is anything to tell.
async fn passed(server: &Server) -> Result<()> {
    let http = Http::new(server.address());
    let passes = "rollcall_job_passes_total{job=\"told-by-mail\",outcome=\"done\"}";
    let deadline = Instant::now() + PATIENCE;
    loop {
        let metrics = http.send(Request::new("GET", "/metrics")).await?.expect(200)?.text();
        if metrics.lines().any(|line| line.starts_with(passes)) {
            return Ok(());
        }
        ensure!(Instant::now() < deadline, "nobody looked: {metrics}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn told(w: &World) -> Result<Value> {
    w.server.cli(&["notify", "list", "--org", "acme"]).await
}

/// Of two processes on one database one tells, and only once, also after both were started again; a
/// mail server that was away is tried again; whoever is told is told no name and no address.
#[tokio::test]
async fn what_needs_somebody_is_told_once_by_whichever_process() -> Result<()> {
    let cluster = start_cluster().await;
    let mut mail = MailServer::new()?;
    let store = || Store::Postgres(cluster.url());
    let mut w = World::around(start(store(), &mail.flags()).await?).await?;
    let ada = access_is_left(&w).await?;
    for who in ["doors@contoso.example", "it@contoso.example"] {
        w.server.cli(&["notify", "add", "--org", "acme", "--mail", who]).await?;
    }
    let needs = w.server.command(&["attention", "--org", "acme"]).await?;
    let needs: Value = serde_json::from_slice(&needs.stdout)?;
    let causes: Vec<&str> =
        needs.as_array().into_iter().flatten().filter_map(|n| n["cause"].as_str()).collect();
    ensure!(causes == ["access-left", "connection-unfinished"], "{needs}");

    // Nobody is there: it is tried again.
    let metric = "rollcall_mails_total{outcome=\"failed\"}";
    let deadline = Instant::now() + PATIENCE;
    loop {
        let metrics = w.admin.get_anonymous("/metrics").await?.expect(200)?.text();
        let failed = metrics.lines().find_map(|line| line.strip_prefix(metric));
        if failed.is_some_and(|n| n.trim() != "0") {
            break;
        }
        ensure!(Instant::now() < deadline, "nobody tried: {metrics}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    ensure!(told(&w).await?["told"] == json!([]), "what nobody was told is not told");
    mail.start().await?;
    let mut other = start(store(), &mail.flags()).await?;
    let mails = mail.wait_for(2).await?;
    for to in ["doors@contoso.example", "it@contoso.example"] {
        let to_them = |mail: &&String| mail.contains(&format!("To: {to}"));
        let mail = mails.iter().find(to_them).with_context(|| format!("{to}: {mails:?}"))?;
        let (head, text) = mail.split_once("\n\n").context("a body")?;
        for line in [
            "Subject: Acme: Somebody may still have access",
            "From: Rollcall <rollcall@example.com>",
            "Auto-Submitted: auto-generated",
        ] {
            ensure!(head.contains(line), "no {line}: {mail}");
        }
        ensure!(text.contains("/o/acme/failures") && text.contains("A refused request"), "{mail}");
        for personal in ["ada", "lovelace", &ada, "Server room"] {
            ensure!(!text.to_lowercase().contains(&personal.to_lowercase()), "{personal}: {mail}");
        }
        ensure!(!text.contains("connection is not set up"), "that is no news: {mail}");
    }
    // Passes of both, and starts, tell nothing again.
    w.server.terminate().await?;
    other.terminate().await?;
    w.server.restart().await?;
    other.restart().await?;
    for server in [&w.server, &other] {
        passed(server).await?;
    }
    ensure!(mail.mails()?.len() == 2, "{:?}", mail.mails()?);
    let told = told(&w).await?;
    ensure!(
        told["told"][0]["cause"] == "access-left" && told["told"][0]["lasts"] == true,
        "{told}"
    );
    ensure!(told["told"].as_array().is_some_and(|all| all.len() == 1), "{told}");
    // The log says who decided who is told.
    let events = ["events", "list", "--org", "acme", "--type", "NotificationRecipientsSet"];
    let events = w.server.cli(&events).await?;
    ensure!(events.as_array().is_some_and(|all| all.len() == 2), "{events}");
    Ok(())
}

/// A mail server is believed only if somebody vouches for it; nothing is sent to another, and nobody
/// is said to have been told.
#[tokio::test]
async fn mail_goes_only_to_the_server_that_was_meant() -> Result<()> {
    let mut mail = MailServer::with_tls()?;
    mail.start().await?;
    let mut w = World::around(start(Store::Sqlite, &mail.flags()).await?).await?;
    let test = ["notify", "test", "--org", "acme"];
    let nobody = w.server.command(&test).await?;
    ensure!(nobody.status.code() == Some(3), "nobody is to be told: {nobody:?}");
    for wrong in ["no address", "a@b\r\nBcc: c@d", "\"a\"@b", ""] {
        let add = ["notify", "add", "--org", "acme", "--mail", wrong];
        let refused = w.server.command(&add).await?;
        ensure!(refused.status.code() == Some(2), "{wrong:?}: {refused:?}");
    }
    let doors = "doors@contoso.example";
    w.server.cli(&["notify", "add", "--org", "acme", "--mail", doors]).await?;
    let unknown = w.server.command(&test).await?;
    ensure!(unknown.status.code() == Some(4), "nobody vouches for it: {unknown:?}");
    ensure!(mail.mails()?.is_empty());
    let certificate = &mail.certificate.as_ref().context("a certificate")?.file;
    w.server.flags_are_now(&["--smtp-ca-file", path(certificate)?], "--none");
    w.server.terminate().await?;
    w.server.restart().await?;
    w.server.cli(&test).await?;
    let mails = mail.wait_for(1).await?;
    ensure!(mails[0].contains("Subject: Acme: a test"), "{mails:?}");
    let gone = ["notify", "remove", "--org", "acme", "--mail", "other@contoso.example"];
    let gone = w.server.command(&gone).await?;
    ensure!(gone.status.code() == Some(3), "{gone:?}");
    w.server.cli(&["notify", "remove", "--org", "acme", "--mail", doors]).await?;
    ensure!(told(&w).await?["recipients"] == json!([]));
    Ok(())
}

fn path(path: &Path) -> Result<&str> {
    path.to_str().context("a path")
}
