//! An answer before it is HTTP.

use super::{MEDIA_TYPE, failure};
use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Response, StatusCode, header};
use rollcall_domain::exchange::{Answer, Exchange};
use rollcall_domain::failure::{Cause, Facts, Wants, cause_of};
use rollcall_domain::ids::{ExchangeId, ResourceId};
use rollcall_domain::interpretation::Notes;
use rollcall_domain::log::Position;
use rollcall_domain::scim::ScimError;
use rollcall_door::exchange::{Closing, Kept, Opened, POSITION};
use rollcall_projections::directory::{FEW, turn};
use serde_json::Value;

/// Answers longer than this are kept by length only; a read can be repeated as of its position.
pub const KEPT_ANSWER_BYTES: usize = 64 * 1024;

/// The header with a stable word for our own trouble, whose sentence is for people.
const REASON: &str = "rollcall-reason";

/// An answer to one request.
#[derive(Clone, Debug, Default)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Headers besides the content type.
    pub headers: Vec<(&'static str, String)>,
    /// The body, if there is one.
    pub body: Option<Vec<u8>>,
    /// What went wrong, if something did.
    pub error: Option<ScimError>,
    /// The resource it is about.
    pub subject: Option<ResourceId>,
    /// How many resources a query found.
    pub found: Option<u64>,
    /// What a bulk request that was served did not carry out and would have ended access.
    pub undone: Wants,
    /// How its exchange is kept.
    pub kept: Kept,
    /// The position of the log that it rests on, if it rests on one. Not kept: the exchange stands
    /// in the log where it stands.
    pub at: Option<Position>,
}

impl Reply {
    /// An answer without a body.
    pub fn empty(status: u16) -> Self {
        Self { status, ..Self::default() }
    }

    /// An answer with a JSON body.
    pub fn json(status: u16, body: &Value) -> Self {
        Self { status, body: Some(body.to_string().into_bytes()), ..Self::default() }
    }

    /// An answer with a JSON body of any length: a long one is written out on a thread of its own,
    /// one at a time, so that nobody else waits for it.
    pub async fn of_any_length(status: u16, body: Value) -> Result<Self, ScimError> {
        if members_in(&body) < FEW {
            return Ok(Self::json(status, &body));
        }
        let _turn = turn().await;
        let written = tokio::task::spawn_blocking(move || body.to_string().into_bytes()).await;
        let written = written.map_err(|e| failure::unavailable("write out", &e))?;
        Ok(Self { status, body: Some(written), ..Self::default() })
    }

    /// Adds a header.
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Names the resource.
    pub fn about(mut self, id: ResourceId) -> Self {
        self.subject = Some(id);
        self
    }

    /// The answer to a request that failed. The exchange is named in the detail, so that the admin
    /// who reads it in Entra can give it to the operator.
    pub fn failure(error: ScimError, exchange: ExchangeId) -> Self {
        let mut told = error.clone();
        told.detail = format!("{} [exchange {exchange}]", error.detail);
        let mut reply = Reply::json(error.status, &told.body());
        match error.status {
            429 => reply = reply.with("retry-after", "5"),
            503 => reply = reply.with("retry-after", "30"),
            _ => {}
        }
        if let Some(word) = error.trouble {
            reply = reply.with(REASON, word);
        }
        reply.error = Some(error);
        reply
    }

    /// The exchange with this answer, as the log keeps it.
    pub fn close(&self, opened: &Opened, notes: &Notes) -> Exchange {
        let (answer, answer_body) = self.to_answer();
        opened.close(Closing {
            answer,
            answer_body,
            subject: self.subject.map(|id| id.to_string()),
            facts: facts(opened, self),
            interpretations: notes.list().to_vec(),
            unknown_shape: self.error.as_ref().is_some_and(|e| e.unknown_shape),
        })
    }

    /// What the exchange keeps of it, and the body to keep.
    fn to_answer(&self) -> (Answer, Vec<u8>) {
        let body = self.body.as_deref().unwrap_or_default();
        let kept = body.len() <= KEPT_ANSWER_BYTES;
        let answer = Answer {
            status: self.status,
            headers: self.headers.iter().map(|(n, v)| ((*n).to_owned(), v.clone())).collect(),
            rule: self.error.as_ref().and_then(|e| e.rule),
            scim_type: self.error.as_ref().and_then(|e| e.scim_type).map(|t| t.as_str().to_owned()),
            detail: self.error.as_ref().map(|e| e.detail.clone()),
            found: self.found,
            body_bytes: body.len() as u64,
            body_kept: kept,
        };
        (answer, if kept { body.to_vec() } else { Vec::new() })
    }

    /// The HTTP response. The media type is SCIM's, whatever `Accept` said.
    pub fn into_response(self, exchange: ExchangeId) -> Response<Body> {
        let mut response = Response::new(Body::empty());
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        for (name, value) in self.headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
        if let Ok(value) = HeaderValue::from_str(&exchange.to_string()) {
            headers.insert(HeaderName::from_static("exchange-id"), value);
        }
        if let Some(at) = self.at {
            headers.insert(POSITION, HeaderValue::from(at));
        }
        if let Some(body) = self.body {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
            *response.body_mut() = Body::from(body);
        }
        response
    }
}

/// All that is known of an exchange with its answer.
fn facts(opened: &Opened, reply: &Reply) -> Facts {
    let error = reply.error.as_ref();
    let undone = (!reply.undone.is_empty()).then_some(Cause::LeftUndone);
    // What a bulk request wanted that was served, its operations tell.
    let wants = if undone.is_some() {
        reply.undone.clone()
    } else if opened.operation == "bulk" && error.is_none() {
        Wants { request: opened.wants.request.clone(), ..Wants::default() }
    } else {
        opened.wants.clone()
    };
    Facts {
        cause: error.map(|e| cause_of(e, opened.operation)).or(undone),
        needs: error.and_then(|e| e.needs),
        holder: error.and_then(|e| e.holder),
        wants,
        token_request: None,
        untrusted: None,
    }
}

/// How many members of groups an answer shows.
fn members_in(body: &Value) -> usize {
    let of_one = |resource: &Value| resource["members"].as_array().map_or(0, Vec::len);
    let listed = body["Resources"].as_array().into_iter().flatten().map(of_one);
    of_one(body) + listed.sum::<usize>()
}
