//! Verdicts for people and for scripts.

use rollcall_cli::{Exit, output, say};
use rollcall_contract::ledger::{Finding, FindingKind, FindingPart, Verdict};
use serde::Serialize;

/// A verdict with what it rests on.
#[derive(Debug, Serialize)]
pub struct Told {
    /// What differs.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// Which ledger.
    pub origin: String,
    /// Leaves of the checkpoint.
    pub size: u64,
    /// Its root, in hexadecimal.
    pub root: String,
    /// The key that it was verified with.
    pub key: String,
    /// True if that key was named by nobody but the other side.
    pub key_is_unknown: bool,
    /// Why nothing behind a line of the file could be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub broken: Option<String>,
}

/// Prints the verdicts on several ledgers; the exit code says whether all hold.
pub fn tell_all(all: &[Told], as_json: bool) -> anyhow::Result<Exit> {
    let holds = all.iter().all(|told| told.verdict.holds());
    if as_json {
        output::json(&all)?;
    } else {
        for told in all {
            tell(told, false)?;
            say!();
        }
    }
    Ok(if holds { Exit::Success } else { Exit::Difference })
}

/// Prints a verdict; the exit code says whether it holds.
pub fn tell(told: &Told, as_json: bool) -> anyhow::Result<Exit> {
    let verdict = &told.verdict;
    let exit = if verdict.holds() { Exit::Success } else { Exit::Difference };
    if as_json {
        output::json(told)?;
        return Ok(exit);
    }
    let word = |holds: bool| if holds { "yes" } else { "NO" }.to_owned();
    let covered = match verdict.uncovered {
        0 => "all".to_owned(),
        first => {
            format!("from leaf {} on; those before were there when their leaves came", first + 1)
        }
    };
    let key = match told.key_is_unknown {
        true => format!("{} (not checked: name the one you trust with --key)", told.key),
        false => told.key.clone(),
    };
    output::pairs(&[
        ("Ledger", told.origin.clone()),
        ("Unchanged", word(verdict.unchanged)),
        ("Complete", word(verdict.complete)),
        (
            "Leaves",
            format!(
                "{} ({} records, {} exchanges)",
                verdict.leaves, verdict.records, verdict.exchanges
            ),
        ),
        (
            "Readable",
            format!(
                "{} exchanges, {} without bodies, {} erased",
                verdict.readable, verdict.dropped, verdict.erased
            ),
        ),
        ("Covered", covered),
        ("Checkpoint", format!("{} leaves, root {}", told.size, told.root)),
        ("Checkpoints", format!("{} earlier, held against", verdict.checkpoints)),
        ("Key", key),
    ]);
    if let Some(broken) = &told.broken {
        say!();
        say!("{broken}");
    }
    if !verdict.findings.is_empty() {
        say!();
        for found in &verdict.findings {
            say!("{}", sentence(found));
        }
        if verdict.more > 0 {
            say!("and {} more", verdict.more);
        }
    }
    Ok(exit)
}

/// A finding in words.
fn sentence(found: &Finding) -> String {
    let Finding { kind, part, number, through, id } = found;
    let what = match part {
        FindingPart::Record => "record",
        FindingPart::Exchange => "exchange",
        FindingPart::Tree => "leaf",
        FindingPart::Head => "the head at exchange",
    };
    let range = through.filter(|through| through != number).map(|through| match kind {
        FindingKind::Swapped => format!(" and {through}"),
        _ => format!(" to {through}"),
    });
    let id = id.map(|id| format!(" ({id})")).unwrap_or_default();
    let said = match kind {
        FindingKind::Edited => "says something else than when it was committed",
        FindingKind::LeafChanged => "is what it was, but another leaf stands beside it",
        FindingKind::Swapped => "stand in each other's place",
        FindingKind::Removed => "missing: somebody has removed it",
        FindingKind::Inserted => "is more than the head knows of: somebody has put it there",
        FindingKind::Unreadable => "cannot be read: Rollcall did not write it so",
        FindingKind::TailCut => "missing at the end",
        FindingKind::HeadChanged => "does not fit what is under it",
        FindingKind::Rewritten => {
            "not what the ledger was: something here was changed along with its leaves"
        }
        FindingKind::Older => {
            "missing: a checkpoint that was seen has it, so this is older, or its end was cut off"
        }
        FindingKind::AnotherLog => "not what a checkpoint of before says, which is of another log",
        FindingKind::AnotherFormat => {
            "not what a checkpoint of before says: the log was rewritten since in the format of a newer version, says the server. Where that is so, put what was kept of before aside: it is of the copy that was made then"
        }
        FindingKind::Unsigned => "the checkpoint is not signed by the key that is trusted",
    };
    format!("{what} {number}{}{id}: {said}", range.unwrap_or_default())
}
