//! The routes of the contract are the operations that the server describes, and so answers.

use rollcall_contract::route;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Parameters by method and path.
type Operations = BTreeMap<(String, String), Value>;

/// Operations as the contract declares them; fails if one is declared twice.
fn declared() -> Operations {
    let mut all = Operations::new();
    for route in route::all() {
        let operation = (route.method.as_str().to_owned(), route.template.to_owned());
        assert_eq!(
            all.insert(operation.clone(), json!(route.parameters)),
            None,
            "{operation:?} is declared twice"
        );
    }
    all
}

/// Operations as the server describes them.
fn described() -> Operations {
    let (_, document) = rollcall_server::router::api().split_for_parts();
    let document = serde_json::to_value(document).expect("a document");
    let paths = document["paths"].as_object().expect("paths");
    let of_path = |(path, item): (&String, &Value)| {
        let operations = item.as_object().expect("operations").clone();
        let path = path.clone();
        operations.into_iter().map(move |(method, operation)| {
            let parameters = operation.get("parameters").cloned().unwrap_or_else(|| json!([]));
            ((method.to_ascii_uppercase(), path.clone()), parameters)
        })
    };
    paths.iter().flat_map(of_path).collect()
}

#[test]
fn every_operation_has_its_route_and_every_route_its_operation() {
    let (declared, described) = (declared(), described());
    let names = |all: &Operations| all.keys().cloned().collect::<Vec<_>>();
    assert_eq!(
        names(&declared),
        names(&described),
        "api/contract/src/route.rs, and what the server answers"
    );
    for (operation, parameters) in &described {
        assert_eq!(&declared[operation], parameters, "parameters of {operation:?}");
    }
    assert!(
        declared.keys().all(|(_, path)| path.starts_with(route::PREFIX))
            && route::DESCRIPTION.starts_with(route::PREFIX)
    );
}

/// Every `$ref` of a document.
fn references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            found.extend(map.get("$ref").and_then(Value::as_str).map(str::to_owned));
            map.values().for_each(|value| references(value, found));
        }
        Value::Array(all) => all.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

/// What generators of clients stumble over.
#[test]
fn the_description_is_whole() {
    let (_, document) = rollcall_server::router::api().split_for_parts();
    let document: Value =
        serde_json::from_str(&rollcall_server::openapi::render(&document)).expect("JSON");
    let mut found = Vec::new();
    references(&document, &mut found);
    let dangling: Vec<&String> = found
        .iter()
        .filter(|reference| document.pointer(reference.trim_start_matches('#')).is_none())
        .collect();
    assert!(dangling.is_empty(), "these lead nowhere: {dangling:?}");
    let paths = document["paths"].as_object().expect("paths");
    let mut ids = std::collections::BTreeSet::new();
    for (path, item) in paths {
        for (method, operation) in item.as_object().expect("operations") {
            let id = operation["operationId"].as_str().unwrap_or_default();
            assert!(!id.is_empty() && ids.insert(id), "{method} {path} is called {id:?}");
            assert!(operation["tags"].is_array(), "{method} {path} has no tag");
            let responses = operation["responses"].as_object().expect("responses");
            for status in ["400", "401", "403", "404", "405", "429", "503"] {
                assert!(responses.contains_key(status), "{method} {path} hides {status}");
            }
            for (status, response) in responses {
                let errors = status.starts_with(['4', '5']);
                let content = response["content"].as_object();
                assert!(
                    !errors || content.is_some_and(|c| c.contains_key("application/problem+json")),
                    "{method} {path} {status} is no problem"
                );
                let said = response["description"].as_str().unwrap_or_default();
                assert!(!errors || !said.is_empty(), "{method} {path} {status} says nothing");
            }
            let schemes = document["components"]["securitySchemes"].as_object().expect("schemes");
            for named in operation["security"].as_array().into_iter().flatten() {
                let named = named.as_object().into_iter().flat_map(|one| one.keys());
                for scheme in named {
                    assert!(schemes.contains_key(scheme), "{method} {path}: {scheme}");
                }
            }
        }
    }
}
