//! Reading authentication requests, with the complaints that Entra has about them.

use super::provider::IdentityProvider;
use super::query::{raw_value, unpacked, value};
use openssl::hash::MessageDigest;
use openssl::sign::Verifier;
use openssl::x509::X509;
use roxmltree::Document;

const PROTOCOL: &str = "urn:oasis:names:tc:SAML:2.0:protocol";

/// A request to sign somebody in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthnRequest {
    /// Its id: the response names it.
    pub id: String,
    /// Where the answer goes.
    pub acs_url: String,
    /// To be given back with the answer.
    pub relay_state: Option<String>,
    /// Whom the application expects.
    pub login_hint: Option<String>,
    /// Whether the person has to be asked again.
    pub force_authn: bool,
}

/// What Entra would show instead of a sign-in page.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("AADSTS{code}: {text}")]
pub struct RequestError {
    /// Entra's number for it.
    pub code: u32,
    /// Its words.
    pub text: String,
}

impl RequestError {
    fn new(code: u32, text: impl Into<String>) -> Self {
        Self { code, text: text.into() }
    }
}

impl IdentityProvider {
    /// Reads the query of the redirect binding, or the form of the POST binding.
    pub fn read_authn_request(
        &self,
        fields: &str,
        deflated: bool,
    ) -> Result<AuthnRequest, RequestError> {
        let field = value(fields, "SAMLRequest").ok_or_else(|| {
            RequestError::new(750_054, "SAMLRequest or SAMLResponse must be present.")
        })?;
        let xml = unpacked(&field, deflated).ok_or_else(|| {
            RequestError::new(75_005, "The request is not a valid Saml2 protocol message.")
        })?;
        let document = Document::parse(&xml)
            .map_err(|e| RequestError::new(75_005, format!("The request is not XML: {e}")))?;
        let root = document.root_element();
        if root.tag_name().name() != "AuthnRequest" || root.tag_name().namespace() != Some(PROTOCOL)
        {
            return Err(RequestError::new(75_005, "The request is not an AuthnRequest."));
        }
        let id = root
            .attribute("ID")
            .filter(|id| !id.is_empty() && !id.starts_with(|c: char| c.is_ascii_digit()));
        let id = id.ok_or_else(|| {
            RequestError::new(75_005, "The ID is missing or begins with a digit.")
        })?;
        if root.attribute("Version") != Some("2.0") {
            return Err(RequestError::new(75_005, "The version must be 2.0."));
        }
        if root.children().any(|n| n.tag_name().name() == "Subject") {
            return Err(RequestError::new(75_005, "Subject is not supported."));
        }
        let issuer = root
            .children()
            .find(|n| n.tag_name().name() == "Issuer")
            .and_then(|n| n.text())
            .unwrap_or_default();
        if issuer != self.application.entity_id {
            return Err(RequestError::new(
                700_016,
                format!("Application with identifier '{issuer}' was not found in the directory."),
            ));
        }
        let acs_url = match root.attribute("AssertionConsumerServiceURL") {
            Some(url) if self.application.reply_urls.iter().any(|known| known == url) => {
                url.to_owned()
            }
            Some(url) => {
                return Err(RequestError::new(
                    50_011,
                    format!("The reply URL '{url}' does not match the configured ones."),
                ));
            }
            None => self.application.reply_urls.first().cloned().unwrap_or_default(),
        };
        Ok(AuthnRequest {
            id: id.to_owned(),
            acs_url,
            relay_state: value(fields, "RelayState"),
            login_hint: value(fields, "login_hint"),
            force_authn: root.attribute("ForceAuthn") == Some("true"),
        })
    }

    /// Whether a query is signed by the holder of a certificate (DER): what "Require verification
    /// certificates" checks. RSA-SHA256 only.
    pub fn is_signed_by(&self, raw_query: &str, certificate_der: &[u8]) -> bool {
        let raw = |name| raw_value(raw_query, name);
        let field = if raw("SAMLRequest").is_some() { "SAMLRequest" } else { "SAMLResponse" };
        let (Some(message), Some(algorithm), Some(_)) =
            (raw(field), raw("SigAlg"), raw("Signature"))
        else {
            return false;
        };
        let relay_state = raw("RelayState").map(|r| format!("&RelayState={r}")).unwrap_or_default();
        let signed = format!("{field}={message}{relay_state}&SigAlg={algorithm}");
        let signature =
            value(raw_query, "Signature").and_then(|s| openssl::base64::decode_block(&s).ok());
        let sha256 =
            value(raw_query, "SigAlg").as_deref() == Some(super::Hash::Sha256.signature_uri());
        let holds = || {
            let key = X509::from_der(certificate_der)?.public_key()?;
            Verifier::new(MessageDigest::sha256(), &key)?
                .verify_oneshot(&signature.unwrap_or_default(), signed.as_bytes())
        };
        sha256 && holds().unwrap_or(false)
    }
}
