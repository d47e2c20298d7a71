//! What is asked of Rollcall: the snapshot, the feed, whose session it is.

use crate::event::{Holder, Page, Snapshot};
use anyhow::Context as _;
use reqwest::StatusCode;
use serde::de::DeserializeOwned;
use std::time::Duration;

/// How long the feed waits for an event at most, in seconds.
const WAIT: u64 = 25;

/// Rollcall, as this application reaches it.
#[derive(Clone, Debug)]
pub struct Rollcall {
    client: reqwest::Client,
    consumer: String,
    session: String,
    token: String,
    wait: u64,
}

/// Why Rollcall gave nothing.
#[derive(Debug, thiserror::Error)]
pub enum Unanswered {
    /// It is another log, or it was restored from an older backup: what is known is worth nothing.
    #[error("the position is beyond the end of the log")]
    BeginAnew,
    /// The token is refused: nothing but another one helps.
    #[error("the consumer's token is refused")]
    Refused,
    /// It may answer later.
    #[error("Rollcall answered {0}")]
    Status(StatusCode),
    /// It may answer later.
    #[error("Rollcall cannot be reached")]
    Unreachable(#[from] reqwest::Error),
}

impl Rollcall {
    /// Prepares to ask. An answer that says that nothing happened comes twice in `trust` seconds.
    pub fn new(
        base: &str,
        org: &str,
        consumer: &str,
        token: String,
        trust: u64,
    ) -> anyhow::Result<Self> {
        // Tokens do not travel through proxies that the environment happens to name.
        let client = reqwest::Client::builder().no_proxy().build().context("no HTTP client")?;
        let api = format!("{}/api/v1", base.trim_end_matches('/'));
        Ok(Self {
            client,
            consumer: format!("{api}/organizations/{org}/consumers/{consumer}"),
            session: format!("{api}/session"),
            token,
            wait: (trust / 2).min(WAIT),
        })
    }

    /// A page of everybody.
    pub async fn snapshot(&self, after: Option<&str>) -> Result<Snapshot, Unanswered> {
        let query: Vec<_> = after.map(|after| ("after", after.to_owned())).into_iter().collect();
        self.ask(&format!("{}/snapshot", self.consumer), &query).await
    }

    /// What came after a position; waits if there is nothing yet.
    pub async fn feed(&self, after: u64, limit: u64) -> Result<Page, Unanswered> {
        let query = [
            ("after", after.to_string()),
            ("limit", limit.to_string()),
            ("wait", self.wait.to_string()),
        ];
        self.ask(&format!("{}/feed", self.consumer), &query).await
    }

    /// Whose session a browser's cookie is; none if it is over.
    pub async fn holder(&self, cookie: &str) -> Result<Option<Holder>, Unanswered> {
        let request = self.client.get(&self.session).bearer_auth(cookie);
        let answer = request.timeout(Duration::from_secs(10)).send().await?;
        match answer.status() {
            StatusCode::OK => Ok(Some(answer.json().await?)),
            StatusCode::UNAUTHORIZED => Ok(None),
            status => Err(Unanswered::Status(status)),
        }
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        url: &str,
        query: &[(&str, String)],
    ) -> Result<T, Unanswered> {
        let request = self.client.get(url).query(query).bearer_auth(&self.token);
        let answer = request.timeout(Duration::from_secs(WAIT + 15)).send().await?;
        match answer.status() {
            StatusCode::OK => Ok(answer.json().await?),
            StatusCode::CONFLICT => Err(Unanswered::BeginAnew),
            StatusCode::UNAUTHORIZED => Err(Unanswered::Refused),
            status => Err(Unanswered::Status(status)),
        }
    }
}
