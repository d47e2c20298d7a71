//! Assertions by which a client shows who it is (RFC 7521, RFC 7523): what each is judged by, and
//! what came of it. Whoever reads the wire and checks the signature hands over what it found; the
//! judgement itself knows no clock and no key.

mod axis;
mod judge;

pub use axis::{Axis, Finding, Seen};
pub use judge::{Claims, Expected, Header, KEY_BITS, KeyCheck, LEEWAY, Presented, judge};
