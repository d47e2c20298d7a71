//! Rules about the text of the sources.

use rollcall_domain::deployment::DeploymentEventKind;
use rollcall_domain::group::GroupEventKind;
use rollcall_domain::organization::OrganizationEventKind;
use rollcall_domain::user::UserEventKind;
use std::fs;
use std::path::{Path, PathBuf};

/// All `.rs` files of the workspace, by path from its root.
pub fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned();
    let mut found = Vec::new();
    for room in ["domain", "projections", "adapters", "api", "tests", "snapshots", "examples"] {
        collect(&root.join(room), &root, &mut found);
    }
    assert!(found.len() > 50, "only {} source files were found", found.len());
    found
}

fn collect(folder: &Path, root: &Path, found: &mut Vec<(String, String)>) {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let paths: Vec<PathBuf> = entries.map(|e| e.expect("an entry").path()).collect();
    for path in paths {
        if path.is_dir() {
            collect(&path, root, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            let name = path
                .strip_prefix(root)
                .expect("inside the workspace")
                .to_string_lossy()
                .into_owned();
            found.push((name, fs::read_to_string(&path).expect("a text")));
        }
    }
}

pub fn is_test(name: &str) -> bool {
    name.split('/').any(|part| part == "tests" || part == "tests.rs" || part.ends_with("_tests.rs"))
}

pub fn assert_none(rule: &str, offenders: Vec<String>) {
    assert!(offenders.is_empty(), "{rule}:\n{}", offenders.join("\n"));
}

#[test]
fn every_module_says_what_it_is() {
    let silent = sources()
        .into_iter()
        .filter(|(_, text)| !text.trim_start().starts_with("//!"))
        .map(|(name, _)| name)
        .collect();
    assert_none("these files have no module documentation", silent);
}

#[test]
fn no_source_file_is_longer_than_500_lines() {
    let long = sources()
        .into_iter()
        .filter(|(name, _)| !is_test(name))
        .map(|(name, text)| (name, text.lines().count()))
        .filter(|(_, lines)| *lines > 500)
        .map(|(name, lines)| format!("{name}: {lines}"))
        .collect();
    assert_none("these files are to be split", long);
}

#[test]
fn sql_stands_in_adapters_and_projections_only() {
    let mut offenders = Vec::new();
    for (name, text) in sources()
        .into_iter()
        .filter(|(name, _)| name.starts_with("api/") || name.starts_with("domain/"))
    {
        for (n, line) in text.lines().enumerate() {
            if looks_like_sql(line) {
                offenders.push(format!("{name}:{}: {}", n + 1, line.trim()));
            }
        }
    }
    assert_none("SQL text outside adapters and projections", offenders);
}

/// Keywords in upper case, as house style writes SQL, inside a string literal.
fn looks_like_sql(line: &str) -> bool {
    let code = line.trim_start();
    if code.starts_with("//") || !code.contains('"') {
        return false;
    }
    const OPENINGS: [&str; 11] = [
        "SELECT ",
        "INSERT INTO",
        "UPDATE ",
        "DELETE FROM",
        "CREATE TABLE",
        "CREATE INDEX",
        "DROP TABLE",
        "ALTER TABLE",
        "ON CONFLICT",
        "PRAGMA ",
        "BEGIN IMMEDIATE",
    ];
    OPENINGS.iter().any(|word| line.contains(word))
}

#[test]
fn the_sql_rule_can_see_sql() {
    assert!(looks_like_sql("    store.query(\"SELECT id FROM users\", vec![])"));
    assert!(looks_like_sql("let s = \"DELETE FROM users\";"));
    assert!(!looks_like_sql("    // SELECT is said in a comment \"here\""));
    assert!(!looks_like_sql("let s = \"select an organization\";"));
}

/// A query and what reads it are declared together (`projections/src/columns.rs`), so that neither
/// can move a column without the other.
#[test]
fn no_column_is_read_or_written_by_its_number() {
    let mut offenders = Vec::new();
    let of_views = |name: &str| name.starts_with("projections/src/") || name.starts_with("api/");
    for (name, text) in sources().into_iter().filter(|(name, _)| of_views(name)) {
        let code = text.split("#[cfg(test)]").next().unwrap_or(&text);
        for (n, line) in code.lines().enumerate().filter(|(_, line)| goes_by_number(line)) {
            offenders.push(format!("{name}:{}: {}", n + 1, line.trim()));
        }
    }
    assert_none("columns by their numbers", offenders);
}

/// A row or the values of one, and a number in it.
fn goes_by_number(line: &str) -> bool {
    const INTO_A_ROW: [&str; 11] = [
        ".text(",
        ".int(",
        ".optional_text(",
        ".optional_int(",
        "row[",
        "row.0[",
        "row.0.get(",
        "].0[",
        "].0.get(",
        "values[",
        "values.get(",
    ];
    let is_number =
        |rest: &str| rest.starts_with(|c: char| c.is_ascii_digit()) || rest.starts_with("at + ");
    !line.trim_start().starts_with("//")
        && INTO_A_ROW.iter().any(|one| {
            line.match_indices(one).any(|(at, found)| is_number(&line[at + found.len()..]))
        })
}

#[test]
fn the_rule_can_see_a_number() {
    for line in [
        "let n = row.int(0)?;",
        "exchange: row.optional_text(at + 1)?.map(id).transpose()?,",
        "row[19] = session.into();",
        "let version = rows[0].0[2].clone();",
        "row.0.get(3)",
    ] {
        assert!(goes_by_number(line), "{line}");
    }
    for line in [
        "// row.int(0) was read",
        "self.text(&text)",
        "rows[0].organization",
        "table.value(row, \"order\")",
        "columns[at] = column;",
    ] {
        assert!(!goes_by_number(line), "{line}");
    }
}

/// Where an operation of `/api/v1` is stands in `api/contract/src/route.rs`, from which whoever
/// asks makes its address, escaped. Only what describes the operation beside its handler says it
/// again, and is compared.
#[test]
fn no_address_of_the_api_is_written_by_hand() {
    let mut offenders = Vec::new();
    let asks = |name: &str| {
        name.starts_with("api/") && !name.starts_with("api/contract/") && !is_test(name)
    };
    for (name, text) in sources().into_iter().filter(|(name, _)| asks(name)) {
        let code = text.split("#[cfg(test)]").next().unwrap_or(&text);
        for (n, line) in code.lines().enumerate().filter(|(_, line)| holds_an_address(line)) {
            offenders.push(format!("{name}:{}: {}", n + 1, line.trim()));
        }
    }
    assert_none("addresses of /api/v1 outside its contract", offenders);
}

/// A path of the administration in a text, and no comment or description.
fn holds_an_address(line: &str) -> bool {
    let code = line.trim_start();
    const PATHS: [&str; 4] = ["/api/v1", "\"/organizations", "\"/views/", "{}/organizations"];
    !code.starts_with("//")
        && !code.starts_with("#[utoipa::path(")
        && !code.starts_with("path = \"")
        && PATHS.iter().any(|path| code.contains(path))
}

#[test]
fn the_rule_can_see_an_address() {
    for line in [
        "client.get(\"/api/v1/backup\")",
        "    format!(\"{}/api/v1{path}\", self.base)",
        "let path = format!(\"/organizations/{org}/events\");",
        "client.act(\"/views/verify\")",
    ] {
        assert!(holds_an_address(line), "{line}");
    }
    for line in [
        "// see \"/api/v1\"",
        "    #[utoipa::path(get, path = \"/api/v1/views\")]",
        "    path = \"/api/v1/views\",",
        "route::LIST_EVENTS.line(&path, &query)?",
    ] {
        assert!(!holds_an_address(line), "{line}");
    }
}

#[test]
fn nothing_is_left_to_do_in_silence() {
    let marks = ["todo!(", "unimplemented!(", "#[allow("].map(|m| m.to_owned());
    let mut offenders = Vec::new();
    for (name, text) in sources() {
        for (n, line) in text.lines().enumerate() {
            // This file names the marks to look for.
            if !name.ends_with("architecture/sources.rs")
                && !line.trim_start().starts_with("//")
                && marks.iter().any(|m| line.contains(m))
            {
                offenders.push(format!("{name}:{}: {}", n + 1, line.trim()));
            }
        }
    }
    assert_none("stubs, or lints switched off without a reason", offenders);
}

/// An event is named where it is declared; whoever wants its name asks for it.
#[test]
fn event_names_stand_where_events_are_declared() {
    let names: Vec<String> = UserEventKind::ALL
        .iter()
        .map(|kind| kind.as_str())
        .chain(GroupEventKind::ALL.iter().map(|kind| kind.as_str()))
        .chain(OrganizationEventKind::ALL.iter().map(|kind| kind.as_str()))
        .chain(DeploymentEventKind::ALL.iter().map(|kind| kind.as_str()))
        .map(|name| format!("\"{name}\""))
        .collect();
    assert!(names.contains(&"\"UserCreated\"".to_owned()));
    let mut offenders = Vec::new();
    for (name, text) in
        sources().into_iter().filter(|(name, _)| !is_test(name) && name.contains("/src/"))
    {
        if ["user", "group", "organization", "deployment"]
            .iter()
            .any(|aggregate| name == format!("domain/src/{aggregate}/event.rs"))
            // What an older version wrote is named as it named it.
            || name == "domain/src/upcast.rs"
        {
            continue;
        }
        // What follows is about the file, and names events as a log of another time had them.
        let code = text.split("#[cfg(test)]").next().unwrap_or(&text);
        for (n, line) in code.lines().enumerate() {
            if !line.trim_start().starts_with("//")
                && names.iter().any(|event| line.contains(event.as_str()))
            {
                offenders.push(format!("{name}:{}: {}", n + 1, line.trim()));
            }
        }
    }
    assert_none("event names written by hand", offenders);
}

/// Sentences are for people: nothing is learned from what one says. What was written before
/// exchanges carried facts is read in one place.
#[test]
fn no_meaning_is_read_out_of_a_sentence() {
    let mut offenders = Vec::new();
    for (name, text) in
        sources().into_iter().filter(|(name, _)| !is_test(name) && name.contains("/src/"))
    {
        if name.ends_with("failure/before_facts.rs") || name.starts_with("tests/") {
            continue;
        }
        let code = text.split("#[cfg(test)]").next().unwrap_or(&text);
        for (n, line) in code.lines().enumerate().filter(|(_, line)| reads_a_sentence(line)) {
            offenders.push(format!("{name}:{}: {}", n + 1, line.trim()));
        }
    }
    assert_none("meaning read out of sentences", offenders);
}

/// A comparison of a text with words and a blank between them.
fn reads_a_sentence(line: &str) -> bool {
    const COMPARISONS: [&str; 9] = [
        "contains(\"",
        "starts_with(\"",
        "ends_with(\"",
        "strip_prefix(\"",
        "strip_suffix(\"",
        "find(\"",
        "== \"",
        "!= \"",
        "== Some(\"",
    ];
    let words = |text: &str| {
        let compared = text.split('"').next().unwrap_or(text);
        let word = |w: &&str| w.chars().filter(|c| c.is_lowercase()).count() > 1;
        compared.split(' ').filter(word).count() > 1
    };
    !line.trim_start().starts_with("//")
        && COMPARISONS
            .iter()
            .any(|one| line.match_indices(one).any(|(at, found)| words(&line[at + found.len()..])))
}

#[test]
fn the_rule_can_see_a_sentence() {
    for line in [
        "if detail.contains(\"nothing is lost\") {",
        "e.to_string().starts_with(\"unknown variant\")",
        "answer.detail.as_deref() == Some(\"the body broke off\")",
    ] {
        assert!(reads_a_sentence(line), "{line}");
    }
    for line in [
        "if name.contains(\"token\") {",
        "line.starts_with(\"SELECT \")",
        "// it contains(\"some of the words\")",
        "a == \"\" && b == \" \"",
    ] {
        assert!(!reads_a_sentence(line), "{line}");
    }
}

/// A body is read by `Given`: it takes objects only, refuses what is too long, and looks at the key
/// once more if the body took its time.
#[test]
fn the_office_reads_bodies_in_one_way() {
    let reads = |line: &str| {
        let extracts = line.contains("Json(") && line.contains("): Json<");
        extracts || line.contains("JsonRejection") || line.contains(": Form<")
    };
    assert!(reads("    Json(new): Json<NewAuditor>,") && !reads("    Given(new): Given<New>,"));
    let offenders = sources()
        .into_iter()
        .filter(|(name, _)| name.starts_with("api/office/") && !is_test(name))
        .flat_map(|(name, text)| {
            let lines = text.lines().filter(|line| reads(line));
            lines.map(|line| format!("{name}: {}", line.trim())).collect::<Vec<_>>()
        })
        .collect();
    assert_none("bodies that are not read by Given", offenders);
}
