//! The formats against the specifications' own examples, against what other implementations signed,
//! and against arbitrary text.
//!
//! `c2sp/` holds the examples: of signed-note, tlog-checkpoint, tlog-cosignature, tlog-witness and
//! tlog-proof, and a checkpoint of a public log that four public witnesses cosigned in May 2026.

mod checkpoints;
mod hostile;
mod notes;
mod policies;
mod proofs;
mod tiles;
mod witnesses;

use rollcall_domain::ledger::{LeafHash, Tree, leaf};
use rollcall_tlog::{Checkpoint, CosigningKey, Note, SigningKey};

const ORIGIN: &str = "rollcall.example/ledger/acme";

fn log_key() -> SigningKey {
    SigningKey::from_seed(ORIGIN, &[1; 32]).expect("a key")
}

/// The witness of that number.
fn witness(n: u8) -> CosigningKey {
    CosigningKey::from_seed(&format!("witness.example/w{n}"), &[100 + n; 32]).expect("a key")
}

fn leaves(size: u64) -> impl Iterator<Item = LeafHash> {
    (0..size).map(|n| leaf(&n.to_be_bytes()))
}

fn tree(size: u64) -> Tree {
    leaves(size).collect()
}

/// The checkpoint of a tree, signed by its log and cosigned by these witnesses.
fn signed(tree: &Tree, witnesses: &[u8]) -> Note {
    let checkpoint = Checkpoint::new(ORIGIN, tree.size(), tree.root(), vec!["position 7".into()])
        .expect("a checkpoint");
    let mut note = Note::new(checkpoint.to_string()).expect("a text");
    note.add(log_key().sign(note.text()).expect("a signature")).expect("room");
    for n in witnesses {
        note.add(
            witness(*n).cosign(note.text(), 1_800_000_000 + u64::from(*n)).expect("a signature"),
        )
        .expect("room");
    }
    note
}
