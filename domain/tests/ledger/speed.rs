//! How long it takes. Not a test: `cargo test --release -p rollcall-domain --test ledger --
//! --ignored --nocapture speed`.

use super::{leaves, tree};
use rollcall_domain::ledger::{EMPTY_ROOT, Frontier, LeafHash, leaf, verify_inclusion};
use rollcall_domain::log::{exchange_leaf, record_leaf};
use std::time::Instant;

const MILLION: u64 = 1_000_000;

#[test]
#[ignore = "prints how fast it is"]
fn speed_of_a_million_leaves() {
    let hashes: Vec<LeafHash> = leaves(MILLION).collect();
    let began = Instant::now();
    let frontier: Frontier = hashes.iter().copied().collect();
    println!("append: {} ns a leaf", began.elapsed().as_nanos() / u128::from(MILLION));

    // As large as the entry of an exchange is.
    let entry = [7; 400];
    let began = Instant::now();
    let mut verified = Frontier::default();
    for n in 0..MILLION {
        let mut bytes = entry;
        bytes[..8].copy_from_slice(&n.to_be_bytes());
        verified.append(leaf(&bytes));
    }
    println!(
        "verify: {:.3} s for a million entries of 400 bytes, hashed and appended",
        began.elapsed().as_secs_f64()
    );
    assert_ne!(verified.root(), EMPTY_ROOT);

    let whole = tree(MILLION);
    let began = Instant::now();
    for index in (0..MILLION).step_by(1000) {
        let path = whole.inclusion(index, MILLION).expect("a proof");
        assert!(
            verify_inclusion(hashes[index as usize], index, MILLION, &path, frontier.root())
                .is_ok()
        );
    }
    println!("prove and verify one leaf: {} ns", began.elapsed().as_nanos() / 1000);
}

/// What the ledger costs an append that creates somebody: a record, an exchange, and the tree.
#[test]
#[ignore = "prints how fast it is"]
fn speed_of_the_leaves_of_an_append() {
    let (mut record, mut recorded) = (super::entries::record(), super::entries::recorded());
    record.payload = format!("{{\"attributes\":\"{}\"}}", "a".repeat(600));
    recorded.exchange.request_body = vec![b'b'; 1_000];
    recorded.exchange.answer_body = vec![b'c'; 1_200];
    let mut tree: Frontier = leaves(MILLION - 1).collect();
    let rounds = 100_000_u64;
    let began = Instant::now();
    for n in 1..=rounds {
        (record.position, recorded.number) = (n, n);
        tree.append(record_leaf(&record));
        tree.append(exchange_leaf(&recorded));
    }
    let leaves = began.elapsed().as_nanos() / u128::from(rounds);
    let began = Instant::now();
    let mut bytes = 0;
    for _ in 0..rounds {
        bytes += tree.to_bytes().len();
    }
    let kept = began.elapsed().as_nanos() / u128::from(rounds);
    println!(
        "leaves of an append: {leaves} ns, {} ns each; the tree as bytes: {kept} ns a batch",
        leaves / 2
    );
    assert_ne!(bytes, 0);
}
