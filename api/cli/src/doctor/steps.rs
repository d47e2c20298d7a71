//! What Entra does, in its order: where to get a token, the token, and both probes of Test
//! Connection.

use super::report::{Outcome, Report};
use anyhow::Context as _;
use reqwest::header::{CACHE_CONTROL, HeaderMap, WWW_AUTHENTICATE};
use reqwest::redirect::Policy;
use reqwest::{RequestBuilder, Url};
use rollcall_contract::credentials::CredentialAdded;
use serde_json::Value;
use std::time::Duration;
use uuid::Uuid;

/// Entra waits longer; a person does not.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long a token must be good for Entra, in seconds.
const LIFE: std::ops::RangeInclusive<u64> = 3_600..=21_600;

struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Value,
}

impl Answer {
    fn header(&self, name: reqwest::header::HeaderName) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    fn text(&self, name: &str) -> &str {
        self.body[name].as_str().unwrap_or_default()
    }
}

fn outside() -> anyhow::Result<reqwest::Client> {
    // Entra follows no redirects, and neither does this.
    Ok(reqwest::Client::builder().redirect(Policy::none()).timeout(PATIENCE).build()?)
}

/// An answer, or why there is none.
async fn sent(request: RequestBuilder) -> Result<Answer, String> {
    let response = request.send().await.map_err(|error| {
        let mut cause: &dyn std::error::Error = &error;
        while let Some(inner) = cause.source() {
            cause = inner;
        }
        format!("no answer: {cause}")
    })?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let body = response.json().await.unwrap_or_default();
    Ok(Answer { status, headers, body })
}

/// Everything that needs a live credential; gives the access token, if there was one.
pub async fn with_credential(
    added: &CredentialAdded,
    report: &mut Report,
) -> anyhow::Result<Option<String>> {
    let http = outside()?;
    let tenant = Url::parse(&added.tenant_url).context("the public URL is none")?;
    let address = format!("the tenant URL is {tenant}");
    match tenant.scheme() {
        "https" => report.note("address", Outcome::Good, address),
        _ => report.note(
            "address",
            Outcome::Note,
            format!("{address}: Entra calls https addresses only; see --public-url"),
        ),
    }
    if !challenge(&http, added, report).await? {
        return Ok(None);
    }
    resource_metadata(&http, added, &tenant, report).await?;
    server_metadata(&http, added, &tenant, report).await?;
    let token = tokens(&http, added, report).await?;
    if let Some(token) = &token {
        probes(&http, added, token, report).await?;
    }
    Ok(token)
}

/// A request without a token: whether anybody is there, and says where tokens are.
async fn challenge(
    http: &reqwest::Client,
    added: &CredentialAdded,
    report: &mut Report,
) -> anyhow::Result<bool> {
    const STEP: &str = "a request without a token";
    match sent(http.get(format!("{}/Users", added.tenant_url))).await {
        Ok(answer) => {
            let said = answer.header(WWW_AUTHENTICATE).to_owned();
            report.check(
                STEP,
                answer.status == 401 && said.contains("resource_metadata="),
                format!("{} {said}", answer.status),
                "401 with resource_metadata was expected; does something in between answer?",
            );
            Ok(true)
        }
        Err(why) => {
            report.note(STEP, Outcome::Failed, format!("{why}; is this address public?"));
            Ok(false)
        }
    }
}

async fn resource_metadata(
    http: &reqwest::Client,
    added: &CredentialAdded,
    tenant: &Url,
    report: &mut Report,
) -> anyhow::Result<()> {
    let at = well_known(tenant, "oauth-protected-resource", tenant.path())?;
    let step = "metadata of the resource (RFC 9728)";
    match sent(http.get(at.clone())).await {
        Ok(answer) => report.check(
            step,
            answer.status == 200 && answer.text("resource") == added.tenant_url,
            format!("{} from {at}", answer.status),
            "it must name the tenant URL as its resource",
        ),
        Err(why) => report.note(step, Outcome::Failed, why),
    }
    Ok(())
}

async fn server_metadata(
    http: &reqwest::Client,
    added: &CredentialAdded,
    tenant: &Url,
    report: &mut Report,
) -> anyhow::Result<()> {
    let at = well_known(tenant, "oauth-authorization-server", "")?;
    let step = "metadata of the token endpoint (RFC 8414)";
    match sent(http.get(at.clone())).await {
        Ok(answer) => report.check(
            step,
            answer.status == 200 && answer.text("token_endpoint") == added.token_url,
            format!("{} from {at}", answer.status),
            "it must name the token endpoint",
        ),
        Err(why) => report.note(step, Outcome::Failed, why),
    }
    Ok(())
}

