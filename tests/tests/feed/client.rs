//! A consumer as it is told to be: it holds a place, and checks the chain.

use anyhow::{Context as _, Result, ensure};
use rollcall_tests::http::{Address, Answer, Http, Request};
use rollcall_tests::server::Server;
use serde_json::Value;

/// A consumer that was added by the command line.
#[derive(Clone, Debug)]
pub struct Consumer {
    pub http: Http,
    pub token: String,
    /// Path of its feed.
    pub feed: String,
    /// Path of its snapshot.
    pub snapshot: String,
    /// Everything it got, in order.
    pub got: Vec<Value>,
    /// Where it stands.
    pub next: u64,
}

impl Consumer {
    /// Adds one to `acme`.
    pub async fn add(server: &Server, name: &str, flags: &[&str]) -> Result<Self> {
        Self::add_to(server, "acme", name, flags).await
    }

    /// Adds one to an organization.
    pub async fn add_to(server: &Server, org: &str, name: &str, flags: &[&str]) -> Result<Self> {
        let command = ["consumer", "add", "--org", org, "--kind", "pull", "--name", name];
        let added = server.cli(&[&command[..], flags].concat()).await?;
        let text = |name: &str| {
            added[name].as_str().map(str::to_owned).with_context(|| format!("{name} in {added}"))
        };
        let path = |url: String| {
            url.find("/api/")
                .map(|at| url[at..].to_owned())
                .with_context(|| format!("path of {url}"))
        };
        Ok(Self {
            http: Http::new(server.address()),
            token: text("token")?,
            feed: path(text("feed_url")?)?,
            snapshot: path(text("snapshot_url")?)?,
            got: Vec::new(),
            next: 0,
        })
    }

    /// The same consumer that asks another process.
    pub fn at(&self, address: Address) -> Self {
        Self { http: Http::new(address), ..self.clone() }
    }

    pub async fn ask(&self, target: &str) -> Result<Answer> {
        let request =
            Request::new("GET", target).header("Authorization", format!("Bearer {}", self.token));
        self.http.send(request).await
    }

    /// Asks after its place, and takes what it gets if it proves to miss nothing.
    pub async fn step(&mut self, query: &str) -> Result<Value> {
        let target = format!("{}?after={}{query}", self.feed, self.next);
        let page = self.ask(&target).await?.expect_json(200)?;
        self.take(&page)?;
        Ok(page)
    }

    /// Everything there is.
    pub async fn all(&mut self, query: &str) -> Result<()> {
        while self.step(query).await?["complete"] != true {}
        Ok(())
    }

    /// Takes a page if it proves that nothing is missing before it.
    pub fn take(&mut self, page: &Value) -> Result<()> {
        let last = self.got.last().map_or(0, |event| number(event, "position"));
        ensure!(number(page, "previous") == last, "it stands at {last}, and is told {page}");
        for event in page["events"].as_array().context("events")? {
            let (last, part, parts) = self.got.last().map_or((0, 1, 1), |e| {
                (number(e, "position"), number(e, "part"), number(e, "parts"))
            });
            ensure!(number(event, "previous") == last, "{event} does not follow {last}");
            let expected = if number(event, "position") == last { part + 1 } else { 1 };
            ensure!(number(event, "part") == expected, "{event} follows part {part} of {parts}");
            ensure!(expected > 1 || part == parts, "{event} follows part {part} of {parts}");
            self.got.push(event.clone());
        }
        let next = number(page, "next");
        ensure!(next >= self.next && next <= number(page, "head"), "{page}");
        self.next = next;
        Ok(())
    }

    /// What it got, as `type subject`.
    pub fn types(&self) -> Vec<&str> {
        self.got.iter().filter_map(|event| event["type"].as_str()).collect()
    }
}

pub fn number(value: &Value, name: &str) -> u64 {
    value[name].as_u64().unwrap_or_else(|| panic!("no {name} in {value}"))
}
