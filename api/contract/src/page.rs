//! Pages of a list: how all lists of `/api/v1` are read from beginning to end.
//!
//! The first page of a question settles where the list ends, so that what comes in meanwhile does
//! not prolong it. An answer with more behind it says so in two headers: [`NEXT_CURSOR`] has the
//! `cursor` of the next page, `Link` (RFC 8288) its address. The last page has neither.

use serde::Serialize;

/// So many rows a page has, if nobody says.
pub const USUAL: usize = 100;

/// So many rows a page has at most. Who asks for more is refused.
pub const MOST: usize = 1_000;

/// The header with the `cursor` of the next page; absent on the last.
pub const NEXT_CURSOR: &str = "next-cursor";

/// The header with the number of rows on all pages together, where that is cheap to know.
pub const TOTAL_COUNT: &str = "total-count";

/// A question whose answer comes in pages.
pub trait Paged: Clone + Serialize {
    /// So many rows, at most [`MOST`].
    fn limit(&self) -> Option<usize>;
    /// Where to go on.
    fn cursor(&self) -> Option<&str>;
    /// The same question, with so many rows on a page, from a cursor on.
    fn turned(&self, limit: usize, cursor: Option<String>) -> Self;
}

/// Questions with the fields `limit` and `cursor`.
macro_rules! paged {
    ($($query:ty),+ $(,)?) => {
        $(impl Paged for $query {
            fn limit(&self) -> Option<usize> {
                self.limit
            }
            fn cursor(&self) -> Option<&str> {
                self.cursor.as_deref()
            }
            fn turned(&self, limit: usize, cursor: Option<String>) -> Self {
                let mut turned = self.clone();
                (turned.limit, turned.cursor) = (Some(limit), cursor);
                turned
            }
        })+
    };
}

paged!(
    crate::directory::ResourceQuery,
    crate::events::EventQuery,
    crate::exchanges::ExchangeQuery,
    crate::failures::FailureQuery,
    crate::logins::LoginQuery,
    crate::members::MemberQuery,
    crate::memberships::MembershipQuery,
    crate::parked::ParkedQuery,
    crate::reads::ReadQuery,
    crate::runs::ChangeQuery,
    crate::runs::RunQuery,
    crate::sessions::SessionQuery,
);
