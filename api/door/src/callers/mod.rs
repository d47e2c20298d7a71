//! Who calls `/api/v1`. The extractor is the guard: a handler that can name one of these has one.
//!
//! | | may |
//! |---|---|
//! | [`Operator`] | everything |
//! | [`Admin`] | change one organization, and nothing else; operators are admins of each |
//! | [`Follower`] | follow one organization's log as one of its consumers; admins may look at what it gets |
//! | [`Auditor`] | read everything about one organization, and change nothing; admins are auditors of theirs |

mod admin;
mod auditor;
mod command;
mod follower;
mod holder;
mod operator;
mod organization;
mod signed_in;

pub use admin::Admin;
pub use auditor::Auditor;
pub use command::of_credential;
pub use follower::{Follower, consumer};
pub use holder::still_holds;
pub use operator::Operator;
pub use organization::{REST, find};
pub use signed_in::{Inside, LocalAccount, SignedIn};

use crate::{App, Refusal};
use axum::http::request::Parts;

/// Finds out who calls, and about which organization, of a request that no handler will see: its
/// exchange is to say so as that of every other.
///
/// # Errors
/// If nobody known calls, or the organization is not there for them.
pub async fn introduced(parts: &mut Parts, app: &App) -> Result<(), Refusal> {
    let holder = holder::Holder::of(parts, app).await?;
    organization::named(parts, app, &holder).await.map(|_| ())
}
