//! Where a client learns how to get a token: from the resource to its server (RFC 9728), and from
//! there to the token endpoint (RFC 8414).

use crate::form::GRANT;
use rollcall_domain::credential::ClientAuthentication;
use rollcall_door::App;
use rollcall_door::access_token::SCOPE;
use serde_json::{Value, json};

/// RFC 8414 section 2.
pub fn server(app: &App) -> Value {
    json!({
        "issuer": app.issuer(),
        "token_endpoint": app.token_url(),
        "token_endpoint_auth_methods_supported":
            ClientAuthentication::ALL.map(ClientAuthentication::as_str),
        "token_endpoint_auth_signing_alg_values_supported": ["RS256"],
        "grant_types_supported": [GRANT],
        "response_types_supported": [],
        "scopes_supported": [SCOPE],
    })
}

/// RFC 9728 section 2.
pub fn resource(app: &App) -> Value {
    json!({
        "resource": *app.scim_base,
        "authorization_servers": [app.issuer()],
        "scopes_supported": [SCOPE],
        "bearer_methods_supported": ["header"],
    })
}
