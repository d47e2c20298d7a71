//! The command line's side of `/api/v1`.

use super::output::Working;
use super::part::{Part, check_free};
use super::proven::prove;
pub use super::unreachable::Unreachable;
use super::{ServerArgs, key, output};
use anyhow::{Context, anyhow, bail};
use futures::StreamExt;
use reqwest::header::CONTENT_TYPE;
use reqwest::{RequestBuilder, Response};
use rollcall_contract::Problem;
use rollcall_contract::credentials::TOKEN_PATH;
use rollcall_contract::found_at::{ADDRESS, SOCKET};
use rollcall_contract::moment::CLOCK_SKEW;
use rollcall_contract::request_line::RequestLine;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::io::{IsTerminal as _, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::OnceCell;
use uuid::Uuid;

/// Talks to one server as its operator.
pub struct Client {
    http: reqwest::Client,
    base: String,
    /// None where the machine says who we are.
    key: Option<String>,
    /// The server has shown that it knows the operator key; with another key, TLS has to do.
    proven: Option<OnceCell<()>>,
    /// Whether results are printed as JSON.
    pub json: bool,
    /// Whether it was said that the server's clocks are apart.
    has_told: AtomicBool,
}

/// What the server answered in place of what was asked for.
#[derive(Debug, thiserror::Error)]
#[error("{detail}")]
pub struct Refused {
    /// HTTP status.
    pub status: u16,
    /// What happened, and what to do.
    pub detail: String,
    /// A stable word for the server's own trouble.
    pub reason: Option<String>,
}

/// The data folder when none is named.
pub fn default_data() -> PathBuf {
    PathBuf::from("data")
}

impl Client {
    /// Finds the server and its operator key.
    pub fn new(server: ServerArgs) -> anyhow::Result<Self> {
        let data = server.data.unwrap_or_else(default_data);
        let socket = match (&server.url, &server.key_file) {
            (None, None) => socket(&data),
            _ => None,
        };
        let key = match (&server.key_file, &socket) {
            (Some(file), _) => Some(key::read(file)?),
            (None, Some(_)) => None,
            (None, None) => Some(key::operator(&data)?),
        };
        // On the socket there is nobody in between, and nobody who could pass for the server.
        let base = match &socket {
            Some(_) => "http://localhost".to_owned(),
            None => server.url.unwrap_or_else(|| local_address(&data)),
        };
        let base = base.trim_end_matches('/').to_owned();
        if !base.starts_with("http://") && !base.starts_with("https://") {
            bail!("--url {base}: write an address such as http://127.0.0.1:8080");
        }
        if base.starts_with("http://") && !is_local(&base) && !server.insecure {
            bail!(
                "--url {base}: over plain http everybody in between can read the key; write https://, or --insecure if nobody is in between"
            );
        }
        // The key must not travel through a proxy that happens to be in the environment.
        let mut http = reqwest::Client::builder()
            .user_agent(concat!("rollcall/", env!("CARGO_PKG_VERSION")))
            .no_proxy();
        if let Some(file) = &server.ca_file {
            let cannot = || format!("cannot read a certificate from {}", file.display());
            let pem = std::fs::read(file).with_context(cannot)?;
            let authorities = reqwest::Certificate::from_pem_bundle(&pem).with_context(cannot)?;
            http = authorities.into_iter().fold(http, reqwest::ClientBuilder::add_root_certificate);
        }
        let proven = (server.key_file.is_none() && socket.is_none()).then(OnceCell::new);
        if let Some(socket) = socket {
            http = http.unix_socket(socket);
        }
        let http = http.build()?;
        let has_told = AtomicBool::new(false);
        Ok(Self { http, base, key, proven, json: server.json, has_told })
    }

    /// Sends a request without a body and reads the answer.
    pub async fn ask<T: DeserializeOwned>(&self, line: &RequestLine) -> anyhow::Result<T> {
        Self::read(self.send(line).await?).await
    }

    /// Sends a request with a body of JSON and reads the answer.
    pub async fn tell<T: DeserializeOwned>(
        &self,
        line: &RequestLine,
        body: &impl Serialize,
    ) -> anyhow::Result<T> {
        Self::read(self.send_json(line, body).await?).await
    }

    /// Sends a request that has no body, and whose answer has none; to a script, says that it is
    /// done.
    pub async fn act(&self, line: &RequestLine) -> anyhow::Result<()> {
        self.send(line).await?;
        if self.json { output::json(&json!({ "done": true })) } else { Ok(()) }
    }

    /// As [`Self::act`], with a body of JSON.
    pub async fn act_on(&self, line: &RequestLine, body: &impl Serialize) -> anyhow::Result<()> {
        self.send_json(line, body).await?;
        if self.json { output::json(&json!({ "done": true })) } else { Ok(()) }
    }

    /// Sends a request without a body; an answer that is no success becomes an error with its
    /// detail.
    pub async fn send(&self, line: &RequestLine) -> anyhow::Result<Response> {
        self.checked(self.begin(line)?).await
    }

    /// As [`Self::send`], with a body of JSON.
    pub async fn send_json(
        &self,
        line: &RequestLine,
        body: &impl Serialize,
    ) -> anyhow::Result<Response> {
        self.checked(self.begin(line)?.json(body)).await
    }

    /// Writes an answer of any length to a file or to standard output, as it comes.
    pub async fn download(&self, line: &RequestLine, to: Option<&Path>) -> anyhow::Result<()> {
        if let Some(to) = to {
            check_free(to)?;
            return Part::download(to, self.send(line).await?).await?.finish();
        }
        let for_eyes = std::io::stdout().is_terminal();
        let answer = self.send(line).await?;
        let media_type = answer.headers().get(CONTENT_TYPE).and_then(|v| v.to_str().ok());
        let is_json = media_type.is_some_and(|v| v.contains("json"));
        let mut chunks = answer.bytes_stream();
        // A character may be in two chunks.
        let mut begun = Vec::new();
        while let Some(chunk) = chunks.next().await {
            begun.extend_from_slice(&chunk.context("the answer broke off")?);
            let whole = begun.utf8_chunks().next().map_or(0, |text| text.valid().len());
            let text = String::from_utf8(begun.drain(..whole).collect())?;
            if is_json {
                output::print(&output::control_to_json(&text));
            } else if for_eyes {
                output::print(&output::visible_line(&text.replace('\r', "")));
            } else {
                output::print(&text);
            }
            if output::closed() {
                return Ok(());
            }
        }
        anyhow::ensure!(begun.is_empty(), "the answer is not text");
        Ok(())
    }

    /// Writes the lines of an answer of any length as they come, whole ones only: says how many
    /// those were, and whether the answer broke off. Whoever knows where to go on asks again.
    pub async fn lines(&self, line: &RequestLine, to: &mut dyn Write) -> (u64, anyhow::Result<()>) {
        let mut written = 0;
        let done = async {
            let working = Working::begin("waiting for the server");
            let mut chunks = self.send(line).await?.bytes_stream();
            let mut begun = Vec::new();
            while let Some(chunk) = chunks.next().await {
                begun.extend_from_slice(&chunk.context("the answer broke off")?);
                if let Some(end) = begun.iter().rposition(|byte| *byte == b'\n') {
                    let whole: Vec<u8> = begun.drain(..=end).collect();
                    working
                        .aside(|| to.write_all(&whole))
                        .context("the answer cannot be written")?;
                    written += whole.iter().filter(|byte| **byte == b'\n').count() as u64;
                    working.at(|| format!("{written} lines"));
                }
            }
            if begun.is_empty() { Ok(()) } else { Err(anyhow!("the answer broke off")) }
        };
        let done = done.await;
        (written, done)
    }

    /// Sends a file or a stream, and reads the answer.
    pub async fn upload<T: DeserializeOwned>(
        &self,
        line: &RequestLine,
        body: reqwest::Body,
    ) -> anyhow::Result<T> {
        let _working = Working::begin("sending, and waiting for the server");
        Self::read(self.checked(self.begin(line)?.body(body)).await?).await
    }

    /// Gets an access token, as a client with a secret does (RFC 6749 section 4.4).
    pub async fn access_token(&self, client: Uuid, secret: &str) -> anyhow::Result<String> {
        let request = self
            .http
            .post(format!("{}{TOKEN_PATH}", self.base))
            .basic_auth(client, Some(secret))
            .header("content-type", "application/x-www-form-urlencoded")
            .body("grant_type=client_credentials");
        let response = request.send().await.with_context(|| Unreachable::at(&self.base))?;
        let status = response.status();
        let body: Value = response.json().await.unwrap_or_default();
        let token = body["access_token"].as_str().map(str::to_owned);
        token.with_context(|| {
            let error = body["error"].as_str().unwrap_or("no reason given");
            format!("the token endpoint answered {status}: {error}")
        })
    }

    fn begin(&self, line: &RequestLine) -> anyhow::Result<RequestBuilder> {
        let method = line.method.as_str().parse()?;
        let request = self.http.request(method, format!("{}{}", self.base, line.target));
        Ok(match &self.key {
            Some(key) => request.bearer_auth(key),
            None => request,
        })
    }

    async fn checked(&self, request: RequestBuilder) -> anyhow::Result<Response> {
        if let (Some(proven), Some(key)) = (&self.proven, &self.key) {
            proven.get_or_try_init(|| prove(&self.http, &self.base, key)).await?;
        }
        let working = Working::begin("waiting for the server");
        let response = request.send().await.with_context(|| Unreachable::at(&self.base))?;
        drop(working);
        if response.status().is_success() {
            self.tell_skew(&response);
            return Ok(response);
        }
        let status = response.status();
        let (detail, reason) = match response.json::<Problem>().await {
            Ok(problem) => (problem.detail, problem.reason),
            Err(_) => (format!("the server answered {status}"), None),
        };
        Err(Refused { status: status.as_u16(), detail, reason }.into())
    }

    /// Says once if the server's clocks are apart: moments in its answers may be wrong by as much.
    fn tell_skew(&self, response: &Response) {
        let skew = response.headers().get(CLOCK_SKEW).and_then(|v| v.to_str().ok());
        if let Some(seconds) = skew
            && !self.has_told.swap(true, Ordering::SeqCst)
        {
            output::note(&format!(
                "the server's clocks are {seconds} s apart: moments may be wrong by as much, positions are exact; `rollcall log correct-clock` once the clock is right"
            ));
        }
    }

    /// Reads an answer.
    pub async fn read<T: DeserializeOwned>(response: Response) -> anyhow::Result<T> {
        response
            .json()
            .await
            .context("the server's answer cannot be read: are both of the same version?")
    }
}

fn is_local(base: &str) -> bool {
    let host = reqwest::Url::parse(base)
        .ok()
        .and_then(|url| url.host_str().map(str::to_owned))
        .unwrap_or_default();
    host == "localhost"
        || host
            .trim_matches(['[', ']'])
            .parse::<std::net::IpAddr>()
            .is_ok_and(|ip| ip.is_loopback())
}

/// The socket of the server on this data folder, if one answers there that we may open.
fn socket(data: &Path) -> Option<PathBuf> {
    let path = data.join(SOCKET);
    UnixStream::connect(&path).is_ok().then_some(path)
}

/// What the server on this machine wrote down when it started.
pub fn local_address(data: &Path) -> String {
    let written = std::fs::read_to_string(data.join(ADDRESS)).map(|a| a.trim().to_owned());
    written.ok().filter(|a| !a.is_empty()).unwrap_or_else(|| "http://127.0.0.1:8080".to_owned())
}
