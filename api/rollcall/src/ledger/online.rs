//! What a running server says of its ledger, held against what it said before.

use super::elsewhere::Given;
use super::heads::trusted;
use super::output::{Told, tell};
use anyhow::Context;
use rollcall_cli::client::Client;
use rollcall_cli::part::check_free;
use rollcall_cli::{Exit, output, say};
use rollcall_contract::ledger::{
    CheckpointBody, ConsistencyBody, ConsistencyQuery, Finding, FindingKind, FindingPart,
    ProofBody, ProofQuery, Verdict,
};
use rollcall_contract::organizations::OrganizationPath;
use rollcall_contract::request_line::Nothing;
use rollcall_contract::route;
use rollcall_evidence::seen::{self, Folder, Seen};
use rollcall_evidence::verify::{Trust, is_signed};
use rollcall_evidence::{Statement, consistent, read_note};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use uuid::Uuid;

/// Earlier checkpoints a server is asked about at most: the newest, each of which was held against
/// those before it when it was seen.
const ASKED: usize = 32;

/// A checkpoint of now, and what speaks against it.
struct Now {
    end: CheckpointBody,
    statement: Statement,
    findings: Vec<Finding>,
    earlier: u64,
    key_is_unknown: bool,
}

async fn now(
    client: &Client,
    org: &str,
    trust: &Trust,
    given: &Given,
    heads: &Folder,
) -> anyhow::Result<Now> {
    let path = OrganizationPath::of(org);
    let end: CheckpointBody = client.ask(&route::SHOW_CHECKPOINT.line(&path, &Nothing)?).await?;
    let statement = read_note(&end.checkpoint).context("the server's checkpoint")?;
    let seen = heads.of(&statement.origin)?;
    let (trust, key_is_unknown) = trusted(trust, &seen, &end.key)?;
    let mut findings = Vec::new();
    let note = end.checkpoint.parse()?;
    let (is_signed, key) = is_signed(&note, &statement, &end.key, &trust)?;
    if !is_signed {
        findings.push(finding(FindingKind::Unsigned, statement.size, None));
    }
    let (mut earlier, unsigned) = seen::statements(&seen, &key);
    findings.extend(unsigned);
    earlier.sort_by_key(|earlier| std::cmp::Reverse(earlier.size));
    earlier.truncate(ASKED);
    // Whatever is named is asked about.
    earlier.extend(given.of(&statement.origin)?);
    for before in &earlier {
        findings.extend(against(client, &path, before, (&statement, end.rewritten_from)).await?);
    }
    let earlier = earlier.len() as u64;
    Ok(Now { end, statement, findings, earlier, key_is_unknown })
}

/// Holds a checkpoint of now against an earlier one.
async fn against(
    client: &Client,
    path: &OrganizationPath,
    before: &Statement,
    (now, rewritten_from): (&Statement, Option<Uuid>),
) -> anyhow::Result<Option<Finding>> {
    if before.size > now.size {
        return Ok(Some(finding(FindingKind::Older, now.size + 1, Some(before.size))));
    }
    let query = ConsistencyQuery { old: before.size, new: now.size };
    let proof: ConsistencyBody = client.ask(&route::PROVE_CONSISTENCY.line(path, &query)?).await?;
    if consistent(before, now, &proof.path) {
        return Ok(None);
    }
    let kind = match before.epoch {
        epoch if epoch == now.epoch => FindingKind::Rewritten,
        epoch if Some(epoch) == rewritten_from => FindingKind::AnotherFormat,
        _ => FindingKind::AnotherLog,
    };
    Ok(Some(finding(kind, 1, Some(before.size))))
}

fn finding(kind: FindingKind, number: u64, through: Option<u64>) -> Finding {
    Finding { kind, part: FindingPart::Tree, number, through, id: None }
}

