//! A browser: follows no redirect by itself, keeps cookies, posts forms.

use anyhow::{Context as _, Result};
use rollcall_tests::http::{Address, Answer, Http, Request};
use std::collections::BTreeMap;
use url::form_urlencoded;

/// One browser with its cookies.
#[derive(Clone, Debug)]
pub struct Browser {
    http: Http,
    address: Address,
    cookies: BTreeMap<String, String>,
}

impl Browser {
    /// A browser without cookies.
    pub fn new(address: Address) -> Self {
        Self { http: Http::new(address.clone()), address, cookies: BTreeMap::new() }
    }

    /// GET; cookies that come are kept.
    pub async fn get(&mut self, target: &str) -> Result<Answer> {
        self.send(Request::new("GET", target)).await
    }

    /// POST of a form; cookies that come are kept.
    pub async fn post(&mut self, target: &str, fields: &[(&str, &str)]) -> Result<Answer> {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.send(
            Request::new("POST", target)
                .header("Content-Type", "application/x-www-form-urlencoded")
                .body(body),
        )
        .await
    }

    /// Begins a sign-in; gives the address at the identity provider.
    pub async fn begin(&mut self, target: &str) -> Result<String> {
        let answer = self.get(target).await?.expect(303)?;
        Ok(answer.header("location").context("no Location")?.to_owned())
    }

    /// Posts a response to `/saml/acme/acs`.
    pub async fn answer(&mut self, response: &str) -> Result<Answer> {
        self.post("/saml/acme/acs", &[("SAMLResponse", response)]).await
    }

    /// Who the server says this browser is.
    pub async fn session(&mut self) -> Result<Answer> {
        self.get("/api/v1/session").await
    }

    /// The session's token, if there is one.
    pub fn token(&self) -> Option<&str> {
        self.cookies.get("__Host-rollcall-session").map(String::as_str)
    }

    /// How many cookies it has.
    pub fn cookies(&self) -> usize {
        self.cookies.len()
    }

    /// All of them, as one header.
    pub fn cookie_line(&self) -> String {
        let all = self.cookies.iter().map(|(name, value)| format!("{name}={value}"));
        all.collect::<Vec<_>>().join("; ")
    }

    /// The server that it asks.
    pub fn address(&self) -> Address {
        self.address.clone()
    }

    /// The same browser at another server.
    pub fn at(&self, address: Address) -> Self {
        Self { http: Http::new(address.clone()), address, cookies: self.cookies.clone() }
    }

    async fn send(&mut self, mut request: Request) -> Result<Answer> {
        if !self.cookies.is_empty() {
            request = request.header("Cookie", self.cookie_line());
        }
        let answer = self.http.send(request).await?;
        for line in answer.headers.get_all("set-cookie") {
            let line = line.to_str()?;
            let (pair, attributes) = line.split_once(';').unwrap_or((line, ""));
            let (name, value) = pair.split_once('=').context("a cookie without a name")?;
            if attributes.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        Ok(answer)
    }
}

/// The code on a page that refuses.
pub fn code(answer: &Answer) -> Result<String> {
    let text = answer.text();
    let rest = text
        .split("<code id=\"code\">")
        .nth(1)
        .with_context(|| format!("no code on the page: {text}"))?;
    Ok(rest.split('<').next().unwrap_or_default().to_owned())
}
