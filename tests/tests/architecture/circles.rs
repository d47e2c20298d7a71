//! Siblings do not use each other in a circle: of two modules with one parent, files or folders,
//! one is below the other, and can be read without it.

use crate::modules::{Modules, Place};
use crate::sources::{assert_none, is_test, sources};
use std::collections::{BTreeMap, BTreeSet};

/// Circles that are older than the rule: crate, parent, siblings. Lines only ever go from here.
const LEFT: [(&str, &str, &[&str]); 0] = [];

/// Under one parent: each sibling with those it uses, and by which of their modules.
type Graph = BTreeMap<String, BTreeMap<String, Vec<String>>>;

/// Siblings that reach each other, under their parent, with what leads from one to another.
#[derive(Debug, PartialEq)]
struct Circle {
    parent: String,
    siblings: Vec<String>,
    by: Vec<String>,
}

/// The modules of each parent, as siblings that use each other.
fn graphs(modules: &Modules) -> BTreeMap<Place, Graph> {
    let mut graphs: BTreeMap<Place, Graph> = BTreeMap::new();
    for (from, to) in modules.edges() {
        let shared = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
        // Parents pass on what their children have, and children use what their parents have.
        if let (Some(a), Some(b)) = (from.get(shared), to.get(shared)) {
            let graph = graphs.entry(from[..shared].to_vec()).or_default();
            let by = graph.entry(a.clone()).or_default().entry(b.clone()).or_default();
            by.push(format!("{} uses {}", from.join("/"), to.join("/")));
        }
    }
    graphs
}

fn circles(modules: &Modules) -> Vec<Circle> {
    let mut found = Vec::new();
    for (parent, graph) in graphs(modules) {
        let reach: BTreeMap<&String, BTreeSet<&String>> =
            graph.keys().map(|name| (name, reached(&graph, name))).collect();
        let leads = |from: &String, to: &String| {
            reach.get(from).is_some_and(|reached| reached.contains(to))
        };
        let mut told = BTreeSet::new();
        for name in graph.keys() {
            let siblings: BTreeSet<&String> =
                graph.keys().filter(|other| leads(name, other) && leads(other, name)).collect();
            if siblings.is_empty() || !told.insert(siblings.clone()) {
                continue;
            }
            let among = siblings
                .iter()
                .flat_map(|sibling| &graph[*sibling])
                .filter(|(used, _)| siblings.contains(used));
            let by = among.flat_map(|(_, by)| by.clone()).collect();
            found.push(Circle {
                parent: parent.join("/"),
                siblings: siblings.into_iter().cloned().collect(),
                by,
            });
        }
    }
    found
}

/// Everything that one sibling leads to.
fn reached<'a>(graph: &'a Graph, from: &'a String) -> BTreeSet<&'a String> {
    let (mut reached, mut todo) = (BTreeSet::new(), vec![from]);
    while let Some(name) = todo.pop() {
        todo.extend(
            graph
                .get(name)
                .into_iter()
                .flat_map(BTreeMap::keys)
                .filter(|next| reached.insert(*next)),
        );
    }
    reached
}

/// The modules of every crate of the product, by the folder of the crate.
fn crates() -> BTreeMap<String, Modules> {
    let mut files: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for (name, text) in sources().into_iter().filter(|(name, _)| !is_test(name)) {
        if let Some((home, file)) = name.split_once("/src/") {
            files.entry(home.to_owned()).or_default().push((file.to_owned(), text));
        }
    }
    assert!(files.len() > 15, "only {} crates were found", files.len());
    let read = |files: Vec<(String, String)>| {
        Modules::read(files.iter().map(|(file, text)| (file.as_str(), text.as_str())))
    };
    files.into_iter().map(|(home, files)| (home, read(files))).collect()
}

#[test]
fn siblings_do_not_use_each_other_in_a_circle() {
    let mut offenders = Vec::new();
    let mut left = LEFT.to_vec();
    for (home, modules) in crates() {
        for Circle { parent, siblings, by } in circles(&modules) {
            match left.iter().position(|(a, b, c)| *a == home && *b == parent && siblings == *c) {
                Some(at) => _ = left.remove(at),
                None => offenders.push(format!(
                    "{home}/src/{parent}: {}\n  {}",
                    siblings.join(", "),
                    by.join("\n  ")
                )),
            }
        }
    }
    offenders.extend(left.iter().map(|(home, parent, siblings)| {
        format!("{home}/src/{parent}: {siblings:?} is listed, and is no longer")
    }));
    assert_none("siblings that use each other in a circle", offenders);
}

