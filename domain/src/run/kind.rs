//! What a run was, and how sure that is.

use serde::{Deserialize, Serialize};

/// What a run was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunKind {
    /// The first cycle: everything in scope is matched or created.
    Initial,
    /// A cycle that sends what changed since the one before; often nothing.
    Incremental,
    /// A cycle that reads everything again.
    Restart,
    /// One user, or one group with a few members, sent at once by hand.
    OnDemand,
    /// The button in the portal: a lookup for a user that cannot exist.
    ConnectionTest,
    /// A listing of all accounts, page by page.
    AccountDiscovery,
    /// Somebody who does not work as Entra does.
    OtherClient,
}

impl RunKind {
    /// All kinds.
    pub const ALL: [RunKind; 7] = [
        RunKind::Initial,
        RunKind::Incremental,
        RunKind::Restart,
        RunKind::OnDemand,
        RunKind::ConnectionTest,
        RunKind::AccountDiscovery,
        RunKind::OtherClient,
    ];

    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            RunKind::Initial => "initial",
            RunKind::Incremental => "incremental",
            RunKind::Restart => "restart",
            RunKind::OnDemand => "on-demand",
            RunKind::ConnectionTest => "connection-test",
            RunKind::AccountDiscovery => "account-discovery",
            RunKind::OtherClient => "other-client",
        }
    }

    /// Reads the stable name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.as_str() == text)
    }

    /// True for the cycles, which keep the rhythm.
    pub fn is_cycle(self) -> bool {
        matches!(self, RunKind::Initial | RunKind::Incremental | RunKind::Restart)
    }
}

/// How sure the kind of a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Confidence {
    /// The traffic would read otherwise as well.
    Low,
    /// The traffic speaks for it.
    Medium,
    /// Hardly anything else looks so.
    High,
    /// Entra's own log says so.
    Confirmed,
}

impl Confidence {
    /// All, from the least sure.
    pub const ALL: [Confidence; 4] =
        [Confidence::Low, Confidence::Medium, Confidence::High, Confidence::Confirmed];

    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Confidence::Low => "low",
            Confidence::Medium => "medium",
            Confidence::High => "high",
            Confidence::Confirmed => "confirmed",
        }
    }

    /// Reads the stable name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|c| c.as_str() == text)
    }
}
