//! The addresses of this door.

use axum::http::Uri;
use rollcall_contract::credentials::TOKEN_PATH;
use rollcall_domain::ids::OrganizationId;
use rollcall_door::RESOURCE_METADATA;

/// What says where the token endpoint is (RFC 8414 section 3).
const SERVER_METADATA: &str = "/.well-known/oauth-authorization-server";

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// For a token: of any organization's client, or of this one's only.
    Token(Option<OrganizationId>),
    /// Where to ask for a token.
    ServerMetadata,
    /// Who gives the tokens that SCIM takes.
    ResourceMetadata,
}

impl Endpoint {
    /// What is at a path, if it is one of this door's.
    pub fn at(path: &str) -> Option<Self> {
        match path {
            TOKEN_PATH => Some(Self::Token(None)),
            SERVER_METADATA => Some(Self::ServerMetadata),
            RESOURCE_METADATA => Some(Self::ResourceMetadata),
            path => {
                let name = path.strip_prefix("/scim/")?.strip_suffix("/oauth/token")?;
                name.parse().ok().map(|organization| Self::Token(Some(organization)))
            }
        }
    }

    /// The stable name in exchanges and metrics.
    pub fn operation(self) -> &'static str {
        match self {
            Self::Token(_) => "oauth.token",
            Self::ServerMetadata => "oauth.server-metadata",
            Self::ResourceMetadata => "oauth.resource-metadata",
        }
    }

    /// The methods that are possible, for `Allow`.
    pub fn allowed(self) -> &'static str {
        match self {
            Self::Token(_) => "POST",
            Self::ServerMetadata | Self::ResourceMetadata => "GET, HEAD",
        }
    }
}

/// Whether a request is for this door.
pub fn is_oauth(uri: &Uri) -> bool {
    Endpoint::at(uri.path()).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_organization_is_named_by_its_id_alone() {
        let id = "01a20bb3-b08b-76cb-a7ba-a0dec64eee60";
        let own = format!("/scim/{id}/oauth/token");
        assert_eq!(Endpoint::at(&own), Some(Endpoint::Token(Some(id.parse().unwrap()))));
        assert_eq!(Endpoint::at(TOKEN_PATH), Some(Endpoint::Token(None)));
        for path in ["/scim/v2/oauth/token", "/scim/example/oauth/token", "/scim//oauth/token", "/"]
        {
            assert_eq!(Endpoint::at(path), None, "{path}");
        }
    }
}
