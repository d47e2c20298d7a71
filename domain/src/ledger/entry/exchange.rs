//! The entry of an exchange.

use super::particulars;
use super::{Header, Of, Writer, entry};
use crate::body_hashes::Sha256Hash;
use crate::exchange::Exchange;
use crate::record::RecordedExchange;

/// SHA-256 of what may be dropped from an exchange, or erased, while its leaf stays. Those of the
/// bodies are kept in its document then ([`Exchange::body_hashes`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExchangeHashes {
    /// Of everything in the envelope whose words were chosen by others: method, target, headers,
    /// address, subject, liberties, facts, and the answer's headers and text.
    pub particulars: [u8; 32],
    /// Of the request's body as it is stored.
    pub request_body: [u8; 32],
    /// Of the answer's body as it is stored.
    pub answer_body: [u8; 32],
}

impl ExchangeHashes {
    /// The hashes of an exchange that was read with its bodies, if those are not dropped.
    pub fn of(exchange: &Exchange) -> Self {
        let bodies = exchange.hashes_of_bodies();
        Self {
            particulars: particulars::hash(exchange),
            request_body: bodies.request.0,
            answer_body: bodies.answer.0,
        }
    }
}

/// Erases the bodies of an exchange and everything else whose words others chose; their hashes stay,
/// and with them its leaf, and what we said of it by ids, counts, instants and stable words. To be
/// done to what is stored, with its bodies.
pub fn erase_exchange(exchange: &mut Exchange) {
    if exchange.is_erased() {
        return;
    }
    exchange.particulars_hash = Some(Sha256Hash(particulars::hash(exchange)));
    exchange.body_hashes = Some(exchange.hashes_of_bodies());
    exchange.bodies_dropped = true;
    (exchange.request_body, exchange.answer_body) = (Vec::new(), Vec::new());
    exchange.erase_particulars();
}

/// The bytes that stand for an exchange in the ledger.
///
/// Metadata: positions of the first and the last event it caused (may be absent), position after
/// which it stands, id, parent, what it replays, instant, protocol, caller, operation, whether its
/// shape was unknown, microseconds it took; of the answer the status, SCIM's word, the rule, how
/// many were found, length of the body and whether it was kept. Whether bodies were dropped later
/// is no part of it.
pub fn exchange_entry(recorded: &RecordedExchange, hashes: &ExchangeHashes) -> Vec<u8> {
    let RecordedExchange { number, positions, after, exchange } = recorded;
    let answer = &exchange.answer;
    let mut metadata = Writer::default();
    metadata.maybe(*positions, |metadata, (first, last)| {
        metadata.number(first);
        metadata.number(last);
    });
    metadata.number(*after);
    metadata.id(exchange.id.0);
    metadata.maybe(exchange.parent.map(|parent| parent.0), Writer::id);
    metadata.maybe(exchange.replays.map(|replays| replays.0), Writer::id);
    metadata.instant(exchange.received_at);
    metadata.text(exchange.protocol.as_str());
    metadata.actor(&exchange.caller);
    metadata.text(&exchange.operation);
    metadata.flag(exchange.unknown_shape);
    metadata.number(exchange.duration_us);
    metadata.number(u64::from(answer.status));
    metadata.maybe(answer.scim_type.as_deref(), Writer::text);
    metadata.maybe(answer.rule, |metadata, rule| metadata.text(&rule.name()));
    metadata.maybe(answer.found, Writer::number);
    metadata.number(answer.body_bytes);
    metadata.flag(answer.body_kept);
    let ExchangeHashes { particulars, request_body, answer_body } = *hashes;
    let header = Header { organization: exchange.organization, of: Of::Exchange(*number) };
    entry(header, metadata, &[particulars, request_body, answer_body])
}
