//! What was just appended goes on to whoever folds it later, so that it need not be read back.

use super::Engine;
use rollcall_domain::exchange::Exchange;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::{Appended, Record, RecordedExchange};
use rollcall_projections::fold::Folder;
use std::mem::take;
use std::sync::Arc;

impl Engine {
    /// From now on this folder is handed what is appended. The first is kept.
    pub fn followed_by(&self, audit: Arc<Folder>) {
        if self.audit.set(audit).is_err() {
            tracing::warn!("the auditors' views are fed already");
        }
    }

    /// A copy of an exchange that is on its way into the log, without its bodies; none if nobody
    /// would take it.
    pub(crate) fn copy(&self, exchange: &mut Option<Exchange>) -> Option<Exchange> {
        let exchange = exchange.as_mut().filter(|_| self.audit.get().is_some())?;
        let bodies = (take(&mut exchange.request_body), take(&mut exchange.answer_body));
        let copy = exchange.clone();
        (exchange.request_body, exchange.answer_body) = bodies;
        Some(copy)
    }

    /// Hands on what an append made.
    pub(crate) fn hand_over(
        &self,
        organization: OrganizationId,
        appended: &Appended,
        records: &[Record],
        exchange: Option<Exchange>,
    ) {
        let Some(audit) = self.audit.get().filter(|_| !appended.repeated) else { return };
        let exchanges: Vec<_> = exchange
            .zip(appended.exchange_number)
            .map(|(exchange, number)| RecordedExchange {
                number,
                positions: appended.positions,
                after: appended.head,
                exchange,
            })
            .map(Arc::new)
            .into_iter()
            .collect();
        self.folder.hand_over(organization, Vec::new(), exchanges.clone());
        audit.hand_over(organization, records.to_vec(), exchanges);
    }
}
