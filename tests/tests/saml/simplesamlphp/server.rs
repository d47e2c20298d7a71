//! SimpleSAMLphp as a child process: PHP's own web server over Debian's package, which `.ci/deps`
//! has unpacked, with the configuration in `tests/simplesamlphp`.

use crate::browser::Browser;
use crate::idp::pem;
use anyhow::{Context as _, Result, ensure};
use rollcall_saml::keys;
use rollcall_tests::clock::now;
use rollcall_tests::http::Address;
use serde_json::{Value, json};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A server that does not listen by then never will.
const PATIENCE: Duration = Duration::from_secs(20);

/// Where the program is, or why there is none on this machine.
#[derive(Clone, Debug)]
pub enum Program {
    /// Unpacked.
    Here(PathBuf),
    /// This release of the distribution has no such package.
    NotPackaged(String),
}

impl Program {
    /// Looks at what `.ci/deps` has left. An error if it has not been run.
    pub fn find() -> Result<Self> {
        let root = rollcall_tests::tools::folder("simplesamlphp")?;
        if root.join("usr/share/simplesamlphp/www").is_dir() {
            return Ok(Self::Here(root));
        }
        match fs::read_to_string(root.join("not-packaged")) {
            Ok(why) => Ok(Self::NotPackaged(why.trim().to_owned())),
            Err(_) => Err(anyhow::anyhow!(
                "SimpleSAMLphp is not in {}: `make deps` gets it",
                root.display()
            )),
        }
    }
}

/// A running SimpleSAMLphp with two keys, the first of which signs.
pub struct SimpleSaml {
    // Ends with whoever holds the other end of its standard input.
    shell: Child,
    base: String,
    settings: Value,
    folder: tempfile::TempDir,
}

impl SimpleSaml {
    /// Starts it. `people` are attributes by `name:password`.
    pub async fn start(program: &Path, people: Value) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("rollcall-simplesamlphp-").tempdir()?;
        for part in ["cert", "data", "log", "sessions", "temp"] {
            fs::create_dir(folder.path().join(part))?;
        }
        for name in ["one", "two"] {
            let pair = keys::generate(name, now(), 30)?;
            fs::write(
                folder.path().join(format!("cert/{name}.pem")),
                pem(&pair.private_key_pkcs8()?),
            )?;
            fs::write(folder.path().join(format!("cert/{name}.crt")), pair.certificate_pem()?)?;
        }
        let settings =
            json!({ "people": people, "key": "one", "next_key": null, "encrypt": false });
        fs::write(folder.path().join("settings.json"), settings.to_string())?;
        let log = File::create(folder.path().join("php.log"))?;
        let mut command = Command::new("sh");
        command.args(["-c", r#"php "$@" & read -r _; kill "$!"; wait"#, "sh"]);
        // What PHP deprecates since is Debian's business.
        command.args([
            "-d",
            "display_errors=0",
            "-d",
            "error_reporting=E_ALL & ~E_DEPRECATED",
            "-S",
            "127.0.0.1:0",
            "-t",
        ]);
        command.arg(program.join("usr/share/simplesamlphp/www"));
        command.env(
            "SIMPLESAMLPHP_CONFIG_DIR",
            Path::new(env!("CARGO_MANIFEST_DIR")).join("simplesamlphp"),
        );
        command
            .env("IDP_ATTRIBUTE_MAPS", program.join("etc/simplesamlphp/attributemap"))
            .env("IDP_FOLDER", folder.path());
        let shell = command
            .stdin(Stdio::piped())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("there is no sh")?;
        let mut server = Self { shell, base: String::new(), settings, folder };
        server.base = server.listening().await?;
        Ok(server)
    }

    async fn listening(&self) -> Result<String> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let log = self.log();
            if let Some((base, _)) = log
                .split_once("Development Server (")
                .and_then(|(_, rest)| rest.split_once(") started"))
            {
                return Ok(base.to_owned());
            }
            ensure!(
                !log.contains("not found"),
                "PHP cannot be started (`make deps` installs it): {log}"
            );
            ensure!(
                Instant::now() < deadline,
                "PHP's server does not listen after {PATIENCE:?}: {log}"
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// What it and its PHP printed.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("php.log")).unwrap_or_default()
    }

    /// An address of its own.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// The path and query of an address of its own.
    pub fn path<'a>(&self, url: &'a str) -> Result<&'a str> {
        url.strip_prefix(&self.base).with_context(|| format!("{url} is not SimpleSAMLphp's"))
    }

    /// A browser that knows it and nobody else.
    pub fn browser(&self) -> Browser {
        Browser::new(Address::new(self.base.trim_start_matches("http://")))
    }

    /// Changes a setting, from the next request on: `key` signs, `next_key` is announced,
    /// `encrypt`.
    pub fn set(&mut self, name: &str, value: Value) -> Result<()> {
        self.settings[name] = value;
        Ok(fs::write(self.folder.path().join("settings.json"), self.settings.to_string())?)
    }

    /// Gives it the metadata of the service provider that it serves.
    pub fn serve(&self, metadata: &str) -> Result<()> {
        Ok(fs::write(self.folder.path().join("rollcall.xml"), metadata)?)
    }
}

impl Drop for SimpleSaml {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
        if std::thread::panicking() {
            eprintln!("--- SimpleSAMLphp printed ---\n{}\n---", self.log());
        }
    }
}
