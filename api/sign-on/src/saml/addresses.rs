//! Where an organization's SAML endpoints are: exactly what Azure's Basic SAML Configuration asks
//! for.

use rollcall_contract::console::sign_in_address;
use rollcall_domain::organization::SamlPolicy;

/// The addresses of one organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addresses {
    /// "Identifier (Entity ID)": our entity id, which is where our metadata is unless the
    /// organization chose another one.
    pub identifier: String,
    /// "Reply URL (Assertion Consumer Service URL)".
    pub reply_url: String,
    /// "Sign on URL".
    pub sign_on_url: String,
    /// "Logout Url".
    pub logout_url: String,
    /// Where a browser goes that has signed in and was asked to go nowhere else.
    pub signed_in_url: String,
    /// Where the console lets somebody in who has signed in.
    pub console_url: String,
}

impl Addresses {
    /// Those of an organization's slug, below the public URL.
    pub fn of(public_url: &str, domain: &str, policy: &SamlPolicy) -> Self {
        let at =
            |action: &str| format!("{}/saml/{domain}/{action}", public_url.trim_end_matches('/'));
        Self {
            identifier: policy.entity_id.clone().unwrap_or_else(|| at("metadata")),
            reply_url: at("acs"),
            sign_on_url: at("login"),
            logout_url: at("logout"),
            signed_in_url: at("signed-in"),
            console_url: sign_in_address(public_url, domain),
        }
    }
}
