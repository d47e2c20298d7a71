//! What a unit says, and what it lets a process ask of the kernel.

use super::super::tools::run;
use anyhow::{Context as _, Result};
use std::collections::BTreeSet;

/// The settings of a unit, in order.
pub fn unit(text: &str) -> Vec<(String, String)> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|l| l.split_once('=')).map(|(k, v)| (k.to_owned(), v.to_owned())).collect()
}

pub fn one<'a>(unit: &'a [(String, String)], name: &str) -> Result<&'a str> {
    let found = unit.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    found.with_context(|| format!("{name} in the unit"))
}

/// The system calls that a set of systemd's stands for.
pub fn calls_of(set: &str) -> Result<BTreeSet<String>> {
    let said = run("systemd-analyze", &["--no-pager", "syscall-filter", set])?;
    let mut all = BTreeSet::new();
    for name in said.lines().skip(1).map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#'))
    {
        match name.starts_with('@') {
            true => all.extend(calls_of(name)?),
            false => drop(all.insert(name.to_owned())),
        }
    }
    Ok(all)
}

/// What the unit lets the process ask of the kernel.
pub fn allowed(unit: &[(String, String)]) -> Result<BTreeSet<String>> {
    let mut allowed = BTreeSet::new();
    for (_, value) in unit.iter().filter(|(key, _)| key == "SystemCallFilter") {
        let (forbids, names) = match value.strip_prefix('~') {
            Some(names) => (true, names),
            None => (false, value.as_str()),
        };
        for name in names.split_whitespace() {
            let calls = match name.starts_with('@') {
                true => calls_of(name)?,
                false => BTreeSet::from([name.to_owned()]),
            };
            match forbids {
                true => allowed.retain(|call| !calls.contains(call)),
                false => allowed.extend(calls),
            }
        }
    }
    Ok(allowed)
}
