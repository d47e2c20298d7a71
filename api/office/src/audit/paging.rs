//! Pages of an answer: how long one is, where the next begins, and where all of them end.

use crate::trail::RowsGiven;
use axum::Json;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use rollcall_contract::directory::ResourcesBody;
use rollcall_contract::members::MembersBody;
use rollcall_contract::memberships::MembershipsBody;
use rollcall_contract::page::{MOST, NEXT_CURSOR, Paged, TOTAL_COUNT, USUAL};
use rollcall_door::Refusal;
use rollcall_engine::secrets::sha256_hex;
use serde::Serialize;

/// So much of a question's hash is in its cursors: they tell mistakes, not attacks.
const HASH_CHARACTERS: usize = 16;

/// One page of the answer to a question.
pub struct Page<'q, Q> {
    query: &'q Q,
    limit: usize,
    question: String,
    from: Option<Turn>,
}

/// Where a page begins, and where the last one ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Turn {
    place: u64,
    end: u64,
}

impl<'q, Q: Paged> Page<'q, Q> {
    /// The page that is asked for. `about` is what the query does not say: which list, and whose.
    ///
    /// # Errors
    /// 400 if there is no page of that size, or the cursor is of another question.
    pub fn of(query: &'q Q, about: &str) -> Result<Self, Refusal> {
        let limit = query.limit().unwrap_or(USUAL);
        if !(1..=MOST).contains(&limit) {
            return Err(Refusal::parameter(
                "limit",
                format!(
                    "limit {limit} is none: a page has 1 to {MOST} rows, and says how to go on"
                ),
            ));
        }
        let asked = serde_json::to_string(&query.turned(1, None));
        let asked = asked.map_err(|e| Refusal::unavailable(&e))?;
        let mut question = sha256_hex(&format!("{about} {asked}"));
        question.truncate(HASH_CHARACTERS);
        let from = query.cursor().map(|cursor| read(cursor, &question)).transpose()?;
        Ok(Self { query, limit, question, from })
    }

    /// So many rows are to be read: one more than the page has tells whether there are more.
    pub fn fetch(&self) -> usize {
        self.limit + 1
    }

    /// The place of the last row of the page before; none on the first page.
    pub fn place(&self) -> Option<u64> {
        self.from.map(|from| from.place)
    }

    /// Where the list ends: as the first page settled it, which is here if this is the first.
    pub fn end(&self, here: u64) -> u64 {
        self.from.map_or(here, |from| from.end)
    }

    /// Takes off what was read beyond the page, and gives the place of the page's last row if
    /// anything was.
    pub fn cut<R>(&self, rows: &mut Vec<R>, place: impl Fn(&R) -> u64) -> Option<u64> {
        if rows.len() <= self.limit {
            return None;
        }
        rows.truncate(self.limit);
        rows.last().map(place)
    }

    /// The page, with what leads on from it.
    pub fn listed<B: Counted>(&self, mut body: B, next: Option<u64>, end: u64) -> Listed<B> {
        let cursor = next.map(|place| written(Turn { place, end }, &self.question));
        body.go_on(cursor.clone());
        let link = cursor.as_ref().and_then(|cursor| {
            let query = self.query.turned(self.limit, Some(cursor.clone()));
            Some(format!("<?{}>; rel=\"next\"", serde_urlencoded::to_string(query).ok()?))
        });
        Listed { body, cursor, link, total: None }
    }
}

fn written(turn: Turn, question: &str) -> String {
    BASE64.encode(format!("1.{}.{}.{question}", turn.place, turn.end))
}

fn read(cursor: &str, question: &str) -> Result<Turn, Refusal> {
    let wrong = |detail: &str| Refusal::parameter("cursor", detail);
    let parts = BASE64.decode(cursor).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let parts = parts.as_ref().map(|text| text.split('.').collect::<Vec<_>>());
    let Some(["1", place, end, of]) = parts.as_deref() else {
        return Err(wrong("this is no cursor: send the next-cursor of a page as it came"));
    };
    let (Ok(place), Ok(end)) = (place.parse(), end.parse()) else {
        return Err(wrong("this is no cursor: send the next-cursor of a page as it came"));
    };
    if *of != question {
        return Err(wrong(
            "this cursor is of another question: send it with all parameters of the page that gave it",
        ));
    }
    Ok(Turn { place, end })
}

