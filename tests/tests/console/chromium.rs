//! Debian's Chromium, driven over a pipe by npm's `playwright-core`.

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// A browser that does as it is told.
pub struct Chromium {
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    _child: Child,
}

/// Where Chromium is.
fn executable() -> Result<PathBuf> {
    let known = ["/usr/bin/chromium", "/usr/bin/chromium-browser"].map(PathBuf::from);
    known.into_iter().find(|path| path.exists()).context("no Chromium: `make deps` installs it")
}

/// How something on a page is found, as people find it.
pub fn role(role: &str, name: &str) -> Value {
    json!({ "role": role, "name": name })
}

/// By its label.
pub fn label(label: &str) -> Value {
    json!({ "label": label })
}

/// By a selector, where people have no word for it.
pub fn css(css: &str) -> Value {
    json!({ "css": css })
}

impl Chromium {
    /// Starts one.
    pub async fn start() -> Result<Self> {
        let modules = rollcall_tests::tools::folder("console")?;
        let driver = Path::new(env!("CARGO_MANIFEST_DIR")).join("console/driver.mjs");
        ensure!(
            modules.join("node_modules/playwright-core").is_dir(),
            "npm's playwright-core is not in {}: `make deps` installs it",
            modules.display()
        );
        let mut child = Command::new("node")
            .arg(driver)
            .arg(modules)
            .arg(executable()?)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("node cannot be started: `make deps` installs it")?;
        let input = child.stdin.take().context("a pipe")?;
        let output = child.stdout.take().context("a pipe")?;
        Ok(Self { input, output: BufReader::new(output).lines(), _child: child })
    }

    /// Has something done; gives what came of it.
    pub async fn tell(&mut self, what: &str, how: Value) -> Result<Value> {
        let mut command = how;
        if !command.is_object() {
            command = json!({});
        }
        command["do"] = json!(what);
        self.input.write_all(format!("{command}\n").as_bytes()).await?;
        let line = self.output.next_line().await?.context("the driver is gone")?;
        let answer: Value = serde_json::from_str(&line)?;
        match answer["error"].as_str() {
            Some(error) => bail!("{what} {command}: {error}"),
            None => Ok(answer["ok"].clone()),
        }
    }

    /// A browser of somebody's own, with no cookies.
    pub async fn open(&mut self, who: &str, how: Value) -> Result<()> {
        let mut how = how;
        how["as"] = json!(who);
        self.tell("browser", how).await.map(drop)
    }

    /// Somebody's browser, again.
    pub async fn back_to(&mut self, who: &str) -> Result<()> {
        self.tell("use", json!({ "as": who })).await.map(drop)
    }

    /// Opens an address; gives the status.
    pub async fn goto(&mut self, url: &str) -> Result<u64> {
        Ok(self.tell("goto", json!({ "url": url })).await?.as_u64().unwrap_or(0))
    }

    /// Presses something.
    pub async fn click(&mut self, what: Value) -> Result<()> {
        self.tell("click", what).await.map(drop)
    }

    /// Fills a field in.
    pub async fn fill(&mut self, what: Value, value: &str) -> Result<()> {
        let mut what = what;
        what["value"] = json!(value);
        self.tell("fill", what).await.map(drop)
    }

    /// What stands there.
    pub async fn text(&mut self, what: Value) -> Result<String> {
        let text = self.tell("text", what).await?;
        Ok(text.as_str().unwrap_or_default().to_owned())
    }

    /// Waits until something is there.
    pub async fn wait(&mut self, css: &str, seconds: u64) -> Result<()> {
        self.tell("wait", json!({ "css": css, "seconds": seconds })).await.map(drop)
    }

    /// Where it is.
    pub async fn url(&mut self) -> Result<String> {
        Ok(self.tell("url", json!({})).await?.as_str().unwrap_or_default().to_owned())
    }

    /// The page is without barriers in both themes, fits a narrow window, and the browser had
    /// nothing to complain of.
    pub async fn is_sound(&mut self, page: &str) -> Result<()> {
        for theme in ["light", "dark"] {
            self.tell("theme", json!({ "theme": theme })).await?;
            let found = self.tell("axe", json!({})).await?;
            let found = found.as_array().context("violations")?;
            ensure!(found.is_empty(), "{page}, {theme}: {found:#?}");
        }
        self.tell("theme", json!({ "theme": "light" })).await?;
        self.tell("size", json!({ "width": 320, "height": 700 })).await?;
        let over = self.tell("overflows", json!({})).await?.as_i64().unwrap_or(0);
        ensure!(over <= 0, "{page} is {over} px wider than a window of 320");
        self.tell("size", json!({ "width": 1280, "height": 900 })).await?;
        self.has_no_complaints(page).await
    }

    /// The browser had nothing to complain of: no violation of the policy, no error of a script.
    pub async fn has_no_complaints(&mut self, page: &str) -> Result<()> {
        let found = self.tell("complaints", json!({})).await?;
        let found: Vec<&str> =
            found.as_array().context("complaints")?.iter().filter_map(Value::as_str).collect();
        // That a page was refused is in the story; the browser notes it.
        let found: Vec<_> = found.into_iter().filter(|c| !c.contains("status of")).collect();
        ensure!(found.is_empty(), "{page}: the browser says {found:?}");
        Ok(())
    }
}
