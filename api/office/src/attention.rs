//! What needs somebody: the overview shows it, and mail tells of it.

use chrono::{DateTime, TimeDelta, Utc};
use rollcall_contract::attention::{Cause, NeedBody};
use rollcall_domain::consumer::ConsumerState;
use rollcall_domain::credential::Purpose;
use rollcall_domain::run::Pulse;
use rollcall_door::{App, Refusal};
use rollcall_projections::exchanges::ExchangeFilter;
use rollcall_projections::failures::{FailureFilter, FailureRow};
use rollcall_projections::organizations::{OrganizationRow, ScimState};

/// What ends within this time is told of.
const SOON: TimeDelta = TimeDelta::days(30);
/// So long requests of an unknown shape are told of.
const LATELY: TimeDelta = TimeDelta::days(1);
/// Nobody counts further.
const MOST: usize = 1_000;

/// All that needs somebody in an organization, the worst first.
///
/// # Errors
/// If a view cannot be read.
pub async fn of(app: &App, row: &OrganizationRow) -> Result<Vec<NeedBody>, Refusal> {
    let now = app.engine.right_now();
    let mut found = Vec::new();
    let mut needs = |cause, count: usize, since| {
        if count > 0 {
            found.push(need(row, cause, count, since));
        }
    };
    needs(Cause::OrganizationDisabled, usize::from(!row.enabled), None);
    needs(Cause::ViewStopped, usize::from(row.stopped.is_some()), None);
    let settings = app.connections.of(row.id).await?.map(|connection| connection.settings);
    let is_ready = settings.as_ref().is_some_and(|settings| settings.is_ready());
    let is_unfinished = !is_ready || row.scim == ScimState::Never;
    needs(Cause::ConnectionUnfinished, usize::from(is_unfinished), None);
    needs(Cause::ScimDisabled, usize::from(row.scim == ScimState::Disabled), None);

    let views = app.audit.of(row.id).await?;
    let rhythm = views.runs.rhythm(row.id).await?;
    let last = rhythm.as_ref().and_then(|rhythm| rhythm.last());
    let cycles = match rhythm.map_or(Pulse::Never, |rhythm| rhythm.pulse(now)) {
        Pulse::Late => Some(Cause::CyclesLate),
        Pulse::Stretched => Some(Cause::CyclesStretched),
        Pulse::Silent => Some(Cause::CyclesSilent),
        Pulse::Never | Pulse::Regular => None,
    };
    if let Some(cause) = cycles {
        needs(cause, 1, last);
    }
    let failures = views.failures.list(row.id, &FailureFilter::default(), MOST + 1).await?;
    let (left, open): (Vec<&FailureRow>, Vec<&FailureRow>) =
        failures.iter().partition(|failure| failure.leaves_access);
    let first = |rows: &[&FailureRow]| rows.iter().map(|row| row.first_at).min();
    needs(Cause::AccessLeft, left.len(), first(&left));
    needs(Cause::FailuresOpen, open.len(), first(&open));

    let (mut stopped, mut parked, mut since) = (0, 0, None);
    for consumer in app.consumers.list(row.id).await? {
        stopped += usize::from(matches!(consumer.state, ConsumerState::Stopped(_)));
        let first = app.places.parked(row.id, consumer.id, (0, 0), 1).await?.pop();
        since = since.into_iter().chain(first.map(|first| first.parked)).min();
        let count = app.places.parked_count(row.id, consumer.id).await?;
        parked += usize::try_from(count).unwrap_or(usize::MAX);
    }
    needs(Cause::ConsumerStopped, stopped, None);
    needs(Cause::DeliveriesParked, parked, since);

    let certificates = settings.iter().flat_map(|settings| {
        let trusted = settings.certificates.values().map(|c| c.not_after).max();
        trusted.into_iter().chain(settings.current_key().map(|key| key.certificate.not_after))
    });
    let ending = |ends: DateTime<Utc>| ends - now <= SOON;
    needs(Cause::CertificateEnds, certificates.filter(|end| ending(*end)).count(), None);
    let credentials = app.credentials.list(row.id, Purpose::Scim).await?;
    let live = credentials.into_iter().filter(|credential| credential.revoked.is_none());
    let ends = live.filter_map(|credential| credential.expires).filter(|end| *end > now);
    needs(Cause::CredentialEnds, ends.filter(|end| ending(*end)).count(), None);
    let filter = ExchangeFilter { unknown_shape: true, ..ExchangeFilter::default() };
    let unknown = app.exchanges.list(row.id, &filter, MOST + 1).await?;
    let lately = unknown.iter().filter(|exchange| exchange.received_at > now - LATELY);
    needs(Cause::UnknownShapes, lately.count(), None);

    let place = |need: &NeedBody| Cause::ALL.iter().position(|cause| *cause == need.cause);
    found.sort_by_key(place);
    Ok(found)
}

fn need(
    row: &OrganizationRow,
    cause: Cause,
    count: usize,
    since: Option<DateTime<Utc>>,
) -> NeedBody {
    let shown = count.min(MOST) as u64;
    NeedBody {
        cause,
        title: cause.title().to_owned(),
        detail: cause.sentence(shown),
        count: shown,
        more: count > MOST,
        since,
        page: cause.page(&row.domain),
    }
}
