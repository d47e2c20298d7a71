//! Pages of an answer: how long one is, and where the next begins.

/// So many go on a page when nobody says.
const USUAL: usize = 100;
/// So many at most.
const MOST: usize = 1_000;

/// How many go on a page.
pub fn limit(asked: Option<usize>) -> usize {
    asked.unwrap_or(USUAL).clamp(1, MOST)
}

/// Where the next page begins; none if this one is not full.
pub fn next<T>(page: &[T], limit: usize, place: impl Fn(&T) -> u64) -> Option<u64> {
    page.last().filter(|_| page.len() >= limit).map(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_bounds() {
        assert_eq!([None, Some(0), Some(7), Some(5_000)].map(limit), [100, 1, 7, 1_000]);
    }

    #[test]
    fn only_a_full_page_has_a_next_one() {
        assert_eq!(next(&[3, 5], 2, |n| *n), Some(5));
        assert_eq!(next(&[3, 5], 3, |n| *n), None);
        assert_eq!(next(&[], 3, |n| *n), None);
    }
}
