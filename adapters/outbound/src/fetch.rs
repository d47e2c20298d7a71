//! One guarded GET.

use crate::fetch_error::FetchError;
use crate::guard::Guard;
use crate::reach::reach;
use futures::StreamExt;
use std::time::Duration;

/// How much, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// The longest answer, in bytes.
    pub bytes: usize,
    /// The whole, name lookup included.
    pub patience: Duration,
}

/// Fetches a document from an address that may be reached ([`reach`]).
///
/// # Errors
/// If there is none to be had.
pub async fn fetch(url: &str, guard: &Guard, bounds: Bounds) -> Result<Vec<u8>, FetchError> {
    let fetched = tokio::time::timeout(bounds.patience, within(url, guard, bounds));
    fetched.await.unwrap_or(Err(FetchError::TooSlow(bounds.patience)))
}

async fn within(url: &str, guard: &Guard, bounds: Bounds) -> Result<Vec<u8>, FetchError> {
    let (url, client) = reach(url, guard, bounds.patience).await?;
    let response =
        client.get(url).send().await.map_err(|error| FetchError::of(&error, bounds.patience))?;
    if response.status() != reqwest::StatusCode::OK {
        return Err(FetchError::Status(response.status().as_u16()));
    }
    let (mut body, mut stream) = (Vec::new(), response.bytes_stream());
    while let Some(chunk) = stream.next().await {
        body.extend_from_slice(&chunk.map_err(|error| FetchError::of(&error, bounds.patience))?);
        if body.len() > bounds.bytes {
            return Err(FetchError::TooLarge(bounds.bytes));
        }
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds { bytes: 1_000, patience: Duration::from_secs(5) };

    #[tokio::test]
    async fn addresses_that_lead_inside_are_refused_before_anything_is_sent() {
        for url in [
            "https://127.0.0.1/m",
            "https://[::1]/m",
            "https://localhost/m",
            "https://0x7f000001/m",
            "https://169.254.169.254/m",
        ] {
            let fetched = fetch(url, &Guard::default(), BOUNDS).await;
            assert!(matches!(fetched, Err(FetchError::NotPublic(_))), "{url}");
        }
        for url in [
            "http://8.8.8.8/m",
            "http://127.0.0.1/m",
            "https://8.8.8.8:22/m",
            "file:///etc/passwd",
            "https://user@login.example/m",
            "nonsense",
            "ftp://x/m",
        ] {
            let fetched = fetch(url, &Guard::default(), BOUNDS).await;
            assert!(matches!(fetched, Err(FetchError::Address(_))), "{url}");
        }
        let open = Guard::default().and_everywhere();
        let fetched = fetch("http://169.254.169.254/latest", &open, BOUNDS).await;
        assert!(matches!(fetched, Err(FetchError::Address(_))));
    }
}
