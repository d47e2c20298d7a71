//! `docs/conformance.md` has a row for each rule of the standards; each row names tests that exist,
//! or says why there is none.

use crate::sources::assert_none;
use rollcall_domain::scim::StrictRule;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const STATES: [&str; 4] = ["kept", "kept when strict", "deviation", "not offered"];
const HEADING: [&str; 4] = ["id", "rule", "state", "test or reason"];
/// A reason that is shorter says nothing.
const SHORTEST_REASON: usize = 20;
const FEWEST_ROWS: usize = 100;

/// One rule, as the page tells it.
struct Row {
    id: String,
    state: String,
    /// What stands in backticks in the last cell.
    named: Vec<String>,
    /// The last cell without it.
    reason: String,
}

impl Row {
    /// The tests it names: file and function.
    fn tests(&self) -> impl Iterator<Item = (&str, &str)> {
        self.named.iter().filter_map(|name| name.split_once("::"))
    }

    fn has_reason(&self) -> bool {
        self.reason
            .chars()
            .filter(|c| c.is_alphanumeric() || *c == ' ')
            .collect::<String>()
            .trim()
            .len()
            >= SHORTEST_REASON
    }
}

/// The cells of a line of a table.
fn cells(line: &str) -> Option<Vec<&str>> {
    let inner = line.trim().strip_prefix('|')?.strip_suffix('|')?;
    Some(inner.split('|').map(str::trim).collect())
}

/// The rows of a page, and the lines that look like rows and are none.
fn rows(page: &str) -> (Vec<Row>, Vec<String>) {
    let (mut rows, mut broken) = (Vec::new(), Vec::new());
    for (n, line) in page.lines().enumerate().filter(|(_, line)| line.trim_start().starts_with('|'))
    {
        match cells(line).as_deref() {
            Some(cells)
                if *cells == HEADING
                    || cells
                        .iter()
                        .all(|c| !c.is_empty() && c.chars().all(|c| "-:".contains(c))) => {}
            Some([id, rule, state, last]) if !id.is_empty() && !rule.is_empty() => {
                let part = |odd: usize| last.split('`').skip(odd).step_by(2).map(str::to_owned);
                let (named, reason) = (part(1).collect(), part(0).collect());
                rows.push(Row { id: (*id).to_owned(), state: (*state).to_owned(), named, reason });
            }
            _ => broken.push(format!("line {} is no row: {line}", n + 1)),
        }
    }
    (rows, broken)
}

/// Whether a text has a test of this name: a function under an attribute that makes it one.
fn has_test(text: &str, function: &str) -> bool {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let defines = |line: &&str| line.contains(&format!("fn {function}("));
    lines.iter().enumerate().filter(|(_, line)| defines(line)).any(|(at, _)| {
        let above = lines[..at]
            .iter()
            .rev()
            .take_while(|line| line.starts_with("#[") || line.starts_with("//"));
        above.filter_map(|line| line.strip_prefix("#[")).any(|attribute| {
            let name = attribute.split(['(', ']', '=']).next().unwrap_or_default();
            name.split("::").last().is_some_and(|last| last.contains("test"))
        })
    })
}

