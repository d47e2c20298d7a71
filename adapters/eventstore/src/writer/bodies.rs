//! Bodies of exchanges on their way into the stream of their month.

use crate::core::Core;
use crate::entry::Bodied;
use crate::parts::Piece;
use bytes::Bytes;
use chrono::{DateTime, Datelike as _, Utc};
use rollcall_domain::body_hashes::BodyHashes;
use rollcall_domain::exchange::Exchange;
use rollcall_domain::ids::{ExchangeId, OrganizationId};
use rollcall_domain::log::{LogError, RecordedExchange};
use std::collections::{BTreeMap, HashMap};

/// Bodies that were taken out of exchanges, and where those are that are written.
#[derive(Default)]
pub(super) struct Bodies(HashMap<ExchangeId, Body>);

struct Body {
    month: u32,
    request: u64,
    /// The request's and behind it the answer's.
    bytes: Bytes,
    written: Option<Bodied>,
}

/// The month of a stream of bodies, such as 202611.
fn month(at: DateTime<Utc>) -> u32 {
    u32::try_from(at.year()).unwrap_or(0) * 100 + at.month()
}

impl Bodies {
    /// Takes the bodies of an exchange. Of two with one id the first counts, as it does in a plan.
    pub fn take(&mut self, exchange: &mut Exchange) {
        let (mut bytes, answer) =
            (std::mem::take(&mut exchange.request_body), std::mem::take(&mut exchange.answer_body));
        let request = bytes.len() as u64;
        bytes.extend(answer);
        if !bytes.is_empty() {
            // The document keeps them: the leaf needs them, also when the bodies are dropped.
            let (request, answer) = bytes.split_at(request as usize);
            exchange.body_hashes = Some(BodyHashes::of(request, answer));
            let request = request.len() as u64;
            let body = Body {
                month: month(exchange.received_at),
                request,
                bytes: bytes.into(),
                written: None,
            };
            self.0.entry(exchange.id).or_insert(body);
        }
    }

    /// Writes what is not written yet of these exchanges.
    pub async fn write(
        &mut self,
        core: &Core,
        organization: OrganizationId,
        exchanges: &[RecordedExchange],
    ) -> Result<(), LogError> {
        let mut months: BTreeMap<u32, Vec<ExchangeId>> = BTreeMap::new();
        for recorded in exchanges {
            let id = recorded.exchange.id;
            if let Some(body) = self.0.get(&id).filter(|body| body.written.is_none()) {
                months.entry(body.month).or_default().push(id);
            }
        }
        for (month, ids) in months {
            let pieces: Vec<Piece> =
                ids.iter().map(|id| Piece { of: id.0, bytes: self.0[id].bytes.clone() }).collect();
            let places = core
                .connection
                .put(&core.names.bodies(organization, month), "Bodies", &pieces)
                .await?;
            for (id, parts) in ids.iter().zip(places) {
                if let Some(body) = self.0.get_mut(id) {
                    body.written = Some(Bodied { month, request: body.request, parts });
                }
            }
        }
        Ok(())
    }

    /// Where an exchange's bodies are; none if it has none.
    pub fn of(&self, id: ExchangeId) -> Option<Bodied> {
        self.0.get(&id)?.written.clone()
    }
}
