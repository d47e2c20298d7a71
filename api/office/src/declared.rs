//! What a route takes, as its description declares it: methods, and the names of its query.
//! Whatever else is sent is refused, with the list of what there is.

use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use rollcall_door::Refusal;
use std::collections::BTreeMap;
use std::sync::LazyLock;
use utoipa::openapi::path::{Operation, Parameter, ParameterIn, PathItem, Paths};
use utoipa::openapi::{KnownFormat, RefOr, Schema, SchemaFormat};

/// Names of before that are still understood, with those of today.
const FORMER: [(&str, &str); 1] = [("asOf", "as_of")];

/// The methods of each address: several routes may share one.
static METHODS: LazyLock<BTreeMap<String, Vec<String>>> = LazyLock::new(|| {
    let described = crate::routes().into_openapi().paths;
    let of = |(path, item): (String, PathItem)| {
        let methods = Declared::methods(&item).into_iter().map(|(name, _)| name.to_owned());
        (path, methods.collect())
    };
    described.paths.into_iter().map(of).collect()
});

/// The methods of one route, each with its query.
#[derive(Clone, Debug, Default)]
pub struct Declared(BTreeMap<&'static str, Query>);

/// What a query may have.
#[derive(Clone, Debug, Default)]
struct Query {
    names: Vec<String>,
    /// Those that are whole numbers as both databases and JSON's readers know them: below 2^63.
    numbers: Vec<String>,
}

impl Declared {
    /// What these paths describe: those of one route.
    pub fn of(paths: &Paths) -> Self {
        Self(paths.paths.values().flat_map(Self::methods).collect())
    }

    fn methods(item: &PathItem) -> Vec<(&'static str, Query)> {
        let methods = [
            ("GET", &item.get),
            ("HEAD", &item.get),
            ("POST", &item.post),
            ("PUT", &item.put),
            ("PATCH", &item.patch),
            ("DELETE", &item.delete),
        ];
        let declared = methods
            .into_iter()
            .filter_map(|(name, operation)| Some((name, query(operation.as_ref()?))));
        declared.collect()
    }

    /// Refuses a method that it does not have, and names those that it has.
    pub fn check_method(&self, parts: &Parts) -> Result<(), Refusal> {
        if self.0.contains_key(parts.method.as_str()) {
            return Ok(());
        }
        let path = parts.uri.path();
        let here = METHODS.iter().find(|(template, _)| is_at(template, path));
        let there_is = here.map(|(_, methods)| methods.clone()).unwrap_or_default();
        let mut refusal = Refusal::new(
            StatusCode::METHOD_NOT_ALLOWED,
            format!("this address has no such method; there is: {}", there_is.join(", ")),
        );
        refusal.0.allowed = there_is;
        Err(refusal)
    }

    /// Refuses a query with a name that is not declared, or a number that no log reaches.
    pub fn check(&self, method: &Method, query: &str) -> Result<(), Refusal> {
        let Some(Query { names, numbers }) = self.0.get(method.as_str()) else { return Ok(()) };
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let today = FORMER.iter().find(|(former, _)| *former == name).map(|(_, today)| *today);
            let today = today.unwrap_or(&name);
            if names.iter().any(|declared| declared == today) {
                if numbers.iter().any(|n| n == today) && value.parse().is_ok_and(is_beyond) {
                    let told = format!("{today}={value} cannot be: give 0 to {}", i64::MAX);
                    return Err(Refusal::parameter(today.to_owned(), told));
                }
                continue;
            }
            let there_is = match names.as_slice() {
                [] => "this takes no parameters".to_owned(),
                names => format!("there is: {}", names.join(", ")),
            };
            let mut refusal = Refusal::parameter(
                name.clone(),
                format!("there is no parameter {name:?}; {there_is}"),
            );
            refusal.0.allowed = names.clone();
            return Err(refusal);
        }
        Ok(())
    }
}

/// Whether a path is one of those that a template stands for.
fn is_at(template: &str, path: &str) -> bool {
    let (mut wanted, mut found) = (template.split('/'), path.split('/'));
    loop {
        match (wanted.next(), found.next()) {
            (None, None) => return true,
            (Some(wanted), Some(found)) if wanted == found || wanted.starts_with('{') => {}
            _ => return false,
        }
    }
}

/// The operations that these paths describe.
pub fn described(paths: &mut Paths) -> impl Iterator<Item = &mut Operation> {
    paths.paths.values_mut().flat_map(|item| {
        let PathItem { get, post, put, patch, delete, .. } = item;
        [get, post, put, patch, delete].into_iter().filter_map(Option::as_mut)
    })
}

fn is_beyond(number: u64) -> bool {
    i64::try_from(number).is_err()
}

fn query(operation: &Operation) -> Query {
    let parameters = operation.parameters.iter().flatten();
    let parameters = parameters.filter(|p| p.parameter_in == ParameterIn::Query);
    let mut query = Query::default();
    for parameter in parameters {
        if is_int64(parameter) {
            query.numbers.push(parameter.name.clone());
        }
        query.names.push(parameter.name.clone());
    }
    query
}

fn is_int64(parameter: &Parameter) -> bool {
    let Some(RefOr::T(Schema::Object(schema))) = &parameter.schema else { return false };
    schema.format == Some(SchemaFormat::KnownFormat(KnownFormat::Int64))
}
