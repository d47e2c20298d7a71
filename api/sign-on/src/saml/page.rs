//! Pages for people: few words, no script, no style, nothing from elsewhere.

use rollcall_domain::ids::ExchangeId;

/// Nothing may be loaded, framed or submitted.
pub const CONTENT_SECURITY_POLICY: &str =
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// What a page tells.
#[derive(Clone, Debug)]
pub struct Page<'a> {
    /// What happened.
    pub title: &'a str,
    /// What to do.
    pub text: &'a str,
    /// A stable code to pass on.
    pub code: Option<&'static str>,
}

impl Page<'_> {
    /// The document.
    pub fn to_html(&self, exchange: ExchangeId) -> String {
        let code = self
            .code
            .map(|code| format!("<p>Code: <code id=\"code\">{}</code></p>\n", escape(code)))
            .unwrap_or_default();
        let (title, text) = (escape(self.title), escape(self.text));
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n</head>\n<body>\n<main>\n\
             <h1>{title}</h1>\n<p>{text}</p>\n{code}<p>Reference: <code id=\"exchange\">{exchange}</code></p>\n</main>\n</body>\n</html>\n"
        )
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn nothing_that_is_told_becomes_markup() {
        let page = Page { title: "<b>&\"'", text: "<script>alert(1)</script>", code: Some("<i>") };
        let html = page.to_html(ExchangeId(Uuid::nil()));
        assert!(
            !html.contains("<script") && !html.contains("<b>") && !html.contains("<i>"),
            "{html}"
        );
        assert!(html.contains("&lt;b&gt;&amp;&quot;&#39;"));
    }
}
