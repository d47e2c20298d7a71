//! Who is signed in to the console, and the links by which somebody gets in: durable, and neither
//! log nor view. What they lead to (a credential, a command) is in the log; the secrets themselves
//! are nowhere, only their SHA-256 is.
//!
//! All processes on one database share them. A link is redeemed by compare-and-set, so that one
//! that is for one use lets in once, wherever it is opened.

mod link;
mod session;

pub use link::{ConsoleLinkRow, LinkState, Links};
pub use session::{ConsoleSessionRow, IDLE_MINUTES, Sessions, TOTAL_HOURS};

use crate::cells::words;
use crate::schema;
use rollcall_domain::sql::{SqlError, SqlStore};
use std::sync::Arc;

/// As whom somebody uses the console.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsoleRole {
    /// Everything, everywhere.
    Operator,
    /// Everything of one organization.
    Admin,
    /// Reads everything of one organization.
    Auditor,
    /// Sets one organization up, and nothing else.
    Setup,
}

impl ConsoleRole {
    /// All of them.
    pub const ALL: [ConsoleRole; 4] =
        [ConsoleRole::Operator, ConsoleRole::Admin, ConsoleRole::Auditor, ConsoleRole::Setup];

    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            ConsoleRole::Operator => "operator",
            ConsoleRole::Admin => "admin",
            ConsoleRole::Auditor => "auditor",
            ConsoleRole::Setup => "setup",
        }
    }
}

words!(ConsoleRole: as_str);

/// Links and sessions, in the side store.
#[derive(Clone)]
pub struct ConsoleStore {
    /// Links.
    pub links: Links,
    /// Sessions.
    pub sessions: Sessions,
}

impl ConsoleStore {
    /// Keeps them in this store; makes the tables if there are none.
    ///
    /// # Errors
    /// If the store cannot be reached.
    pub async fn open(store: Arc<dyn SqlStore>) -> Result<Self, SqlError> {
        schema::make(&*store, &[&link::CONSOLE_LINKS, &session::CONSOLE_SESSIONS]).await?;
        Ok(Self { links: Links::new(store.clone()), sessions: Sessions::new(store) })
    }
}
