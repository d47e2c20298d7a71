//! A load generator that shares the machine with the server, and therefore does next to nothing: it
//! writes prepared bytes to a socket and reads as much of the answer as it must.

use anyhow::{Context as _, Result, bail, ensure};
use futures::TryStreamExt as _;
use futures::stream::FuturesUnordered;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use url::form_urlencoded;

/// One kept-alive connection.
#[derive(Debug)]
pub struct Wire {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Wire {
    /// Connects to `host:port`.
    pub async fn connect(authority: &str) -> Result<Self> {
        let stream = TcpStream::connect(authority).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(16 * 1024) })
    }

    /// Sends prepared bytes; gives status and body of the answer.
    pub async fn call(&mut self, request: &[u8]) -> Result<(u16, &[u8])> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let head = loop {
            if let Some(end) = find(&self.buffer, b"\r\n\r\n") {
                break end + 4;
            }
            self.more().await?;
        };
        let (status, length) = read_head(&self.buffer[..head])?;
        while self.buffer.len() < head + length {
            self.more().await?;
        }
        ensure!(self.buffer.len() == head + length, "more than one answer came");
        Ok((status, &self.buffer[head..]))
    }

    async fn more(&mut self) -> Result<()> {
        ensure!(
            self.stream.read_buf(&mut self.buffer).await? > 0,
            "the server closed the connection"
        );
        Ok(())
    }
}

/// Status and body length.
fn read_head(head: &[u8]) -> Result<(u16, usize)> {
    let text = std::str::from_utf8(head)?;
    let mut lines = text.split("\r\n");
    let status: u16 =
        lines.next().and_then(|l| l.split(' ').nth(1)).context("no status line")?.parse()?;
    for line in lines {
        let Some((name, value)) = line.split_once(':') else { continue };
        if name.eq_ignore_ascii_case("content-length") {
            return Ok((status, value.trim().parse()?));
        }
        ensure!(
            !name.eq_ignore_ascii_case("transfer-encoding"),
            "the load generator reads no chunks"
        );
    }
    ensure!(status == 204 || status == 304, "an answer of {status} without a length");
    Ok((status, 0))
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|w| w == needle)
}

/// The bytes of a request; `target` is below the SCIM base.
pub fn prepare(method: &str, target: &str, token: &str, body: &str) -> Vec<u8> {
    let base = crate::scim::BASE;
    let mut bytes = format!(
        "{method} {base}{target} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n"
    );
    if method != "GET" {
        bytes.push_str(&format!(
            "Content-Type: application/scim+json; charset=utf-8\r\nContent-Length: {}\r\n",
            body.len()
        ));
    }
    bytes.push_str("\r\n");
    bytes.push_str(body);
    bytes.into_bytes()
}

/// The bytes of a GET of `target` with a bearer token.
pub fn get(target: &str, token: &str) -> Vec<u8> {
    format!("GET {target} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n\r\n")
        .into_bytes()
}

/// The bytes of a form that a browser posts to `target`.
pub fn form(target: &str, fields: &[(&str, &str)]) -> Vec<u8> {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let head = format!(
        "POST {target} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    (head + &body).into_bytes()
}

/// How long a load lasts.
#[derive(Clone, Copy, Debug)]
pub enum Until {
    /// So many requests.
    Count(u64),
    /// So much time.
    Time(Duration),
}

/// What a load came to.
#[derive(Clone, Copy, Debug)]
pub struct Driven {
    /// Requests answered.
    pub requests: u64,
    /// From the first request to the last answer.
    pub elapsed: Duration,
}

impl Driven {
    /// Requests per second.
    pub fn rate(&self) -> f64 {
        self.requests as f64 / self.elapsed.as_secs_f64()
    }
}

/// Sends requests over several connections, one at a time on each. `prepared` makes the n-th
/// request; `answered` sees status and body, and says whether they are what they should be.
pub async fn drive(
    authority: &str,
    connections: usize,
    until: Until,
    prepared: impl Fn(u64) -> Vec<u8>,
    answered: impl Fn(u64, u16, &[u8]) -> Result<()>,
) -> Result<Driven> {
    let mut wires = Vec::new();
    for _ in 0..connections {
        wires.push(Wire::connect(authority).await?);
    }
    let (next, done) = (AtomicU64::new(0), AtomicU64::new(0));
    let begun = Instant::now();
    let over = |n: u64| match until {
        Until::Count(count) => n >= count,
        Until::Time(time) => begun.elapsed() >= time,
    };
    let clients = wires.into_iter().map(|mut wire| {
        let (next, done, over, prepared, answered) = (&next, &done, &over, &prepared, &answered);
        async move {
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                if over(n) {
                    return Ok::<_, anyhow::Error>(());
                }
                let (status, body) = wire.call(&prepared(n)).await?;
                answered(n, status, body)?;
                done.fetch_add(1, Ordering::Relaxed);
            }
        }
    });
    // Polls the connection that has an answer, and no other.
    clients.collect::<FuturesUnordered<_>>().try_collect::<()>().await?;
    Ok(Driven { requests: done.into_inner(), elapsed: begun.elapsed() })
}

/// An error unless the status is the expected one.
pub fn status_is(expected: u16) -> impl Fn(u64, u16, &[u8]) -> Result<()> {
    move |n, status, body| {
        if status != expected {
            bail!("request {n}: {status} instead of {expected}: {}", String::from_utf8_lossy(body));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{prepare, read_head};

    #[test]
    fn heads_are_read() {
        assert_eq!(
            read_head(b"HTTP/1.1 201 Created\r\nContent-Length: 17\r\n\r\n").ok(),
            Some((201, 17))
        );
        assert_eq!(read_head(b"HTTP/1.1 204 No Content\r\n\r\n").ok(), Some((204, 0)));
        assert!(read_head(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
        assert!(read_head(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").is_err());
    }

    #[test]
    fn requests_say_how_long_they_are() {
        let text = String::from_utf8(prepare("POST", "/Users", "t", "{}")).unwrap();
        assert!(
            text.starts_with("POST /scim/v2/Users HTTP/1.1\r\n")
                && text.contains("Content-Length: 2\r\n")
                && text.ends_with("\r\n\r\n{}")
        );
    }
}
