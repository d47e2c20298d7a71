//! The bytes of the ledger's leaves are frozen: whatever was hashed once must come out the same for
//! ever. The exchange is the document that `exchanges.rs` keeps, as a store would read it.

use chrono::DateTime;
use rollcall_domain::actor::Actor;
use rollcall_domain::exchange::Exchange;
use rollcall_domain::ids::{ExchangeId, OrganizationId, TokenId};
use rollcall_domain::ledger::entry::{ExchangeHashes, exchange_entry, record_entry};
use rollcall_domain::ledger::leaf;
use rollcall_domain::log::{
    AggregateKind, Head, LedgerHead, Record, RecordedExchange, StreamId, exchange_leaf, record_leaf,
};
use rollcall_evidence::file::{FORMAT, Line};
use rollcall_evidence::findings::{Content, Item};
use rollcall_evidence::statement::origin;
use rollcall_evidence::verify::{Trust, verify};
use rollcall_evidence::{Signer, Statement};
use std::fmt::Write;
use std::path::Path;
use uuid::Uuid;

fn id(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

fn full_record() -> Record {
    Record {
        position: 258,
        stream: StreamId {
            organization: OrganizationId(id(2)),
            kind: AggregateKind::User,
            id: id(5),
        },
        version: 3,
        event_type: "UserDeactivated".into(),
        event_version: "1".into(),
        payload: r#"{"UserDeactivated":{}}"#.into(),
        recorded_at: DateTime::from_timestamp(1_800_000_000, 123_456_000).expect("an instant"),
        exchange: Some(ExchangeId(id(1))),
        actor: Actor::ScimToken { token: TokenId(id(8)) },
    }
}

fn least_record() -> Record {
    Record { exchange: None, actor: Actor::System, ..full_record() }
}

fn exchange(name: &str) -> Exchange {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("exchanges").join(format!("{name}.snap"));
    let text = std::fs::read_to_string(file).expect("a golden file");
    serde_json::from_str(text.splitn(3, "---\n").nth(2).expect("a header and a document"))
        .expect(name)
}

fn full_exchange() -> RecordedExchange {
    let (request_body, answer_body) = (b"a request".to_vec(), b"an answer".to_vec());
    let exchange = Exchange { request_body, answer_body, ..exchange("full") };
    RecordedExchange { number: 7, positions: Some((257, 258)), after: 258, exchange }
}

fn asked() -> RecordedExchange {
    RecordedExchange { exchange: exchange("token-request"), ..least_exchange() }
}

fn least_exchange() -> RecordedExchange {
    RecordedExchange { number: 1, positions: None, after: 0, exchange: exchange("least") }
}

/// 32 bytes a line, and the leaf's hash.
fn written(entry: &[u8]) -> String {
    let mut text = String::new();
    for line in entry.chunks(32) {
        line.iter().for_each(|byte| write!(text, "{byte:02x}").expect("memory"));
        text.push('\n');
    }
    text + &format!("leaf {}", leaf(entry))
}

/// A ledger of two entries in a file, with a key that everybody knows.
#[test]
fn the_file_of_a_ledger_is_frozen() {
    let record = Record { position: 1, ..full_record() };
    let exchange = RecordedExchange { number: 1, ..full_exchange() };
    let leaves = [record_leaf(&record), exchange_leaf(&exchange)];
    let head = Head { position: 1, exchange_number: 1 };
    let frontier = leaves.into_iter().collect();
    let ledger = LedgerHead { head, frontier, uncovered: 1, last_exchange: None };
    let signer = Signer::new(origin("https://ledger.example", OrganizationId(id(2))), &[7; 32])
        .expect("a key");
    let statement = Statement::of(signer.origin(), &ledger, id(9));
    let item = |content, leaf| Line::of(Item { content, kept: Some(leaf) });
    let lines = [
        Line::Ledger {
            format: FORMAT,
            checkpoint: signer.sign(&statement).expect("a note").to_string(),
            key: signer.verifier().to_string(),
        },
        item(Content::Record(record), leaves[0]),
        item(Content::Exchange(Box::new(exchange)), leaves[1]),
        Line::End { records: 1, exchanges: 1 },
    ];
    let file = lines.map(|line| line.write().expect("a line")).concat();
    let text = String::from_utf8(file).expect("text");
    insta::with_settings!({ snapshot_path => "../ledger", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("file-1", text);
    });
    // What is frozen is read for ever.
    let verified = verify(text.as_bytes(), &Trust::File, |_| Vec::new()).expect("a ledger");
    assert!(verified.verdict.holds(), "{verified:?}");
}

#[test]
fn the_entries_of_the_ledger_are_frozen() {
    let entry = |recorded: RecordedExchange| {
        exchange_entry(&recorded, &ExchangeHashes::of(&recorded.exchange))
    };
    insta::with_settings!({ snapshot_path => "../ledger", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("record-full-1", written(&record_entry(&full_record())));
        insta::assert_snapshot!("record-least-1", written(&record_entry(&least_record())));
        insta::assert_snapshot!("exchange-full-1", written(&entry(full_exchange())));
        insta::assert_snapshot!("exchange-token-request-1", written(&entry(asked())));
        insta::assert_snapshot!("exchange-least-1", written(&entry(least_exchange())));
    });
}
