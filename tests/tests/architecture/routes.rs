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
