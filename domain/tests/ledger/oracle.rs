//! Another implementation, `ct-merkle`, says the same of every tree.

use super::tree;
use ct_merkle::mem_backed_tree::MemoryBackedTree;
use ct_merkle::{ConsistencyProof, InclusionProof, RootHash};
use proptest::prelude::*;
use rollcall_domain::ledger::{Frontier, NodeHash, leaf, verify_consistency, verify_inclusion};
use sha2_of_ct_merkle::Sha256;

type Theirs = MemoryBackedTree<Sha256, [u8; 8]>;

fn theirs(size: u64) -> Theirs {
    let mut tree = Theirs::new();
    (0..size).for_each(|n| tree.push(n.to_be_bytes()));
    tree
}

fn hashes(bytes: &[u8]) -> Vec<NodeHash> {
    let (hashes, rest) = bytes.as_chunks::<32>();
    assert!(rest.is_empty());
    hashes.iter().copied().map(NodeHash).collect()
}

fn bytes(hashes: &[NodeHash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| hash.0).collect()
}

#[test]
fn roots_agree_up_to_two_thousand_leaves() {
    let (mut frontier, mut theirs) = (Frontier::default(), Theirs::new());
    for n in 0..2000_u64 {
        assert_eq!(frontier.root().0[..], theirs.root().as_bytes()[..], "{n} leaves");
        frontier.append(leaf(&n.to_be_bytes()));
        theirs.push(n.to_be_bytes());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn proofs_of_inclusion_agree(size in 1..2000_u64, at in any::<prop::sample::Index>()) {
        let index = at.index(size as usize) as u64;
        let (ours, theirs) = (tree(size), theirs(size));
        let proof = ours.inclusion(index, size).expect("a proof");
        prop_assert_eq!(&proof, &hashes(theirs.prove_inclusion(index as usize).as_bytes()));
        let root = RootHash::<Sha256>::new(ours.root().0.into(), size);
        let read = InclusionProof::try_from_bytes(bytes(&proof)).expect("a proof of theirs");
        prop_assert!(root.verify_inclusion(&index.to_be_bytes(), index, &read).is_ok());
        prop_assert_eq!(verify_inclusion(leaf(&index.to_be_bytes()), index, size, &proof, NodeHash((*theirs.root().as_bytes()).into())), Ok(()));
    }

    #[test]
    fn proofs_of_consistency_agree(new in 1..2000_u64, at in any::<prop::sample::Index>()) {
        // Theirs knows no proof from the tree without leaves.
        let old = 1 + at.index(new as usize) as u64;
        let (ours, theirs) = (tree(new), theirs(new));
        let proof = ours.consistency(old, new).expect("a proof");
        let roots = [old, new].map(|size| ours.root_of(size).expect("a root"));
        prop_assert_eq!(verify_consistency(old, roots[0], new, roots[1], &proof), Ok(()));
        prop_assert_eq!(&proof, &hashes(theirs.prove_consistency((new - old) as usize).as_bytes()));
        let [older, newer] = [(roots[0], old), (roots[1], new)].map(|(root, size)| RootHash::<Sha256>::new(root.0.into(), size));
        let read = ConsistencyProof::try_from_bytes(bytes(&proof)).expect("a proof of theirs");
        prop_assert!(newer.verify_consistency(&older, &read).is_ok());
    }
}
