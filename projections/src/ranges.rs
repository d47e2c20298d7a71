//! Ranges of positions, such as those of the events that a run caused.

use rollcall_domain::log::Position;

/// First and last position of each range, in order, with a gap between any two.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ranges(Vec<(Position, Position)>);

impl FromIterator<(Position, Position)> for Ranges {
    /// Takes ranges in any order, and joins those that touch.
    fn from_iter<I: IntoIterator<Item = (Position, Position)>>(ranges: I) -> Self {
        let mut all: Vec<(Position, Position)> = ranges.into_iter().collect();
        all.sort_unstable();
        all.dedup_by(|next, kept| {
            let touches = next.0 <= kept.1.saturating_add(1);
            if touches {
                kept.1 = kept.1.max(next.1);
            }
            touches
        });
        Self(all)
    }
}

impl Ranges {
    /// All positions.
    pub fn everything() -> Self {
        Self(vec![(1, Position::MAX)])
    }

    /// What of them lies after a position, up to another.
    pub fn between(&self, after: Position, until: Position) -> Self {
        let Some(first) = after.checked_add(1) else { return Self::default() };
        let cut = self.0.iter().map(|(from, to)| (*from.max(&first), *to.min(&until)));
        Self(cut.filter(|(from, to)| from <= to).collect())
    }

    /// The first position of the first range and the last of the last; nothing if there is none.
    pub fn span(&self) -> Option<(Position, Position)> {
        Some((self.0.first()?.0, self.0.last()?.1))
    }

    /// Whether a position lies in one of them.
    pub fn contains(&self, position: Position) -> bool {
        let at = self.0.partition_point(|(_, last)| *last < position);
        self.0.get(at).is_some_and(|(first, _)| *first <= position)
    }

    /// Each range, first and last position.
    pub fn iter(&self) -> impl Iterator<Item = (Position, Position)> {
        self.0.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_joined_in_whatever_order_they_come() {
        let joined = |ranges: &[(u64, u64)]| {
            ranges.iter().copied().collect::<Ranges>().iter().collect::<Vec<_>>()
        };
        assert_eq!(joined(&[(4, 5), (1, 2), (6, 6), (9, 11)]), [(1, 2), (4, 6), (9, 11)]);
        assert_eq!(joined(&[(1, 9), (3, 4), (10, 10), (1, 2)]), [(1, 10)]);
        assert_eq!(joined(&[]), []);
    }

    #[test]
    fn what_lies_between_two_positions_is_cut_out() {
        let ranges: Ranges = [(1, 2), (4, 6), (9, 11)].into_iter().collect();
        let cut = |after, until| ranges.between(after, until).iter().collect::<Vec<_>>();
        assert_eq!(cut(0, u64::MAX), [(1, 2), (4, 6), (9, 11)]);
        assert_eq!(cut(5, 10), [(6, 6), (9, 10)]);
        assert_eq!(cut(2, 3), []);
        assert_eq!(cut(11, u64::MAX), []);
        assert_eq!(Ranges::everything().between(u64::MAX, u64::MAX), Ranges::default());
        assert_eq!(ranges.between(4, 9).span(), Some((5, 9)));
        assert_eq!(Ranges::default().span(), None);
    }

    #[test]
    fn a_position_in_a_gap_is_not_in_them() {
        let ranges: Ranges = [(1, 2), (4, 6)].into_iter().collect();
        assert_eq!((0..8).filter(|p| ranges.contains(*p)).collect::<Vec<_>>(), [1, 2, 4, 5, 6]);
    }
}