/// An answer that has rows.
pub trait Counted {
    /// How many.
    fn rows(&self) -> usize;
    /// Says where the next page is, if there is room for that.
    fn go_on(&mut self, _cursor: Option<String>) {}
}

impl<T> Counted for Vec<T> {
    fn rows(&self) -> usize {
        self.len()
    }
}

impl Counted for ResourcesBody {
    fn rows(&self) -> usize {
        self.resources.len()
    }
    fn go_on(&mut self, cursor: Option<String>) {
        self.next = cursor;
    }
}

impl Counted for MembersBody {
    fn rows(&self) -> usize {
        self.members.len()
    }
    fn go_on(&mut self, cursor: Option<String>) {
        self.next = cursor;
    }
}

impl Counted for MembershipsBody {
    fn rows(&self) -> usize {
        self.memberships.len()
    }
    fn go_on(&mut self, cursor: Option<String>) {
        self.next = cursor;
    }
}

/// A page as it is answered.
#[derive(Debug)]
pub struct Listed<B> {
    body: B,
    cursor: Option<String>,
    link: Option<String>,
    total: Option<u64>,
}

impl<B> Listed<B> {
    /// Says how many rows all pages have together.
    pub fn of_all(mut self, total: Option<u64>) -> Self {
        self.total = total;
        self
    }
}

impl<B: Serialize + Counted> IntoResponse for Listed<B> {
    fn into_response(self) -> Response {
        let given = RowsGiven(self.body.rows() as u64);
        let mut response = Json(self.body).into_response();
        response.extensions_mut().insert(given);
        let headers = [
            (HeaderName::from_static(NEXT_CURSOR), self.cursor),
            (header::LINK, self.link),
            (HeaderName::from_static(TOTAL_COUNT), self.total.map(|total| total.to_string())),
        ];
        for (name, value) in headers {
            if let Some(Ok(value)) = value.map(HeaderValue::try_from) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rollcall_contract::events::EventQuery;

    fn asked(limit: Option<usize>, cursor: Option<String>) -> EventQuery {
        EventQuery { limit, cursor, ..EventQuery::default() }
    }

    #[test]
    fn a_page_has_bounds() {
        for (limit, size) in [(None, Some(101)), (Some(1), Some(2)), (Some(1_000), Some(1_001))] {
            let query = asked(limit, None);
            assert_eq!(Page::of(&query, "events").ok().map(|p| p.fetch()), size);
        }
        for limit in [0, 1_001, usize::MAX] {
            let query = asked(Some(limit), None);
            let refused = Page::of(&query, "events").err().map(|r| r.0);
            assert_eq!(refused.map(|p| (p.status, p.parameter)), Some((400, Some("limit".into()))));
        }
    }

    #[test]
    fn only_what_goes_on_has_a_cursor_and_it_says_where() {
        let query = asked(Some(2), None);
        let page = Page::of(&query, "events").unwrap();
        let mut rows = vec![3, 5];
        assert_eq!(page.cut(&mut rows, |n| *n), None);
        rows.push(9);
        assert_eq!((page.cut(&mut rows, |n| *n), rows.len()), (Some(5), 2));
        let cursor = page.listed(vec![0], Some(5), 9).cursor;
        let query = asked(Some(7), cursor.clone());
        let next = Page::of(&query, "events").unwrap();
        assert_eq!((next.place(), next.end(99)), (Some(5), 9));
        // Of another list, and with another filter, it is refused.
        assert!(Page::of(&query, "exchanges").is_err());
        let other = EventQuery { after: 1, ..query.clone() };
        assert!(Page::of(&other, "events").is_err());
    }

    proptest! {
        #[test]
        fn whatever_comes_as_a_cursor_is_read_or_refused(cursor in ".{0,80}") {
            let query = asked(None, Some(cursor));
            prop_assert!(Page::of(&query, "events").is_err());
        }
    }
}
