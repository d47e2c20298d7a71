//! Single logout on the redirect binding, which is the only one that Entra has for it.

use super::provider::{IdentityProvider, Person};
use super::query::{encoded, packed, unpacked, value};
use super::sign::SignError;
use super::token::{escaped, written};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use roxmltree::Document;

const PROTOCOL: &str = "urn:oasis:names:tc:SAML:2.0:protocol";
const ASSERTION: &str = "urn:oasis:names:tc:SAML:2.0:assertion";

/// A logout message of the application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogoutMessage {
    /// It asks to sign somebody out.
    Request {
        /// Its id.
        id: String,
        /// Whom; Entra does not look at it.
        name_id: String,
        /// The session, if said.
        session_index: Option<String>,
    },
    /// It answers a request of ours.
    Response {
        /// The request.
        in_response_to: String,
        /// Whether it went well.
        success: bool,
    },
}

impl IdentityProvider {
    /// Reads a logout message from a query; `None` if it is none.
    pub fn read_logout(&self, query: &str) -> Option<LogoutMessage> {
        let field = value(query, "SAMLRequest").or_else(|| value(query, "SAMLResponse"))?;
        let xml = unpacked(&field, true)?;
        let document = Document::parse(&xml).ok()?;
        let root = document.root_element();
        let inner = |name: &str| root.descendants().find(|n| n.tag_name().name() == name);
        match root.tag_name().name() {
            "LogoutRequest" => Some(LogoutMessage::Request {
                id: root.attribute("ID")?.to_owned(),
                name_id: inner("NameID")?.text()?.to_owned(),
                session_index: inner("SessionIndex").and_then(|n| n.text()).map(str::to_owned),
            }),
            "LogoutResponse" => Some(LogoutMessage::Response {
                in_response_to: root.attribute("InResponseTo")?.to_owned(),
                success: inner("StatusCode")?.attribute("Value")?.ends_with(":Success"),
            }),
            _ => None,
        }
    }

    /// The address that asks the application to sign somebody out; `None` without a logout URL.
    pub fn logout_request(
        &self,
        person: &Person,
        session_index: &str,
        id: &str,
        now: DateTime<Utc>,
        relay_state: Option<&str>,
    ) -> Result<Option<String>, SignError> {
        let Some(to) = self.application.logout_url.as_deref() else { return Ok(None) };
        let xml = format!(
            concat!(
                r#"<samlp:LogoutRequest ID="{}" Version="2.0" IssueInstant="{}" Destination="{}" xmlns:samlp="{}">"#,
                r#"<Issuer xmlns="{assertion}">{}</Issuer>"#,
                r#"<NameID xmlns="{assertion}" Format="urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress">{}</NameID>"#,
                "<samlp:SessionIndex>{}</samlp:SessionIndex></samlp:LogoutRequest>",
            ),
            id,
            written(now),
            escaped(to),
            PROTOCOL,
            escaped(&self.entity_id()),
            escaped(&person.user_principal_name),
            escaped(session_index),
            assertion = ASSERTION,
        );
        self.signed_address(to, "SAMLRequest", &xml, relay_state).map(Some)
    }

    /// The address that answers the application's logout request. Its issuer is the one that
    /// Microsoft documents for this message, not the entity id; and it names no destination.
    pub fn logout_response(
        &self,
        in_response_to: &str,
        id: &str,
        now: DateTime<Utc>,
        relay_state: Option<&str>,
    ) -> Result<Option<String>, SignError> {
        let Some(to) = self.application.logout_url.as_deref() else { return Ok(None) };
        let xml = format!(
            concat!(
                r#"<samlp:LogoutResponse ID="{}" Version="2.0" IssueInstant="{}" InResponseTo="{}" xmlns:samlp="{}">"#,
                r#"<Issuer xmlns="{}">https://login.microsoftonline.com/{}/</Issuer><samlp:Status>"#,
                r#"<samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status></samlp:LogoutResponse>"#,
            ),
            id,
            written(now),
            escaped(in_response_to),
            PROTOCOL,
            ASSERTION,
            self.tenant_id,
        );
        self.signed_address(to, "SAMLResponse", &xml, relay_state).map(Some)
    }

    /// A message in an address, signed with the active key.
    pub fn signed_address(
        &self,
        to: &str,
        field: &str,
        xml: &str,
        relay_state: Option<&str>,
    ) -> Result<String, SignError> {
        let key = self
            .keys
            .get(self.active)
            .ok_or_else(|| SignError::NoElement("a signing key".to_owned()))?;
        let relay_state =
            relay_state.map(|r| format!("&RelayState={}", encoded(r))).unwrap_or_default();
        let query = format!(
            "{field}={}{relay_state}&SigAlg={}",
            encoded(&packed(xml)),
            encoded(self.hash.signature_uri())
        );
        let signature = encoded(&STANDARD.encode(key.sign(self.hash, query.as_bytes())?));
        let joint = if to.contains('?') { '&' } else { '?' };
        Ok(format!("{to}{joint}{query}&Signature={signature}"))
    }
}
