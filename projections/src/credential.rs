//! What a SCIM token and an auditor's key have in common: the secret is shown once, and refused
//! from some time on.

use chrono::{DateTime, Utc};

/// Whether a secret is let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialState {
    /// It is.
    Live,
    /// Not any more: its time is over.
    Expired,
    /// Not any more: it was revoked.
    Revoked,
}

impl CredentialState {
    /// The state at an instant. What expires at that very instant is refused already.
    pub(crate) fn at(
        now: DateTime<Utc>,
        expires: Option<DateTime<Utc>>,
        revoked: Option<DateTime<Utc>>,
    ) -> Self {
        match (revoked, expires) {
            (Some(_), _) => Self::Revoked,
            (None, Some(at)) if at <= now => Self::Expired,
            _ => Self::Live,
        }
    }

    /// Its stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::Duration;

    #[test]
    fn a_secret_is_refused_from_its_end_on_and_once_revoked() {
        let end = DateTime::UNIX_EPOCH + Duration::days(20_000);
        let (before, after) = (end - Duration::microseconds(1), end + Duration::days(1));
        let state = |now, expires, revoked| CredentialState::at(now, expires, revoked).as_str();
        assert_eq!(
            [before, end, after].map(|now| state(now, Some(end), None)),
            ["live", "expired", "expired"]
        );
        assert_eq!([before, after].map(|now| state(now, None, None)), ["live", "live"]);
        assert_eq!(
            [before, after].map(|now| state(now, Some(end), Some(before))),
            ["revoked", "revoked"]
        );
    }
}
