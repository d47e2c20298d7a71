//! What the inference knows of one exchange.

use crate::actor::Actor;
use crate::exchange::{Exchange, Protocol};
use crate::fold_text::fold_text;
use crate::ids::{ExchangeId, TokenId};
use crate::interpretation::{Notes, Reading};
use crate::log::{ExchangeNumber, RecordedExchange};
use crate::scim::{CompareOp, Filter, Limits, ResourceKind, parse_filter};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

/// Stands for a resource or a value looked up: equal texts have equal keys. A hash, because the
/// state of the inference must hold no personal data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Key(pub u64);

impl Key {
    /// The key of a text, in any case (FNV-1a: the same in every build).
    pub fn of(text: &str) -> Self {
        let fold = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        Key(fold_text(text).bytes().fold(0xcbf2_9ce4_8422_2325, fold))
    }
}

/// What an exchange asked for, as far as runs care.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// A query for one value of one attribute.
    Lookup(Lookup),
    /// A query whether one resource refers to another.
    Check,
    /// A query for everything, page by page.
    Page,
    /// GET of one resource.
    Read,
    /// POST.
    Create,
    /// PATCH.
    Patch,
    /// DELETE.
    Delete,
    /// Schemas and the like.
    Discovery,
    /// What Entra never asks for.
    Foreign,
}

/// A query for one value of one attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lookup {
    /// The attribute.
    pub attribute: String,
    /// The value.
    pub value: Key,
    /// True if the value is a GUID.
    pub guid: bool,
    /// How many have it; absent if the query failed.
    pub found: Option<u64>,
}

/// How a PATCH was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// No PATCH.
    None,
    /// With operations in upper case: Entra's old shape.
    Legacy,
    /// As RFC 7644 has it: Entra's shape behind `aadOptscim062020`.
    Modern,
}

/// What the inference knows of one exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// Its number.
    pub number: ExchangeNumber,
    /// Its id.
    pub id: ExchangeId,
    /// When it came in.
    pub at: DateTime<Utc>,
    /// The token it came with.
    pub token: TokenId,
    /// Where it came from.
    pub source: Option<String>,
    /// The operation's stable name.
    pub operation: String,
    /// What it asked for.
    pub action: Action,
    /// User or group, where it is about one.
    pub kind: Option<ResourceKind>,
    /// The resource it was about.
    pub subject: Option<Key>,
    /// The status answered.
    pub status: u16,
    /// How many events it caused.
    pub events: u64,
    /// How it was written.
    pub shape: Shape,
}

impl Fact {
    /// What is to be known of an exchange; nothing of one that no SCIM client sent.
    pub fn of(recorded: &RecordedExchange) -> Option<Self> {
        let exchange = &recorded.exchange;
        let (Actor::ScimToken { token }, Protocol::Scim) = (&exchange.caller, exchange.protocol)
        else {
            return None;
        };
        let kind = kind(exchange);
        let (action, named) = action(exchange, kind);
        Some(Self {
            number: recorded.number,
            id: exchange.id,
            at: exchange.received_at,
            token: *token,
            source: exchange.source.clone(),
            operation: exchange.operation.clone(),
            action,
            kind,
            subject: exchange.subject.as_deref().or(named.as_deref()).map(Key::of),
            status: exchange.answer.status,
            events: recorded.positions.map_or(0, |(first, last)| last - first + 1),
            shape: shape(exchange),
        })
    }

    /// True if it was answered with an error.
    pub fn failed(&self) -> bool {
        self.status >= 400
    }

    /// True if it is a lookup for a GUID that nobody has, in an attribute that people do not fill
    /// with GUIDs.
    pub fn is_plain_probe(&self) -> bool {
        matches!(&self.action, Action::Lookup(l) if l.is_miss() && l.guid && !l.attribute.starts_with("externalId"))
    }

    /// True if it may be such a lookup, but may be a match as well: object ids are GUIDs.
    pub fn is_possible_probe(&self) -> bool {
        matches!(&self.action, Action::Lookup(l) if l.is_miss() && l.guid)
    }
}

impl Lookup {
    /// True unless somebody has the value.
    pub fn is_miss(&self) -> bool {
        self.found.is_none_or(|n| n == 0)
    }
}

/// The id of the resource an exchange was about, also of one that failed: it stands in the path.
pub fn subject(exchange: &Exchange) -> Option<String> {
    exchange.subject.clone().or_else(|| action(exchange, kind(exchange)).1)
}

