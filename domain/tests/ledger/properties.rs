//! What must hold of every tree, and what must never verify.

use super::{leaves, nodes, tree};
use proptest::prelude::*;
use proptest::sample::Index;
use rollcall_domain::ledger::{
    EMPTY_ROOT, Frontier, FrontierError, LeafHash, MAX_LEAVES, MAX_PATH, NodeHash, PlanError,
    ProofError, Tree, consistency_path, first_difference, inclusion_path, leaf, verify_consistency,
    verify_inclusion,
};
use std::convert::Infallible;

/// Two sizes, the smaller first.
fn sizes(limit: u64) -> impl Strategy<Value = (u64, u64)> {
    (0..limit, 0..limit).prop_map(|(one, other)| (one.min(other), one.max(other)))
}

fn flip(hash: &mut [u8; 32], bit: u8) {
    hash[usize::from(bit / 8)] ^= 1 << (bit % 8);
}

#[test]
fn every_proof_of_small_trees_verifies_at_its_own_place_only() {
    let whole = tree(40);
    let hashes: Vec<LeafHash> = leaves(40).collect();
    for size in 1..=40 {
        let root = whole.root_of(size).expect("a root");
        for index in 0..size {
            let path = whole.inclusion(index, size).expect("a proof");
            for (at, leaf) in hashes.iter().enumerate() {
                let holds = verify_inclusion(*leaf, at as u64, size, &path, root).is_ok();
                assert_eq!(
                    holds,
                    at as u64 == index,
                    "leaf {at} by the proof of {index} in {size}"
                );
            }
        }
        for old in 0..=size {
            let path = whole.consistency(old, size).expect("a proof");
            let old_root = whole.root_of(old).expect("a root");
            assert_eq!(
                verify_consistency(old, old_root, size, root, &path),
                Ok(()),
                "{old} to {size}"
            );
        }
    }
}

#[test]
fn what_the_standard_leaves_open_is_strict() {
    let (one, other) = (NodeHash([1; 32]), NodeHash([2; 32]));
    let check = |old, old_root, new, new_root, path: &[NodeHash]| {
        verify_consistency(old, old_root, new, new_root, path)
    };
    assert_eq!(check(0, EMPTY_ROOT, 0, EMPTY_ROOT, &[]), Ok(()));
    assert_eq!(check(0, EMPTY_ROOT, 3, one, &[]), Ok(()));
    assert_eq!(check(0, one, 3, one, &[]), Err(ProofError::OldRoot));
    assert_eq!(check(0, EMPTY_ROOT, 0, one, &[]), Err(ProofError::Root));
    assert_eq!(check(0, EMPTY_ROOT, 3, one, &[other]), Err(ProofError::Length));
    assert_eq!(check(3, one, 3, one, &[]), Ok(()));
    assert_eq!(check(3, one, 3, other, &[]), Err(ProofError::Root));
    assert_eq!(check(3, one, 3, one, &[other]), Err(ProofError::Length));
    assert_eq!(check(3, one, 2, one, &[]), Err(ProofError::Backwards { old: 3, new: 2 }));
    assert_eq!(check(1, one, 2, other, &[]), Err(ProofError::Length));
    assert_eq!(
        verify_inclusion(LeafHash([1; 32]), 0, 0, &[], EMPTY_ROOT),
        Err(ProofError::NoLeaf { index: 0, size: 0 })
    );
}

#[test]
fn paths_have_limits() {
    assert_eq!(inclusion_path(3, 3), Err(PlanError::NoLeaf { index: 3, size: 3 }));
    assert_eq!(inclusion_path(0, MAX_LEAVES + 1), Err(PlanError::TooLarge(MAX_LEAVES + 1)));
    assert_eq!(consistency_path(4, 3), Err(PlanError::Backwards { old: 4, new: 3 }));
    for size in [MAX_LEAVES, MAX_LEAVES - 1, 1 << 62, (1 << 62) + 1] {
        for at in [0, 1, size / 3, size / 2, size - 1] {
            assert!(inclusion_path(at, size).expect("a path").len() <= MAX_PATH);
            assert!(consistency_path(at, size).expect("a path").len() <= MAX_PATH);
        }
    }
}

