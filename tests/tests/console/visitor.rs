//! A server whose public URL a browser reaches, and a visitor over plain HTTP with a cookie.

use anyhow::{Context as _, Result};
use rollcall_tests::http::{Address, Answer, Http, Request};
use rollcall_tests::server::{Server, Store};
use rollcall_tests::world::{Organization, organization};

/// A server on an address that is known before it starts.
pub struct Site {
    /// The server.
    pub server: Server,
    /// Its public URL.
    pub url: String,
}

/// A port that nobody has.
pub fn free_port() -> Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

impl Site {
    /// Starts it.
    pub async fn start(store: Store) -> Result<Self> {
        let url = format!("http://127.0.0.1:{}", free_port()?);
        let listen = url.trim_start_matches("http://").to_owned();
        let flags = [
            "--rate-limit",
            "0",
            "--allow-private-metadata",
            "--listen",
            &listen,
            "--public-url",
            &url,
        ];
        let server = Server::start_with(store, &std::env::temp_dir(), &flags).await?;
        Ok(Self { server, url })
    }

    /// With the organization `acme`.
    pub async fn with_acme() -> Result<(Self, Organization)> {
        let site = Self::start(Store::Sqlite).await?;
        let acme = organization(&site.server, "Acme", "acme").await?;
        Ok((site, acme))
    }

    /// A link, as the command line makes it.
    pub async fn link(&self, command: &[&str]) -> Result<String> {
        let made = self.server.cli(command).await?;
        made["url"].as_str().map(str::to_owned).with_context(|| format!("no url in {made}"))
    }

    /// Somebody over plain HTTP.
    pub fn visitor(&self) -> Visitor {
        Visitor::new(Http::new(self.server.address()))
    }

    /// Somebody who came in by a link.
    pub async fn by_link(&self, command: &[&str]) -> Result<Visitor> {
        let link = self.link(command).await?;
        let mut visitor = self.visitor();
        visitor.redeem(&link).await?.expect(303)?;
        Ok(visitor)
    }
}

/// Somebody with a cookie, perhaps.
#[derive(Clone)]
pub struct Visitor {
    http: Http,
    /// What the cookie holds.
    pub cookie: Option<String>,
}

/// As browsers say it of a form on a page of the same site.
pub const OURS: (&str, &str) = ("Sec-Fetch-Site", "same-origin");

impl Visitor {
    /// Somebody without a cookie.
    pub fn new(http: Http) -> Self {
        Self { http, cookie: None }
    }

    /// The same visitor at another server.
    pub fn at(&self, address: Address) -> Self {
        Self { http: Http::new(address), cookie: self.cookie.clone() }
    }

    /// Sends a request as it is, with the cookie.
    pub async fn send(&mut self, mut request: Request) -> Result<Answer> {
        if let Some(cookie) = &self.cookie {
            request = request.header("Cookie", format!("__Host-rollcall-console={cookie}"));
        }
        let answer = self.http.fresh().send(request).await?;
        let set = answer.header("set-cookie").and_then(|set| set.split(';').next());
        if let Some((_, value)) = set.and_then(|pair| pair.split_once('=')) {
            self.cookie = (!value.is_empty()).then(|| value.to_owned());
        }
        Ok(answer)
    }

    /// Opens a page.
    pub async fn get(&mut self, target: &str) -> Result<Answer> {
        self.send(Request::new("GET", target)).await
    }

    /// Sends a form from a page of the same site.
    pub async fn post(&mut self, target: &str, fields: &[(&str, &str)]) -> Result<Answer> {
        self.send(form(target, fields).header(OURS.0, OURS.1)).await
    }

    /// Presses Begin on the page of a link.
    pub async fn redeem(&mut self, link: &str) -> Result<Answer> {
        let (before, secret) = link.split_once('#').context("a fragment")?;
        let target =
            before.rsplit_once('/').map(|(_, path)| format!("/{path}")).context("a path")?;
        self.post(&target, &[("code", secret)]).await
    }

    /// The token that forms of a page hold.
    pub async fn token(&mut self, page: &str) -> Result<String> {
        let html = self.get(page).await?.expect(200)?.text();
        let at = html.find("name=\"token\" value=\"").context("a token")? + 20;
        Ok(html[at..].split('"').next().unwrap_or_default().to_owned())
    }
}

/// A form, without what a browser says of where it comes from.
pub fn form(target: &str, fields: &[(&str, &str)]) -> Request {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    Request::new("POST", target)
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body(body)
}
