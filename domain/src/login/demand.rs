//! How, and how lately, a person must have proved to their identity provider who they are.

use super::NotAdmitted;
use crate::saml::Assertion;
use chrono::{DateTime, TimeDelta, Utc};

/// Entra says here how somebody signed in; its authentication context is always the same.
const METHODS: &str = "http://schemas.microsoft.com/claims/authnmethodsreferences";
/// How far the clocks of two machines may be apart.
const SKEW: TimeDelta = TimeDelta::minutes(3);

/// What is demanded.
#[derive(Clone, Copy, Debug)]
pub struct Demand<'a> {
    /// One of these authentication context classes or methods; any, if empty.
    pub contexts: &'a [String],
    /// Not before this instant, if it matters.
    pub since: Option<DateTime<Utc>>,
}

impl Demand<'_> {
    /// Whether an assertion says so.
    ///
    /// # Errors
    /// Says what is missing.
    pub fn is_met_by(&self, assertion: &Assertion) -> Result<(), NotAdmitted> {
        let methods = assertion.values(METHODS).iter().map(String::as_str);
        let mut proved = assertion.authn_context.as_deref().into_iter().chain(methods);
        if !self.contexts.is_empty() && !proved.any(|how| self.contexts.iter().any(|c| c == how)) {
            return Err(NotAdmitted::WeakAuthentication);
        }
        if self.since.is_some_and(|since| assertion.authn_instant < since - SKEW) {
            return Err(NotAdmitted::OldAuthentication);
        }
        Ok(())
    }
}
