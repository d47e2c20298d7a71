//! Reads what a client sends to a token endpoint (RFC 6749 sections 2.3.1, 3.2 and 4.4.2).

use crate::refusal::Refusal;
use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rollcall_domain::credential::ClientAuthentication;
use rollcall_door::exchange::redact;
use rollcall_door::nul;
use std::collections::BTreeMap;

/// The type of assertion that is taken (RFC 7523 section 2.2).
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// The grant.
pub const GRANT: &str = "client_credentials";
const MEDIA_TYPE: &str = "application/x-www-form-urlencoded";
/// Parameters that are kept as they are sent: none of them is a secret.
const PLAIN: [&str; 5] = ["client_assertion_type", "client_id", "grant_type", "resource", "scope"];
/// So much of each is kept, in characters.
const KEPT_CHARS: usize = 200;

/// The parameters, each once. An empty one is as if it were absent (section 3.1).
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Form(BTreeMap<String, String>);

/// How a client says who it is.
#[derive(Debug, PartialEq, Eq)]
pub enum Claimed {
    /// By a secret.
    Secret {
        /// In the header, or in the body.
        how: ClientAuthentication,
        /// The id.
        client: String,
        /// The secret.
        secret: String,
    },
    /// By an assertion.
    Assertion {
        /// The id; that of the assertion's issuer, if it is absent.
        client: Option<String>,
        /// The assertion.
        assertion: String,
    },
}

impl Form {
    /// Reads a body.
    ///
    /// # Errors
    /// If it is no form, or has a parameter twice.
    pub fn read(headers: &HeaderMap, body: &[u8]) -> Result<Self, Refusal> {
        let media_type = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
        let essence = media_type.and_then(|t| t.split(';').next()).unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case(MEDIA_TYPE) {
            return Err(Refusal::invalid_request("the body is not form-encoded"));
        }
        if nul::in_encoded(body) {
            return Err(Refusal::invalid_request("there is a NUL character in the body"));
        }
        let mut form = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(body).filter(|(_, value)| !value.is_empty()) {
            if form.insert(name.into_owned(), value.into_owned()).is_some() {
                return Err(Refusal::invalid_request("a parameter stands twice"));
            }
        }
        Ok(Self(form))
    }

    /// One parameter.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// What may be kept, and the names of what may not.
    pub fn kept(&self) -> (String, Vec<String>) {
        let mut text = form_urlencoded::Serializer::new(String::new());
        let mut removed = Vec::new();
        for (name, value) in &self.0 {
            if PLAIN.contains(&name.as_str()) {
                // Fields of a portal are swapped now and then: a secret may stand anywhere.
                let value = redact::text(value);
                text.append_pair(name, &value.chars().take(KEPT_CHARS).collect::<String>());
            } else {
                removed.push(format!("the value of {}", name.chars().take(40).collect::<String>()));
            }
        }
        (text.finish(), removed)
    }

    /// How the client says who it is: in one way.
    ///
    /// # Errors
    /// If it does not, or does in several ways at once (section 2.3).
    pub fn claimed(&self, headers: &HeaderMap) -> Result<Claimed, Refusal> {
        let (client, secret) = (self.get("client_id"), self.get("client_secret"));
        let assertion = self.get("client_assertion");
        let mut sent = headers.get_all(header::AUTHORIZATION).iter();
        match (sent.next(), sent.next(), secret, assertion) {
            (Some(basic), None, None, None) => {
                let (id, secret) = basic.to_str().ok().and_then(read_basic).ok_or_else(|| {
                    Refusal::invalid_client(
                        "the header Authorization is not Basic, or not readable",
                    )
                })?;
                if client.is_some_and(|client| client != id) {
                    return Err(Refusal::invalid_request("header and body name two clients"));
                }
                let how = ClientAuthentication::ClientSecretBasic;
                Ok(Claimed::Secret { how, client: id, secret })
            }
            (None, None, Some(secret), None) => {
                let client = client
                    .ok_or_else(|| Refusal::invalid_request("client_id is missing"))?
                    .to_owned();
                let how = ClientAuthentication::ClientSecretPost;
                Ok(Claimed::Secret { how, client, secret: secret.to_owned() })
            }
            (None, None, None, Some(assertion)) => {
                if self.get("client_assertion_type") != Some(JWT_BEARER) {
                    return Err(Refusal::invalid_request("client_assertion_type is another"));
                }
                let (client, assertion) = (client.map(str::to_owned), assertion.to_owned());
                Ok(Claimed::Assertion { client, assertion })
            }
            (None, None, None, None) => {
                Err(Refusal::invalid_client("neither a secret nor an assertion was sent"))
            }
            _ => Err(Refusal::invalid_request("the client shows who it is in two ways at once")),
        }
    }
}

