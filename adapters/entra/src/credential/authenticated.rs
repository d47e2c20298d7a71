//! A transport that sends access tokens, and gets them where they are given.

use super::signer::Signer;
use crate::transport::{Answer, Request, TokenRequest, Transport, TransportError};
use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Duration, Utc};
use serde_json::Value;
use std::sync::Arc;
use tokio::sync::Mutex;

/// So long before its end a token is not used any more.
const REFRESH_BEFORE: Duration = Duration::minutes(5);
const JWT_BEARER: &str = "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";

/// What a token is got for.
#[derive(Clone)]
pub enum Grant {
    /// A secret, in the header: Entra's `credentialLocationInRequest`.
    Secret {
        /// Client Identifier.
        client: String,
        /// Client Secret.
        secret: String,
    },
    /// An assertion of the tenant.
    Federated {
        /// Client Identifier.
        client: String,
        /// Who signs.
        signer: Arc<Signer>,
    },
}

struct Token {
    text: Arc<str>,
    ends: DateTime<Utc>,
}

/// Sends what it is given with an access token of its own: got when there is none, five minutes
/// before its end, and once more when it is refused.
pub struct Authenticated {
    inner: Arc<dyn Transport>,
    grant: Grant,
    token: Mutex<Option<Token>>,
}

impl Authenticated {
    /// Without a token so far.
    pub fn new(inner: Arc<dyn Transport>, grant: Grant) -> Self {
        Self { inner, grant, token: Mutex::new(None) }
    }

    /// With a token that somebody got before, as a job has that is made by Graph.
    pub fn seeded(
        inner: Arc<dyn Transport>,
        grant: Grant,
        token: &str,
        made: DateTime<Utc>,
    ) -> Self {
        let token = Token { text: token.into(), ends: made + Duration::hours(1) };
        Self { token: Mutex::new(Some(token)), ..Self::new(inner, grant) }
    }

    /// A token that is good; else what the token endpoint said.
    async fn token(
        &self,
        at: DateTime<Utc>,
        refused: Option<&Arc<str>>,
    ) -> Result<Result<Arc<str>, Answer>, TransportError> {
        let mut kept = self.token.lock().await;
        // Another request may have got a new one meanwhile.
        let good = |token: &&Token| {
            at < token.ends - REFRESH_BEFORE && refused.is_none_or(|refused| *refused != token.text)
        };
        if let Some(token) = kept.as_ref().filter(good) {
            return Ok(Ok(token.text.clone()));
        }
        let answer = self.inner.token(&self.request(at)).await?;
        let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let (Some(text), Some(life)) = (body["access_token"].as_str(), body["expires_in"].as_i64())
        else {
            return Ok(Err(answer));
        };
        let token = Token { text: text.into(), ends: at + Duration::seconds(life) };
        let text = token.text.clone();
        *kept = Some(token);
        Ok(Ok(text))
    }

    fn request(&self, at: DateTime<Utc>) -> TokenRequest {
        const GRANT: &str = "grant_type=client_credentials";
        match &self.grant {
            Grant::Secret { client, secret } => {
                let basic = STANDARD.encode(format!("{client}:{secret}"));
                let authorization = Some(format!("Basic {basic}"));
                TokenRequest { authorization, body: GRANT.to_owned(), at }
            }
            Grant::Federated { client, signer } => {
                let assertion = signer.assertion(at);
                let body = format!(
                    "{GRANT}&client_id={client}&client_assertion_type={JWT_BEARER}&client_assertion={assertion}"
                );
                TokenRequest { authorization: None, body, at }
            }
        }
    }
}

#[async_trait]
impl Transport for Authenticated {
    async fn send(&self, request: &Request) -> Result<Answer, TransportError> {
        let token = match self.token(request.at, None).await? {
            Ok(token) => token,
            // To the job it is as if the application had said so.
            Err(answer) => return Ok(answer),
        };
        let with = |bearer: Arc<str>| Request { bearer, ..request.clone() };
        let answer = self.inner.send(&with(token.clone())).await?;
        if answer.status != 401 {
            return Ok(answer);
        }
        match self.token(request.at, Some(&token)).await? {
            Ok(token) => self.inner.send(&with(token)).await,
            Err(answer) => Ok(answer),
        }
    }

    async fn token(&self, request: &TokenRequest) -> Result<Answer, TransportError> {
        self.inner.token(request).await
    }
}
