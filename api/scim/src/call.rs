//! One request on its way through an operation.

use super::facts;
use super::query::Query;
use super::route::Operation;
use axum::http::{HeaderMap, header};
use rollcall_domain::context::Context;
use rollcall_domain::ids::ResourceId;
use rollcall_domain::interpretation::{Notes, Reading};
use rollcall_domain::log::StreamId;
use rollcall_domain::log::Version;
use rollcall_domain::scim::{Limits, ScimError, read_json};
use rollcall_door::exchange::Opened;
use rollcall_door::{App, nul};
use rollcall_engine::Precondition;
use serde_json::Value;
use std::sync::Arc;

/// What an operation has to work with.
pub struct Call {
    /// The application.
    pub app: Arc<App>,
    /// The exchange.
    pub opened: Arc<Opened>,
    /// How much is read of the request, and what the connection asks of its client.
    pub limits: Arc<Limits>,
    /// Query parameters.
    pub query: Query,
    /// `If-Match` and `If-None-Match`.
    pub conditions: Conditions,
    /// Liberties taken so far.
    pub notes: Notes,
    /// The id a new resource is to have, where that is settled already.
    pub settled: Option<ResourceId>,
}

impl Call {
    /// The body as JSON.
    pub fn json(&mut self) -> Result<Value, ScimError> {
        let content_type =
            self.opened.headers.iter().find(|(n, _)| n == "content-type").map_or("", |(_, v)| v);
        let media_type =
            content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        if media_type != super::MEDIA_TYPE && media_type != "application/json" {
            self.notes.note(Reading::ContentType, "content-type");
        }
        if nul::in_json(&self.opened.body) {
            return Err(ScimError::invalid_value(
                "there is a NUL character in the body".to_owned(),
            ));
        }
        read_json(&self.opened.body, &self.limits)
    }

    /// Keeps the facts of a write with its exchange.
    pub async fn gather(&mut self, operation: &Operation) -> Result<(), ScimError> {
        facts::gather(&self.app, Arc::make_mut(&mut self.opened), operation).await
    }

    /// The id of a resource that is about to be created.
    pub fn new_resource(&self) -> ResourceId {
        self.settled.unwrap_or_else(|| self.app.engine.ids.resource())
    }

    /// The context of a command that this call asks for.
    pub fn context(&self) -> Context {
        let context = Context::new(
            self.app.engine.clock.now(),
            self.opened.caller.clone(),
            Some(self.opened.id),
        );
        context.refusing(self.limits.refused.clone())
    }

    /// The stream of a resource in the caller's organization; another organization's cannot be
    /// named.
    pub fn stream(&self, kind: rollcall_domain::log::AggregateKind, id: ResourceId) -> StreamId {
        StreamId { organization: self.opened.organization, kind, id: id.0 }
    }
}

/// Conditional request headers (RFC 7644 section 3.14).
#[derive(Clone, Debug, Default)]
pub struct Conditions {
    if_match: Option<Tags>,
    if_none_match: Option<Tags>,
}

#[derive(Clone, Debug)]
enum Tags {
    Any,
    Versions(Vec<Version>),
}

impl Conditions {
    /// Reads both headers. A tag that is not one of ours matches nothing.
    pub fn from_headers(headers: &HeaderMap) -> Self {
        let read = |name| headers.get(name).and_then(|v| v.to_str().ok()).map(tags);
        Self { if_match: read(header::IF_MATCH), if_none_match: read(header::IF_NONE_MATCH) }
    }

    /// The condition of one bulk operation (its `version`).
    pub fn from_version(version: &str) -> Self {
        Self { if_match: Some(tags(version)), if_none_match: None }
    }

    /// What a write needs.
    pub fn precondition(&self) -> Precondition {
        match &self.if_match {
            None => Precondition::None,
            Some(Tags::Any) => Precondition::Exists,
            Some(Tags::Versions(versions)) => Precondition::OneOf(versions.clone()),
        }
    }

    /// Whether a reader has this version already.
    pub fn unchanged(&self, version: Version) -> bool {
        match &self.if_none_match {
            None => false,
            Some(Tags::Any) => true,
            Some(Tags::Versions(versions)) => versions.contains(&version),
        }
    }

    /// Whether a reader asked for another version than this one.
    pub fn mismatch(&self, version: Version) -> bool {
        matches!(&self.if_match, Some(Tags::Versions(versions)) if !versions.contains(&version))
    }
}

fn tags(text: &str) -> Tags {
    if text.trim() == "*" {
        return Tags::Any;
    }
    let version = |tag: &str| {
        let tag = tag.trim();
        tag.strip_prefix("W/").unwrap_or(tag).trim_matches('"').parse().ok()
    };
    Tags::Versions(text.split(',').filter_map(version).collect())
}
