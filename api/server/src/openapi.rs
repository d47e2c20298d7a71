//! The description of `/api/v1`.

use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ComponentsBuilder, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder};

/// The document without its paths.
pub fn document() -> OpenApi {
    let license = LicenseBuilder::new().name("Apache-2.0").build();
    let info = InfoBuilder::new()
        .title("Rollcall administration and audit")
        .description(Some(
            "Organizations, tokens, exchanges, events and views. SCIM itself is at /scim/v2.",
        ))
        .version(env!("CARGO_PKG_VERSION"))
        .license(Some(license))
        .build();
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("The operator key, from DIR/operator.key"))
        .build();
    let auditor = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("An auditor's key, from `rollcall auditor issue`"))
        .build();
    let consumer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("A consumer's key, from `rollcall consumer add`"))
        .build();
    let components = ComponentsBuilder::new()
        .security_scheme("operator", SecurityScheme::Http(bearer))
        .security_scheme("auditor", SecurityScheme::Http(auditor))
        .security_scheme("consumer", SecurityScheme::Http(consumer))
        .build();
    OpenApiBuilder::new().info(info).components(Some(components)).build()
}

/// The document as JSON.
pub fn render(document: &OpenApi) -> String {
    document.to_pretty_json().unwrap_or_default()
}
