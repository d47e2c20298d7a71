//! The alert rules: promtool plays the story of each, and a good month; and whoever is woken finds
//! what to do.

use super::tools::{root, run};
use anyhow::{Context as _, Result, ensure};
use std::collections::BTreeSet;
use std::path::PathBuf;

fn folder() -> PathBuf {
    root().join("packaging/prometheus")
}

/// The names of the alerts.
pub fn alerts() -> Result<BTreeSet<String>> {
    let text = std::fs::read_to_string(folder().join("rollcall.rules.yml"))?;
    let names = text.lines().filter_map(|line| line.trim().strip_prefix("- alert: "));
    Ok(names.map(str::to_owned).collect())
}

#[test]
fn every_alert_fires_in_its_story_and_none_in_a_good_month() -> Result<()> {
    let file = |name: &str| folder().join(name).to_str().map(str::to_owned).context("a path");
    run("promtool", &["check", "rules", "--lint-fatal", &file("rollcall.rules.yml")?])?;
    let (stories, month) = (file("rollcall.rules.test.yml")?, file("good-month.test.yml")?);
    run("promtool", &["test", "rules", &stories, &month])?;
    // promtool is content with an alert that no test names.
    let (stories, month) = (std::fs::read_to_string(stories)?, std::fs::read_to_string(month)?);
    for name in alerts()? {
        let fires = format!("alertname: {name}\n        exp_alerts:\n          - exp_labels");
        ensure!(stories.contains(&fires), "{name} has no story");
        ensure!(
            month.matches(&format!("alertname: {name}, exp_alerts: []")).count() >= 3,
            "{name}"
        );
    }
    Ok(())
}

#[test]
fn whoever_is_woken_finds_what_to_do() -> Result<()> {
    let guide = std::fs::read_to_string(root().join("docs/operating.md"))?;
    let told: BTreeSet<String> = guide
        .lines()
        .filter_map(|line| line.strip_prefix("| `Rollcall")?.split('`').next())
        .map(|rest| format!("Rollcall{rest}"))
        .collect();
    assert_eq!(alerts()?, told, "alerts, and their rows in docs/operating.md");
    ensure!(guide.contains("\n### Alerts\n"), "where runbook_url leads to");
    Ok(())
}
