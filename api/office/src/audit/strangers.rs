//! What strangers sent: beside the log, while it lasts.

use super::exchange_summary::summary;
use super::paging::{Listed, Page};
use super::start::start;
use rollcall_contract::exchanges::{ExchangeQuery, ExchangeSummary};
use rollcall_contract::logins::{LoginBody, LoginQuery};
use rollcall_domain::exchange::Exchange;
use rollcall_domain::ids::{ExchangeId, OrganizationId};
use rollcall_domain::log::{RecordedExchange, Start};
use rollcall_domain::sql::SqlError;
use rollcall_door::{App, Refusal};
use rollcall_projections::strangers::{StrangerFilter, StrangerRow};
use serde_json::Value;

/// What brings a message of an identity provider.
const MESSAGES: &str = "saml.acs";

/// Their exchanges of an organization.
///
/// # Errors
/// 400 if something is asked for that is known of the log's exchanges only.
pub async fn list(
    app: &App,
    organization: OrganizationId,
    page: &Page<'_, ExchangeQuery>,
    query: &ExchangeQuery,
) -> Result<Listed<Vec<ExchangeSummary>>, Refusal> {
    let of_the_log = [
        ("run", query.run.is_some()),
        ("subject", query.subject.is_some()),
        ("unknown_shape", query.unknown_shape),
    ];
    if let Some((parameter, _)) = of_the_log.into_iter().find(|(_, asked)| *asked) {
        let told = "what strangers send is about no resource and in no run: leave it out";
        return Err(Refusal::parameter(parameter, told));
    }
    let end = page.end(app.strangers.evidence.newest(organization).await?);
    let filter = StrangerFilter {
        operation: query.operation.clone(),
        failed: query.failed,
        from: start(query.after, query.before, page.place(), end)?,
    };
    let mut rows = app.strangers.evidence.list(organization, &filter, page.fetch()).await?;
    rows.retain(|row| row.number <= end);
    let next = page.cut(&mut rows, |row| row.number);
    let shown: Result<Vec<_>, SqlError> =
        rows.iter().map(|row| Ok(summary(recorded(row)?.into()))).collect();
    Ok(page.listed(shown?, next, end))
}

/// One of their exchanges, while it lasts.
///
/// # Errors
/// If the store is away.
pub async fn exchange(
    app: &App,
    organization: OrganizationId,
    id: ExchangeId,
) -> Result<Option<RecordedExchange>, Refusal> {
    let found = app.strangers.evidence.get(organization, id).await?;
    Ok(found.as_ref().map(recorded).transpose()?)
}

/// Messages that could not be trusted, newest first.
///
/// # Errors
/// If the store is away.
pub async fn messages(
    app: &App,
    organization: OrganizationId,
    page: &Page<'_, LoginQuery>,
    query: &LoginQuery,
) -> Result<Listed<Vec<LoginBody>>, Refusal> {
    if query.accepted.is_some() || query.user.is_some() || query.drifted {
        let told = "a message that could not be trusted is of nobody: ask for untrusted alone";
        return Err(Refusal::parameter("untrusted", told));
    }
    let from = page.place().or(query.before).map_or(Start::Latest, Start::Before);
    let filter = StrangerFilter { operation: Some(MESSAGES.to_owned()), failed: true, from };
    let mut rows = app.strangers.evidence.list(organization, &filter, page.fetch()).await?;
    let next = page.cut(&mut rows, |row| row.number);
    let shown: Result<Vec<_>, SqlError> =
        rows.iter().map(|row| Ok(message(row.number, &row.exchange()?))).collect();
    Ok(page.listed(shown?, next, 0))
}

/// One of these messages, while it lasts.
///
/// # Errors
/// If the store is away.
pub async fn message_of(
    app: &App,
    organization: OrganizationId,
    id: ExchangeId,
) -> Result<Option<LoginBody>, Refusal> {
    let found = app.strangers.evidence.get(organization, id).await?;
    let Some(row) = found.filter(|row| row.operation == MESSAGES && row.failed) else {
        return Ok(None);
    };
    Ok(Some(message(row.number, &row.exchange()?)))
}

fn recorded(row: &StrangerRow) -> Result<RecordedExchange, SqlError> {
    Ok(RecordedExchange {
        number: row.number,
        positions: None,
        after: 0,
        exchange: row.exchange()?,
    })
}

fn message(number: u64, exchange: &Exchange) -> LoginBody {
    let kept: Value = serde_json::from_slice(&exchange.request_body).unwrap_or_default();
    LoginBody {
        position: number,
        exchange: Some(exchange.id.0),
        at: exchange.received_at,
        outcome: "refused".to_owned(),
        reason: exchange.facts.untrusted.clone(),
        detail: exchange.answer.detail.clone(),
        user_id: None,
        name_id: None,
        object_id: None,
        matched_by: None,
        initiated_by: None,
        issuer: None,
        assertion: None,
        request: None,
        certificate: None,
        signed: None,
        encrypted: false,
        authn_instant: None,
        source: exchange.source.clone(),
        session_id: None,
        message_sha256: kept["SAMLResponse"]["sha256"].as_str().unwrap_or_default().to_owned(),
        drift: Vec::new(),
    }
}
