//! Apply: recorded requests are submitted again to the live organization, by the operator's hand.

use super::error::ReplayError;
use super::line;
use super::objection::{Objection, objection, refusal};
use super::run::Lines;
use super::selection::Selection;
use rollcall_contract::replay::{ExchangeLine, ReplayLine, ReplayResult, ReplaySummary};
use rollcall_domain::actor::Actor;
use rollcall_domain::exchange::Exchange;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::{Bodies, Head, RecordedExchange};
use rollcall_door::App;
use rollcall_door::SCIM_PREFIX;
use rollcall_scim::{MEDIA_TYPE, Rerun, rerun};
use std::sync::Arc;
use tokio::sync::mpsc;

/// How exchanges are submitted again.
pub struct Submission {
    /// In whose name.
    pub caller: Actor,
    /// Whether in spite of what speaks against it.
    pub forced: bool,
}

/// Submits exchanges again, in the order in which they came then.
pub async fn apply(
    app: Arc<App>,
    organization: OrganizationId,
    selection: Selection,
    submission: Submission,
) -> Result<Lines, ReplayError> {
    let head = app.engine.log.head(organization).await?;
    let (lines, receiver) = mpsc::channel(64);
    tokio::spawn(async move {
        let started = app.engine.clock.now();
        let mut summary = ReplaySummary::default();
        let done =
            all(&app, organization, &selection, head, &submission, &mut summary, &lines).await;
        let last = match done {
            Ok(()) => {
                let seconds = (app.engine.clock.now() - started).as_seconds_f64();
                let end = app.engine.log.head(organization).await;
                ReplayLine::Summary(ReplaySummary {
                    forked_at: Some(head.position),
                    ended_at: end.map_or(head.position, |end| end.position),
                    seconds,
                    ..summary
                })
            }
            Err(error) => ReplayLine::Broken { detail: error.to_string() },
        };
        let _ = lines.send(last).await;
    });
    Ok(receiver)
}

async fn all(
    app: &Arc<App>,
    organization: OrganizationId,
    selection: &Selection,
    head: Head,
    submission: &Submission,
    summary: &mut ReplaySummary,
    lines: &mpsc::Sender<ReplayLine>,
) -> Result<(), ReplayError> {
    let log = app.engine.log.clone();
    let Some((first, last)) = selection.bounds(&*log, organization, head).await? else {
        return Ok(());
    };
    let mut number = first - 1;
    while number < last {
        let page = log.exchanges(organization, number, 100, Bodies::Read).await?;
        let Some(end) = page.last() else { break };
        number = end.number;
        for recorded in page.iter().filter(|x| x.number <= last && selection.takes(x)) {
            let line = one(app, recorded, submission).await?;
            summary.count(line.result);
            // Whoever asked is gone: what was not told is not done either.
            lines.send(ReplayLine::Exchange(line)).await.map_err(|_| ReplayError::Unheard)?;
        }
    }
    Ok(())
}

/// Submits one exchange again as a new one that names it. One that succeeded, or that later
/// requests have overtaken, is refused unless the submission is forced.
async fn one(
    app: &Arc<App>,
    recorded: &RecordedExchange,
    submission: &Submission,
) -> Result<ExchangeLine, ReplayError> {
    let old = &recorded.exchange;
    let insisted = match objection(app, recorded).await? {
        None => None,
        Some(Objection::Unless(why)) if submission.forced => Some(why),
        Some(objection) => {
            let why = refusal(&objection);
            return Ok(line::of(recorded, ReplayResult::Refused).because(why));
        }
    };
    let (mut target, mut headers) = (old.target.clone(), old.headers.clone());
    if old.parent.is_some() {
        // An operation of a bulk request stands for itself now.
        target = format!("{SCIM_PREFIX}{target}");
        headers.push(("content-type".to_owned(), MEDIA_TYPE.to_owned()));
    }
    let new = Exchange {
        id: app.engine.ids.exchange(),
        parent: None,
        target,
        headers,
        replays: Some(old.id),
        received_at: app.engine.clock.now(),
        caller: submission.caller.clone(),
        source: None,
        ..old.clone()
    };
    let closed = rerun(app, Rerun { exchange: &new, settled: None }).await;
    let kept = app.engine.log.exchange(closed.organization, closed.id).await?;
    let events = match kept.and_then(|x| x.positions) {
        Some((first, last)) => {
            let limit = usize::try_from(last - first + 1).unwrap_or(usize::MAX);
            app.engine
                .log
                .records(closed.organization, first - 1, limit)
                .await?
                .iter()
                .map(line::event)
                .collect()
        }
        None => Vec::new(),
    };
    let result =
        if closed.answer.status < 400 { ReplayResult::Succeeds } else { ReplayResult::Fails };
    let (now, submitted_as) = (Some(line::answer(&closed)), Some(closed.id.0));
    let line = ExchangeLine { now, events, submitted_as, ..line::of(recorded, result) };
    Ok(ExchangeLine { reason: insisted, ..line })
}
