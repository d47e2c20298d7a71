//! How values are written into pages. This is the one file that writes markup itself; everything
//! else is escaped by the templates.

use crate::tell;
use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use chrono::{DateTime, Utc};
use rollcall_door::html::escaped;
use rollcall_projections::console::ConsoleRole;
use rollcall_projections::organizations::OrganizationRow;
use std::fmt;

/// Longer names are cut, and said whole in a title.
const NAME_CHARS: usize = 80;

/// What surrounds a page: who sees it, and where it is.
#[derive(Clone, Debug)]
pub struct Frame {
    /// What it is about.
    pub title: String,
    /// Its entry in the navigation.
    pub at: &'static str,
    /// The organization it is about.
    pub head: Option<Head>,
    /// Who is signed in.
    pub who: String,
    /// As whom.
    pub role: ConsoleRole,
    /// Goes into every form.
    pub token: String,
    /// What was done just now.
    pub notice: Option<String>,
}

impl Frame {
    /// The same, after something was done.
    pub fn with_notice(mut self, notice: Option<&str>) -> Self {
        self.notice = notice.and_then(tell::notice).map(str::to_owned);
        self
    }

    /// Whether forms are shown. What they do is refused to auditors whatever is shown.
    pub fn may_change(&self) -> bool {
        self.role != ConsoleRole::Auditor
    }

    /// Whether what only operators do is shown.
    pub fn is_operator(&self) -> bool {
        self.role == ConsoleRole::Operator
    }

    /// Whether the navigation is shown: who sets up has one page.
    pub fn has_navigation(&self) -> bool {
        self.role != ConsoleRole::Setup && self.head.is_some()
    }

    /// The role, for people.
    pub fn role_words(&self) -> &'static str {
        tell::role(self.role)
    }

    /// `page` if this is the current entry of the navigation, for `aria-current`.
    pub fn current(&self, entry: &&str) -> &'static str {
        if self.at == *entry { "page" } else { "false" }
    }
}

/// The organization of a page.
#[derive(Clone, Debug)]
pub struct Head {
    /// Its name in paths.
    pub slug: String,
    /// Its name.
    pub name: Name,
}

impl Head {
    /// Of an organization.
    pub fn of(row: &OrganizationRow) -> Self {
        Self { slug: row.domain.clone(), name: Name(row.name.clone()) }
    }
}

/// A page as an answer.
pub fn shown(page: &impl Template) -> Response {
    match page.render() {
        Ok(html) => Html(html).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page could not be written");
            (StatusCode::INTERNAL_SERVER_ERROR, tell::STRANGE).into_response()
        }
    }
}

/// An instant, as `<time>`: in UTC, to the second; a script adds the viewer's own time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct When(pub DateTime<Utc>);

impl When {
    /// As it is written in a query.
    pub fn iso(&self) -> String {
        rollcall_contract::time::text(self.0)
    }

    /// As it is read in a title, where no markup can be.
    pub fn plain(&self) -> String {
        self.0.format("%Y-%m-%d %H:%M:%S UTC").to_string()
    }
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (iso, day, time) = (self.iso(), self.0.format("%Y-%m-%d"), self.0.format("%H:%M:%S"));
        write!(f, "<time datetime=\"{iso}\">{day}\u{a0}{time}</time>")
    }
}

impl askama::filters::HtmlSafe for When {}

/// An instant that may be absent.
#[derive(Clone, Copy, Debug)]
pub struct Maybe(pub Option<DateTime<Utc>>);

impl fmt::Display for Maybe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(at) => When(at).fmt(f),
            None => f.write_str("<span class=\"none\">never</span>"),
        }
    }
}

impl askama::filters::HtmlSafe for Maybe {}

/// A text from outside, such as a name: its direction is its own, and its length has an end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name(pub String);

impl Name {
    /// The text, where no markup can be: an attribute, a title.
    pub fn plain(&self) -> String {
        cut(&self.0, NAME_CHARS).unwrap_or_else(|| self.0.clone())
    }
}

impl From<&str> for Name {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match cut(&self.0, NAME_CHARS) {
            None => write!(f, "<bdi>{}</bdi>", escaped(&self.0)),
            Some(short) => {
                let whole = cut(&self.0, 2_000).unwrap_or_else(|| self.0.clone());
                write!(f, "<bdi title=\"{}\">{}</bdi>", escaped(&whole), escaped(&short))
            }
        }
    }
}

impl askama::filters::HtmlSafe for Name {}

/// A sentence or a value from outside: as a name, and longer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said(pub String);

/// Longer ones are cut; the request that they came with has them whole.
const SAID_CHARS: usize = 1_000;

impl From<&str> for Said {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = cut(&self.0, SAID_CHARS).unwrap_or_else(|| self.0.clone());
        write!(f, "<bdi>{}</bdi>", escaped(&shown))
    }
}

impl askama::filters::HtmlSafe for Said {}

/// The first so many characters with an ellipsis; none if it is no longer than that.
pub fn cut(text: &str, chars: usize) -> Option<String> {
    let (at, _) = text.char_indices().nth(chars)?;
    Some(format!("{}\u{2026}", &text[..at]))
}

/// A number with its thousands apart.
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}

/// A span of time, in its largest two units.
pub fn span(seconds: i64) -> String {
    let (days, hours) = (seconds / 86_400, seconds % 86_400 / 3_600);
    let (minutes, rest) = (seconds % 3_600 / 60, seconds % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{rest} s"),
        (0, 0, _) => format!("{minutes} min"),
        (0, _, 0) => format!("{hours} h"),
        (0, _, _) => format!("{hours} h {minutes} min"),
        (_, 0, _) => format!("{days} d"),
        _ => format!("{days} d {hours} h"),
    }
}

/// A value as a query or a path has it.
pub fn in_address(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Whatever somebody is called, it is text and nothing else.
        #[test]
        fn no_name_becomes_markup(text in "\\PC{0,200}") {
            let shown = Name(text).to_string();
            let inner = shown.strip_prefix("<bdi").and_then(|s| s.strip_suffix("</bdi>")).unwrap();
            let (head, body) = inner.split_once('>').unwrap();
            prop_assert!(!body.contains(['<', '>', '"', '\'']));
            prop_assert!(head.matches('"').count() == 0 || head.matches('"').count() == 2);
            prop_assert!(!head.contains('<'));
        }
    }

    #[test]
    fn numbers_and_spans_read_well() {
        assert_eq!(
            [0, 999, 1_000, 1_234_567].map(count),
            ["0", "999", "1\u{202f}000", "1\u{202f}234\u{202f}567"]
        );
        assert_eq!(
            [0, 59, 60, 2_400, 3_600, 5_400, 90_000, 172_800].map(span),
            ["0 s", "59 s", "1 min", "40 min", "1 h", "1 h 30 min", "1 d 1 h", "2 d"]
        );
        assert_eq!(in_address("a b/c?d=é"), "a%20b%2Fc%3Fd%3D%C3%A9");
        assert_eq!(cut("abc", 3), None);
        assert_eq!(cut("abcd", 3).as_deref(), Some("abc\u{2026}"));
    }
}
