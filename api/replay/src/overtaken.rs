//! Whether a failed request is out of date: an old PATCH, submitted today, must not undo what a
//! newer one has done since.

use super::error::ReplayError;
use rollcall_contract::time;
use rollcall_domain::exchange::Exchange;
use rollcall_domain::failure::{Class, about};
use rollcall_domain::ids::{ExchangeId, OrganizationId, ResourceId};
use rollcall_domain::log::{ExchangeNumber, LogError, RecordedExchange};
use rollcall_door::App;
use rollcall_projections::fold::FoldError;

/// Writes looked at in one step.
const PAGE: usize = 100;

/// Why a failed exchange must not be submitted again without being forced, as a sentence without
/// its end.
pub async fn overtaken(
    app: &App,
    recorded: &RecordedExchange,
) -> Result<Option<String>, ReplayError> {
    let failed = &recorded.exchange;
    let about = about(failed);
    match (about.class, about.subject) {
        (Class::Read, _) => Ok(None),
        (Class::Create, _) => created_since(app, recorded).await,
        (_, Some(subject)) => written_since(app, recorded, subject).await,
        (Class::Other, None) if failed.operation.starts_with("bulk") => {
            Ok(Some("it is a bulk request: whether later requests have overtaken a part of it cannot be told".to_owned()))
        }
        (_, None) => Ok(None),
    }
}

/// What was to be created has been created since; it may have been deleted again.
async fn created_since(
    app: &App,
    recorded: &RecordedExchange,
) -> Result<Option<String>, ReplayError> {
    let failed = &recorded.exchange;
    let views = app.audit.of(failed.organization).await?;
    let cure = views
        .failures
        .cure(failed.organization, failed, recorded.number)
        .await
        .map_err(FoldError::from)?;
    Ok(cure.map(|(by, at)| format!("exchange {by} created it since, at {}", time::text(at))))
}

async fn written_since(
    app: &App,
    recorded: &RecordedExchange,
    subject: ResourceId,
) -> Result<Option<String>, ReplayError> {
    let organization = recorded.exchange.organization;
    let (first, own) = origin(app, organization, recorded.number, &recorded.exchange).await?;
    let mut after = first;
    loop {
        let page = app.exchanges.writes_after(organization, subject, after, PAGE).await?;
        for write in &page {
            let at = time::text(write.received_at);
            let Some(replayed) = write.replays else {
                return Ok(Some(format!(
                    "exchange {} has written to the same resource since, at {at}: this one may undo that",
                    write.id
                )));
            };
            // What was submitted again is as old as what it repeats: of several failed requests,
            // submitted in their order, none overtakes those after it.
            let Some(repeated) = app.engine.log.exchange(organization, replayed).await? else {
                continue;
            };
            let (number, id) =
                origin(app, organization, repeated.number, &repeated.exchange).await?;
            if id == own {
                return Ok(Some(format!(
                    "it was submitted again already, as exchange {}, at {at}",
                    write.id
                )));
            }
            if number > first {
                return Ok(Some(format!(
                    "exchange {} has repeated a later request since, at {at}: this one may undo that",
                    write.id
                )));
            }
        }
        match page.last() {
            Some(last) if page.len() == PAGE => after = last.number,
            _ => return Ok(None),
        }
    }
}

/// The first of those that repeat one another, of which this exchange is one.
pub async fn origin_of(app: &App, recorded: &RecordedExchange) -> Result<ExchangeId, LogError> {
    let exchange = &recorded.exchange;
    let (_, id) = origin(app, exchange.organization, recorded.number, exchange).await?;
    Ok(id)
}

/// The exchange that was the first of those that repeat one another.
async fn origin(
    app: &App,
    organization: OrganizationId,
    number: ExchangeNumber,
    exchange: &Exchange,
) -> Result<(ExchangeNumber, ExchangeId), LogError> {
    let (mut number, mut id, mut replays) = (number, exchange.id, exchange.replays);
    while let Some(earlier) = replays {
        // Only what is there and came earlier: an imported log may name what it does not hold.
        let found =
            app.engine.log.exchange(organization, earlier).await?.filter(|x| x.number < number);
        let Some(found) = found else { break };
        (number, id, replays) = (found.number, found.exchange.id, found.exchange.replays);
    }
    Ok((number, id))
}
