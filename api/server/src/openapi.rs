//! The description of `/api/v1`.

use rollcall_contract::format::Format;
use rollcall_contract::problem::MEDIA_TYPE;
use rollcall_contract::views::ViewFamily;
use serde_json::{Value, json};
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Operation, Parameter, ParameterIn, PathItem};
use utoipa::openapi::schema::Type;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, Content, InfoBuilder, LicenseBuilder, ObjectBuilder, OpenApi,
    OpenApiBuilder, Ref, RefOr, Response,
};

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
    let admin = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("An admin's key, from `rollcall admin add`"))
        .build();
    // Parameters name these, and nothing else does.
    let components = ComponentsBuilder::new()
        .schema_from::<Format>()
        .schema_from::<ViewFamily>()
        .security_scheme("admin", SecurityScheme::Http(admin))
        .security_scheme("operator", SecurityScheme::Http(bearer))
        .security_scheme("auditor", SecurityScheme::Http(auditor))
        .security_scheme("consumer", SecurityScheme::Http(consumer))
        .build();
    OpenApiBuilder::new().info(info).components(Some(components)).build()
}

/// Adds to every operation what holds for all of them: the form of errors, what anybody may be
/// answered, and how pages follow each other.
pub fn complete(document: &mut OpenApi) {
    for item in document.paths.paths.values_mut() {
        let PathItem { get, post, put, patch, delete, .. } = item;
        for operation in [get, post, put, patch, delete].into_iter().filter_map(Option::as_mut) {
            complete_operation(operation);
        }
    }
}

fn complete_operation(operation: &mut Operation) {
    let parameters = operation.parameters.iter().flatten();
    let queries = |p: &&Parameter| p.parameter_in == ParameterIn::Query;
    let is_paged = parameters.filter(queries).any(|p| p.name == "cursor");
    let is_of_session = operation.operation_id.as_deref() == Some("session.show");
    let responses = &mut operation.responses.responses;
    for (status, when) in EVERYWHERE {
        responses.entry(status.to_owned()).or_insert_with(|| Response::new(when).into());
    }
    for (status, response) in responses.iter_mut() {
        let RefOr::T(response) = response else { continue };
        if status.starts_with(['4', '5']) {
            response.content = [(MEDIA_TYPE.to_owned(), problem())].into_iter().collect();
            if response.description.is_empty() {
                response.description = said_of(status).to_owned();
            }
            continue;
        }
        if is_paged && status == "200" {
            for (name, what) in PAGING {
                let text = ObjectBuilder::new().schema_type(Type::String).build();
                let header = HeaderBuilder::new().schema(text).description(Some(what)).build();
                response.headers.insert(name.to_owned(), header);
            }
        }
        if !is_of_session {
            let number = ObjectBuilder::new().schema_type(Type::Integer).build();
            let header = HeaderBuilder::new().schema(number).description(Some(POSITION)).build();
            response.headers.insert("Rollcall-Position".to_owned(), header);
        }
    }
}

/// What any operation may be answered.
const EVERYWHERE: [(&str, &str); 7] = [
    ("400", "A parameter or the body cannot be used"),
    ("401", "No live key was sent"),
    ("403", "The key that was sent does not open this"),
    ("404", "There is no such organization, or nothing of that name in it"),
    ("405", "This address has no such method"),
    ("429", "Too many requests without a live key"),
    ("503", "It cannot be done now: try again later"),
];

/// What leads from page to page.
const PAGING: [(&str, &str); 3] = [
    ("Next-Cursor", "The `cursor` of the next page; absent on the last"),
    ("Link", "The address of the next page, rel=next (RFC 8288); absent on the last"),
    ("Total-Count", "The number of rows on all pages together, where that is cheap to know"),
];

/// What the header says that has the position of the log.
const POSITION: &str = "The position of the organization's log (of the deployment's, for what is about none) that the \
     answer rests on: no later answer to you rests on less";

fn said_of(status: &str) -> &'static str {
    let everywhere = EVERYWHERE.iter().find(|(known, _)| *known == status);
    everywhere.map_or("It is not done: what is there forbids it", |(_, when)| when)
}

fn problem() -> Content {
    Content::new(Some(RefOr::Ref(Ref::from_schema_name("Problem"))))
}

/// The document as JSON.
pub fn render(document: &OpenApi) -> String {
    let mut document = serde_json::to_value(document).unwrap_or_default();
    plain(&mut document);
    serde_json::to_string_pretty(&document).unwrap_or_default()
}

/// Says in words that every generator of clients reads what JSON Schema could say more exactly: a
/// pair is a list of two, and an object that may be absent has no default.
fn plain(value: &mut Value) {
    match value {
        Value::Object(map) => {
            if map.get("items") == Some(&Value::Bool(false))
                && let Some(Value::Array(each)) = map.remove("prefixItems")
            {
                map.insert("minItems".to_owned(), json!(each.len()));
                map.insert("maxItems".to_owned(), json!(each.len()));
                map.insert("items".to_owned(), each.into_iter().next().unwrap_or_default());
            }
            map.retain(|name, value| name != "default" || !value.is_object());
            map.values_mut().for_each(plain);
        }
        Value::Array(all) => all.iter_mut().for_each(plain),
        _ => {}
    }
}
