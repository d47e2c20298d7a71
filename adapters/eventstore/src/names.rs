//! The streams' names.

use rollcall_domain::ids::OrganizationId;

/// What the names of all streams of a log begin with.
pub(crate) struct Names(pub String);

impl Names {
    /// Lists the organizations that have a log or a claim key.
    pub fn organizations(&self) -> String {
        format!("{}-organizations", self.0)
    }

    /// Records, exchanges and changes of claims, in the order of their commit.
    pub fn main(&self, organization: OrganizationId) -> String {
        format!("{}-{organization}", self.0)
    }

    /// One event: the key under which a scope's claims are hashed.
    pub fn key(&self, scope: OrganizationId) -> String {
        format!("{}-{scope}-key", self.0)
    }

    /// One event: which log this is.
    pub fn epoch(&self) -> String {
        format!("{}-epoch", self.0)
    }

    /// Bodies of the exchanges of a month, which is a number such as 202611.
    pub fn bodies(&self, organization: OrganizationId, month: u32) -> String {
        format!("{}-{organization}-bodies-{month}", self.0)
    }

    /// What is too long for an event of [`Self::main`]; never truncated.
    pub fn large(&self, organization: OrganizationId) -> String {
        format!("{}-{organization}-large", self.0)
    }
}
