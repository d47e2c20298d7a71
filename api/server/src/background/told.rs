//! Tells by mail what needs somebody: nobody looks at a page all day.

use super::job::{Incomplete, Job};
use chrono::TimeDelta;
use rollcall_contract::attention::{Cause, NeedBody};
use rollcall_domain::sql::SqlError;
use rollcall_door::{App, Refusal};
use rollcall_mail::{Mailer, NotSent};
use rollcall_office::{attention, letter};
use rollcall_projections::notices::Stands;
use rollcall_projections::organizations::OrganizationRow;
use std::time::Duration;

/// How often somebody looks whether there is anything to tell.
const LOOK: Duration = Duration::from_secs(60);
/// What failed while the server was away comes first.
const FIRST: Duration = Duration::from_secs(5);
/// Entra tries again what failed: only what is not right after three cycles is told.
const STAYS: TimeDelta = TimeDelta::hours(2);

/// Looks at all organizations in which somebody is to be told.
pub struct ToldByMail {
    mail: Mailer,
}

/// Why nobody was told.
#[derive(Debug, thiserror::Error)]
enum TellError {
    #[error("what needs somebody cannot be read: {}", .0.0.detail)]
    Refused(Refusal),
    #[error(transparent)]
    Store(#[from] SqlError),
    #[error(transparent)]
    NotSent(#[from] NotSent),
}

impl ToldByMail {
    /// Through this server.
    pub fn new(mail: Mailer) -> Self {
        Self { mail }
    }

    async fn tell(&self, app: &App, row: &OrganizationRow) -> Result<(), TellError> {
        let needs = attention::of(app, row).await.map_err(TellError::Refused)?;
        let now = app.engine.right_now();
        let stands: Vec<Stands> = needs
            .iter()
            .filter(|need| is_told(need, now))
            .map(|need| Stands { cause: need.cause.as_str().to_owned(), count: counted(need) })
            .collect();
        let (told, known) = app.notices.take_on(row.id, &stands, now).await?;
        if told.is_empty() {
            return Ok(());
        }
        let letter = letter::of(row, &told, &needs, &app.public_url);
        let mut unsent = None;
        let mut reached = 0;
        for to in &row.recipients.0 {
            match self.mail.send(to, &letter).await {
                Ok(()) => reached += 1,
                Err(error) => unsent = Some(error),
            }
        }
        count("sent", reached);
        count("failed", row.recipients.0.len() as u64 - reached);
        match unsent {
            None => Ok(()),
            // Whoever was reached is not told the same every minute because another was not.
            Some(error) if reached > 0 => Err(error.into()),
            Some(error) => {
                app.notices.leave(row.id, &told, known).await?;
                Err(error.into())
            }
        }
    }
}

impl Job for ToldByMail {
    const NAME: &'static str = "told-by-mail";

    fn pause(&self) -> Duration {
        LOOK
    }

    fn first(&self) -> Duration {
        FIRST
    }

    async fn pass(&mut self, app: &App) -> Result<(), Incomplete> {
        let mut failed = 0;
        for row in app.organizations.list().await.map_err(Incomplete::all)? {
            if row.recipients.0.is_empty() {
                continue;
            }
            if let Err(error) = self.tell(app, &row).await {
                tracing::warn!(organization = %row.id, %error, "what needs somebody could not be told by mail to all");
                failed += 1;
            }
        }
        Incomplete::unless_none(failed)
    }
}

fn count(outcome: &'static str, mails: u64) {
    metrics::counter!("rollcall_mails_total", "outcome" => outcome).increment(mails);
}

/// Whether it is worth a mail. What somebody did on purpose is none, nor what passes by itself.
fn is_told(need: &NeedBody, now: chrono::DateTime<chrono::Utc>) -> bool {
    match need.cause {
        Cause::FailuresOpen => need.since.is_some_and(|since| now - since >= STAYS),
        Cause::ViewStopped
        | Cause::CyclesSilent
        | Cause::CyclesStretched
        | Cause::AccessLeft
        | Cause::ConsumerStopped
        | Cause::DeliveriesParked
        | Cause::CertificateEnds
        | Cause::CredentialEnds
        | Cause::UnknownShapes => true,
        Cause::OrganizationDisabled
        | Cause::ScimDisabled
        | Cause::ConnectionUnfinished
        | Cause::CyclesLate => false,
    }
}

/// What makes it news. Requests of an unknown shape come with each try of the same.
fn counted(need: &NeedBody) -> u64 {
    if need.cause == Cause::UnknownShapes { 1 } else { need.count }
}
