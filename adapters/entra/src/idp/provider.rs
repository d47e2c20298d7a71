//! A tenant's identity provider: its keys, its application, its people.

use super::encrypt::{ContentCipher, KeyTransport, encrypted_assertion};
use super::sign::{Hash, SignError, SigningKey, Style, sign};
use super::token::Token;
use chrono::{DateTime, TimeDelta, Utc};

const CLAIMS: &str = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims";
const MICROSOFT: &str = "http://schemas.microsoft.com";

/// Somebody who can sign in.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Person {
    /// The object id: what SCIM has as `externalId`.
    pub object_id: String,
    /// The user principal name; a guest's has `#EXT#` in it.
    pub user_principal_name: String,
    /// The mail address.
    pub mail: String,
    /// The given name.
    pub given_name: String,
    /// The family name.
    pub surname: String,
    /// The display name.
    pub display_name: String,
    /// Object ids of groups.
    pub groups: Vec<String>,
    /// The identity provider of a guest, such as `live.com`.
    pub guest_of: Option<String>,
    /// Whether the application is not assigned to this person: sign-in ends at Entra.
    pub unassigned: bool,
}

/// The enterprise application with single sign-on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Application {
    /// Its id in Entra.
    pub app_id: String,
    /// "Identifier".
    pub entity_id: String,
    /// "Reply URL"s, the default one first.
    pub reply_urls: Vec<String>,
    /// "Logout Url".
    pub logout_url: Option<String>,
}

/// What Entra signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum SigningOption {
    /// "Sign SAML assertion": the default.
    #[default]
    Assertion,
    /// "Sign SAML response".
    Response,
    /// "Sign SAML response and assertion".
    Both,
}

/// The identity provider of a tenant, for one application.
#[derive(Clone, Debug)]
pub struct IdentityProvider {
    /// The tenant.
    pub tenant_id: String,
    /// Where it is reached, without a slash at the end; Entra's is
    /// `https://login.microsoftonline.com`.
    pub base_url: String,
    /// The application.
    pub application: Application,
    /// All keys that metadata announces.
    pub keys: Vec<SigningKey>,
    /// Which of them signs.
    pub active: usize,
    /// What is signed.
    pub signing: SigningOption,
    /// With which hash function.
    pub hash: Hash,
    /// The certificate to encrypt assertions for, in DER; none switches token encryption off.
    pub encrypt_for: Option<Vec<u8>>,
    /// Who can sign in.
    pub people: Vec<Person>,
}

impl IdentityProvider {
    /// The entity id.
    pub fn entity_id(&self) -> String {
        format!("https://sts.windows.net/{}/", self.tenant_id)
    }

    /// Where requests go, for sign-on and for logout.
    pub fn saml_url(&self) -> String {
        format!("{}/{}/saml2", self.base_url, self.tenant_id)
    }

    /// "App Federation Metadata URL".
    pub fn metadata_url(&self) -> String {
        let app = &self.application.app_id;
        format!(
            "{}/{}/federationmetadata/2007-06/federationmetadata.xml?appid={app}",
            self.base_url, self.tenant_id
        )
    }

    /// Adds a certificate to metadata; it signs nothing before [`IdentityProvider::activate`].
    pub fn add_key(&mut self, key: SigningKey) -> usize {
        self.keys.push(key);
        self.keys.len() - 1
    }

    /// The second step of a rollover: another key signs. The old ones stay in metadata.
    pub fn activate(&mut self, key: usize) {
        self.active = key.min(self.keys.len().saturating_sub(1));
    }

    /// The last step of a rollover: only the active key stays in metadata.
    pub fn retire_others(&mut self) {
        let active = self.keys.swap_remove(self.active);
        self.keys = vec![active];
        self.active = 0;
    }

