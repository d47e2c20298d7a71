//! Federation metadata as Entra publishes it: a byte order mark, a signature of its own, the roles
//! of WS-Federation before the one of SAML, and the same certificates in all of them.

use super::provider::IdentityProvider;
use super::sign::{SignError, Style, sign};
use std::fmt::Write;

const FED: &str = "http://docs.oasis-open.org/wsfed/federation/200706";

impl IdentityProvider {
    /// The document, with its byte order mark.
    pub fn metadata(&self, id: &str) -> Result<Vec<u8>, SignError> {
        let mut keys = String::new();
        for key in &self.keys {
            let _ = write!(
                keys,
                concat!(
                    r#"<KeyDescriptor use="signing"><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data>"#,
                    "<X509Certificate>{}</X509Certificate></X509Data></KeyInfo></KeyDescriptor>",
                ),
                key.certificate_base64()?
            );
        }
        let claims = [("Name", "name"), ("Subject", "nameidentifier")].map(|(display, name)| {
            format!(
                concat!(
                    r#"<auth:ClaimType Uri="http://schemas.xmlsoap.org/ws/2005/05/identity/claims/{}" "#,
                    r#"xmlns:auth="http://docs.oasis-open.org/wsfed/authorization/200706"><auth:DisplayName>{}</auth:DisplayName></auth:ClaimType>"#,
                ),
                name, display
            )
        });
        let role = |kind: &str, content: &str| {
            format!(
                concat!(
                    r#"<RoleDescriptor xsi:type="fed:{}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" "#,
                    r#"protocolSupportEnumeration="{fed}" xmlns:fed="{fed}">{keys}{}</RoleDescriptor>"#,
                ),
                kind,
                content,
                fed = FED,
                keys = keys
            )
        };
        let address = self.saml_url();
        let passive = format!(
            concat!(
                r#"<fed:PassiveRequestorEndpoint><EndpointReference xmlns="http://www.w3.org/2005/08/addressing">"#,
                "<Address>{}</Address></EndpointReference></fed:PassiveRequestorEndpoint>",
            ),
            address.replace("/saml2", "/wsfed")
        );
        let security_token_service = role(
            "SecurityTokenServiceType",
            &format!("<fed:ClaimTypesOffered>{}</fed:ClaimTypesOffered>{passive}", claims.concat()),
        );
        let application = role("ApplicationServiceType", &passive);
        let endpoint = |service: &str, binding: &str| {
            format!(
                r#"<{service} Binding="urn:oasis:names:tc:SAML:2.0:bindings:{binding}" Location="{address}"/>"#
            )
        };
        let document = format!(
            concat!(
                r#"<EntityDescriptor ID="{id}" entityID="{entity}" xmlns="urn:oasis:names:tc:SAML:2.0:metadata">"#,
                r#"{sts}{application}<IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">"#,
                "{keys}{slo}{redirect}{post}</IDPSSODescriptor></EntityDescriptor>",
            ),
            id = id,
            entity = self.entity_id(),
            sts = security_token_service,
            application = application,
            keys = keys,
            slo = endpoint("SingleLogoutService", "HTTP-Redirect"),
            redirect = endpoint("SingleSignOnService", "HTTP-Redirect"),
            post = endpoint("SingleSignOnService", "HTTP-POST"),
        );
        let key = self
            .keys
            .get(self.active)
            .ok_or_else(|| SignError::NoElement("a signing key".to_owned()))?;
        let certificate = key.certificate_base64()?;
        let style =
            Style { hash: self.hash, certificate: Some(&certificate), prefix: "", prefix_list: "" };
        let signed = sign(&document, id, key, &style)?;
        Ok(format!("\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?>{signed}").into_bytes())
    }
}
