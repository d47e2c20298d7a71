//! Somebody with a key, however they have shown it: with the request, or to a door within this
//! process that lets them ask by a session of its own.

use crate::{App, Refusal};
use axum::http::Extensions;
use rollcall_domain::actor::Actor;
use rollcall_domain::credential::Purpose;
use rollcall_domain::ids::{AuditorId, CredentialId, OrganizationId};
use rollcall_engine::secrets::{same, sha256_hex};
use rollcall_projections::credential::CredentialState;
use rollcall_projections::credentials::CredentialRow;

/// Whose key it is, and what it is for. As an extension of a request it stands in place of a bearer
/// token: extensions never come in from outside.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// Who it is.
    pub actor: Actor,
    /// What the key is for.
    pub purpose: Purpose,
    /// Where it lets in; everywhere, if none.
    pub organization: Option<OrganizationId>,
    /// Which key; none of the key of the data folder.
    pub credential: Option<CredentialId>,
    /// When the key ends, if it does.
    pub ends_at: Option<chrono::DateTime<chrono::Utc>>,
    /// In whose log it was issued.
    pub home: OrganizationId,
}

/// That a request came in where operators do (`--admin-listen`). An extension of a request.
#[derive(Clone, Copy, Debug)]
pub struct Inside;

impl Inside {
    /// Whether operators' keys, and questions for metrics, are answered where a request came in.
    pub fn is_open(app: &App, extensions: &Extensions) -> bool {
        app.config.admin_listen.is_empty()
            || extensions.get::<Self>().is_some()
            || extensions.get::<LocalAccount>().is_some()
    }
}

/// An account of this machine that came through the socket in the data folder, which only who may
/// read the operator key can open. As an extension of a request it needs no key.
#[derive(Clone, Debug)]
pub struct LocalAccount(pub String);

impl SignedIn {
    /// The holder of the key of the data folder.
    fn operator() -> Self {
        Self::operating(Actor::Operator)
    }

    /// Somebody on this machine.
    pub(super) fn local(LocalAccount(account): &LocalAccount) -> Self {
        Self::operating(Actor::LocalOperator { name: account.clone() })
    }

    fn operating(actor: Actor) -> Self {
        Self {
            actor,
            purpose: Purpose::Operation,
            organization: None,
            credential: None,
            ends_at: None,
            home: OrganizationId::NONE,
        }
    }

    /// The holder of this key, if it is live.
    ///
    /// # Errors
    /// If the views cannot be read.
    pub async fn by_key(app: &App, key: &str) -> Result<Option<Self>, Refusal> {
        let sha256 = sha256_hex(key);
        if same(&sha256, &app.operator_sha256) {
            return Ok(Some(Self::operator()));
        }
        // Found by the hash of 256 random bits: nothing is left for the comparison's timing to
        // tell.
        match app.credentials.bearer(&sha256).await? {
            Some(row) => Self::by_row(app, &row).await,
            None => Ok(None),
        }
    }

    /// The holder of the key with this id, if it is live; of the key of the data folder, if there
    /// is no id.
    ///
    /// # Errors
    /// If the views cannot be read.
    pub async fn by_credential(
        app: &App,
        home: OrganizationId,
        purpose: Purpose,
        credential: Option<CredentialId>,
    ) -> Result<Option<Self>, Refusal> {
        let Some(credential) = credential else { return Ok(Some(Self::operator())) };
        let rows = app.credentials.list(home, purpose).await?;
        match rows.iter().find(|row| row.id == credential) {
            Some(row) => Self::by_row(app, row).await,
            None => Ok(None),
        }
    }

    async fn by_row(app: &App, row: &CredentialRow) -> Result<Option<Self>, Refusal> {
        if row.state(app.engine.clock.now()) != CredentialState::Live {
            return Ok(None);
        }
        let actor = actor(app, row).await?;
        Ok(actor.map(|actor| Self {
            actor,
            purpose: row.purpose,
            organization: (row.purpose != Purpose::Operation).then_some(row.organization),
            credential: Some(row.id),
            ends_at: row.expires,
            home: row.organization,
        }))
    }
}

async fn actor(app: &App, row: &CredentialRow) -> Result<Option<Actor>, Refusal> {
    let name = || row.label.clone();
    Ok(match row.purpose {
        Purpose::Scim => None,
        Purpose::Feed => {
            let (now, found) =
                (app.engine.clock.now(), app.consumers.of_key(row.organization, row.id).await?);
            let held = found.filter(|held| held.until.is_none_or(|until| now < until));
            held.map(|held| Actor::Consumer { consumer: held.consumer, key: row.id })
        }
        Purpose::Audit => Some(Actor::Auditor { auditor: AuditorId(row.id.0) }),
        Purpose::Administration => Some(Actor::Admin { admin: row.id, name: name() }),
        Purpose::Operation => Some(Actor::NamedOperator { operator: row.id, name: name() }),
    })
}
