//! Which consumer a command is about.

use rollcall_contract::consumers::ConsumerPath;

/// One consumer.
#[derive(Clone, Debug, clap::Args)]
pub struct One {
    /// The organization's slug
    #[arg(long, value_name = "SLUG")]
    pub org: String,
    /// Name or id of the consumer
    pub consumer: String,
}

impl One {
    /// Its path.
    pub fn path(self) -> ConsumerPath {
        ConsumerPath { organization: self.org, consumer: self.consumer }
    }
}