    /// What is said about a person who signs in now. `id` draws a new id, such as `_` and a GUID.
    pub fn token(
        &self,
        person: &Person,
        in_response_to: Option<&str>,
        acs_url: Option<&str>,
        now: DateTime<Utc>,
        mut id: impl FnMut() -> String,
    ) -> Token {
        let assertion_id = id();
        Token {
            response_id: id(),
            session_index: assertion_id.clone(),
            assertion_id,
            issued_at: now,
            issuer: self.entity_id(),
            acs_url: acs_url
                .unwrap_or_else(|| self.application.reply_urls.first().map_or("", String::as_str))
                .to_owned(),
            in_response_to: in_response_to.map(str::to_owned),
            name_id: person.user_principal_name.clone(),
            name_id_format: "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress".to_owned(),
            audience: self.audience(),
            // No back-dating, as documented: the service provider has to bear with clocks.
            not_before: now,
            not_on_or_after: now + Token::LIFETIME,
            confirmed_until: now + TimeDelta::minutes(5),
            authn_instant: now - TimeDelta::minutes(1),
            attributes: self.attributes(person),
        }
    }

    /// An identifier that is no URI is written with `spn:` before it.
    fn audience(&self) -> String {
        let id = &self.application.entity_id;
        if id.contains(':') { id.clone() } else { format!("spn:{id}") }
    }

    fn attributes(&self, person: &Person) -> Vec<(String, Vec<String>)> {
        let home = person.guest_of.clone().unwrap_or_else(|| self.entity_id());
        let mut list = vec![
            (format!("{MICROSOFT}/identity/claims/tenantid"), self.tenant_id.clone()),
            (format!("{MICROSOFT}/identity/claims/objectidentifier"), person.object_id.clone()),
            (format!("{MICROSOFT}/identity/claims/displayname"), person.display_name.clone()),
            (format!("{MICROSOFT}/identity/claims/identityprovider"), home),
            (format!("{CLAIMS}/givenname"), person.given_name.clone()),
            (format!("{CLAIMS}/surname"), person.surname.clone()),
            (format!("{CLAIMS}/emailaddress"), person.mail.clone()),
            (format!("{CLAIMS}/name"), person.user_principal_name.clone()),
        ]
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| (name, vec![value]))
        .collect::<Vec<_>>();
        let methods =
            "http://schemas.microsoft.com/ws/2008/06/identity/authenticationmethod/password"
                .to_owned();
        list.insert(
            list.len().min(4),
            (format!("{MICROSOFT}/claims/authnmethodsreferences"), vec![methods]),
        );
        match person.groups.len() {
            0 => {}
            1..=150 => list.push((
                format!("{MICROSOFT}/ws/2008/06/identity/claims/groups"),
                person.groups.clone(),
            )),
            _ => {
                let link = format!(
                    "https://graph.windows.net/{}/users/{}/getMemberObjects",
                    self.tenant_id, person.object_id
                );
                list.push((format!("{MICROSOFT}/claims/groups.link"), vec![link]));
            }
        }
        list
    }

    /// The response for a token: signed and encrypted as the application is set up.
    pub fn issue(&self, token: &Token) -> Result<String, SignError> {
        let key = self
            .keys
            .get(self.active)
            .ok_or_else(|| SignError::NoElement("a signing key".to_owned()))?;
        let certificate = key.certificate_base64()?;
        let style =
            Style { hash: self.hash, certificate: Some(&certificate), prefix: "", prefix_list: "" };
        let mut assertion = token.assertion_xml();
        if self.signing != SigningOption::Response {
            assertion = sign(&assertion, &token.assertion_id, key, &style)?;
        }
        if let Some(certificate) = &self.encrypt_for {
            assertion = encrypted_assertion(
                &assertion,
                certificate,
                ContentCipher::default(),
                KeyTransport::default(),
            )?;
        }
        let response = token.response_xml(&assertion);
        match self.signing {
            SigningOption::Assertion => Ok(response),
            SigningOption::Response | SigningOption::Both => {
                sign(&response, &token.response_id, key, &style)
            }
        }
    }
}
