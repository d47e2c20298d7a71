//! Authentication requests, on the redirect binding.

use crate::message::{MessageError, check_id};
use crate::provider::ServiceProvider;
use crate::redirect::{self, Field};
use crate::xml::{ASSERTION, POST, PROTOCOL, escaped, written};
use chrono::{DateTime, Utc};

/// What a caller may ask for with a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuthnOptions<'a> {
    /// Comes back with the response: an opaque key of the caller's, at most 80 bytes.
    pub relay_state: Option<&'a str>,
    /// Whom the identity provider may suggest; passed on as `login_hint`.
    pub login_hint: Option<&'a str>,
    /// Asks the identity provider to ask the person again.
    pub force_authn: bool,
    /// Asks for one of these authentication context classes; for none, if empty.
    pub authn_contexts: &'a [String],
}

impl ServiceProvider {
    /// The address to send a browser to for signing in. `id` is the request's id: at least 128
    /// random bits, beginning with a letter or an underscore; the caller binds it to the browser.
    pub fn authn_request(
        &self,
        id: &str,
        now: DateTime<Utc>,
        options: &AuthnOptions<'_>,
    ) -> Result<String, MessageError> {
        let connection = &self.connection;
        check_id(id)?;
        let key = match (connection.policy.sign_requests, connection.keys.first()) {
            (true, None) => return Err(MessageError::NoKey),
            (true, key) => key,
            (false, _) => None,
        };
        // No Subject, Conditions or NameIDPolicy: Entra answers some with errors, and an admin
        // decides there what the name id is.
        let classes: String = options
            .authn_contexts
            .iter()
            .map(|c| {
                format!("<saml:AuthnContextClassRef>{}</saml:AuthnContextClassRef>", escaped(c))
            })
            .collect();
        let contexts = match &*classes {
            "" => String::new(),
            // The only comparison that Entra knows.
            classes => format!(
                r#"<samlp:RequestedAuthnContext Comparison="exact">{classes}</samlp:RequestedAuthnContext>"#
            ),
        };
        let xml = format!(
            concat!(
                r#"<samlp:AuthnRequest xmlns:samlp="{protocol}" xmlns:saml="{assertion}" ID="{id}" Version="2.0" IssueInstant="{now}" "#,
                r#"Destination="{destination}" ProtocolBinding="{post}" AssertionConsumerServiceURL="{acs}"{force}>"#,
                "<saml:Issuer>{issuer}</saml:Issuer>{contexts}</samlp:AuthnRequest>",
            ),
            protocol = PROTOCOL,
            assertion = ASSERTION,
            id = escaped(id),
            now = written(now),
            destination = escaped(&connection.idp.sso_redirect_url),
            post = POST,
            acs = escaped(&connection.acs_url),
            force = if options.force_authn { r#" ForceAuthn="true""# } else { "" },
            issuer = escaped(&connection.entity_id),
            contexts = contexts,
        );
        let mut url = redirect::address(
            &connection.idp.sso_redirect_url,
            Field::Request,
            &xml,
            options.relay_state,
            key,
        )?;
        if let Some(hint) = options.login_hint {
            url.push_str("&login_hint=");
            url.push_str(&redirect::encoded(hint));
        }
        Ok(url)
    }
}
