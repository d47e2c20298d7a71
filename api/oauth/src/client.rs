//! Who asks for a token.

use crate::assertion;
use crate::form::Claimed;
use crate::refusal::Refusal;
use crate::room::Oauth;
use crate::secret;
use chrono::{DateTime, Utc};
use rollcall_domain::credential::{ClientAuthentication, TokenRequest};
use rollcall_domain::ids::{CredentialId, OrganizationId};
use rollcall_projections::credential::CredentialState;
use rollcall_projections::credentials::CredentialRow;
use rollcall_projections::organizations::OrganizationRow;

/// A client that showed who it is.
pub struct Client {
    /// Its credential.
    pub credential: CredentialRow,
    /// Its organization.
    pub organization: OrganizationRow,
    /// The beginning of the SHA-256 of the secret that it showed, if it was a secret.
    pub secret: Option<String>,
    /// When what it showed ends.
    pub until: Option<DateTime<Utc>>,
}

/// A client that is there, whoever it is that asks.
pub struct Named {
    credential: CredentialRow,
    /// Its organization.
    pub organization: OrganizationRow,
}

/// Finds the client that a request names. Who is none, and who is one of another organization than
/// the endpoint's, are answered alike.
///
/// # Errors
/// If there is none, or the views cannot be read.
pub async fn find(
    oauth: &Oauth,
    claimed: &Claimed,
    within: Option<OrganizationId>,
) -> Result<Named, Refusal> {
    let name = match claimed {
        Claimed::Secret { client, .. } | Claimed::Assertion { client: Some(client), .. } => {
            Some(client.clone())
        }
        // What is signed by the client itself says which (RFC 7523 section 3).
        Claimed::Assertion { client: None, assertion } => assertion::subject(assertion),
    };
    let nobody = || Refusal::invalid_client("there is no such client");
    let name = name.ok_or_else(nobody)?;
    let id: CredentialId = name.parse().map_err(|_| nobody())?;
    if id.to_string() != name {
        return Err(nobody());
    }
    let found = oauth.app.credentials.client_of_organization(id).await;
    let found = found.map_err(|error| {
        tracing::warn!(%error, "a client cannot be looked up");
        Refusal::unavailable("the views cannot be read")
    })?;
    let (credential, organization) = found.ok_or_else(nobody)?;
    if within.is_some_and(|within| within != organization.id) {
        return Err(nobody());
    }
    Ok(Named { credential, organization })
}

impl Named {
    /// Its id.
    pub fn id(&self) -> CredentialId {
        self.credential.id
    }

    /// Lets the client show who it is. What was found is noted in `asked`.
    ///
    /// # Errors
    /// If it cannot.
    pub async fn authenticate(
        self,
        oauth: &Oauth,
        claimed: Claimed,
        endpoints: &[&str],
        asked: &mut TokenRequest,
        now: DateTime<Utc>,
    ) -> Result<Client, Refusal> {
        let Self { credential, organization } = self;
        // Only who has shown who it is counts as the client: what others try in its name must not
        // keep it out.
        let shown = match credential.state(now) {
            CredentialState::Live => show(oauth, &credential, claimed, endpoints, asked, now).await,
            state => {
                asked.authentication = Some(claimed.how());
                Err(Refusal::invalid_client(format!("the credential is {}", state.as_str())))
            }
        };
        match shown {
            Ok(_) if !oauth.limits.admits(credential.id) => {
                Err(Refusal::too_many(5, "too many token requests of this client"))
            }
            Ok((secret, until)) => Ok(Client { credential, organization, secret, until }),
            Err(refusal) if refusal.status == 401 && !oauth.limits.admits_wrong(credential.id) => {
                Err(Refusal::too_many(60, "too many wrong secrets or assertions for this client"))
            }
            Err(refusal) => Err(refusal),
        }
    }
}

impl Claimed {
    fn how(&self) -> ClientAuthentication {
        match self {
            Self::Secret { how, .. } => *how,
            Self::Assertion { .. } => ClientAuthentication::PrivateKeyJwt,
        }
    }
}

async fn show(
    oauth: &Oauth,
    credential: &CredentialRow,
    claimed: Claimed,
    endpoints: &[&str],
    asked: &mut TokenRequest,
    now: DateTime<Utc>,
) -> Result<(Option<String>, Option<DateTime<Utc>>), Refusal> {
    asked.authentication = Some(claimed.how());
    match claimed {
        Claimed::Secret { secret, .. } => {
            let shown = secret::check(credential, &secret, now)?;
            asked.secret = Some(shown.name.clone());
            Ok((Some(shown.name), shown.expires))
        }
        Claimed::Assertion { assertion, .. } => {
            let checked = assertion::check(oauth, credential, &assertion, endpoints, now).await;
            asked.assertion = Some(checked.seen);
            let said = checked.outcome?;
            Ok((None, said.into_iter().chain(credential.expires).min()))
        }
    }
}
