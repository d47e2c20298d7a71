//! The way out to receivers of webhooks, by the guard of all addresses that somebody typed in.

use async_trait::async_trait;
use rollcall_feed::webhook::{Letter, NotPosted, Post, Posted};
use rollcall_outbound::{FetchError, Guard, reach};
use std::time::Duration;

/// The whole delivery, name lookup included.
const PATIENCE: Duration = Duration::from_secs(15);

/// Posts to addresses that may be reached.
#[derive(Clone, Debug)]
pub struct Guarded {
    guard: Guard,
}

impl Guarded {
    /// To where the guard lets requests go.
    pub fn new(guard: Guard) -> Self {
        Self { guard }
    }

    async fn deliver(&self, letter: Letter) -> Result<Posted, NotPosted> {
        // The address is judged at each delivery: names come to mean something else.
        let (url, client) = reach(&letter.url, &self.guard, PATIENCE).await.map_err(not_posted)?;
        let mut request = client.post(url).body(letter.body);
        for (name, value) in letter.headers {
            request = request.header(name, value);
        }
        let failed = |e: reqwest::Error| match e.is_timeout() {
            true => NotPosted::TooSlow,
            false => NotPosted::Connection,
        };
        // The body of the answer is never read, however long it is.
        let answer = request.send().await.map_err(failed)?;
        let retry_after = answer.headers().get(reqwest::header::RETRY_AFTER);
        let retry_after = retry_after.and_then(|value| value.to_str().ok());
        Ok(Posted { status: answer.status().as_u16(), retry_after: retry_after.map(str::to_owned) })
    }
}

#[async_trait]
impl Post for Guarded {
    async fn post(&self, letter: Letter) -> Result<Posted, NotPosted> {
        let delivered = tokio::time::timeout(PATIENCE, self.deliver(letter)).await;
        delivered.unwrap_or(Err(NotPosted::TooSlow))
    }
}

fn not_posted(error: FetchError) -> NotPosted {
    match error {
        FetchError::Address(_) => NotPosted::Address,
        FetchError::NotPublic(ip) => NotPosted::NotPublic(ip),
        FetchError::Unknown(_) => NotPosted::Unknown,
        FetchError::TooSlow(_) => NotPosted::TooSlow,
        FetchError::Status(_) | FetchError::TooLarge(_) | FetchError::Connection(_) => {
            NotPosted::Connection
        }
    }
}
