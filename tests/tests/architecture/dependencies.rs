//! Which crate may use which: one direction, from the domain up to the binary.

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, PackageId};
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
        let options =
            ["--offline", "--locked", "--filter-platform", host].map(str::to_owned).to_vec();
        MetadataCommand::new().other_options(options).exec().expect("cargo metadata")
    })
}

/// What a crate of the workspace names in its `[dependencies]` and `[build-dependencies]`; with
/// `tests` also what only its tests use.
fn direct(metadata: &Metadata, name: &str, tests: bool) -> BTreeSet<String> {
    let package = metadata
        .workspace_packages()
        .into_iter()
        .find(|p| p.name.as_str() == name)
        .unwrap_or_else(|| panic!("no crate {name}"));
    package
        .dependencies
        .iter()
        .filter(|d| tests || d.kind != DependencyKind::Development)
        .map(|d| d.name.clone())
        .collect()
}

/// Everything that is compiled into a crate.
fn reached(metadata: &Metadata, name: &str) -> BTreeSet<String> {
    reached_but_through(metadata, name, &[])
}

/// Everything that is compiled into a crate, but what comes through these only.
fn reached_but_through(metadata: &Metadata, name: &str, through: &[&str]) -> BTreeSet<String> {
    let resolve = metadata.resolve.as_ref().expect("a resolved graph");
    let name_of = |id: &PackageId| {
        metadata
            .packages
            .iter()
            .find(|p| &p.id == id)
            .map(|p| p.name.to_string())
            .expect("a package")
    };
    let root = metadata
        .workspace_packages()
        .into_iter()
        .find(|p| p.name.as_str() == name)
        .unwrap_or_else(|| panic!("no crate {name}"))
        .id
        .clone();
    let (mut seen, mut todo) = (BTreeSet::from([root.clone()]), vec![root]);
    while let Some(id) = todo.pop() {
        let node = resolve.nodes.iter().find(|n| n.id == id).expect("a node");
        let used = node
            .deps
            .iter()
            .filter(|d| d.dep_kinds.iter().any(|k| k.kind != DependencyKind::Development));
        for dep in used {
            if seen.insert(dep.pkg.clone()) && !through.contains(&name_of(&dep.pkg).as_str()) {
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
const WEB: [&str; 3] = ["axum", "hyper", "reqwest"];

/// The crates of the product with what each names of the others, from the bottom up. A crate may
/// use what stands above it in this table, and of that only what its line says.
const ROOMS: [(&str, &[&str]); 28] = [
    ("domain", &[]),
    ("projections", &["domain"]),
    ("sqlite", &["domain"]),
    ("postgres", &["domain"]),
    ("eventstore", &["domain"]),
    ("saml", &["domain"]),
    ("sealing", &["domain"]),
    ("tlog", &["domain"]),
    ("outbound", &[]),
    ("mail", &[]),
    ("jose", &["domain"]),
    ("entra", &[]),
    ("contract", &[]),
    ("evidence", &["contract", "domain", "tlog"]),
    ("engine", &["domain", "projections"]),
    ("stores", &["domain", "eventstore", "postgres", "projections", "sealing", "sqlite"]),
    ("door", &["contract", "domain", "engine", "mail", "outbound", "projections"]),
    ("scim", &["domain", "door", "engine", "projections"]),
    ("oauth", &["contract", "domain", "door", "engine", "jose", "outbound", "projections"]),
    ("sign-on", &["contract", "domain", "door", "engine", "outbound", "projections", "saml"]),
    ("feed", &["contract", "domain", "door", "engine", "evidence", "jose", "projections"]),
    ("replay", &["contract", "domain", "door", "engine", "projections", "scim", "stores"]),
    (
        "office",
        &[
            "contract",
            "domain",
            "door",
            "engine",
            "evidence",
            "feed",
            "jose",
            "mail",
            "outbound",
            "projections",
            "replay",
            "saml",
            "sign-on",
        ],
    ),
    ("console", &["contract", "domain", "door", "engine", "projections"]),
    (
        "server",
        &[
            "console",
            "contract",
            "domain",
            "door",
            "engine",
            "feed",
            "mail",
            "oauth",
            "office",
            "outbound",
            "projections",
            "scim",
            "sign-on",
            "stores",
        ],
    ),
    ("cli", &["contract"]),
    ("simulate", &["cli", "contract", "engine", "entra", "server", "stores"]),
    (
        "",
        &[
            "cli", "contract", "domain", "door", "engine", "evidence", "replay", "server",
            "simulate", "stores",
        ],
    ),
];

fn package(room: &str) -> String {
    if room.is_empty() { "rollcall".to_owned() } else { format!("rollcall-{room}") }
}

#[test]
fn crates_use_what_is_below_them_and_only_what_their_line_says() {
    let metadata = metadata();
    let ours: BTreeSet<String> =
        metadata.workspace_packages().iter().map(|p| p.name.to_string()).collect();
    let aside = [
        "rollcall-tests",
        "rollcall-adapter-tests",
        "rollcall-snapshots",
        "rollcall-kurrent-standin",
        // Knows Rollcall by its documents only.
        "rollcall-door-list",
    ]
    .map(str::to_owned);
    let rooms: BTreeSet<String> =
        ROOMS.iter().map(|(room, _)| package(room)).chain(aside).collect();
    assert_eq!(ours, rooms, "a new crate belongs into this table");
    for (at, (room, uses)) in ROOMS.iter().enumerate() {
        let below: BTreeSet<String> = ROOMS[..at].iter().map(|(below, _)| package(below)).collect();
        let uses: BTreeSet<String> = uses.iter().map(|used| package(used)).collect();
        assert!(uses.is_subset(&below), "{room} may only use what stands above it: {uses:?}");
        let found: BTreeSet<String> = direct(metadata, &package(room), false)
            .into_iter()
            .filter(|d| ours.contains(d))
            .collect();
        assert_eq!(found, uses, "{room}: its line in this table, and its Cargo.toml");
    }
}

#[test]
fn the_domain_knows_no_technology() {
    let metadata = metadata();
    let direct = direct(metadata, "rollcall-domain", false);
    none_of("domain", &direct, &["tokio", "rand", "getrandom"]);
    let reached = reached(metadata, "rollcall-domain");
    none_of("domain, also through others,", &reached, &DATABASES);
    none_of("domain, also through others,", &reached, &WEB);
}

#[test]
fn databases_are_the_business_of_their_adapters() {
    let metadata = metadata();
    for (room, _) in
        ROOMS.iter().filter(|(room, _)| !matches!(*room, "sqlite" | "postgres" | "eventstore"))
    {
        none_of(room, &direct(metadata, &package(room), true), &DATABASES);
    }
    for room in ["projections", "engine", "contract", "cli"] {
        none_of(room, &reached(metadata, &package(room)), &DATABASES);
    }
}

/// Whatever is not a door can be used, and tested, without one.
#[test]
fn what_is_no_door_knows_no_http_server() {
    let metadata = metadata();
    for room in [
        "projections",
        "sqlite",
        "postgres",
        "eventstore",
        "saml",
        "sealing",
        "tlog",
        "outbound",
        "mail",
        "jose",
        "engine",
        "evidence",
        "stores",
        "contract",
        "cli",
    ] {
        // The makers' client of KurrentDB brings tonic, which has an axum of its own in it.
        none_of(room, &reached_but_through(metadata, &package(room), &["tonic"]), &["axum"]);
    }
}

#[test]
fn nothing_depends_on_the_binary_but_tests() {
    let metadata = metadata();
    for package in metadata.workspace_packages() {
        let uses = package
            .dependencies
            .iter()
            .any(|d| d.name == "rollcall" && d.kind != DependencyKind::Development);
        assert!(!uses, "{} must not depend on the binary", package.name);
    }
}
