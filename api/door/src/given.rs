//! A body of JSON as an operation takes it: an object.

use crate::callers::still_holds;
use crate::{App, Refusal, nul};
use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{FromRef, FromRequest, Request};
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, Deserializer, MapAccess, Visitor};
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// A key that was looked at longer ago is looked at again: whoever holds a body back must not go on
/// after the key was revoked.
const AGAIN_AFTER: Duration = Duration::from_millis(100);

/// What a body says. One that is not JSON of this shape, or that arrives too late or too long, is
/// refused with 400 and the place where it went wrong.
#[derive(Clone, Debug)]
pub struct Given<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequest<S> for Given<T>
where
    Arc<App>: FromRef<S>,
{
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let (parts, body) = request.into_parts();
        let (shown, began) = (parts.clone(), Instant::now());
        let whole = Bytes::from_request(Request::from_parts(parts.clone(), body), state).await;
        let body = whole.map_err(|e| Refusal::bad_request(e.body_text()))?;
        if nul::in_json(&body) {
            return Err(Refusal::bad_request("there is a NUL character in the body"));
        }
        let request = Request::from_parts(parts, Body::from(body));
        let read = Json::<Object<T>>::from_request(request, state).await;
        let Json(Object(given)) = read.map_err(|e| Refusal::bad_request(e.body_text()))?;
        if began.elapsed() > AGAIN_AFTER {
            still_holds(&shown, &Arc::from_ref(state)).await?;
        }
        Ok(Self(given))
    }
}

/// Fields by their names. A struct of serde's own is also read from an array, in the order of its
/// fields, which nobody has described.
struct Object<T>(T);

impl<'de, T: DeserializeOwned> serde::Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Fields(PhantomData)).map(Self)
    }
}

struct Fields<T>(PhantomData<T>);

impl<'de, T: DeserializeOwned> Visitor<'de> for Fields<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map))
    }
}

#[cfg(test)]
mod tests {
    use super::Object;
    use serde::Deserialize;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Two {
        a: Option<u8>,
        b: Option<u8>,
    }

    #[test]
    fn objects_are_read_and_nothing_else() {
        let read = |text: &str| serde_json::from_str::<Object<Two>>(text).map(|o| o.0).ok();
        assert_eq!(read(r#"{ "b": 2 }"#), Some(Two { a: None, b: Some(2) }));
        for text in ["[1, 2]", "[null, null]", "[]", "null", "1", "\"a\"", r#"{"a":1,"a":2}"#] {
            assert_eq!(read(text), None, "{text}");
        }
        assert!(serde_json::from_str::<Two>("[1, 2]").is_ok(), "serde reads what we refuse");
    }
}
