//! Credentials of SCIM clients, whatever proves them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// The token endpoint of all clients, below the public URL.
pub const TOKEN_PATH: &str = "/scim/oauth/token";

/// A new credential.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCredential {
    /// What it is for.
    pub label: String,
    /// From when on it is refused. A client secret ends after a year, if this is absent; everything
    /// else never.
    #[serde(default)]
    #[serde(serialize_with = "crate::time::optional")]
    pub expires_at: Option<DateTime<Utc>>,
    /// How its holder proves to be it.
    pub proof: NewProof,
}

/// How the holder of a new credential proves to be it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum NewProof {
    /// By a bearer token that is sent with each request.
    Token {},
    /// By a secret that is exchanged for access tokens.
    ClientSecret {},
    /// By assertions that it signs itself. One of the two must be there.
    PrivateKeyJwt {
        /// Where its public keys are.
        #[serde(default)]
        jwks_url: Option<String>,
        /// Its public keys, as a JSON Web Key Set.
        #[serde(default)]
        jwks: Option<String>,
    },
    /// By assertions of a tenant of Entra (workload identity federation).
    Federated {
        /// The tenant's id.
        tenant: Uuid,
        /// The object id of the principal in the tenant.
        subject: Uuid,
        /// The id of the application that the assertions are for.
        application: Uuid,
        /// The cloud that signs; Microsoft's public one, if absent.
        #[serde(default)]
        authority: Option<String>,
        /// The application that asks for the assertions (`azp`); not looked at, if absent.
        #[serde(default)]
        authorized_party: Option<Uuid>,
    },
}

/// A credential that was added. What is secret in it is shown this once.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CredentialAdded {
    /// Names the credential, and is the client id.
    pub client_id: Uuid,
    /// Goes into Entra's Client Secret; not shown again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<String>,
    /// Goes into Entra's Secret Token; not shown again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// Goes into Entra's Tenant URL.
    pub tenant_url: String,
    /// Goes into Entra's Token Endpoint.
    pub token_url: String,
    /// The audiences that are trusted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub audiences: Vec<String>,
    /// From when on it is refused.
    #[serde(serialize_with = "crate::time::optional")]
    pub expires_at: Option<DateTime<Utc>>,
    /// Whether single sign-on is set up: it should be, before people are provisioned.
    pub sso_ready: bool,
}

/// When a new secret of a client ends.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NewSecret {
    /// From when on it is refused; after a year, if absent.
    #[serde(serialize_with = "crate::time::optional")]
    pub expires_at: Option<DateTime<Utc>>,
}

/// An audience to be trusted.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAudience {
    /// What `aud` may be, exactly.
    pub audience: String,
}

/// A credential as it can be seen later.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CredentialBody {
    /// Names the credential, and is the client id.
    pub client_id: Uuid,
    /// `token`, `client-secret`, `private-key-jwt` or `federated`.
    pub kind: String,
    /// What it is for.
    pub label: String,
    /// `live`, `expired` or `revoked`.
    pub state: String,
    /// Who made it.
    pub made_by: String,
    /// When it was issued.
    #[serde(serialize_with = "crate::time::serialize")]
    pub issued_at: DateTime<Utc>,
    /// From when on it is refused; of two secrets, the later end.
    #[serde(serialize_with = "crate::time::optional")]
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was revoked.
    #[serde(serialize_with = "crate::time::optional")]
    pub revoked_at: Option<DateTime<Utc>>,
    /// When a request first came with it.
    #[serde(serialize_with = "crate::time::optional")]
    pub first_used_at: Option<DateTime<Utc>>,
    /// When a request last came with it.
    #[serde(serialize_with = "crate::time::optional")]
    pub last_used_at: Option<DateTime<Utc>>,
    /// Goes into Entra's Token Endpoint.
    pub token_url: String,
    /// Whether the last cycle came with it.
    pub used_by_last_cycle: bool,
    /// Whether the last two cycles went well with another credential: nobody seems to need this
    /// one any more.
    pub can_be_revoked: bool,
    /// Its secrets, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<SecretBody>,
    /// What its assertions must say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trust: Option<TrustBody>,
    /// Where its keys are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks_url: Option<String>,
    /// Audiences for which alone assertions were refused lately: to be trusted, if they are meant.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused_audiences: Vec<RefusedAudience>,
}

/// A secret of a client, without itself.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SecretBody {
    /// The beginning of its SHA-256.
    pub sha256: String,
    /// From when on it is refused.
    #[serde(serialize_with = "crate::time::optional")]
    pub expires_at: Option<DateTime<Utc>>,
    /// Whether the last access token was got by it.
    pub last_used: bool,
}

/// What assertions must say.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct TrustBody {
    /// `iss`
    pub issuer: String,
    /// `tid`
    pub tenant: String,
    /// `sub`
    pub subject: String,
    /// One of them must be `aud`.
    pub audiences: Vec<String>,
    /// `azp`
    pub authorized_party: Option<String>,
}

/// An audience that is not trusted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RefusedAudience {
    /// What `aud` was.
    pub audience: String,
    /// When an assertion last came with it.
    #[serde(serialize_with = "crate::time::serialize")]
    pub seen_at: DateTime<Utc>,
    /// Which exchange that was.
    pub exchange: Uuid,
}

/// A credential in a path.
#[derive(Clone, Debug, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct CredentialPath {
    /// Domain or id of the organization.
    pub organization: String,
    /// Names the credential.
    pub credential: Uuid,
}
