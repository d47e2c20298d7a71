//! What time it is, for whoever needs certificates and messages of today.

use chrono::{DateTime, Utc};
use std::time::UNIX_EPOCH;

/// The time of this machine's clock, in whole milliseconds.
///
/// # Panics
/// If the clock stands before 1970.
pub fn now() -> DateTime<Utc> {
    let millis = i64::try_from(UNIX_EPOCH.elapsed().expect("a clock after 1970").as_millis())
        .expect("a time");
    DateTime::from_timestamp_millis(millis).expect("an instant")
}
