//! A newcomer's first five minutes, as the README has them: each command is run as it stands there,
//! and prints what stands there, but for ids, times and secrets.

use super::tools::{root, tried};
use anyhow::{Context as _, Result, ensure};
use rollcall_tests::server::{Server, Store, binary};
use std::process::Command;

/// Where the README's server listens.
const THERE: &str = "127.0.0.1:8080";

/// A command with what it is said to print.
#[derive(Debug, Default)]
struct Step {
    command: String,
    prints: Vec<String>,
}

/// The steps of a section, in order.
fn steps(section: &str) -> Result<Vec<Step>> {
    let text = std::fs::read_to_string(root().join("README.md"))?;
    let (_, rest) = text.split_once(&format!("\n## {section}\n")).context("the section")?;
    let text = rest.split("\n## ").next().unwrap_or_default();
    let mut steps: Vec<Step> = Vec::new();
    for block in text.split("```").skip(1).step_by(2) {
        let mut open = false;
        for line in block.trim().lines() {
            if let Some(command) = line.strip_prefix("$ ") {
                steps.push(Step { command: command.to_owned(), prints: Vec::new() });
                open = goes_on(command);
                continue;
            }
            let Some(step) = steps.last_mut() else { continue };
            if open {
                step.command.push('\n');
                step.command.push_str(line);
                open = goes_on(&step.command);
            } else if !line.trim().is_empty() {
                step.prints.push(line.to_owned());
            }
        }
    }
    Ok(steps)
}

/// Whether a command has not ended with its line.
fn goes_on(command: &str) -> bool {
    command.ends_with('\\') || command.matches('\'').count() % 2 == 1
}

/// A line without what is another each time: ids, times, secrets, and how wide a column is.
fn lasting(line: &str) -> String {
    let is_id = |word: &str| word.len() == 36 && word.matches('-').count() == 4;
    let is_time = |word: &str| word.ends_with('Z') && word.contains('T') && word.contains(':');
    let is_span = |word: &str| word.parse::<f64>().is_ok() && word.contains('.');
    let parts = line.split(|c: char| c.is_whitespace() || c == '"' || c == '/');
    let of = |word: &str| match word {
        word if is_id(word) => "ID".to_owned(),
        word if is_time(word) => "TIME".to_owned(),
        word if is_span(word) => "MS".to_owned(),
        word if word.starts_with("rollcall_scim_") => "SECRET".to_owned(),
        word => word.to_owned(),
    };
    parts.filter(|word| !word.is_empty()).map(of).collect::<Vec<_>>().join(" ")
}

/// Whether a line is as it is said to be; `...` stands for anything.
fn is_as_said(line: &str, said: &str) -> bool {
    let (line, said) = (lasting(line), lasting(said));
    let mut rest = line.as_str();
    for (at, part) in said.split("...").enumerate() {
        let found = match at {
            0 => rest.starts_with(part.trim()).then_some(0),
            _ => rest.find(part.trim().trim_start_matches(',').trim()),
        };
        let Some(found) = found else { return false };
        rest = &rest[found..];
    }
    said.contains("...") || line == said
}

#[test]
fn the_rule_can_see_what_differs() {
    for (line, said, same) in [
        (
            "1  a  01a22e3b-706d-70b1-bd84-556139f6588b",
            "1 a 01a22e3b-0000-70b1-bd84-556139f6588b",
            true,
        ),
        ("1  b", "1  a", false),
        ("{\"a\":1,\"b\":2,\"c\":3}", "{\"a\":1,...\"c\":3}", true),
        ("{\"a\":1,\"b\":2,\"c\":4}", "{\"a\":1,...\"c\":3}", false),
        ("{\"x\":1}", "{\"a\":1,...}", false),
    ] {
        assert_eq!(is_as_said(line, said), same, "{line} {said}");
    }
}

#[tokio::test]
async fn the_first_five_minutes_are_as_the_readme_says() -> Result<()> {
    let flags = ["--public-url", "http://127.0.0.1:8080"];
    let server = Server::start_with(Store::Sqlite, &std::env::temp_dir(), &flags).await?;
    let here = server.address().authority();
    let program = binary()?;
    let path = format!("{}:/usr/bin:/bin", program.parent().context("a folder")?.display());
    let steps = steps("Five minutes")?;
    ensure!(steps.len() >= 6, "the steps are not found: {steps:?}");
    let (mut token, mut issued, mut created) = (String::new(), String::new(), String::new());
    for Step { command, prints } in steps {
        if command.starts_with("TOKEN=") {
            token.clone_from(&issued);
            continue;
        }
        let mut script = command.replace(THERE, &here);
        // Whoever follows takes the id that they were given.
        if let Some(at) = script.find("/Users/") {
            script.replace_range(at + 7..at + 7 + 36, &created);
        }
        let mut shell = Command::new("bash");
        shell.args(["-c", &script]).env_clear().env("PATH", &path).env("TOKEN", &token);
        shell.env("ROLLCALL_DATA", server.data()).env("ROLLCALL_URL", server.address().url());
        let (good, said) = tried(&mut shell)?;
        ensure!(good, "{command}\n{said}");
        let words = || said.split(|c: char| c.is_whitespace() || c == '"');
        if let Some(secret) = words().find(|word| word.starts_with("rollcall_scim_")) {
            issued = secret.to_owned();
        }
        if said.starts_with('{') && created.is_empty() {
            let user: serde_json::Value = serde_json::from_str(&said)?;
            created = user["id"].as_str().context("an id")?.to_owned();
        }
        let lines: Vec<String> = said
            .lines()
            .filter(|l| !l.trim().is_empty())
            .map(|l| l.replace(&here, THERE))
            .collect();
        ensure!(
            lines.len() == prints.len(),
            "{command}\nprints\n{}\nnot\n{}",
            lines.join("\n"),
            prints.join("\n")
        );
        for (line, told) in lines.iter().zip(&prints) {
            ensure!(is_as_said(line, told), "{command}\nprints\n{line}\nnot\n{told}");
        }
    }
    ensure!(!created.is_empty() && !token.is_empty(), "nothing was tried");
    Ok(())
}
