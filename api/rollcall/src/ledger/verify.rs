//! A file, verified without a server.

use super::backup;
use super::elsewhere::Given;
use super::output::{Told, tell, tell_all};
use anyhow::Context;
use rollcall_cli::{Exit, Failure, output, say, usage};
use rollcall_evidence::Statement;
use rollcall_evidence::seen::{self, Folder, Seen};
use rollcall_evidence::verify::{Proven, Trust, Verified};
use serde_json::json;
use std::fs::File;
use std::io::{BufReader, Read as _, Seek as _};
use std::path::Path;

/// What proofs begin with.
const PROOF: &[u8] = b"c2sp.org/tlog-proof";
/// Bytes of a proof at most.
const SMALL: u64 = 4 * 1024 * 1024;

/// Verifies it.
pub fn verify(
    file: &Path,
    trust: &Trust,
    given: Given,
    heads: &Folder,
    as_json: bool,
) -> Result<Exit, Failure> {
    let about = || format!("cannot verify {}", file.display());
    let mut open = File::open(file).with_context(about).map_err(usage)?;
    let mut begin = Vec::new();
    open.by_ref()
        .take(PROOF.len() as u64)
        .read_to_end(&mut begin)
        .with_context(about)
        .map_err(usage)?;
    open.rewind().with_context(about).map_err(usage)?;
    if begin == PROOF {
        let mut text = String::new();
        open.take(SMALL).read_to_string(&mut text).with_context(about).map_err(usage)?;
        let proven =
            rollcall_evidence::verify::prove(&text, trust).with_context(about).map_err(usage)?;
        return Ok(tell_proof(&proven, as_json)?);
    }
    if backup::is_one(&mut open).with_context(about).map_err(usage)? {
        let told = backup::verify(file, trust, &given, heads).with_context(about);
        return Ok(tell_all(&told.map_err(usage)?, as_json)?);
    }
    let told = of_file(BufReader::new(open), trust, &given, heads).with_context(about);
    Ok(tell(&told.map_err(usage)?, as_json)?)
}

/// Verifies a ledger against what is kept of it.
pub fn of_file(
    file: impl std::io::BufRead,
    trust: &Trust,
    given: &Given,
    heads: &Folder,
) -> anyhow::Result<Told> {
    let mut kept: Option<std::io::Result<Vec<Seen>>> = None;
    let mut elsewhere = Ok(Vec::new());
    let earlier = |said: &Statement| {
        let seen = heads.of(&said.origin);
        let mut all: Vec<Statement> = Vec::new();
        if let Ok(seen) = &seen {
            all.extend(seen.iter().filter_map(|seen| seen.statement()).map(|(said, _)| said));
        }
        kept = Some(seen);
        elsewhere = given.of(&said.origin);
        all.extend(elsewhere.iter().flatten().cloned());
        all
    };
    let verified = rollcall_evidence::verify::verify(file, trust, earlier)?;
    let seen = kept.unwrap_or_else(|| Ok(Vec::new()))?;
    elsewhere?;
    let Verified { mut verdict, statement, key, broken, .. } = verified;
    // What was seen under another key cannot be of this log.
    let (_, unsigned) = seen::statements(&seen, &key);
    verdict.unchanged &= unsigned.is_empty();
    verdict.findings.extend(unsigned);
    let broken = broken.map(|(line, why)| format!("line {line}: {why}"));
    let key_is_unknown = matches!(trust, Trust::File) && seen.is_empty();
    Ok(Told {
        verdict,
        origin: statement.origin,
        size: statement.size,
        root: statement.root.to_string(),
        key,
        key_is_unknown,
        broken,
    })
}

fn tell_proof(proven: &Proven, as_json: bool) -> anyhow::Result<Exit> {
    let (part, number) = proven.number().unzip();
    let why = proven.why.as_ref().map(ToString::to_string);
    if as_json {
        output::json(&json!({
            "holds": proven.holds,
            "part": part,
            "number": number,
            "index": proven.index,
            "origin": proven.statement.origin,
            "size": proven.statement.size,
            "root": proven.statement.root.to_string(),
            "key": proven.key,
            "key_is_unknown": proven.key.is_none(),
            "why": why,
        }))?;
    } else {
        let of = match (part, number) {
            (Some(part), Some(number)) => {
                format!("{} {number}", format!("{part:?}").to_lowercase())
            }
            _ => "unknown".to_owned(),
        };
        let key = proven
            .key
            .clone()
            .unwrap_or_else(|| "not checked: name the one you trust with --key".to_owned());
        output::pairs(&[
            ("Ledger", proven.statement.origin.clone()),
            ("Proven", if proven.holds { "yes" } else { "NO" }.to_owned()),
            ("Entry", of),
            ("Leaf", proven.index.to_string()),
            (
                "Checkpoint",
                format!("{} leaves, root {}", proven.statement.size, proven.statement.root),
            ),
            ("Key", key),
        ]);
        if let Some(why) = why {
            say!();
            say!("{why}");
        }
    }
    Ok(if proven.holds { Exit::Success } else { Exit::Difference })
}
