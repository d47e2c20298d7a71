//! The addresses that clients of OAuth are told, below the public URL.

use crate::App;
use rollcall_contract::credentials::TOKEN_PATH;
use rollcall_domain::ids::OrganizationId;

impl App {
    /// Our name as authorization server (RFC 8414 section 2).
    pub fn issuer(&self) -> &str {
        self.public_url.trim_end_matches('/')
    }

    /// The token endpoint of all clients.
    pub fn token_url(&self) -> String {
        format!("{}{TOKEN_PATH}", self.issuer())
    }

    /// That of one organization's clients.
    pub fn token_url_of(&self, organization: OrganizationId) -> String {
        format!("{}/scim/{organization}/oauth/token", self.issuer())
    }
}
