//! Decisions are numbered, each number once, and a headline has the number of its file.

use crate::sources::assert_none;
use std::collections::BTreeMap;
use std::path::Path;

/// What is wrong with the numbers of these decisions: names of files, with their texts.
fn misnumbered(decisions: &BTreeMap<String, String>) -> Vec<String> {
    let mut offenders = Vec::new();
    for (expected, (name, text)) in (1..).zip(decisions) {
        if name.get(..4) != Some(format!("{expected:04}").as_str()) {
            offenders.push(format!("{name} is number {expected} in order"));
        }
        if !text.starts_with(&format!("# {expected}. ")) {
            offenders
                .push(format!("{name} is headed {:?}", text.lines().next().unwrap_or_default()));
        }
    }
    offenders
}

#[test]
fn the_rule_can_see_what_is_misnumbered() {
    let given = |name: &str, text: &str| (name.to_owned(), text.to_owned());
    assert!(
        misnumbered(&BTreeMap::from([given("0001-a.md", "# 1. A"), given("0002-b.md", "# 2. B")]))
            .is_empty()
    );
    for second in
        [given("0001-b.md", "# 2. B"), given("0003-b.md", "# 3. B"), given("0002-b.md", "# 1. B")]
    {
        assert!(!misnumbered(&BTreeMap::from([given("0001-a.md", "# 1. A"), second])).is_empty());
    }
}

#[test]
fn every_decision_has_a_number_of_its_own() {
    let folder =
        Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").join("docs/adr");
    let files = std::fs::read_dir(folder)
        .expect("the decisions")
        .map(|entry| entry.expect("an entry").path());
    let decisions: BTreeMap<String, String> = files
        .map(|path| {
            (
                path.file_name().expect("a name").to_string_lossy().into_owned(),
                std::fs::read_to_string(&path).expect("a text"),
            )
        })
        .collect();
    assert!(decisions.len() > 20);
    assert_none("decisions whose number is not their own", misnumbered(&decisions));
}
