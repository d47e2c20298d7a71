//! A moment in an organization's log: an instant, a position or the end of a run.

use chrono::{DateTime, Utc};
use rollcall_contract::moment::Moment;
use rollcall_domain::ids::{OrganizationId, RunId};
use rollcall_domain::log::{Bodies, Position};
use rollcall_door::App;
use rollcall_door::Refusal;
use rollcall_door::audit::Reads;

/// What a moment can be written as.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Written {
    Now,
    Instant(DateTime<Utc>),
    Position(Position),
    Run(RunId),
}

/// Finds a moment, none is now; and the views that know it.
pub async fn moment(
    app: &App,
    organization: OrganizationId,
    text: Option<&str>,
) -> Result<(Moment, Reads), Refusal> {
    let written = parse(text)?;
    let head = app.engine.log.head(organization).await?.position;
    let views = app.audit.of(organization).await?;
    let position = match written {
        Written::Now => head,
        Written::Position(position) if position > head => {
            return Err(Refusal::bad_request(format!(
                "position {position} is beyond the end of the log, which is {head}"
            )));
        }
        Written::Position(position) => position,
        Written::Run(run) => end_of(app, &views, organization, run).await?,
        Written::Instant(at) => views.history.position_at(organization, at).await?,
    };
    let recorded_at = views.history.recorded_at(organization, position).await?;
    Ok((Moment { position, recorded_at }, views))
}

/// The position at the end of a run, as far as it got.
async fn end_of(
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

fn parse(text: Option<&str>) -> Result<Written, Refusal> {
    let Some(text) = text.map(str::trim) else { return Ok(Written::Now) };
    if let Some(run) = text.strip_prefix("run:").and_then(|id| id.parse().ok()) {
        return Ok(Written::Run(run));
    }
    let position = text.strip_prefix("position:").and_then(|n| n.parse().ok());
    // A plus sign that nobody escaped in a URL arrives as a space.
    let instant = DateTime::parse_from_rfc3339(&text.replace(' ', "+")).ok();
    match (position, instant) {
        (Some(position), _) => Ok(Written::Position(position)),
        (_, Some(instant)) => Ok(Written::Instant(instant.with_timezone(&Utc))),
        _ => Err(Refusal::bad_request(format!(
            "{text:?} is no moment: write an instant such as 2026-11-24T08:00:00Z, position:42, or run:ID"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_instants_or_positions() {
        let read = |text| parse(Some(text)).ok();
        assert_eq!(read("position:42"), Some(Written::Position(42)));
        let instant = "2026-11-24T08:00:00Z".parse().ok().map(Written::Instant);
        assert_eq!(read("2026-11-24T08:00:00Z"), instant);
        assert_eq!(read("2026-11-24T09:00:00 01:00"), instant);
        assert_eq!(parse(None).ok(), Some(Written::Now));
        for wrong in ["", "run:", "position:", "position:-1", "yesterday", "42", "2026-11-24"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
