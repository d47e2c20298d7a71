//! Pages for people: whose it is, what happened in words, what to do, and what to pass on to an
//! administrator. Nothing on them comes from elsewhere.

use super::visit::Visit;
use rollcall_door::html::escaped;

/// Nothing may be loaded from elsewhere, nothing framed, and nothing sent to anybody else.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// What pages are drawn with.
pub const STYLE: &str = include_str!("page.css");
/// What copies a reference.
pub const SCRIPT: &str = include_str!("page.js");

/// What a page tells.
#[derive(Clone, Debug, Default)]
pub struct Page<'a> {
    /// What happened.
    pub title: &'a str,
    /// What to do.
    pub text: &'a str,
    /// A stable code to pass on.
    pub code: Option<&'static str>,
    /// What is asked back: the words on a button that posts to this address again.
    pub asks: Option<&'a str>,
}

impl Page<'_> {
    /// The document.
    pub fn to_html(&self, visit: &Visit) -> String {
        let (title, text) = (escaped(self.title), escaped(self.text));
        let place = visit.place.as_ref();
        let name = place.map(|p| format!("<p class=\"name\">{}</p>\n", escaped(&p.name)));
        let asks = self.asks.map(|words| {
            format!("<form method=\"post\"><button>{}</button></form>\n", escaped(words))
        });
        // Whoever was refused may try again; there is nothing to try where it went well.
        let again = place.filter(|_| self.code.is_some()).map(|p| {
            format!("<p><a href=\"{}\">Try to sign in again</a></p>\n", escaped(&p.sign_on))
        });
        let code = self.code.map(|code| {
            format!("<dt>Code</dt><dd><code id=\"code\">{}</code></dd>\n", escaped(code))
        });
        let (reference, at) = (visit.opened.id, visit.opened.received_at);
        let time = at.format("%Y-%m-%d %H:%M:%S UTC");
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n\
             <link rel=\"stylesheet\" href=\"page.css\">\n<script src=\"page.js\" defer></script>\n\
             </head>\n<body>\n<main>\n{}<h1>{title}</h1>\n<p>{text}</p>\n{}{}<h2>For your administrator</h2>\n\
             <dl>\n{}<dt>Reference</dt><dd><code id=\"exchange\">{reference}</code> \
             <button id=\"copy\" type=\"button\" hidden>Copy</button></dd>\n\
             <dt>Time</dt><dd><time datetime=\"{}\">{time}</time></dd>\n</dl>\n</main>\n</body>\n</html>\n",
            name.unwrap_or_default(),
            asks.unwrap_or_default(),
            again.unwrap_or_default(),
            code.unwrap_or_default(),
            at.to_rfc3339(),
        )
    }
}
