//! Single logout, on the redirect binding.

use crate::gate;
use crate::message::{MessageError, check_id};
use crate::provider::ServiceProvider;
use crate::redirect::{self, Field};
use crate::response::{read_issuer, read_name_id};
use crate::xml::{
    ASSERTION, PROTOCOL, SUCCESS, attribute, elements, escaped, instant, is, only_attributes, text,
    written,
};
use chrono::{DateTime, Utc};
use rollcall_domain::saml::{NameId, Reason, Refusal};
use roxmltree::Node;

/// A verified request of the identity provider to end sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogoutRequest {
    /// Its id: our response names it, and it is used once.
    pub id: String,
    /// Whose sessions.
    pub name_id: NameId,
    /// Which sessions; all of them when empty.
    pub session_indexes: Vec<String>,
    /// To be given back with the response.
    pub relay_state: Option<String>,
}

/// A verified answer to our own logout request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogoutResponse {
    /// The request that it answers: one of those that were expected.
    pub in_response_to: String,
    /// Whether the identity provider signed the person out.
    pub success: bool,
    /// What we gave with the request.
    pub relay_state: Option<String>,
}

/// How a logout went on our side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogoutStatus {
    /// No session is left.
    Success,
    /// The request was not understood or not allowed.
    Requester,
    /// It could not be done.
    Responder,
}

impl LogoutStatus {
    fn codes(self) -> &'static str {
        match self {
            LogoutStatus::Success => "urn:oasis:names:tc:SAML:2.0:status:Success",
            LogoutStatus::Requester => "urn:oasis:names:tc:SAML:2.0:status:Requester",
            LogoutStatus::Responder => "urn:oasis:names:tc:SAML:2.0:status:Responder",
        }
    }
}