proptest! {
    #[test]
    fn a_flipped_bit_of_a_proof_of_inclusion_is_refused(size in 1..2000_u64, at in any::<Index>(), which in any::<Index>(), bit in any::<u8>()) {
        let index = at.index(size as usize) as u64;
        let whole = tree(size);
        let (mut hash, mut root) = (leaf(&index.to_be_bytes()), whole.root());
        let mut path = whole.inclusion(index, size).expect("a proof");
        prop_assert_eq!(verify_inclusion(hash, index, size, &path, root), Ok(()));
        match which.index(path.len() + 2) {
            0 => flip(&mut hash.0, bit),
            1 => flip(&mut root.0, bit),
            n => flip(&mut path[n - 2].0, bit),
        }
        prop_assert_eq!(verify_inclusion(hash, index, size, &path, root), Err(ProofError::Root));
    }

    #[test]
    fn a_flipped_bit_of_a_proof_of_consistency_is_refused((old, new) in sizes(2000), which in any::<Index>(), bit in any::<u8>()) {
        let whole = tree(new);
        let [mut old_root, mut new_root] = [old, new].map(|size| whole.root_of(size).expect("a root"));
        let mut path = whole.consistency(old, new).expect("a proof");
        prop_assert_eq!(verify_consistency(old, old_root, new, new_root, &path), Ok(()));
        match which.index(path.len() + 2) {
            0 => flip(&mut old_root.0, bit),
            // Whatever comes after nothing is consistent with it.
            1 if old == 0 && new > 0 => return Ok(()),
            1 => flip(&mut new_root.0, bit),
            n => flip(&mut path[n - 2].0, bit),
        }
        prop_assert!(verify_consistency(old, old_root, new, new_root, &path).is_err());
    }

    #[test]
    fn a_path_of_another_length_is_refused((old, new) in sizes(500), more in any::<[u8; 32]>(), in_front: bool) {
        let whole = tree(new);
        let [old_root, new_root] = [old, new].map(|size| whole.root_of(size).expect("a root"));
        let mut path = whole.consistency(old, new).expect("a proof");
        let put = if in_front { 0 } else { path.len() };
        path.insert(put, NodeHash(more));
        prop_assert!(verify_consistency(old, old_root, new, new_root, &path).is_err());
        path.remove(put);
        if !path.is_empty() {
            path.remove(if in_front { 0 } else { path.len() - 1 });
            prop_assert!(verify_consistency(old, old_root, new, new_root, &path).is_err());
        }
        if old < new {
            let mut path = whole.inclusion(old, new).expect("a proof");
            path.insert(if in_front { 0 } else { path.len() }, NodeHash(more));
            prop_assert!(verify_inclusion(leaf(&old.to_be_bytes()), old, new, &path, new_root).is_err());
        }
    }

    #[test]
    fn verifying_never_panics(numbers in any::<[u64; 2]>(), small in any::<[u8; 2]>(), hashes in prop::collection::vec(any::<[u8; 32]>(), 0..70)) {
        let path: Vec<NodeHash> = hashes.into_iter().map(NodeHash).collect();
        let some = NodeHash([7; 32]);
        for [one, other] in [numbers, small.map(u64::from)] {
            prop_assert!(verify_inclusion(LeafHash([7; 32]), one, other, &path, some).is_err() || path.is_empty());
            let _ = verify_consistency(one, some, other, some, &path);
            let _ = inclusion_path(one, other);
            let _ = consistency_path(one, other);
        }
    }

    #[test]
    fn a_frontier_is_the_tree_and_its_bytes(size in 0..3000_u64) {
        let frontier: Frontier = leaves(size).collect();
        let whole = tree(size);
        prop_assert_eq!(frontier.root(), whole.root());
        prop_assert_eq!(frontier.size(), size);
        prop_assert_eq!(&Frontier::of_tree(size, nodes(&whole)), &Ok(frontier.clone()));
        prop_assert_eq!(Frontier::from_bytes(&frontier.to_bytes()), Ok(frontier));
    }

    #[test]
    fn reading_a_frontier_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200), form: bool) {
        let mut bytes = bytes;
        if form && !bytes.is_empty() {
            bytes[0] = 1;
        }
        if let Ok(read) = Frontier::from_bytes(&bytes) {
            prop_assert_eq!(read.to_bytes(), bytes);
        }
    }

    #[test]
    fn the_first_leaf_that_differs_is_named((size, other) in sizes(600), at in any::<Index>(), more in any::<Index>()) {
        let mut hashes: Vec<LeafHash> = leaves(other).collect();
        let whole = tree(size);
        prop_assert_eq!(compare(&whole, &hashes), (size != other).then_some(size));
        if size > 0 {
            // Two leaves are changed: the earlier one is named.
            let (first, second) = (at.index(size as usize), more.index(size as usize));
            for changed in [first, second] {
                hashes[changed] = leaf(format!("another {changed}").as_bytes());
            }
            prop_assert_eq!(compare(&whole, &hashes), Some(first.min(second) as u64));
        }
    }
}

fn compare(whole: &Tree, hashes: &[LeafHash]) -> Option<u64> {
    let other: Tree = hashes.iter().copied().collect();
    let Ok::<_, Infallible>(found) =
        first_difference((whole.size(), nodes(whole)), (other.size(), nodes(&other)));
    found
}

#[test]
fn what_is_no_frontier_says_why() {
    let bytes = tree_of_three().to_bytes();
    let with = |at: usize, byte| {
        let mut bytes = bytes.clone();
        bytes[at] = byte;
        Frontier::from_bytes(&bytes)
    };
    assert_eq!(Frontier::from_bytes(&[]), Err(FrontierError::Form));
    assert_eq!(with(0, 2), Err(FrontierError::Form));
    assert_eq!(with(1, 0x80), Err(FrontierError::Size((1 << 63) + 3)));
    assert_eq!(with(8, 4), Err(FrontierError::Length { size: 4, bytes: bytes.len() }));
    assert_eq!(
        Frontier::from_bytes(&bytes[..bytes.len() - 1]),
        Err(FrontierError::Length { size: 3, bytes: bytes.len() - 1 })
    );
}

fn tree_of_three() -> Frontier {
    leaves(3).collect()
}