fn kind(exchange: &Exchange) -> Option<ResourceKind> {
    match exchange.operation.split_once('.').map(|(kind, _)| kind) {
        Some("users") => Some(ResourceKind::User),
        Some("groups") => Some(ResourceKind::Group),
        _ => None,
    }
}

fn shape(exchange: &Exchange) -> Shape {
    if !exchange.operation.ends_with(".patch") {
        return Shape::None;
    }
    let legacy = exchange.interpretations.iter().any(|i| i.reading == Reading::OperationCase);
    if legacy { Shape::Legacy } else { Shape::Modern }
}

/// What was asked, and the id of the resource if the question names it.
fn action(exchange: &Exchange, kind: Option<ResourceKind>) -> (Action, Option<String>) {
    let verb =
        exchange.operation.split_once('.').map_or(exchange.operation.as_str(), |(_, verb)| verb);
    let id_in_path = || {
        exchange
            .target
            .split('?')
            .next()
            .and_then(|path| path.rsplit('/').next())
            .map(str::to_owned)
    };
    match (verb, kind) {
        ("list", Some(kind)) => query(exchange, kind),
        ("read", Some(_)) => (Action::Read, id_in_path()),
        ("create", Some(_)) => (Action::Create, None),
        ("patch", Some(_)) => (Action::Patch, id_in_path()),
        ("delete", Some(_)) => (Action::Delete, id_in_path()),
        ("schemas" | "service-provider-config" | "resource-types", _) => (Action::Discovery, None),
        _ => (Action::Foreign, None),
    }
}

fn query(exchange: &Exchange, kind: ResourceKind) -> (Action, Option<String>) {
    let query = exchange.target.split_once('?').map_or("", |(_, query)| query);
    let value = query.split('&').find_map(|pair| {
        pair.split_once('=').filter(|(name, _)| name.eq_ignore_ascii_case("filter"))
    });
    let Some((_, value)) = value else { return (Action::Page, None) };
    let Some(text) = decode(value) else { return (Action::Foreign, None) };
    match parse_filter(kind, &text, &Limits::default(), &mut Notes::default()).ok() {
        Some(Filter::And(a, b)) => {
            let id = [a, b].into_iter().find_map(|side| {
                equality(&side).filter(|(name, _)| name == "id").map(|(_, id)| id)
            });
            id.map_or((Action::Foreign, None), |id| (Action::Check, Some(id)))
        }
        filter => match filter.as_ref().map_or_else(|| crude(&text), equality) {
            Some((attribute, value)) => {
                let guid = value.len() == 36 && Uuid::parse_str(&value).is_ok();
                // Only hits are about a resource; an id that nobody has is about none.
                let lookup = Lookup {
                    value: Key::of(&value),
                    guid: guid && attribute != "id",
                    attribute,
                    found: exchange.answer.found,
                };
                (Action::Lookup(lookup), None)
            }
            None => (Action::Foreign, None),
        },
    }
}

/// The same of a filter that the schema refuses, such as one with an attribute that nobody mapped
/// right.
fn crude(text: &str) -> Option<(String, String)> {
    let (attribute, value) = text.split_once(" eq ")?;
    let plain = attribute.len() <= 200
        && attribute.chars().all(|c| c.is_ascii_alphanumeric() || ".:_-$".contains(c));
    plain.then(|| (attribute.to_owned(), value.trim().trim_matches('"').to_owned()))
}

/// The attribute and the value of a comparison for equality.
fn equality(filter: &Filter) -> Option<(String, String)> {
    match filter {
        Filter::Compare { path, op: CompareOp::Equal, value: Value::String(value) } => {
            let sub = path.sub.as_ref().map(|s| format!(".{s}")).unwrap_or_default();
            Some((format!("{}{sub}", path.attribute), value.clone()))
        }
        Filter::ValuePath { path, filter } => {
            // emails[type eq "work" and value eq "x"]
            let Filter::And(a, b) = &**filter else { return None };
            let (_, value) = [a, b]
                .into_iter()
                .find_map(|side| equality(side).filter(|(name, _)| name == "value"))?;
            Some((path.attribute.clone(), value))
        }
        _ => None,
    }
}

/// Reads a form-encoded value; nothing if it is not UTF-8.
fn decode(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while i < bytes.len() {
        let hex = (bytes[i] == b'%')
            .then(|| text.get(i + 1..i + 3).and_then(|h| u8::from_str_radix(h, 16).ok()))
            .flatten();
        out.push(hex.unwrap_or(if bytes[i] == b'+' { b' ' } else { bytes[i] }));
        i += if hex.is_some() { 3 } else { 1 };
    }
    String::from_utf8(out).ok()
}
