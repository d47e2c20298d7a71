//! What a route takes, as its description declares it: methods, and the names of its query.
//! Whatever else is sent is refused, with the list of what there is.

use axum::http::Method;
use rollcall_door::Refusal;
use std::collections::BTreeMap;
use utoipa::openapi::path::{Operation, ParameterIn, PathItem, Paths};

/// Names of before that are still understood, with those of today.
const FORMER: [(&str, &str); 1] = [("asOf", "as_of")];

/// The methods of one route, each with the names of its query.
#[derive(Clone, Debug, Default)]
pub struct Declared(BTreeMap<&'static str, Vec<String>>);

impl Declared {
    /// What these paths describe: those of one route.
    pub fn of(paths: &Paths) -> Self {
        let of_item = |item: &PathItem| {
            let methods = [
                ("GET", &item.get),
                ("HEAD", &item.get),
                ("POST", &item.post),
                ("PUT", &item.put),
                ("PATCH", &item.patch),
                ("DELETE", &item.delete),
            ];
            methods
                .into_iter()
                .filter_map(|(name, operation)| Some((name, names(operation.as_ref()?))))
                .collect::<Vec<_>>()
        };
        Self(paths.paths.values().flat_map(of_item).collect())
    }

    /// Whether it has this method.
    pub fn answers(&self, method: &Method) -> bool {
        self.0.contains_key(method.as_str())
    }

    /// Refuses a query with a name that is not declared.
    pub fn check(&self, method: &Method, query: &str) -> Result<(), Refusal> {
        let Some(names) = self.0.get(method.as_str()) else { return Ok(()) };
        for (name, _) in form_urlencoded::parse(query.as_bytes()) {
            let today = FORMER.iter().find(|(former, _)| *former == name).map(|(_, today)| *today);
            let today = today.unwrap_or(&name);
            if names.iter().any(|declared| declared == today) {
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

/// The operations that these paths describe.
pub fn described(paths: &mut Paths) -> impl Iterator<Item = &mut Operation> {
    paths.paths.values_mut().flat_map(|item| {
        let PathItem { get, post, put, patch, delete, .. } = item;
        [get, post, put, patch, delete].into_iter().filter_map(Option::as_mut)
    })
}

fn names(operation: &Operation) -> Vec<String> {
    let parameters = operation.parameters.iter().flatten();
    parameters.filter(|p| p.parameter_in == ParameterIn::Query).map(|p| p.name.clone()).collect()
}
