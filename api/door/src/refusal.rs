//! A request of `/api/v1` that is not carried out.

use crate::sealing::SealError;
use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rollcall_contract::{Problem, problem};
use rollcall_domain::event::DecodeError;
use rollcall_domain::log::{AppendError, LogError};
use rollcall_domain::sql::SqlError;
use rollcall_engine::NotVisible;
use rollcall_projections::fold::FoldError;
use tokio::task::JoinError;

/// What is answered in place of what was asked for.
#[derive(Clone, Debug)]
pub struct Refusal(pub Box<Problem>);

impl Refusal {
    /// A problem with this status.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        let title = status.canonical_reason().unwrap_or("error").to_owned();
        Self(Box::new(Problem {
            status: status.as_u16(),
            title,
            detail: detail.into(),
            reason: None,
            parameter: None,
            allowed: Vec::new(),
            instance: None,
        }))
    }

    /// 400: a parameter that cannot be used.
    pub fn parameter(name: impl Into<String>, detail: impl Into<String>) -> Self {
        let mut refusal = Self::bad_request(detail);
        refusal.0.parameter = Some(name.into());
        refusal
    }

    /// 400: a value that this parameter does not have, with those that it has.
    pub fn not_among<T: Into<String>>(
        parameter: &str,
        value: &str,
        allowed: impl IntoIterator<Item = T>,
    ) -> Self {
        let mut refusal = Self::parameter(parameter, "");
        refusal.0.allowed = allowed.into_iter().map(Into::into).collect();
        let there_is = refusal.0.allowed.join(", ");
        refusal.0.detail = format!("there is no {parameter} {value:?}; there is: {there_is}");
        refusal
    }

    /// 404
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    /// 400
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// 409
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, detail)
    }

    /// 503: our own trouble.
    pub fn unavailable(error: &dyn std::fmt::Display) -> Self {
        tracing::warn!(%error, "administration request failed");
        Self::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
    }
}

/// Our own trouble, wherever it comes from, is the same to whoever asks.
macro_rules! unavailable {
    ($($error:ty),+ $(,)?) => {
        $(impl From<$error> for Refusal {
            fn from(error: $error) -> Self {
                Self::unavailable(&error)
            }
        })+
    };
}

unavailable!(
    SqlError,
    LogError,
    AppendError,
    NotVisible,
    DecodeError,
    SealError,
    JoinError,
    std::io::Error
);

impl From<FoldError> for Refusal {
    fn from(error: FoldError) -> Self {
        let mut refusal = Self::unavailable(&error);
        if let FoldError::Stopped { reason, .. } = error {
            refusal.0.reason = Some(reason.as_str().to_owned());
        }
        refusal
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status =
            StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(&self.0)).into_response();
        let allowed = self.0.allowed.clone();
        // For whoever keeps the exchange.
        response.extensions_mut().insert(*self.0);
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static(problem::MEDIA_TYPE));
        match status {
            StatusCode::UNAUTHORIZED => {
                response.headers_mut().insert(
                    header::WWW_AUTHENTICATE,
                    HeaderValue::from_static("Bearer realm=\"rollcall-admin\""),
                );
            }
            StatusCode::METHOD_NOT_ALLOWED => {
                // RFC 9110 section 15.5.6
                if let Ok(allowed) = HeaderValue::try_from(allowed.join(", ")) {
                    response.headers_mut().insert(header::ALLOW, allowed);
                }
            }
            StatusCode::SERVICE_UNAVAILABLE => {
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("30"));
            }
            StatusCode::TOO_MANY_REQUESTS => {
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            }
            _ => {}
        }
        response
    }
}