/// What is wrong with a page. `read` gives the text of a file by its path from the root.
fn offenders(
    page: &str,
    strict: &[&str],
    fewest: usize,
    read: impl Fn(&str) -> Option<String>,
) -> Vec<String> {
    let (rows, mut found) = rows(page);
    let (mut ids, mut rules) = (BTreeSet::new(), BTreeSet::new());
    for row in &rows {
        let mut say = |what: String| found.push(format!("{}: {what}", row.id));
        if !ids.insert(row.id.as_str()) {
            say("the id stands twice".to_owned());
        }
        if !STATES.contains(&row.state.as_str()) {
            say(format!("{:?} is no state", row.state));
        }
        let untested = row.state == "not offered" && row.has_reason();
        if row.tests().next().is_none() && !untested {
            say("no test is named".to_owned());
        }
        for (file, function) in row.tests() {
            match read(file) {
                None => say(format!("there is no {file}")),
                Some(text) if !has_test(&text, function) => {
                    say(format!("{file} has no test {function}"))
                }
                Some(_) => {}
            }
        }
        if matches!(row.state.as_str(), "deviation" | "not offered") && !row.has_reason() {
            say("no reason is given".to_owned());
        }
        let named: Vec<&str> = strict
            .iter()
            .copied()
            .filter(|rule| row.named.iter().any(|name| name == rule))
            .collect();
        if row.state == "kept when strict" && named.is_empty() {
            say("no strict rule is named".to_owned());
        }
        rules.extend(named);
    }
    found.extend(
        strict
            .iter()
            .filter(|rule| !rules.contains(*rule))
            .map(|rule| format!("no row names the strict rule {rule}")),
    );
    if rows.len() < fewest {
        found.push(format!("{} rows, fewer than {fewest}", rows.len()));
    }
    found
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

#[test]
fn every_rule_names_its_test() {
    let root = root();
    let page = std::fs::read_to_string(root.join("docs/conformance.md")).expect("the page");
    let strict: Vec<&str> = StrictRule::ALL.iter().map(|rule| rule.as_str()).collect();
    assert_none(
        "rows of docs/conformance.md that do not hold",
        offenders(&page, &strict, FEWEST_ROWS, |file| {
            std::fs::read_to_string(root.join(file)).ok()
        }),
    );
}

const GOOD: &str = "
Words before.

| id | rule | state | test or reason |
|---|---|---|---|
| a | A | kept | `x/t.rs::one` |
| b | B | kept when strict | `x/t.rs::two`, `x/t.rs::law` (`rule-r`) |
| c | C | deviation | `x/t.rs::one`: Entra sends it, and must be served. |
| d | D | not offered | Nobody has asked for it until now. |
";
const SOURCE: &str = "
#[test]
fn one() {}
/// With words.
#[tokio::test(flavor = \"multi_thread\")]
// And more.
async fn two() {}
fn helper() {}
#[cfg(unix)]
fn on_unix() {}
proptest! {
    #[test]
    fn law(a in b()) {}
}
";

fn judged(page: &str) -> Vec<String> {
    offenders(page, &["rule-r"], 4, |file| (file == "x/t.rs").then(|| SOURCE.to_owned()))
}

#[test]
fn the_rule_can_see_what_a_row_lacks() {
    assert_none("a good page is refused", judged(GOOD));
    for (good, bad, said) in [
        ("| kept | `x/t.rs::one` |", "| kept | |", "a: no test is named"),
        ("| kept | `x/t.rs::one` |", "| kept | Some words, but no test. |", "a: no test is named"),
        ("| kept | `x/t.rs::one` |", "| kept | `x/other.rs::one` |", "a: there is no x/other.rs"),
        ("| kept | `x/t.rs::one` |", "| kept | `x/t.rs::on` |", "a: x/t.rs has no test on"),
        ("| kept | `x/t.rs::one` |", "| kept | `x/t.rs::helper` |", "a: x/t.rs has no test helper"),
        (
            "| kept | `x/t.rs::one` |",
            "| kept | `x/t.rs::on_unix` |",
            "a: x/t.rs has no test on_unix",
        ),
        ("| kept | `x", "| mostly kept | `x", "a: \"mostly kept\" is no state"),
        (": Entra sends it, and must be served.", "", "c: no reason is given"),
        (": Entra sends it, and must be served.", ": because.", "c: no reason is given"),
        ("`x/t.rs::one`: Entra", "Entra", "c: no test is named"),
        ("Nobody has asked for it until now.", "", "d: no reason is given"),
        ("Nobody has asked for it until now.", "`x/t.rs::one`", "d: no reason is given"),
        ("| b | B", "| a | B", "a: the id stands twice"),
        (" (`rule-r`)", "", "b: no strict rule is named"),
        (" (`rule-r`)", "", "no row names the strict rule rule-r"),
        ("| a | A | kept |", "| a | kept |", "is no row"),
        (
            "| d | D | not offered | Nobody has asked for it until now. |",
            "",
            "3 rows, fewer than 4",
        ),
    ] {
        let page = GOOD.replacen(good, bad, 1);
        assert_ne!(page, GOOD, "{good}");
        let found = judged(&page);
        assert!(
            found.iter().any(|line| line.contains(said)),
            "{bad}: {found:?} does not say {said:?}"
        );
    }
}
