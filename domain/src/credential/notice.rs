//! Credentials that come to their end, and have: told once each, by the clock.

use super::ring::{Credential, Credentials};
use super::{CredentialEnded, CredentialEvent, CredentialExpiring, Proof};
use crate::ids::CredentialId;
use chrono::{DateTime, Utc};

/// Days before the end at which it is told, the nearest last: as of certificates.
const WARN_AT_DAYS: [u32; 3] = [60, 30, 7];

/// What is due to be told at an instant.
pub(super) fn due(all: &Credentials, now: DateTime<Utc>) -> Vec<CredentialEvent> {
    all.iter()
        .filter(|(_, known)| !known.revoked)
        .flat_map(|(id, known)| of_one(*id, known, now))
        .collect()
}

fn of_one(
    credential: CredentialId,
    known: &Credential,
    now: DateTime<Utc>,
) -> Vec<CredentialEvent> {
    // Secrets of a client end one by one; everything else as a whole.
    let ends: Vec<(Option<String>, DateTime<Utc>, Option<u32>)> = match &known.proof {
        Proof::ClientSecret { .. } => known
            .secrets
            .iter()
            .filter_map(|s| Some((Some(s.sha256.clone()), s.expires_at?, s.warned)))
            .collect(),
        Proof::Token { .. } | Proof::PrivateKeyJwt { .. } | Proof::Federated { .. } => {
            known.expires_at.map(|at| (None, at, known.warned)).into_iter().collect()
        }
    };
    let mut events = Vec::new();
    for (sha256, expires_at, warned) in &ends {
        let left = (*expires_at - now).num_seconds();
        let reached = WARN_AT_DAYS.into_iter().rev().find(|days| left <= i64::from(*days) * 86_400);
        // The nearest threshold that was reached; each is told once.
        if let Some(days) =
            reached.filter(|days| left > 0 && warned.is_none_or(|told| told > *days))
        {
            events.push(CredentialEvent::Expiring(CredentialExpiring {
                credential,
                sha256: sha256.clone(),
                expires_at: *expires_at,
                days,
            }));
        }
    }
    let last = ends.iter().map(|(_, at, _)| *at).max();
    if let Some(expires_at) = last.filter(|at| *at <= now && !known.ended && !known.is_live(now)) {
        events.push(CredentialEvent::Ended(CredentialEnded { credential, expires_at }));
    }
    events
}
