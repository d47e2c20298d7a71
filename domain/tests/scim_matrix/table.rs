//! Reads the tables.

use super::attribute::Class;
use super::syntax::Verb;
use std::collections::BTreeMap;
use std::path::Path;

/// One row.
pub struct Cell {
    /// What is asked.
    pub verb: Verb,
    /// The name of the value.
    pub value: String,
    /// What is expected of each class.
    pub outcomes: BTreeMap<Class, String>,
}

/// The rows of the table under a heading.
pub fn read(heading: &str) -> Vec<Cell> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/scim-semantics.md");
    let page = std::fs::read_to_string(path).expect("docs/scim-semantics.md");
    let section = page
        .split(&format!("## {heading}\n"))
        .nth(1)
        .unwrap_or_else(|| panic!("no heading {heading:?}"));
    let section = section.split("\n## ").next().unwrap_or_default();
    let mut rows = section.lines().filter(|line| line.starts_with('|')).map(|line| {
        line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>()
    });
    let header = rows.next().expect("a header");
    let classes: Vec<Class> = header[2..].iter().map(|name| Class::parse(name)).collect();
    rows.skip(1)
        .map(|row| Cell {
            verb: Verb::parse(&row[0]),
            value: row[1].clone(),
            outcomes: classes.iter().copied().zip(row[2..].iter().cloned()).collect(),
        })
        .collect()
}
