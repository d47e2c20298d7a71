//! How long it takes. Not a test: `cargo test --release -p rollcall-domain --test ledger --
//! --ignored --nocapture speed`.

use super::{leaves, tree};
use rollcall_domain::ledger::{EMPTY_ROOT, Frontier, LeafHash, leaf, verify_inclusion};
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
