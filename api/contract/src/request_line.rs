//! From a route to what a client sends: method and target, with everything escaped that has to be.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde_json::Value;
use std::fmt;
use std::marker::PhantomData;
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterIn};

/// What stands in a path segment as it is (RFC 3986 section 2.3).
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// HTTP method of a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Method {
    /// Reads.
    Get,
    /// Makes or does something.
    Post,
    /// Puts something in place of what was there.
    Put,
    /// Changes a part.
    Patch,
    /// Takes away.
    Delete,
}

impl Method {
    /// As it is sent: in upper case.
    pub fn as_str(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Patch => "PATCH",
            Method::Delete => "DELETE",
        }
    }
}

/// The first line of a request, such as `GET /api/v1/organizations/acme/events?limit=10`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestLine {
    /// HTTP method.
    pub method: Method,
    /// Path and query, escaped.
    pub target: String,
}

impl fmt::Display for RequestLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method.as_str(), self.target)
    }
}

/// Why a route cannot be asked for.
#[derive(Debug, thiserror::Error)]
pub enum RouteError {
    /// Whoever reads an address would drop the value, and ask for something else.
    #[error("{value:?} cannot be a part of an address: give another {name}")]
    NoSegment {
        /// The parameter.
        name: String,
        /// What was given for it.
        value: String,
    },
    /// The parameters of the path do not have one of its names.
    #[error("the path has no {0}")]
    Missing(String),
    /// The parameters of the path cannot be written.
    #[error("the path cannot be written: {0}")]
    Path(#[from] serde_json::Error),
    /// The parameters of the query cannot be written.
    #[error("the query cannot be written: {0}")]
    Query(#[from] serde_urlencoded::ser::Error),
}

/// No parameters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Nothing;

impl IntoParams for Nothing {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        Vec::new()
    }
}

/// An operation of the API: where it is, and with which parameters of the path (`P`) and of the
/// query (`Q`).
#[derive(Debug)]
pub struct Route<P, Q> {
    /// HTTP method.
    pub method: Method,
    /// The path, with the names of its parameters in braces.
    pub template: &'static str,
    parameters: PhantomData<fn(P, Q)>,
}

/// A route as it was declared, for whoever compares it with the server's description.
pub struct Declared {
    /// HTTP method.
    pub method: Method,
    /// The path, with the names of its parameters in braces.
    pub template: &'static str,
    /// The parameters of path and query.
    pub parameters: Vec<Parameter>,
}

impl<P, Q> Route<P, Q> {
    /// Declares one.
    pub(crate) const fn new(method: Method, template: &'static str) -> Self {
        Self { method, template, parameters: PhantomData }
    }
}

impl<P: IntoParams, Q: IntoParams> Route<P, Q> {
    /// What was declared.
    pub(crate) fn declared(&self) -> Declared {
        let mut parameters = P::into_params(|| Some(ParameterIn::Path));
        parameters.extend(Q::into_params(|| Some(ParameterIn::Query)));
        Declared { method: self.method, template: self.template, parameters }
    }
}

impl<P: Serialize, Q: Serialize> Route<P, Q> {
    /// The line that asks for it.
    ///
    /// # Errors
    /// If a value cannot stand in a path, however it is escaped: it is empty, `.` or `..`.
    pub fn line(&self, path: &P, query: &Q) -> Result<RequestLine, RouteError> {
        let values = serde_json::to_value(path)?;
        let segments = self.template.split('/').map(|segment| {
            match segment.strip_prefix('{').and_then(|s| s.strip_suffix('}')) {
                Some(name) => escaped(name, &values[name]),
                None => Ok(segment.to_owned()),
            }
        });
        let mut target = segments.collect::<Result<Vec<_>, _>>()?.join("/");
        let query = serde_urlencoded::to_string(query)?;
        if !query.is_empty() {
            target = format!("{target}?{query}");
        }
        Ok(RequestLine { method: self.method, target })
    }
}

/// The value of a parameter, as a segment of a path.
fn escaped(name: &str, value: &Value) -> Result<String, RouteError> {
    let value = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return Err(RouteError::Missing(name.to_owned())),
    };
    if matches!(value.as_str(), "" | "." | "..") {
        return Err(RouteError::NoSegment { name: name.to_owned(), value });
    }
    Ok(utf8_percent_encode(&value, ESCAPED).to_string())
}

#[cfg(test)]
mod tests {
    use super::{Method, Nothing, Route, RouteError};
    use crate::events::{EventPath, EventQuery};
    use crate::exchanges::ExchangeQuery;
    use crate::organizations::OrganizationPath;

    const LIST: Route<OrganizationPath, ExchangeQuery> =
        Route::new(Method::Get, "/api/v1/organizations/{organization}/exchanges");

    fn list(organization: &str, query: &ExchangeQuery) -> String {
        LIST.line(&OrganizationPath::of(organization), query).unwrap().target
    }

    #[test]
    fn whatever_names_an_organization_is_one_segment() {
        let query = ExchangeQuery {
            operation: Some("users.patch&limit=1 #".to_owned()),
            limit: Some(7),
            ..ExchangeQuery::default()
        };
        for (name, segment) in [
            ("acme", "acme"),
            ("a/b?c", "a%2Fb%3Fc"),
            ("a b#%", "a%20b%23%25"),
            ("ä", "%C3%A4"),
            ("...", "..."),
        ] {
            let target = list(name, &query);
            let expected = format!(
                "/api/v1/organizations/{segment}/exchanges?limit=7&failed=false&unknown_shape=false&operation=users.patch%26limit%3D1+%23"
            );
            assert_eq!(target, expected);
        }
    }

    #[test]
    fn what_an_address_cannot_hold_is_refused() {
        for name in ["", ".", ".."] {
            let refused = LIST.line(&OrganizationPath::of(name), &ExchangeQuery::default());
            assert!(matches!(refused, Err(RouteError::NoSegment { .. })), "{refused:?}");
        }
    }

    #[test]
    fn numbers_stand_in_paths_and_nothing_is_no_query() {
        let show: Route<EventPath, Nothing> =
            Route::new(Method::Get, "/api/v1/organizations/{organization}/events/{position}");
        let line = show
            .line(&EventPath { organization: "acme".to_owned(), position: 7 }, &Nothing)
            .unwrap();
        assert_eq!(line.to_string(), "GET /api/v1/organizations/acme/events/7");
    }

    /// What is absent from a query is not sent, and what is sent is read as it was.
    #[test]
    fn a_query_is_read_as_it_was_sent() {
        let query = EventQuery {
            from: Some("2026-11-24T08:00:00.5Z".into()),
            event_type: Some("A".into()),
            ..EventQuery::default()
        };
        let sent = serde_urlencoded::to_string(&query).unwrap();
        assert_eq!(sent, "after=0&type=A&from=2026-11-24T08%3A00%3A00.5Z&format=json");
        let read: EventQuery = serde_urlencoded::from_str(&sent).unwrap();
        assert_eq!(format!("{read:?}"), format!("{query:?}"));
    }
}