impl ServiceProvider {
    /// The address to send a browser to for signing out at the identity provider too, signed when
    /// we have a key. `id` as for an authentication request.
    pub fn logout_request(
        &self,
        id: &str,
        now: DateTime<Utc>,
        name_id: &NameId,
        session_index: Option<&str>,
        relay_state: Option<&str>,
    ) -> Result<String, MessageError> {
        let to =
            self.connection.idp.slo_redirect_url.as_deref().ok_or(MessageError::NoLogoutUrl)?;
        let optional = |name: &str, value: &Option<String>| match value {
            Some(value) => format!(r#" {name}="{}""#, escaped(value)),
            None => String::new(),
        };
        let subject = format!(
            "<saml:NameID{}{}{}>{}</saml:NameID>",
            optional("Format", &name_id.format),
            optional("NameQualifier", &name_id.name_qualifier),
            optional("SPNameQualifier", &name_id.sp_name_qualifier),
            escaped(name_id.value.value()),
        );
        let session = session_index
            .map(|s| format!("<samlp:SessionIndex>{}</samlp:SessionIndex>", escaped(s)))
            .unwrap_or_default();
        let xml = self.message("LogoutRequest", id, now, to, "", &format!("{subject}{session}"))?;
        redirect::address(to, Field::Request, &xml, relay_state, self.connection.keys.first())
    }

    /// Reads a logout request from the query as it came, undecoded: its signature is over those
    /// bytes.
    pub fn read_logout_request(
        &self,
        raw_query: &str,
        now: DateTime<Utc>,
    ) -> Result<LogoutRequest, Refusal> {
        let received = redirect::receive(self, raw_query, Field::Request, now)?;
        let document = gate::parse(gate::utf8(&received.xml)?)?;
        let root = document.root_element();
        let common =
            ["ID", "Version", "IssueInstant", "Destination", "Consent", "NotOnOrAfter", "Reason"];
        let (id, parts) = self.opened(root, "LogoutRequest", &common, now)?;
        if attribute(root, "Destination").is_none() {
            return Err(Refusal::new(
                Reason::Destination,
                "a signed logout request without destination",
            ));
        }
        if let Some(until) = attribute(root, "NotOnOrAfter")
            && instant(&until, Reason::Expired, "NotOnOrAfter")? + self.connection.policy.clock_skew
                <= now
        {
            return Err(Refusal::new(Reason::Expired, "the logout request has expired"));
        }
        let Some((subject, sessions)) =
            parts.split_first().filter(|(first, _)| is(**first, ASSERTION, "NameID"))
        else {
            return Err(Refusal::new(
                Reason::Subject,
                "a logout request without a name id in clear",
            ));
        };
        let session_indexes =
            sessions.iter().map(|n| session_index(*n)).collect::<Result<_, _>>()?;
        Ok(LogoutRequest {
            id,
            name_id: read_name_id(*subject)?.into(),
            session_indexes,
            relay_state: received.relay_state,
        })
    }

    /// The address to send a browser to with the answer to a logout request, signed when we have a
    /// key.
    pub fn logout_response(
        &self,
        id: &str,
        now: DateTime<Utc>,
        in_response_to: &str,
        status: LogoutStatus,
        relay_state: Option<&str>,
    ) -> Result<String, MessageError> {
        let idp = &self.connection.idp;
        let to = idp
            .slo_response_url
            .as_deref()
            .or(idp.slo_redirect_url.as_deref())
            .ok_or(MessageError::NoLogoutUrl)?;
        let answers = format!(r#" InResponseTo="{}""#, escaped(in_response_to));
        let status = format!(
            r#"<samlp:Status><samlp:StatusCode Value="{}"/></samlp:Status>"#,
            status.codes()
        );
        let xml = self.message("LogoutResponse", id, now, to, &answers, &status)?;
        redirect::address(to, Field::Response, &xml, relay_state, self.connection.keys.first())
    }

    /// Reads the answer to one of our logout requests from the query as it came, undecoded.
    pub fn read_logout_response(
        &self,
        raw_query: &str,
        now: DateTime<Utc>,
        requests: &[&str],
    ) -> Result<LogoutResponse, Refusal> {
        let received = redirect::receive(self, raw_query, Field::Response, now)?;
        let document = gate::parse(gate::utf8(&received.xml)?)?;
        let root = document.root_element();
        let common = ["ID", "Version", "IssueInstant", "Destination", "Consent", "InResponseTo"];
        let (_, parts) = self.opened(root, "LogoutResponse", &common, now)?;
        let in_response_to =
            attribute(root, "InResponseTo").filter(|id| requests.contains(&id.as_str()));
        let in_response_to = in_response_to.ok_or_else(|| {
            Refusal::new(Reason::UnknownRequest, "answers no logout request of ours")
        })?;
        let status = match parts.as_slice() {
            [status] if is(*status, PROTOCOL, "Status") => elements(*status)?,
            _ => {
                return Err(Refusal::new(
                    Reason::IdpStatus,
                    "a logout response without exactly a status",
                ));
            }
        };
        let code = status
            .first()
            .filter(|n| is(**n, PROTOCOL, "StatusCode"))
            .and_then(|n| attribute(*n, "Value"));
        let code = code.ok_or_else(|| Refusal::new(Reason::IdpStatus, "the status has no code"))?;
        Ok(LogoutResponse {
            in_response_to,
            success: code == SUCCESS,
            relay_state: received.relay_state,
        })
    }

    fn message(
        &self,
        kind: &str,
        id: &str,
        now: DateTime<Utc>,
        destination: &str,
        attributes: &str,
        content: &str,
    ) -> Result<String, MessageError> {
        check_id(id)?;
        Ok(format!(
            concat!(
                r#"<samlp:{kind} xmlns:samlp="{protocol}" xmlns:saml="{assertion}" ID="{id}" Version="2.0" IssueInstant="{now}" "#,
                r#"Destination="{destination}"{attributes}><saml:Issuer>{issuer}</saml:Issuer>{content}</samlp:{kind}>"#,
            ),
            kind = kind,
            protocol = PROTOCOL,
            assertion = ASSERTION,
            id = escaped(id),
            now = written(now),
            destination = escaped(destination),
            attributes = attributes,
            issuer = escaped(&self.connection.entity_id),
            content = content,
        ))
    }

    /// What both logout messages have in common; answers the id and what follows the issuer.
    fn opened<'a, 'i>(
        &self,
        root: Node<'a, 'i>,
        kind: &str,
        attributes: &[&str],
        now: DateTime<Utc>,
    ) -> Result<(String, Vec<Node<'a, 'i>>), Refusal> {
        let connection = &self.connection;
        if !is(root, PROTOCOL, kind) {
            return Err(Refusal::new(
                Reason::UnexpectedDocument,
                format!("the document is a {}", root.tag_name().name()),
            ));
        }
        only_attributes(root, attributes)?;
        if attribute(root, "Version").as_deref() != Some("2.0") {
            return Err(Refusal::new(Reason::Version, "the message is not of version 2.0"));
        }
        let id = attribute(root, "ID")
            .ok_or_else(|| Refusal::new(Reason::Id, "the message has no id"))?;
        let issued = attribute(root, "IssueInstant").unwrap_or_default();
        let issued = instant(&issued, Reason::IssueInstant, "IssueInstant of the message")?;
        let skew = connection.policy.clock_skew;
        if issued > now + skew || issued + connection.policy.max_age + skew < now {
            return Err(Refusal::new(
                Reason::IssueInstant,
                format!("the message is from {issued}, it is {now}"),
            ));
        }
        if let Some(destination) =
            attribute(root, "Destination").filter(|d| *d != connection.slo_url)
        {
            return Err(Refusal::new(
                Reason::Destination,
                format!("sent to {destination}, we are {}", connection.slo_url),
            ));
        }
        let mut parts = elements(root)?;
        let issuer = parts
            .first()
            .filter(|n| is(**n, ASSERTION, "Issuer"))
            .map(|n| read_issuer(*n))
            .transpose()?;
        let issuer =
            issuer.ok_or_else(|| Refusal::new(Reason::Issuer, "the message has no issuer"))?;
        if !connection.idp.logout_issuers().contains(&issuer.value) {
            return Err(Refusal::new(
                Reason::Issuer,
                format!("issued by {}, expected {}", issuer.value, connection.idp.entity_id),
            ));
        }
        parts.remove(0);
        Ok((id, parts))
    }
}

fn session_index(node: Node<'_, '_>) -> Result<String, Refusal> {
    if !is(node, PROTOCOL, "SessionIndex") {
        return Err(Refusal::new(
            Reason::UnexpectedContent,
            format!("{} in a logout request", node.tag_name().name()),
        ));
    }
    only_attributes(node, &[])?;
    text(node)
}
