//! Assertions and responses as Entra spells them.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use std::fmt::Write;

/// Everything that a response says. Made by
/// [`IdentityProvider::token`](super::IdentityProvider::token); tests change it before it is
/// issued.
#[derive(Clone, Debug)]
pub struct Token {
    /// `ID` of the response.
    pub response_id: String,
    /// `ID` of the assertion.
    pub assertion_id: String,
    /// When both were issued.
    pub issued_at: DateTime<Utc>,
    /// Who issued them.
    pub issuer: String,
    /// The ACS that it is posted to: `Destination` and `Recipient`.
    pub acs_url: String,
    /// The request that it answers.
    pub in_response_to: Option<String>,
    /// The name id.
    pub name_id: String,
    /// Its format.
    pub name_id_format: String,
    /// Whom it is for.
    pub audience: String,
    /// From when on it is valid.
    pub not_before: DateTime<Utc>,
    /// Until when it is valid.
    pub not_on_or_after: DateTime<Utc>,
    /// Until when it may be presented.
    pub confirmed_until: DateTime<Utc>,
    /// When the user signed in.
    pub authn_instant: DateTime<Utc>,
    /// The session, for logout.
    pub session_index: String,
    /// Attributes in order, with their values.
    pub attributes: Vec<(String, Vec<String>)>,
}

/// An instant as Entra writes it.
pub fn written(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// Text for XML.
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

impl Token {
    /// The lifetime of an assertion; Microsoft's documents say 70 minutes.
    pub const LIFETIME: TimeDelta = TimeDelta::minutes(70);

    /// The assertion, not signed.
    pub fn assertion_xml(&self) -> String {
        let answers = self
            .in_response_to
            .as_ref()
            .map(|id| format!(r#"InResponseTo="{}" "#, escaped(id)))
            .unwrap_or_default();
        let mut attributes = String::new();
        for (name, values) in &self.attributes {
            let _ = write!(attributes, r#"<Attribute Name="{}">"#, escaped(name));
            for value in values {
                let _ = write!(attributes, "<AttributeValue>{}</AttributeValue>", escaped(value));
            }
            attributes.push_str("</Attribute>");
        }
        format!(
            concat!(
                r#"<Assertion ID="{id}" IssueInstant="{issued}" Version="2.0" xmlns="urn:oasis:names:tc:SAML:2.0:assertion">"#,
                r#"<Issuer>{issuer}</Issuer><Subject><NameID Format="{format}">{name_id}</NameID>"#,
                r#"<SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">"#,
                r#"<SubjectConfirmationData {answers}NotOnOrAfter="{confirmed}" Recipient="{acs}"/></SubjectConfirmation></Subject>"#,
                r#"<Conditions NotBefore="{not_before}" NotOnOrAfter="{not_after}"><AudienceRestriction>"#,
                "<Audience>{audience}</Audience></AudienceRestriction></Conditions>",
                "<AttributeStatement>{attributes}</AttributeStatement>",
                r#"<AuthnStatement AuthnInstant="{authn}" SessionIndex="{session}"><AuthnContext>"#,
                "<AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password</AuthnContextClassRef>",
                "</AuthnContext></AuthnStatement></Assertion>",
            ),
            id = self.assertion_id,
            issued = written(self.issued_at),
            issuer = escaped(&self.issuer),
            format = escaped(&self.name_id_format),
            name_id = escaped(&self.name_id),
            answers = answers,
            confirmed = written(self.confirmed_until),
            acs = escaped(&self.acs_url),
            not_before = written(self.not_before),
            not_after = written(self.not_on_or_after),
            audience = escaped(&self.audience),
            attributes = attributes,
            authn = written(self.authn_instant),
            session = escaped(&self.session_index),
        )
    }

    /// A response around something that is an assertion already; not signed.
    pub fn response_xml(&self, content: &str) -> String {
        self.response_with(
            r#"<samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/>"#,
            content,
        )
    }

    /// A response that says that sign-in failed, as Entra says it: not signed.
    pub fn failure_xml(&self, aadsts: u32, text: &str) -> String {
        let status = format!(
            concat!(
                r#"<samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Requester">"#,
                r#"<samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:RequestUnsupported"/></samlp:StatusCode>"#,
                "<samlp:StatusMessage>AADSTS{}: {} Trace ID: {} Timestamp: {}</samlp:StatusMessage>",
            ),
            aadsts,
            escaped(text),
            self.assertion_id,
            written(self.issued_at)
        );
        self.response_with(&status, "")
    }

    fn response_with(&self, status: &str, content: &str) -> String {
        let answers = self
            .in_response_to
            .as_ref()
            .map(|id| format!(r#" InResponseTo="{}""#, escaped(id)))
            .unwrap_or_default();
        format!(
            concat!(
                r#"<samlp:Response ID="{id}" Version="2.0" IssueInstant="{issued}" Destination="{acs}"{answers} "#,
                r#"xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol">"#,
                r#"<Issuer xmlns="urn:oasis:names:tc:SAML:2.0:assertion">{issuer}</Issuer>"#,
                "<samlp:Status>{status}</samlp:Status>{content}</samlp:Response>",
            ),
            id = self.response_id,
            issued = written(self.issued_at),
            acs = escaped(&self.acs_url),
            answers = answers,
            issuer = escaped(&self.issuer),
            status = status,
            content = content,
        )
    }
}
