//! Where two trees begin to differ, found by going down from their roots.

use super::hash::NodeHash;
use super::place::{Place, Span};

/// The index of the first leaf in which two trees differ: another leaf, or one that only the larger
/// tree has. `None` if they are one tree.
///
/// Each tree is its size and a function that gives its nodes; both are asked for the same places,
/// about two for each level. An error is one of theirs.
pub fn first_difference<E>(
    (size, mut nodes): (u64, impl FnMut(Place) -> Result<NodeHash, E>),
    (other_size, mut other): (u64, impl FnMut(Place) -> Result<NodeHash, E>),
) -> Result<Option<u64>, E> {
    let mut differ = |place| Ok::<bool, E>(nodes(place)? != other(place)?);
    let shared = size.min(other_size);
    for peak in Span::of_tree(shared).places() {
        if differ(peak)? {
            return descend(peak, &mut differ).map(Some);
        }
    }
    Ok((size != other_size).then_some(shared))
}

/// Goes down from a node that is known to differ.
fn descend<E>(from: Place, differ: &mut impl FnMut(Place) -> Result<bool, E>) -> Result<u64, E> {
    let mut place = from;
    while let Some((left, right)) = place.children() {
        // If all on the left is the same, the difference is on the right and need not be looked at.
        place = if differ(left)? { left } else { right };
    }
    Ok(place.index)
}
