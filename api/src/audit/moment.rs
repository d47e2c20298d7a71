//! A moment in an organization's log: an instant or a position.

use crate::problem::Problem;
use crate::state::App;
use chrono::{DateTime, Utc};
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::Position;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// As of when.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct AsOf {
    /// An instant (RFC 3339) or `position:N`; now, if absent.
    #[serde(rename = "asOf")]
    pub as_of: Option<String>,
}

/// The moment that an answer is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Moment {
    /// The last record that had been committed; 0 before the first.
    pub position: u64,
    /// When that record was made.
    pub recorded_at: Option<DateTime<Utc>>,
}

/// What a moment can be written as.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Written {
    Now,
    Instant(DateTime<Utc>),
    Position(Position),
}

impl AsOf {
    /// Brings the auditors' views up to the log, and finds the moment.
    pub async fn find(&self, app: &App, organization: OrganizationId) -> Result<Moment, Problem> {
        moment(app, organization, self.as_of.as_deref()).await
    }
}

/// Brings the auditors' views up to the log, and finds a moment; none is now.
pub async fn moment(app: &App, organization: OrganizationId, text: Option<&str>) -> Result<Moment, Problem> {
    let written = parse(text)?;
    let head = app.engine.log.head(organization).await.map_err(|e| Problem::unavailable(&e))?.position;
    app.audit.fold(organization).await.map_err(|e| Problem::unavailable(&e))?;
    let position = match written {
        Written::Now => head,
        Written::Position(position) if position > head => {
            return Err(Problem::bad_request(format!("position {position} is beyond the end of the log, which is {head}")));
        }
        Written::Position(position) => position,
        Written::Instant(at) => app.history.position_at(organization, at).await.map_err(|e| Problem::unavailable(&e))?,
    };
    let recorded_at = app.history.recorded_at(organization, position).await.map_err(|e| Problem::unavailable(&e))?;
    Ok(Moment { position, recorded_at })
}

fn parse(text: Option<&str>) -> Result<Written, Problem> {
    let Some(text) = text.map(str::trim) else { return Ok(Written::Now) };
    let position = text.strip_prefix("position:").and_then(|n| n.parse().ok());
    // A plus sign that nobody escaped in a URL arrives as a space.
    let instant = DateTime::parse_from_rfc3339(&text.replace(' ', "+")).ok();
    match (position, instant) {
        (Some(position), _) => Ok(Written::Position(position)),
        (_, Some(instant)) => Ok(Written::Instant(instant.with_timezone(&Utc))),
        _ => Err(Problem::bad_request(format!("{text:?} is no moment: write an instant such as 2026-11-24T08:00:00Z, or position:42"))),
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
        for wrong in ["", "position:", "position:-1", "yesterday", "42", "2026-11-24"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
