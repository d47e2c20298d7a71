//! The streams' names.

use rollcall_domain::ids::OrganizationId;

/// Lists the organizations that have a log or a claim key.
pub(crate) const ORGANIZATIONS: &str = "rollcall-organizations";

/// Records, exchanges and changes of claims, in the order of their commit.
pub(crate) fn main(organization: OrganizationId) -> String {
    format!("rollcall-{organization}")
}

/// One event: the key under which a scope's claims are hashed.
pub(crate) fn key(scope: OrganizationId) -> String {
    format!("rollcall-{scope}-key")
}

/// Bodies of the exchanges of a month, which is a number such as 202611.
pub(crate) fn bodies(organization: OrganizationId, month: u32) -> String {
    format!("rollcall-{organization}-bodies-{month}")
}

/// What is too long for an event of [`main`]; never truncated.
pub(crate) fn large(organization: OrganizationId) -> String {
    format!("rollcall-{organization}-large")
}
