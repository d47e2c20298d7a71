//! A backup, held against the ledgers that it carries: what is in each section is exactly what the
//! checkpoint at its end says.

use super::elsewhere::Given;
use super::output::Told;
use anyhow::{Context as _, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use rollcall_contract::backup::{BackupLine, Reading};
use rollcall_contract::ledger::{Finding, FindingKind, FindingPart, SignedCheckpoint};
use rollcall_domain::exchange::Exchange;
use rollcall_domain::log::{Head, Record, RecordedExchange};
use rollcall_evidence::Statement;
use rollcall_evidence::findings::{Checker, Claimed, Content, Item, Tree};
use rollcall_evidence::seen::{self, Folder};
use rollcall_evidence::verify::{Trust, is_signed};
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::Path;

/// What backups begin with.
const BEGIN: &[u8] = b"{\"line\":\"begin\"";

type Line = BackupLine<Record, Exchange>;

/// Whether a file begins as a backup does; it is read from its beginning afterwards.
pub fn is_one(file: &mut File) -> std::io::Result<bool> {
    let mut begin = Vec::new();
    file.by_ref().take(BEGIN.len() as u64).read_to_end(&mut begin)?;
    file.rewind()?;
    Ok(begin == BEGIN)
}

/// An organization's part of a backup.
struct Section {
    /// Where its records begin, in bytes, and where its exchanges.
    records: u64,
    exchanges: u64,
    end: Head,
    ledger: SignedCheckpoint,
}

/// Verifies each organization's part.
pub fn verify(
    file: &Path,
    trust: &Trust,
    given: &Given,
    heads: &Folder,
) -> anyhow::Result<Vec<Told>> {
    let sections = sections(file)?;
    let read = |section: &Section| Ok(Statement::read(&section.ledger.checkpoint.parse()?)?);
    let said: Vec<Statement> = sections.iter().map(read).collect::<anyhow::Result<_>>()?;
    given.are_of(&said.iter().map(|said| said.origin.as_str()).collect())?;
    let told = sections.iter().zip(said);
    told.map(|(section, said)| one(file, section, said, trust, given, heads)).collect()
}

/// Reads a backup once: whether it is as it was written, and where its parts are.
fn sections(file: &Path) -> anyhow::Result<Vec<Section>> {
    let (mut lines, mut reading) =
        (BufReader::with_capacity(1 << 18, File::open(file)?), Reading::default());
    let (mut all, mut line, mut at) = (Vec::new(), Vec::new(), 0);
    let (mut records, mut exchanges) = (None, None);
    while lines.read_until(b'\n', &mut line)? > 0 {
        match reading.line(&line)? {
            Line::Record { .. } => drop(records.get_or_insert(at)),
            Line::Exchange { .. } => drop(exchanges.get_or_insert(at)),
            Line::Section { organization: Some(_), position, exchange_number, ledger, .. } => {
                let Some(ledger) = ledger else {
                    bail!("it carries no checkpoints: it was made by an older version");
                };
                let end = Head { position, exchange_number };
                let (records, exchanges) = (records.take(), exchanges.take());
                let (records, exchanges) = (records.unwrap_or(at), exchanges.unwrap_or(at));
                all.push(Section { records, exchanges, end, ledger });
            }
            _ => {}
        }
        at += line.len() as u64;
        line.clear();
    }
    reading.finish()?;
    Ok(all)
}

fn one(
    file: &Path,
    section: &Section,
    said: Statement,
    trust: &Trust,
    given: &Given,
    heads: &Folder,
) -> anyhow::Result<Told> {
    let SignedCheckpoint { checkpoint, key } = &section.ledger;
    let seen = heads.of(&said.origin)?;
    // A key is of one ledger; those of others are in the file as well.
    let by_file = matches!(trust, Trust::Key(named) if named.name() != said.origin);
    let trust = if by_file { &Trust::File } else { trust };
    let (is_signed, key) = is_signed(&checkpoint.parse()?, &said, key, trust)?;
    let mut earlier: Vec<Statement> =
        seen.iter().filter_map(|seen| seen.statement()).map(|(said, _)| said).collect();
    earlier.extend(given.any_of(&said.origin));
    let mut checker = Checker::new(earlier);
    if !is_signed {
        let (kind, part) = (FindingKind::Unsigned, FindingPart::Tree);
        checker.add(Finding { kind, part, number: said.size, through: None, id: None });
    }
    let mut records = Ahead::at(file, section.records, section.end.position)?;
    let mut exchanges = Ahead::at(file, section.exchanges, section.end.exchange_number)?;
    let (mut record, mut exchange) = (records.record()?, exchanges.exchange()?);
    loop {
        // An exchange stands behind the last record that was there when it was appended.
        let after = exchange.as_ref().map(|exchange| exchange.after);
        let content = match (&record, after) {
            (Some(next), after) if after.is_none_or(|after| next.position <= after) => {
                let next = std::mem::replace(&mut record, records.record()?);
                next.map(Content::Record)
            }
            _ => {
                let next = std::mem::replace(&mut exchange, exchanges.exchange()?);
                next.map(|next| Content::Exchange(Box::new(next)))
            }
        };
        let Some(content) = content else { break };
        let kept = Some(content.leaf());
        checker.push(Item { content, kept });
    }
    let claimed = Claimed { head: said.head, tree: Tree::Statement(&said) };
    let mut verdict = checker.finish(&claimed, said.uncovered, said.epoch);
    let (_, unsigned) = seen::statements(&seen, &key);
    verdict.unchanged &= unsigned.is_empty();
    verdict.findings.extend(unsigned);
    let key_is_unknown = matches!(trust, Trust::File) && seen.is_empty();
    let root = said.root.to_string();
    Ok(Told {
        verdict,
        origin: said.origin,
        size: said.size,
        root,
        key,
        key_is_unknown,
        broken: None,
    })
}

/// So many lines of one kind, from a place in the file on.
struct Ahead {
    lines: BufReader<File>,
    left: u64,
}

impl Ahead {
    fn at(file: &Path, from: u64, left: u64) -> std::io::Result<Self> {
        let mut open = File::open(file)?;
        open.seek(SeekFrom::Start(from))?;
        Ok(Self { lines: BufReader::with_capacity(1 << 18, open), left })
    }

    fn next(&mut self) -> anyhow::Result<Option<Line>> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        let mut line = Vec::new();
        self.lines.read_until(b'\n', &mut line)?;
        Ok(Some(serde_json::from_slice(&line)?))
    }

    fn record(&mut self) -> anyhow::Result<Option<Record>> {
        match self.next()? {
            Some(Line::Record { record }) => Ok(Some(*record)),
            _ => {
                // Fewer than its end says: the verdict says so.
                self.left = 0;
                Ok(None)
            }
        }
    }

    fn exchange(&mut self) -> anyhow::Result<Option<RecordedExchange>> {
        match self.next()? {
            Some(Line::Exchange { number, positions, after, mut exchange, request, answer }) => {
                let cannot = "a body cannot be read";
                exchange.request_body = BASE64.decode(&request).context(cannot)?;
                exchange.answer_body = BASE64.decode(&answer).context(cannot)?;
                Ok(Some(RecordedExchange { number, positions, after, exchange: *exchange }))
            }
            _ => {
                self.left = 0;
                Ok(None)
            }
        }
    }
}