fn well_known(tenant: &Url, name: &str, path: &str) -> anyhow::Result<Url> {
    Ok(tenant.join(&format!("/.well-known/{name}{}", path.trim_end_matches('/')))?)
}

/// A token by the header, as Entra asks; by the body, as others do; and none for a wrong secret.
async fn tokens(
    http: &reqwest::Client,
    added: &CredentialAdded,
    report: &mut Report,
) -> anyhow::Result<Option<String>> {
    let secret = added.client_secret.clone().context("the server gave no secret")?;
    let ask = |body: String| {
        http.post(&added.token_url)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body)
    };
    let grant = "grant_type=client_credentials".to_owned();
    let id = added.client_id;
    let by_header = sent(ask(grant.clone()).basic_auth(id, Some(&secret))).await;
    let token = token(report, "a token, with the secret in the header", by_header);
    let body = format!("{grant}&client_id={id}&client_secret={secret}");
    self::token(report, "a token, with the secret in the body", sent(ask(body)).await);
    let step = "no token for a wrong secret";
    match sent(ask(grant).basic_auth(id, Some("wrong"))).await {
        Ok(answer) => report.check(
            step,
            answer.status == 401 && answer.text("error") == "invalid_client",
            format!("{} {}", answer.status, answer.text("error")),
            "401 invalid_client was expected",
        ),
        Err(why) => report.note(step, Outcome::Failed, why),
    }
    Ok(token)
}

fn token(
    report: &mut Report,
    step: &'static str,
    answer: Result<Answer, String>,
) -> Option<String> {
    let answer = match answer {
        Ok(answer) => answer,
        Err(why) => {
            report.note(step, Outcome::Failed, why);
            return None;
        }
    };
    let life = answer.body["expires_in"].as_u64().unwrap_or_default();
    let token = answer.body["access_token"].as_str().map(str::to_owned);
    let good = answer.status == 200
        && token.is_some()
        && answer.text("token_type").eq_ignore_ascii_case("bearer")
        && LIFE.contains(&life)
        && answer.header(CACHE_CONTROL).contains("no-store");
    let seen = match answer.text("error") {
        "" => format!("{}, good for {life} s", answer.status),
        error => format!("{} {error} {}", answer.status, answer.text("error_description")),
    };
    report.check(step, good, seen, "a bearer token for 3600 to 21600 s was expected");
    token
}

/// Test Connection reads users and groups by a filter that nothing matches, and needs an empty list
/// of both.
async fn probes(
    http: &reqwest::Client,
    added: &CredentialAdded,
    token: &str,
    report: &mut Report,
) -> anyhow::Result<()> {
    let nobody = Uuid::from_u128(u128::from_be_bytes(*added.client_id.as_bytes()).rotate_left(64));
    for (step, target) in [
        ("the probe of users", format!("/Users?filter=userName+eq+%22{nobody}%22")),
        (
            "the probe of groups",
            format!("/Groups?excludedAttributes=members&filter=displayName+eq+%22{nobody}%22"),
        ),
    ] {
        match sent(http.get(format!("{}{target}", added.tenant_url)).bearer_auth(token)).await {
            Ok(answer) => {
                let total = answer.body["totalResults"].as_u64();
                let seen = match answer.text("detail") {
                    "" => format!("{}, {} found", answer.status, total.unwrap_or_default()),
                    detail => format!("{} {detail}", answer.status),
                };
                let good = answer.status == 200 && total == Some(0);
                report.check(step, good, seen, "200 with an empty list was expected");
            }
            Err(why) => report.note(step, Outcome::Failed, why),
        }
    }
    let step = "schemas";
    match sent(http.get(format!("{}/Schemas", added.tenant_url)).bearer_auth(token)).await {
        Ok(answer) => report.check(
            step,
            answer.status == 200 && answer.body["totalResults"].as_u64() > Some(0),
            format!("{}", answer.status),
            "Entra's gallery asks for schema discovery",
        ),
        Err(why) => report.note(step, Outcome::Failed, why),
    }
    Ok(())
}

/// The token of a credential that was revoked lets nobody in.
pub async fn after_revocation(
    added: &CredentialAdded,
    token: &str,
    report: &mut Report,
) -> anyhow::Result<()> {
    let step = "a token of a revoked credential";
    let request = outside()?.get(format!("{}/Users?count=0", added.tenant_url)).bearer_auth(token);
    match sent(request).await {
        Ok(answer) => report.check(
            step,
            answer.status == 401,
            format!("{}", answer.status),
            "401 was expected from the next request on",
        ),
        Err(why) => report.note(step, Outcome::Failed, why),
    }
    Ok(())
}
