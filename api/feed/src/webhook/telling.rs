//! Posts one event, in the form that is for its consumer.

use super::envelope;
use super::letters::{letter, source, token_letter};
use super::outcome::Outcome;
use super::post::{NotPosted, Posted};
use super::postman::{DeliveryError, Postman};
use crate::security;
use rollcall_contract::route;
use rollcall_domain::consumer::Way;
use rollcall_domain::log::Position;
use rollcall_domain::outbound::{PublicEvent, security_events};
use rollcall_projections::consumers::ConsumerRow;

impl Postman {
    /// Posts an event. Where it is several tokens, the first that is not taken is the answer; those
    /// before it come again with it. `again` says that it may have been told before.
    pub(super) async fn tell(
        &self,
        row: &ConsumerRow,
        previous: Position,
        event: &PublicEvent,
        again: bool,
    ) -> Result<Outcome, DeliveryError> {
        let answer = match &row.way {
            Way::SetPush { url, audience, .. } => self.tokens(row, event, url, audience).await?,
            Way::Webhook { .. } | Way::Pull | Way::SetPoll { .. } => {
                let base = self.app.public_url.trim_end_matches('/');
                let schemas = format!("{base}{}", route::EVENT_SCHEMAS);
                let source = source(&self.app, row.organization)?;
                let epoch = self.app.engine.log.epoch().await?;
                let body = envelope::body((&source, epoch), &schemas, previous, event, again)?;
                self.send(row, &event.id.to_string(), body).await?
            }
        };
        Ok(self.counted(row, answer))
    }

    /// What an answer is, which is counted.
    pub(super) fn counted(&self, row: &ConsumerRow, answer: Result<Posted, NotPosted>) -> Outcome {
        let outcome = Outcome::of(answer, self.now());
        let organization = row.organization.to_string();
        metrics::counter!("rollcall_deliveries_total", "organization" => organization, "outcome" => outcome.counted())
            .increment(1);
        outcome
    }

    async fn tokens(
        &self,
        row: &ConsumerRow,
        event: &PublicEvent,
        url: &str,
        audience: &str,
    ) -> Result<Result<Posted, NotPosted>, DeliveryError> {
        let key = security::signer(&self.app, row, self.now()).await?;
        let issuer = security::issuer(&self.app, row.organization, row.id)?;
        let mut answer = Err(NotPosted::Address);
        for token in security_events(event, row.payload, &issuer, audience) {
            answer = self.post.post(token_letter(url, security::sign(&key, &token)?)).await;
            if !matches!(answer, Ok(Posted { status: 200..=299, .. })) {
                break;
            }
        }
        Ok(answer)
    }

    /// Posts a signed body to a webhook.
    ///
    /// # Errors
    /// If its secrets cannot be read; that nobody answered is an answer.
    pub(super) async fn send(
        &self,
        row: &ConsumerRow,
        id: &str,
        body: Vec<u8>,
    ) -> Result<Result<Posted, NotPosted>, DeliveryError> {
        let Way::Webhook { url, .. } = &row.way else { return Ok(Err(NotPosted::Address)) };
        let now = self.now();
        let rows = self.app.consumers.secrets(row.organization, row.id).await?;
        let mut secrets = Vec::new();
        // The current one and the one before: what is older is a secret no more.
        let two = rows.iter().take(2);
        for secret in two.filter(|s| s.until.is_none_or(|until| now < until)) {
            let about = super::about(row.id, secret.number);
            secrets.push(self.app.deployment_key.open(&secret.sealed, &about)?);
        }
        Ok(self.post.post(letter(url, &secrets, id, now, body)).await)
    }
}
