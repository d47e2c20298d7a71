//! The auditors' views, which nobody reads without bringing them up to the log first.

use rollcall_domain::ids::OrganizationId;
use rollcall_projections::decisions::DecisionView;
use rollcall_projections::events::EventIndex;
use rollcall_projections::failures::FailureViews;
use rollcall_projections::fold::{FoldError, Folder};
use rollcall_projections::history::History;
use rollcall_projections::runs::Runs;
use std::sync::Arc;

/// What auditors can ask.
#[derive(Clone)]
pub struct Reads {
    /// The directory as it was.
    pub history: History,
    /// Sync cycles and other runs.
    pub runs: Runs,
    /// What went wrong and is not yet right.
    pub failures: FailureViews,
    /// Where events stand in the log.
    pub events: EventIndex,
    /// What reviewers decided about access.
    pub decisions: DecisionView,
}

/// The family of views that auditors ask, folded in the background.
pub struct Audit {
    folder: Arc<Folder>,
    reads: Reads,
}

impl Audit {
    /// What this folder feeds.
    pub fn new(folder: Arc<Folder>) -> Self {
        let views = || folder.views();
        let reads = Reads {
            history: History::new(views()),
            runs: Runs::new(views()),
            failures: FailureViews::new(views()),
            events: EventIndex::new(views()),
            decisions: DecisionView::new(views()),
        };
        Self { folder, reads }
    }

    /// The views of an organization, with everything in them that was committed until now.
    ///
    /// # Errors
    /// If they cannot be brought that far.
    pub async fn of(&self, organization: OrganizationId) -> Result<Reads, FoldError> {
        self.folder.fold(organization).await?;
        Ok(self.reads.clone())
    }

    /// The views as far as they are folded: for what is about many organizations, and may be late.
    pub fn as_far_as_folded(&self) -> &Reads {
        &self.reads
    }

    /// What feeds them.
    pub fn folder(&self) -> &Arc<Folder> {
        &self.folder
    }
}