/// What a module has from its parent by `*` cannot be seen here: it is to be named.
#[test]
fn no_module_takes_everything_of_its_parent() {
    let places = |(home, modules): (String, Modules)| {
        modules.globs_of_parents().into_iter().map(move |at| format!("{home}/src/{}", at.join("/")))
    };
    assert_none(
        "modules that use `super::*` outside their tests",
        crates().into_iter().flat_map(places).collect(),
    );
}

/// The circles of sources that are made up.
fn of(files: &[(&str, &str)]) -> Vec<(String, Vec<String>)> {
    circles(&Modules::read(files.iter().copied()))
        .into_iter()
        .map(|circle| (circle.parent, circle.siblings))
        .collect()
}

#[test]
fn the_rule_can_see_a_circle() {
    let both = |parent: &str| vec![(parent.to_owned(), vec!["a".to_owned(), "b".to_owned()])];
    // However it is said; in folders as in files; through a third one.
    assert_eq!(
        of(&[("a.rs", "use crate::b::B;"), ("b.rs", "fn b() { crate::a::A::new() }")]),
        both("")
    );
    assert_eq!(
        of(&[
            ("x/a.rs", "use super::b::B;"),
            ("x/b.rs", "use super::{a::{self, A}, c};"),
            ("x/mod.rs", "")
        ]),
        both("x")
    );
    assert_eq!(
        of(&[
            ("a/one.rs", "use crate::b;"),
            ("a/mod.rs", ""),
            ("b/two.rs", "use crate::a::one::One;"),
            ("b/mod.rs", "")
        ]),
        both("")
    );
    let three = of(&[
        ("a.rs", "use crate::b::B;"),
        ("b.rs", "use crate::c::C;"),
        ("c.rs", "use crate::a::A;"),
        ("d.rs", "use crate::a::A;"),
    ]);
    assert_eq!(three, [(String::new(), ["a", "b", "c"].map(str::to_owned).to_vec())]);
    // Through what the parent passes on: by name, by another name, all of it, or what it uses
    // itself.
    for parent in
        ["pub use a::A;", "pub use self::a::Inner as A;", "pub use a::*;", "use a::{Z, A};"]
    {
        assert_eq!(
            of(&[
                ("lib.rs", parent),
                ("a.rs", "pub struct A; use crate::b::B;"),
                ("b.rs", "use crate::A;")
            ]),
            both(""),
            "{parent}"
        );
    }
    // Through a module that was brought in.
    let siblings = [
        ("x/mod.rs", ""),
        ("x/a.rs", "use crate::x; fn f(b: x::b::B) {}"),
        ("x/b.rs", "impl super::a::A {}"),
    ];
    assert_eq!(of(&siblings), both("x"));
    let takes_all = [
        ("x/mod.rs", ""),
        ("x/a.rs", "use super::*;"),
        ("x/b.rs", "use super::a::*; use serde::*;"),
    ];
    assert_eq!(Modules::read(takes_all).globs_of_parents(), [["x", "a"]]);
}

#[test]
fn the_rule_sees_no_circle_where_there_is_none() {
    for other in [
        "use super::c::C;",
        "use serde::{Deserialize, Serialize}; use std::fmt;",
        "// use crate::a::A;\nconst A: &str = \"crate::a::A\"; const B: &str = r#\"\" crate::a::A \"#;",
        "#[cfg(test)]\nmod tests { use crate::a::A; fn f() { { crate::a::f() } } }",
        "#[cfg(test)]\nuse crate::a::A;\n",
        "use crate::Shared;",
        "fn f<'a>(c: char) -> impl Sized + use<'a> { c == '\"' || c == '\\'' }",
    ] {
        let files = [
            ("lib.rs", "mod a; pub struct Shared;"),
            ("a.rs", "use crate::b::B;"),
            ("b.rs", other),
            ("c.rs", ""),
        ];
        assert_eq!(of(&files), [], "{other}");
    }
}
