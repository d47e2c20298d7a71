//! The tables of `docs/scim-semantics.md`, which are written by hand, walked on every attribute in
//! every syntax: each cell holds, and no two syntaxes disagree.

mod attribute;
mod outcome;
mod syntax;
mod table;
mod two_copies;

use attribute::{Attribute, Class};
use outcome::Outcome;
use serde_json::Value;
use std::collections::BTreeMap;
use syntax::{Asked, Verb};
use table::Cell;

#[test]
fn every_cell_holds_in_every_syntax() {
    let mut walked = 0;
    let mut per_verb: BTreeMap<&str, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for (has_value, cells) in
        [(true, table::read("Where it has a value")), (false, table::read("Where it has none"))]
    {
        for attribute in attribute::all() {
            for Cell { verb, value, outcomes } in &cells {
                let Some(expected) = outcomes.get(&attribute.class) else {
                    panic!("{:?} has no column", attribute.class)
                };
                if expected == "-" {
                    continue;
                }
                for asked in syntax::all(&attribute, *verb, attribute.value(value)) {
                    walked += 1;
                    *per_verb.entry(verb.as_str()).or_default() += 1;
                    let found = outcome::of(&attribute, has_value, &asked);
                    if !holds(expected, &found, &attribute, has_value, *verb, &asked) {
                        let (name, shape) = (&attribute.name, &asked.body);
                        wrong.push(format!(
                            "{name}: {verb:?} {value}: {expected}, but {found:?}, asked as {shape}"
                        ));
                    }
                }
            }
        }
    }
    println!("{walked} cells: {per_verb:?}");
    assert!(walked > 3_000, "only {walked} cells were walked");
    assert!(
        wrong.is_empty(),
        "{} of {walked} cells:\n{}",
        wrong.len(),
        wrong[..wrong.len().min(60)].join("\n")
    );
}

/// Whether an outcome is what the cell says.
fn holds(
    expected: &str,
    found: &Outcome,
    attribute: &Attribute,
    has_value: bool,
    verb: Verb,
    asked: &Asked,
) -> bool {
    let before = attribute.before(has_value);
    let (old, new) = (attribute.old(), attribute.new_value());
    let is = |wanted: Option<Value>| matches!(found, Outcome::Left(left) if *left == wanted);
    match expected {
        "keeps" => is(if verb == Verb::Create { attribute.default() } else { before }),
        "clears" => is(None),
        "sets" if asked.value.is_none() => is(attribute.default()),
        "sets" if verb == Verb::Create && asked.says_nothing() => is(attribute.default()),
        "sets" => is(Some(new)),
        "adds" => is(Some(attribute::joined(&old, &new))),
        "merges" => is(Some(attribute::merged(&old, &new))),
        refusal => match (refusal.split_once(' '), found) {
            (Some((status, kind)), Outcome::Refused(error)) => {
                error.status.to_string() == status
                    && error.scim_type.is_some_and(|t| t.as_str() == kind)
            }
            _ => false,
        },
    }
}

#[test]
fn the_tables_name_every_verb_and_column() {
    let cells = table::read("Where it has a value");
    for verb in [Verb::Add, Verb::Replace, Verb::Remove, Verb::Put] {
        assert_eq!(cells.iter().filter(|cell| cell.verb == verb).count(), 8, "{verb:?}");
    }
    let classes: Vec<Class> = attribute::all().into_iter().map(|a| a.class).collect();
    assert!(
        Class::ALL.iter().all(|class| classes.contains(class)),
        "a column without an attribute"
    );
}
