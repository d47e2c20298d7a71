//! Direction: `domain` <- `projections` <- `api`, and `domain` <- `adapters/*` <- `api`.

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};
use std::collections::BTreeSet;
use std::process::Command;
use std::sync::OnceLock;

/// What cargo knows of the workspace, for this platform: those of others need not be downloaded.
fn metadata() -> &'static Metadata {
    static METADATA: OnceLock<Metadata> = OnceLock::new();
    METADATA.get_or_init(|| {
        let rustc = Command::new("rustc").arg("-vV").output().expect("rustc");
        let said = String::from_utf8(rustc.stdout).expect("text");
        let host = said.lines().find_map(|l| l.strip_prefix("host: ")).expect("a host");
        let options = ["--offline", "--locked", "--filter-platform", host].map(str::to_owned).to_vec();
        MetadataCommand::new().other_options(options).exec().expect("cargo metadata")
    })
}

/// What a crate of the workspace names in its `[dependencies]` and `[build-dependencies]`; with
/// `tests` also what only its tests use.
fn direct(metadata: &Metadata, name: &str, tests: bool) -> BTreeSet<String> {
    let package = metadata.workspace_packages().into_iter().find(|p| p.name.as_str() == name).unwrap_or_else(|| panic!("no crate {name}"));
    package.dependencies.iter().filter(|d| tests || d.kind != DependencyKind::Development).map(|d| d.name.clone()).collect()
}

/// Everything that is compiled into a crate.
fn reached(metadata: &Metadata, name: &str) -> BTreeSet<String> {
    let resolve = metadata.resolve.as_ref().expect("a resolved graph");
    let name_of = |id| metadata.packages.iter().find(|p| &p.id == id).map(|p| p.name.to_string()).expect("a package");
    let root =
        metadata.workspace_packages().into_iter().find(|p| p.name.as_str() == name).unwrap_or_else(|| panic!("no crate {name}")).id.clone();
    let (mut seen, mut todo) = (BTreeSet::from([root.clone()]), vec![root]);
    while let Some(id) = todo.pop() {
        let node = resolve.nodes.iter().find(|n| n.id == id).expect("a node");
        let used = node.deps.iter().filter(|d| d.dep_kinds.iter().any(|k| k.kind != DependencyKind::Development));
        for dep in used {
            if seen.insert(dep.pkg.clone()) {
                todo.push(dep.pkg.clone());
            }
        }
    }
    seen.iter().map(name_of).filter(|n| n != name).collect()
}

fn none_of(what: &str, found: &BTreeSet<String>, forbidden: &[&str]) {
    let bad: Vec<&str> = forbidden.iter().copied().filter(|f| found.contains(*f)).collect();
    assert!(bad.is_empty(), "{what} must not use {bad:?}");
}

const DATABASES: [&str; 5] = ["sqlx", "sqlx-core", "rusqlite", "libsqlite3-sys", "postgres-es"];
const ADAPTERS: [&str; 4] = ["rollcall-sqlite", "rollcall-postgres", "rollcall-entra", "rollcall-saml"];

#[test]
fn the_domain_knows_no_technology() {
    let metadata = metadata();
    let direct = direct(metadata, "rollcall-domain", false);
    none_of("domain", &direct, &["tokio", "axum", "hyper", "reqwest", "rand", "getrandom", "rollcall-projections", "rollcall-api"]);
    none_of("domain", &direct, &ADAPTERS);
    let reached = reached(metadata, "rollcall-domain");
    none_of("domain, also through others,", &reached, &DATABASES);
    none_of("domain, also through others,", &reached, &["axum", "hyper", "reqwest"]);
}

#[test]
fn projections_know_neither_http_nor_a_store() {
    let metadata = metadata();
    none_of("projections", &direct(metadata, "rollcall-projections", false), &["rollcall-api", "postgres-es", "rusqlite", "sqlx"]);
    let reached = reached(metadata, "rollcall-projections");
    none_of("projections, also through others,", &reached, &["axum", "hyper", "reqwest", "rollcall-api"]);
    none_of("projections, also through others,", &reached, &ADAPTERS);
}

#[test]
fn adapters_see_neither_http_nor_each_other() {
    let metadata = metadata();
    let adapters: Vec<String> = metadata
        .workspace_packages()
        .into_iter()
        .filter(|p| p.manifest_path.components().any(|c| c.as_str() == "adapters"))
        .map(|p| p.name.to_string())
        .collect();
    assert_eq!(
        adapters.iter().map(String::as_str).collect::<BTreeSet<_>>(),
        BTreeSet::from(ADAPTERS),
        "a new adapter belongs into this test"
    );
    for adapter in &adapters {
        let reached = reached(metadata, adapter);
        none_of(adapter, &reached, &["axum", "rollcall-api"]);
        let others: Vec<&str> = ADAPTERS.iter().copied().filter(|a| a != adapter).collect();
        none_of(adapter, &reached, &others);
        none_of(adapter, &direct(metadata, adapter, true), &others);
    }
}

#[test]
fn the_api_reaches_databases_through_adapters_only() {
    let direct = direct(metadata(), "rollcall-api", true);
    none_of("api", &direct, &DATABASES);
    for expected in ["rollcall-domain", "rollcall-projections", "rollcall-sqlite", "rollcall-postgres", "axum"] {
        assert!(direct.contains(expected), "the binary is put together from {expected}");
    }
}

#[test]
fn nothing_depends_on_the_binary_but_tests() {
    let metadata = metadata();
    for package in metadata.workspace_packages() {
        let uses = package.dependencies.iter().any(|d| d.name == "rollcall-api" && d.kind != DependencyKind::Development);
        assert!(!uses, "{} must not depend on rollcall-api", package.name);
    }
}
