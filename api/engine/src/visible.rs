//! No answer outruns the views: what is answered rests on a position, and every reader of every
//! process sees at least that much when the answer leaves.

use super::Engine;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::{Appended, LogError, Position, Record, Trouble};
use rollcall_domain::sql::SqlError;
use rollcall_projections::fold::FoldError;
use std::fmt;
use std::ops::Deref;
use std::sync::atomic::Ordering;
use tracing::{Instrument as _, debug_span};

/// Something that was decided, with the position of the organization's log at which it was. Only
/// the engine makes one, and only once the live views have reached that position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visible<T> {
    /// What was decided.
    pub what: T,
    at: Position,
}

impl<T> Visible<T> {
    /// The position that the views have reached.
    pub fn at(&self) -> Position {
        self.at
    }
}

impl<T> Deref for Visible<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.what
    }
}

impl<T: fmt::Display> fmt::Display for Visible<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.what.fmt(f)
    }
}

/// Why the views could not be brought that far. The client is to ask again: then it finds done what
/// was done.
#[derive(Debug, thiserror::Error)]
pub enum NotVisible {
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The views cannot be written, or have stopped.
    #[error(transparent)]
    Fold(#[from] FoldError),
}

impl Engine {
    /// What an append led to. If the views were not folded with it, they are now: `records` are
    /// those that it made, so that they need not be read back.
    pub(super) async fn show_appended<T>(
        &self,
        organization: OrganizationId,
        appended: &Appended,
        records: Vec<Record>,
        what: T,
    ) -> Result<Visible<T>, NotVisible> {
        let at = appended.head;
        if appended.folded {
            self.folder.was_folded(organization, at);
        } else {
            self.folder.hand_over(organization, records, Vec::new());
            self.show(organization, at).await?;
        }
        Ok(Visible { what, at })
    }

    /// Folds up to the position at which something was decided.
    async fn show(&self, organization: OrganizationId, at: Position) -> Result<(), NotVisible> {
        let span = debug_span!("views.fold", %organization, at);
        let shown = self.folder.fold_to(organization, at).instrument(span).await;
        // A record that cannot be folded stops its organization, and says so by itself.
        self.views_failing
            .store(shown.as_ref().is_err_and(FoldError::is_unavailable), Ordering::SeqCst);
        if shown.is_err() {
            metrics::counter!("rollcall_unshown_answers_total").increment(1);
        }
        shown?;
        Ok(())
    }

    /// Whether the views cannot be written: so it was with the last answer that waited for them,
    /// and it is still so.
    ///
    /// # Errors
    /// What a probe that writes to them says.
    pub async fn views_work(&self) -> Result<(), SqlError> {
        if self.views_failing.load(Ordering::SeqCst) {
            self.folder.probe().await?;
            self.views_failing.store(false, Ordering::SeqCst);
        }
        Ok(())
    }

    /// Why appends cannot be made, if they cannot.
    pub fn trouble(&self) -> Option<Trouble> {
        self.watch.trouble()
    }

    /// The same for what was decided without an append: the head that is read now is no earlier
    /// than the one it was decided at.
    pub(super) async fn show_head<T>(
        &self,
        organization: OrganizationId,
        what: T,
    ) -> Result<Visible<T>, NotVisible> {
        let at = self.log.head(organization).await?.position;
        self.show(organization, at).await?;
        Ok(Visible { what, at })
    }
}
