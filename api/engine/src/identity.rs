//! The log is the one that is known, or nothing is served by it.
//!
//! What a process knows of its log ([`Watch`]) is held against it by whoever reaches it: by each
//! append, each new connection, each head that is read, and here once a second. What is noticed
//! stays until an operator accepts the log as it is; then all that rested on the one of before is
//! dropped and made anew.

use crate::{Engine, Erasure, Listed, Names, NotErased};
use rollcall_domain::actor::Actor;
use rollcall_domain::log::{
    Closed, Known, Log, LogError, RESTORING, Watch, rewritten_of, successor_of,
};
use rollcall_projections::fold::{FoldError, Folder};
use uuid::Uuid;

/// Epochs that follow each other, at most, from one that is known to the one of today.
const SUCCESSORS: usize = 1_000;

/// Why a log that was accepted is not served yet. It can be accepted again.
#[derive(Debug, thiserror::Error)]
pub enum NotSettled {
    /// The log cannot be read or written.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The views cannot be made anew.
    #[error(transparent)]
    Fold(#[from] FoldError),
    /// The names could not be claimed.
    #[error(transparent)]
    Names(#[from] crate::RefoldError),
    /// Somebody who was erased since could not be erased here.
    #[error(transparent)]
    Erased(#[from] NotErased),
}

/// Holds what is known of a log against it. A log that an operator has accepted elsewhere, also by
/// another process, counts as it is. Gives whether it does, so that all that is known is to be
/// dropped.
///
/// # Errors
/// If the log cannot be read, or is not the one that was known.
pub async fn compare(log: &dyn Log, watch: &Watch) -> Result<bool, LogError> {
    let known = watch.known().epoch;
    let compared = log.compare(watch).await;
    if watch.closed() == Some(Closed::Restoring) {
        return restored(log, watch).await;
    }
    let (Err(LogError::Closed(_)), Some(known)) = (&compared, known) else {
        return compared.map(|()| false);
    };
    if !follows(log, known, log.epoch().await?).await? {
        return compared.map(|()| false);
    }
    let Some((_, known)) = watch.accept() else { return compared.map(|()| false) };
    let compared = log.compare(watch).await;
    watch.accepted(compared.is_err().then_some(known));
    compared.map(|()| true)
}

/// Whether a restore has ended: then the log is another one, and nothing of the one of before is
/// known.
async fn restored(log: &dyn Log, watch: &Watch) -> Result<bool, LogError> {
    let under_way = log.note(RESTORING).await?.is_some();
    // Whoever restores it here ends that, too.
    let Some((_, known)) = watch.accept() else { return Ok(false) };
    if under_way {
        watch.accepted(Some(known));
        return Err(LogError::Closed(Closed::Restoring));
    }
    let compared = log.compare(watch).await;
    watch.accepted(compared.is_err().then_some(known));
    compared.map(|()| true)
}

/// Whether an operator has let one epoch follow another, or the log was rewritten in another format.
async fn follows(log: &dyn Log, known: Uuid, found: Uuid) -> Result<bool, LogError> {
    let mut at = known;
    for _ in 0..SUCCESSORS {
        let next = match log.note(&successor_of(at)).await? {
            None => log.note(&rewritten_of(at)).await?,
            next => next,
        };
        let Some(next) = next.and_then(|next| next.parse().ok()) else { return Ok(false) };
        if next == found {
            return Ok(true);
        }
        at = next;
    }
    Ok(false)
}

/// Compares the log of which a family's views were made with the one that is there, and notices
/// views that know more than it. Nothing is made anew by itself: what they know was answered to
/// somebody.
///
/// # Errors
/// If either cannot be read.
pub async fn compare_views(folder: &Folder, log: &dyn Log, watch: &Watch) -> Result<(), FoldError> {
    let found = log.epoch().await?;
    let known = folder.made_of(found).await?;
    if known != found && !follows(log, known, found).await? {
        watch.notice(Closed::AnotherLog { known, found });
    }
    for view in folder.ahead().await? {
        let (known, found) = view.ends();
        watch.notice(Closed::WentBack { organization: view.organization, known, found });
    }
    Ok(())
}

impl Engine {
    /// Why nothing is to be served, if that is so.
    pub fn closed(&self) -> Option<Closed> {
        self.watch.closed()
    }

    /// What is known of the log.
    pub fn known(&self) -> Known {
        self.watch.known()
    }

    /// Holds what is known of the log against it.
    ///
    /// # Errors
    /// If it cannot be read, or is not the one that was known.
    pub async fn compare(&self) -> Result<(), LogError> {
        if compare(&*self.log, &self.watch).await? {
            tracing::warn!("the log was accepted by an operator: what was known of it is dropped");
            self.drop_what_rests_on_the_log();
        }
        Ok(())
    }

    /// Drops warm copies, keys, lanes and tokens that are known: all of it is read again.
    pub(crate) fn drop_what_rests_on_the_log(&self) {
        self.keys.forget();
        if let Some(sealed) = self.log.sealed() {
            sealed.forget();
        }
        self.users.clear();
        self.groups.clear();
        self.organizations.clear();
        self.deployments.clear();
        self.consumers.clear();
        for folder in [Some(&self.folder), self.audit.get()].into_iter().flatten() {
            folder.forget();
        }
        self.organizations_changed();
    }

    /// Begins to accept the log as it is: forgets the one of before, and learns this one. Nobody is
    /// served until [`Self::settle_log`] is done, or [`Self::leave_closed`]. Gives what had been
    /// noticed, and what was known; none if there is nothing to accept.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub async fn accept_log(&self) -> Result<Option<(Closed, Known)>, LogError> {
        if self.watch.closed().is_some_and(|why| !why.can_be_accepted()) {
            return Ok(None);
        }
        let Some((why, known)) = self.watch.accept() else { return Ok(None) };
        self.drop_what_rests_on_the_log();
        match self.log.compare(&self.watch).await {
            Ok(()) => Ok(Some((why, known))),
            Err(error) => {
                self.leave_closed(known);
                Err(error)
            }
        }
    }

    /// Leaves the log closed as it was, with what was known of it; it can be accepted again.
    pub fn leave_closed(&self, known: Known) {
        self.watch.accepted(Some(known));
    }

    /// Makes all anew that rests on a log that was accepted, gives it the epoch by which everybody
    /// else learns of it, and lets it be served.
    ///
    /// # Errors
    /// If something of it cannot be done; then the log stays closed.
    pub async fn settle_log(&self, fresh: Uuid, known: Known) -> Result<(), NotSettled> {
        let done = self.make_anew(fresh).await;
        self.drop_what_rests_on_the_log();
        self.watch.accepted(done.is_err().then_some(known));
        done
    }

    /// Begins to put a backup into the log: from now on nobody is served by it but whoever does.
    /// Gives what was known of it; none if that is under way.
    pub fn begin_restore(&self) -> Option<Known> {
        self.watch.notice(Closed::Restoring);
        self.watch.accept().map(|(_, known)| known)
    }

    /// Makes all anew that rests on a log that a backup was put into, erases who was erased since,
    /// and notes that it is whole.
    ///
    /// # Errors
    /// If something of it cannot be done; then it still is being restored.
    pub async fn settle_restored(
        &self,
        listed: &[Erasure],
        by: &Actor,
    ) -> Result<Listed, NotSettled> {
        self.drop_what_rests_on_the_log();
        self.log.compare(&self.watch).await?;
        self.rebuild_views().await?;
        Names::default().settle(self).await?;
        let erased = self.erase_listed(listed, by).await?;
        self.log.keep_note(RESTORING, None).await?;
        self.drop_what_rests_on_the_log();
        Ok(erased)
    }

    /// Serves the log again, or leaves it closed with what was known of it.
    pub fn end_restore(&self, failed: Option<Known>) {
        self.watch.accepted(failed);
    }

    pub(crate) async fn rebuild_views(&self) -> Result<(), FoldError> {
        for folder in [Some(&self.folder), self.audit.get()].into_iter().flatten() {
            folder.rebuild().await?;
        }
        Ok(())
    }

    async fn make_anew(&self, fresh: Uuid) -> Result<(), NotSettled> {
        let was = self.log.epoch().await?;
        if self.log.renew(was, fresh).await? {
            self.watch.forget();
            self.log.compare(&self.watch).await?;
        }
        self.rebuild_views().await?;
        Names::default().settle(self).await?;
        Ok(())
    }
}
