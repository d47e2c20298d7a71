//! Style, scripts and the icon: in the binary, at addresses that change with what is in them.

use crate::Console;
use axum::Router;
use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use rollcall_engine::secrets::sha256_hex;
use std::sync::LazyLock;

/// htmx 2.0.11 as npm has it (0BSD), to the byte; a test holds it to its hash.
const HTMX: &str = include_str!("../static/htmx-2.0.11.min.js");

/// A file.
pub struct Asset {
    name: String,
    media_type: &'static str,
    content: &'static str,
}

impl Asset {
    fn new(stem: &str, end: &str, media_type: &'static str, content: &'static str) -> Self {
        let name = format!("{stem}-{}.{end}", &sha256_hex(content)[..12]);
        Self { name, media_type, content }
    }

    /// Where it is.
    pub fn address(&self) -> String {
        format!("/assets/{}", self.name)
    }
}

const SCRIPT: &str = "text/javascript; charset=utf-8";

/// The style sheet.
pub static STYLE: LazyLock<Asset> = LazyLock::new(|| {
    let content = include_str!("../static/console.css");
    Asset::new("console", "css", "text/css; charset=utf-8", content)
});

/// What the pages do with a script of ours.
pub static OURS: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("console", "js", SCRIPT, include_str!("../static/console.js")));

/// Exchanges parts of a page.
pub static SWAPPER: LazyLock<Asset> = LazyLock::new(|| Asset::new("htmx", "js", SCRIPT, HTMX));

/// The icon.
pub static ICON: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new("icon", "svg", "image/svg+xml", include_str!("../static/icon.svg"))
});

/// Their routes.
pub fn routes() -> Router<Console> {
    Router::new().route("/assets/{name}", get(asset))
}

async fn asset(Path(name): Path<String>) -> Response {
    let all = [&*STYLE, &*OURS, &*SWAPPER, &*ICON];
    match all.into_iter().find(|asset| asset.name == name) {
        Some(asset) => {
            let kept = "public, max-age=31536000, immutable";
            let headers = [(header::CONTENT_TYPE, asset.media_type), (header::CACHE_CONTROL, kept)];
            (headers, asset.content).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::{HTMX, OURS};
    use rollcall_engine::secrets::sha256_hex;

    #[test]
    fn htmx_is_what_npm_has() {
        let expected = "d6fdc75f204e6bdefa99b69bf1e6d4ac69b8a364f77929f45c13476b4000f717";
        assert_eq!(sha256_hex(HTMX), expected);
    }

    /// What every page loads fits into 100 KB with room for the page.
    #[test]
    fn what_every_page_loads_is_small() {
        let all = super::STYLE.content.len() + OURS.content.len() + HTMX.len();
        assert!(all < 85_000, "{all} bytes");
    }
}