impl Now {
    /// Adds what was found to a verdict, and remembers the checkpoint if nothing was.
    fn told(self, mut verdict: Verdict, heads: &Folder) -> anyhow::Result<Told> {
        verdict.unchanged &= self.findings.iter().all(|found| found.kind.is_about_completeness());
        verdict.complete &= !self.findings.iter().any(|found| found.kind.is_about_completeness());
        // The server may hold against the same checkpoints, and find the same.
        for found in self.findings {
            if !verdict.findings.contains(&found) {
                verdict.findings.push(found);
            }
        }
        verdict.checkpoints += self.earlier;
        if verdict.holds() {
            heads.keep(&Seen {
                checkpoint: self.end.checkpoint.clone(),
                key: self.end.key.clone(),
            })?;
        }
        Ok(Told {
            verdict,
            origin: self.statement.origin,
            size: self.statement.size,
            root: self.statement.root.to_string(),
            key: self.end.key,
            key_is_unknown: self.key_is_unknown,
            broken: None,
        })
    }
}

/// `rollcall ledger audit`
pub async fn audit(
    client: Client,
    org: &str,
    trust: &Trust,
    given: Given,
    heads: &Folder,
) -> anyhow::Result<Exit> {
    let now = now(&client, org, trust, &given, heads).await?;
    let line = route::AUDIT_LEDGER.line(&OrganizationPath::of(org), &Nothing)?;
    let verdict: Verdict = client.ask(&line).await?;
    tell(&now.told(verdict, heads)?, client.json)
}

/// `rollcall ledger checkpoint`
pub async fn checkpoint(
    client: Client,
    org: &str,
    trust: &Trust,
    heads: &Folder,
) -> anyhow::Result<Exit> {
    let now = now(&client, org, trust, &Given::default(), heads).await?;
    let end = now.end.clone();
    if now.key_is_unknown {
        output::note(&format!("the key {} was not checked: name one you trust by --key", end.key));
    }
    let verdict = Verdict { unchanged: true, complete: true, ..Verdict::default() };
    let told = now.told(verdict, heads)?;
    if told.verdict.holds() && !client.json {
        // To be kept as it is, or sent to somebody who keeps it.
        output::print(&end.checkpoint);
        return Ok(Exit::Success);
    }
    if told.verdict.holds() {
        output::json(&end)?;
        return Ok(Exit::Success);
    }
    tell(&told, client.json)
}

/// `rollcall ledger prove`
pub async fn prove(
    client: Client,
    org: &str,
    (position, exchange): (Option<u64>, Option<Uuid>),
    given: Given,
    to: Option<&Path>,
) -> anyhow::Result<Exit> {
    if let Some(to) = to {
        check_free(to)?;
    }
    let query = ProofQuery { position, exchange };
    let path = OrganizationPath::of(org);
    let proof: ProofBody = client.ask(&route::PROVE_ENTRY.line(&path, &query)?).await?;
    let now = rollcall_evidence::verify::prove(&proof.proof, &Trust::File)?.statement;
    for before in given.of(&now.origin)? {
        // A tree that began with the earlier one has the same leaf in the same place.
        let found = against(&client, &path, &before, (&now, None)).await?;
        let size = before.size;
        if let Some(found) = found {
            let kind = found.kind.as_str();
            output::note(&format!(
                "the ledger in which this is proven did not grow from that of {size} leaves: {kind}"
            ));
            return Ok(Exit::Difference);
        }
        if proof.index >= size {
            output::note(&format!("this came after the checkpoint of {size} leaves"));
            return Ok(Exit::Difference);
        }
    }
    match to {
        Some(to) => {
            let file =
                std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(to);
            let mut file = file.with_context(|| format!("cannot write {}", to.display()))?;
            file.write_all(proof.proof.as_bytes())?;
            if client.json {
                output::json(&proof)?;
            } else {
                let (index, size) = (proof.index, proof.size);
                say!("leaf {index} of {size} proven; the key is {}", proof.key);
            }
        }
        None if client.json => output::json(&proof)?,
        None => output::print(&proof.proof),
    }
    Ok(Exit::Success)
}
