//! What a session of the console stands for, now: a key, or somebody who signed in through their
//! organization and is in a group that opens the console. Both are looked up each time, so that a
//! session ends with what it rests on.

use super::SignedIn;
use crate::session::{self, Asked, Checked};
use crate::{App, Refusal};
use rollcall_domain::actor::Actor;
use rollcall_domain::credential::Purpose;
use rollcall_domain::ids::SessionId;
use rollcall_domain::organization::GroupRole;
use rollcall_projections::console::{ConsoleRole, ConsoleSessionRow};

/// What a role's credential is for.
pub fn purpose_of(role: ConsoleRole) -> Purpose {
    match role {
        ConsoleRole::Operator => Purpose::Operation,
        ConsoleRole::Admin | ConsoleRole::Setup => Purpose::Administration,
        ConsoleRole::Auditor => Purpose::Audit,
    }
}

/// Who holds a session, and as whom they use the console now.
pub type HeldBy = (SignedIn, ConsoleRole);

/// Who holds a session of the console that has not ended; nobody, if what it rests on has.
///
/// # Errors
/// If the views cannot be read.
pub async fn standing(
    app: &App,
    row: &ConsoleSessionRow,
    asked: Asked,
) -> Result<Option<HeldBy>, Refusal> {
    let purpose = purpose_of(row.role);
    let key = SignedIn::by_credential(app, row.organization, purpose, row.credential).await?;
    if let Some(signed_in) = key {
        return Ok(Some((signed_in, row.role)));
    }
    // Ids are drawn at random, so that of a session is no key's. Who holds one of another kind came
    // by a key, and by nothing else.
    let (ConsoleRole::Admin | ConsoleRole::Auditor, Some(id)) = (row.role, row.credential) else {
        return Ok(None);
    };
    let session = app.sessions.by_id(row.organization, SessionId(id.0)).await?;
    let Some(session) = session else { return Ok(None) };
    match session::standing(app, session, asked).await? {
        Some(checked) => SignedIn::by_session(app, &checked).await,
        None => Ok(None),
    }
}

impl SignedIn {
    /// Somebody who signed in through their organization, if a group that they are in opens the
    /// console. They act as themselves.
    ///
    /// # Errors
    /// If the views cannot be read.
    pub async fn by_session(app: &App, session: &Checked) -> Result<Option<HeldBy>, Refusal> {
        let (organization, user) = (session.row.organization, session.row.subject);
        let role = match app.console_groups.role_of(organization, user).await? {
            Some(GroupRole::Admin) => ConsoleRole::Admin,
            Some(GroupRole::Auditor) => ConsoleRole::Auditor,
            None => return Ok(None),
        };
        let signed_in = Self {
            actor: Actor::User { user },
            purpose: purpose_of(role),
            organization: Some(organization),
            credential: Some(rollcall_domain::ids::CredentialId(session.row.id.0)),
            ends_at: Some(session.row.expires),
            home: organization,
        };
        Ok(Some((signed_in, role)))
    }
}

/// Whether a session answers a request of ours. What the identity provider began by itself may be
/// somebody else's doing, and opens no console.
///
/// # Errors
/// If the views cannot be read.
pub async fn began_here(app: &App, session: &Checked) -> Result<bool, Refusal> {
    let Some(exchange) = session.row.exchange else { return Ok(false) };
    let login = app.logins.of_exchange(session.row.organization, exchange).await?;
    Ok(login.is_some_and(|login| login.accepted && login.request.is_some()))
}
