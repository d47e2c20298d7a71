//! One life of an exchange, whatever door the request came in by: it is opened with what is known
//! of the request, secrets taken out; served to its end; closed with its answer; kept; measured. A
//! door says only what differs.

mod keep;
mod life;
mod limits;
mod measure;
mod opened;
mod position;
pub mod redact;
mod trace;
mod visit;

pub use keep::{Kept, keep, turn_away};
pub use life::{guarded, room, to_the_end};
pub use limits::RateLimit;
pub use measure::measure;
pub use opened::{Closing, KeptBody, Opened};
pub use position::POSITION;
pub use trace::{found, span};
pub use visit::Visit;