/// Id and secret, each form-encoded for itself before they were put together; no second reading.
fn read_basic(value: &str) -> Option<(String, String)> {
    let (scheme, encoded) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = pair.split_once(':')?;
    Some((decode(id)?, decode(secret)?))
}

fn decode(text: &str) -> Option<String> {
    rollcall_domain::scim::decode_form(text).ok().filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn headers(basic: Option<&str>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", format!("{MEDIA_TYPE}; charset=UTF-8").parse().unwrap());
        if let Some(pair) = basic {
            let value = format!("Basic {}", STANDARD.encode(pair));
            headers.insert("authorization", value.parse().unwrap());
        }
        headers
    }

    fn claimed(basic: Option<&str>, body: &str) -> Result<Claimed, Refusal> {
        let headers = headers(basic);
        Form::read(&headers, body.as_bytes())?.claimed(&headers)
    }

    #[test]
    fn a_client_says_who_it_is_in_one_way() {
        let secret = |how, client: &str, secret: &str| {
            Ok(Claimed::Secret { how, client: client.to_owned(), secret: secret.to_owned() })
        };
        use ClientAuthentication::{ClientSecretBasic as Basic, ClientSecretPost as Post};
        assert_eq!(claimed(Some("a:b"), ""), secret(Basic, "a", "b"));
        assert_eq!(
            claimed(Some("a%3A1:b+c%3Ad:e"), "client_id=a%3A1"),
            secret(Basic, "a:1", "b c:d:e")
        );
        assert_eq!(claimed(None, "client_id=a&client_secret=b+c"), secret(Post, "a", "b c"));
        let code = |outcome: Result<Claimed, Refusal>| outcome.unwrap_err().code;
        assert_eq!(code(claimed(Some("a:b"), "client_secret=b&client_id=a")), "invalid_request");
        assert_eq!(code(claimed(Some("a:b"), "client_id=c")), "invalid_request");
        assert_eq!(code(claimed(Some("a:b"), "client_assertion=x")), "invalid_request");
        assert_eq!(code(claimed(None, "client_assertion=x")), "invalid_request");
        assert_eq!(code(claimed(None, "client_secret=x")), "invalid_request");
        assert_eq!(code(claimed(None, "client_id=x")), "invalid_client");
        assert_eq!(code(claimed(Some("ab"), "")), "invalid_client");
        assert_eq!(
            code(claimed(None, "client_id=a&client_id=a&client_secret=b")),
            "invalid_request"
        );
    }

    proptest! {
        #[test]
        fn no_secret_is_kept_and_nothing_makes_it_panic(
            basic in ".{0,40}",
            fields in prop::collection::btree_map("[a-z_]{1,20}", "[!-~]{1,40}", 0..8),
        ) {
            let mut body = form_urlencoded::Serializer::new(String::new());
            body.extend_pairs(&fields).append_pair("client_secret", "s3cr3t-s3cr3t");
            let headers = headers(Some(&basic));
            if let Ok(form) = Form::read(&headers, body.finish().as_bytes()) {
                let _ = form.claimed(&headers);
                prop_assert!(!form.kept().0.contains("s3cr3t-s3cr3t"));
            }
        }
    }
}
