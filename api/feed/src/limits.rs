//! How much is asked for: what is beyond the bounds is refused, never cut in silence.

use rollcall_door::Refusal;
use std::ops::RangeInclusive;

/// Events or items of a page.
pub const ON_A_PAGE: RangeInclusive<usize> = 1..=1_000;
/// The same when nobody says.
pub const USUAL: usize = 100;
/// Seconds to wait.
pub const WAIT: RangeInclusive<u64> = 0..=30;

/// What was asked for, or what is usual.
///
/// # Errors
/// 400 if it is out of bounds.
pub fn within<T: PartialOrd + std::fmt::Display>(
    name: &str,
    asked: Option<T>,
    usual: T,
    bounds: RangeInclusive<T>,
) -> Result<T, Refusal> {
    match asked {
        None => Ok(usual),
        Some(asked) if bounds.contains(&asked) => Ok(asked),
        Some(asked) => Err(Refusal::parameter(
            name,
            format!("{name}={asked} cannot be: give {} to {}", bounds.start(), bounds.end()),
        )),
    }
}
