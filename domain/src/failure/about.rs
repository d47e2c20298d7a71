//! What a request was about, so that a failure and what cures it are found together.

use super::before_facts;
use super::class::Class;
use super::ends::wishes;
use crate::cause::Cause;
use crate::exchange::{Exchange, Protocol};
use crate::ids::{CredentialId, ResourceId};

/// What a request was about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// Equal for requests about the same thing.
    pub key: String,
    /// The resource, where the request named one.
    pub subject: Option<ResourceId>,
    /// What kind of request.
    pub class: Class,
}

/// What the failures of readers are about that no reader can help: there is nothing to be done
/// again once the connection serves.
pub const CONNECTION: &str = "connection";

/// Longest part of a target that tells requests apart.
const TARGET_BYTES: usize = 200;

/// What a request was about. A new resource is known by the keyed hash of the identifier that the
/// client gave it, everything else by the id in its target, and what has none by its target.
pub fn about(exchange: &Exchange) -> About {
    let class = Class::of(&exchange.operation);
    let subject = subject(exchange);
    let key = match (subject, &exchange.subject_key) {
        _ if exchange.protocol == Protocol::Oauth => match client(exchange) {
            Some(client) => format!("client:{client}"),
            None => "client".to_owned(),
        },
        _ if class == Class::Read && is_of_the_connection(exchange.answer.status) => {
            CONNECTION.to_owned()
        }
        (_, Some(key)) if class == Class::Create => format!("new:{key}"),
        (Some(id), _) if class != Class::Create => format!("id:{id}"),
        _ if exchange.answer.status == 401 => "token".to_owned(),
        _ => {
            let end = (0..=TARGET_BYTES.min(exchange.target.len()))
                .rev()
                .find(|i| exchange.target.is_char_boundary(*i))
                .unwrap_or(0);
            format!("at:{} {}", exchange.operation, &exchange.target[..end])
        }
    };
    About { key, subject, class }
}

/// Too fast, switched off, or our own trouble; but not 501, which asks for what is not offered.
fn is_of_the_connection(status: u16) -> bool {
    matches!(status, 429 | 500 | 502..)
}

fn subject(exchange: &Exchange) -> Option<ResourceId> {
    if let Some(known) = exchange.subject.as_deref().and_then(|s| s.parse().ok()) {
        return Some(known);
    }
    let path = exchange.target.split('?').next().unwrap_or_default();
    path.rsplit('/').find(|segment| !segment.is_empty()).and_then(|segment| segment.parse().ok())
}

/// The resource that a failed exchange needed and that was not there.
pub fn needs(exchange: &Exchange) -> Option<ResourceId> {
    match exchange.facts.cause {
        Some(_) => exchange.facts.needs,
        None => before_facts::needs(exchange),
    }
}

/// Whether somebody should have lost access by this exchange and has not.
pub fn leaves_access(exchange: &Exchange) -> bool {
    // Who is not there has none.
    let unknown = exchange.facts.cause == Some(Cause::ResourceUnknown);
    let ends = || !wishes(exchange, subject(exchange)).ends.is_empty();
    is_failure(exchange) && !unknown && ends()
}

/// Whether an exchange is a failure that somebody may have to put right. That something is not
/// there is an answer to a reader, and all a deletion wanted; what is sent twice is there; and what
/// was submitted again by hand is answered to who did it, while the first failure stays as it is.
/// A bulk request that was served is one if it left undone what would have ended access. A client
/// that gets no access token cannot get in at all.
pub fn is_failure(exchange: &Exchange) -> bool {
    if exchange.replays.is_some() || exchange.facts.cause == Some(Cause::Duplicate) {
        return false;
    }
    let status = exchange.answer.status;
    match exchange.protocol {
        Protocol::Scim => {
            let quiet = matches!(Class::of(&exchange.operation), Class::Read | Class::Delete)
                && status == 404;
            let undone = exchange.facts.cause == Some(Cause::LeftUndone);
            (status >= 400 || undone) && !quiet
        }
        Protocol::Oauth => status == 401 && client(exchange).is_some(),
        Protocol::Saml
        | Protocol::Audit
        | Protocol::Administration
        | Protocol::Session
        | Protocol::Feed => false,
    }
}

/// The client that asked for an access token, if it is known here.
fn client(exchange: &Exchange) -> Option<CredentialId> {
    exchange.facts.token_request.as_ref()?.client
}
