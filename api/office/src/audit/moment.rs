//! A moment in an organization's log: an instant, a position or the end of a run.

use super::there;
use chrono::{DateTime, Utc};
use rollcall_contract::moment::{Moment, Written};
use rollcall_contract::time;
use rollcall_domain::ids::{OrganizationId, RunId};
use rollcall_domain::log::{Bodies, Position};
use rollcall_door::App;
use rollcall_door::Refusal;
use rollcall_door::audit::Reads;

/// Finds a moment, none is now; and the views that know it. `parameter` is where it was written.
///
/// # Errors
/// 400 if it is none, or has not come yet: nobody knows what will be.
pub async fn moment(
    app: &App,
    organization: OrganizationId,
    parameter: &str,
    text: Option<&str>,
) -> Result<(Moment, Reads), Refusal> {
    let written = text.map(|text| read(parameter, text)).transpose()?;
    let head = app.engine.log.head(organization).await?.position;
    let views = app.audit.of(organization).await?;
    let mut asked_at = None;
    let position = match written {
        None => head,
        Some(Written::Position(position)) => {
            there::within(parameter, "position", position, head)?;
            position
        }
        Some(Written::Run(run)) => end_of(app, &views, organization, RunId(run)).await?,
        Some(written @ (Written::Instant(_) | Written::Ago(_))) => {
            let at = instant(parameter, written, app.engine.right_now())?;
            asked_at = Some(at);
            views.history.position_at(organization, at).await?
        }
    };
    let recorded_at = views.history.recorded_at(organization, position).await?;
    Ok((Moment { position, recorded_at, asked_at, clock_skew_ms: skew(app) }, views))
}

/// How far clocks are apart, if that is more than it may be.
fn skew(app: &App) -> Option<i64> {
    let skew = app.engine.skew();
    skew.is_alarming().then(|| skew.most().num_milliseconds())
}

/// The page before said which moment all pages are about.
///
/// # Errors
/// If the views cannot be read.
pub async fn again(
    app: &App,
    organization: OrganizationId,
    position: Position,
) -> Result<(Moment, Reads), Refusal> {
    let views = app.audit.of(organization).await?;
    let recorded_at = views.history.recorded_at(organization, position).await?;
    Ok((Moment { position, recorded_at, asked_at: None, clock_skew_ms: skew(app) }, views))
}

/// Reads what a parameter says.
///
/// # Errors
/// 400 if it is no moment.
pub fn read(parameter: &str, text: &str) -> Result<Written, Refusal> {
    text.parse().map_err(|e: rollcall_contract::moment::NoMoment| {
        Refusal::parameter(parameter, e.to_string())
    })
}

/// The instant that was written.
///
/// # Errors
/// 400 if it has not come yet, or cannot be reckoned.
pub fn instant(
    parameter: &str,
    written: Written,
    now: DateTime<Utc>,
) -> Result<DateTime<Utc>, Refusal> {
    let at = written.instant(now);
    let at =
        at.ok_or_else(|| Refusal::parameter(parameter, "this is longer ago than time goes"))?;
    if at > now {
        let (at, now) = (time::text(at), time::text(now));
        return Err(Refusal::parameter(
            parameter,
            format!("{at} is in the future: here it is {now}, and nobody knows what will be"),
        ));
    }
    Ok(at)
}

/// The position at the end of a run, as far as it got.
pub async fn end_of(
    app: &App,
    views: &Reads,
    organization: OrganizationId,
    run: RunId,
) -> Result<Position, Refusal> {
    let found = views.runs.get(organization, run).await?;
    let found = found.ok_or_else(|| Refusal::not_found(format!("there is no run {run}")))?;
    let last =
        app.engine.log.exchanges(organization, found.last.saturating_sub(1), 1, Bodies::Skip).await;
    let last = last?.pop();
    let last =
        last.ok_or_else(|| Refusal::not_found(format!("the last exchange of run {run} is gone")))?;
    Ok(last.positions.map_or(last.after, |(_, last)| last))
}

/// The position right before the first exchange of a run.
pub async fn begin_of(
    app: &App,
    views: &Reads,
    organization: OrganizationId,
    run: RunId,
) -> Result<Position, Refusal> {
    let found = views.runs.get(organization, run).await?;
    let found = found.ok_or_else(|| Refusal::not_found(format!("there is no run {run}")))?;
    let before = found.first.saturating_sub(1);
    let first = app.engine.log.exchanges(organization, before, 1, Bodies::Skip).await?.pop();
    let first = first
        .ok_or_else(|| Refusal::not_found(format!("the first exchange of run {run} is gone")))?;
    Ok(first.positions.map_or(first.after, |(first, _)| first - 1))
}
