//! Files of a ledger: frozen in their form, whole or not, and never verified with another byte.

use anyhow::{Result, ensure};
use rollcall_contract::ledger::FindingKind;
use rollcall_domain::ids::OrganizationId;
use rollcall_evidence::Statement;
use rollcall_evidence::file::{FORMAT, Line};
use rollcall_evidence::statement::origin;
use rollcall_evidence::verify::{Trust, Verified, verify};
use rollcall_evidence::walk::{Step, Walk};
use rollcall_evidence::{Signer, read_note};

/// A ledger with its lines, and the key that signed it.
struct Written {
    lines: Vec<Vec<u8>>,
    key: Trust,
}

async fn written() -> Result<Written> {
    let (original, organization) = crate::copies::sqlite().await?;
    let copy = original.copy().await?;
    let log = copy.log().await?;
    // A body that was dropped is in a file as its hash.
    log.drop_bodies(organization, 2, 4).await?;
    let ledger = log.ledger_head(organization).await?;
    let signer = Signer::new(origin("https://ledger.example", organization), &[7; 32])?;
    let statement = Statement::of(signer.origin(), &ledger, log.epoch().await?);
    let first = Line::Ledger {
        format: FORMAT,
        checkpoint: signer.sign(&statement)?.to_string(),
        key: signer.verifier().to_string(),
    };
    let mut lines = vec![first.write()?];
    let mut walk = Walk::new(&*log, organization, ledger.head);
    while let Some(step) = walk.next().await? {
        let Step::Item(item) = step else { anyhow::bail!("{step:?}") };
        lines.push(Line::of(*item).write()?);
    }
    let (records, exchanges) = (ledger.head.position, ledger.head.exchange_number);
    lines.push(Line::End { records, exchanges }.write()?);
    Ok(Written { lines, key: Trust::Key(signer.verifier().clone()) })
}

fn of(bytes: &[u8], trust: &Trust) -> Option<Verified> {
    verify(bytes, trust, |_| Vec::new()).ok()
}

#[tokio::test]
async fn no_file_with_another_byte_is_verified() -> Result<()> {
    let Written { lines, key } = written().await?;
    let whole = lines.concat();
    let verified = of(&whole, &key).ok_or_else(|| anyhow::anyhow!("not read"))?;
    ensure!(verified.verdict.holds() && verified.broken.is_none(), "{verified:?}");
    ensure!(verified.verdict.dropped > 0 && verified.verdict.readable > 0);
    // Every byte of the first line, of one line of each kind and of the last; and some of the rest.
    let mut begin = 0;
    let mut tried = 0;
    for (n, line) in lines.iter().enumerate() {
        let is_close = n < 4 || n + 3 > lines.len();
        let step = if is_close { 3 } else { line.len() / 7 + 1 };
        for at in (begin..begin + line.len()).step_by(step) {
            for to in [whole[at] ^ 1, b'0', b' ', b'"'] {
                if to == whole[at] {
                    continue;
                }
                let mut other = whole.clone();
                other[at] = to;
                let said = of(&other, &key);
                ensure!(
                    said.as_ref().is_none_or(|said| !said.verdict.holds()),
                    "byte {at} of line {n}, {:?} for {:?}: {said:?}",
                    char::from(to),
                    char::from(whole[at])
                );
                tried += 1;
            }
        }
        begin += line.len();
    }
    ensure!(tried > 1_000, "{tried}");
    Ok(())
}

#[tokio::test]
async fn what_is_missing_is_said() -> Result<()> {
    let Written { lines, key } = written().await?;
    let whole = lines.concat();
    for end in (0..whole.len()).step_by(whole.len() / 300 + 1) {
        let said = of(&whole[..end], &key);
        ensure!(said.is_none_or(|said| !said.verdict.holds()), "cut at {end}");
    }
    let without = |gone: std::ops::Range<usize>| {
        let mut left = lines.clone();
        left.drain(gone);
        of(&left.concat(), &key)
    };
    let middle = lines.len() / 2;
    for gone in [1..2, middle..middle + 1, middle..middle + 3, lines.len() - 2..lines.len() - 1] {
        let said = without(gone.clone()).ok_or_else(|| anyhow::anyhow!("not read"))?;
        ensure!(!said.verdict.complete, "{gone:?}: {said:?}");
    }
    ensure!(without(0..1).is_none());
    let mut swapped = lines.clone();
    swapped.swap(middle, middle + 1);
    ensure!(of(&swapped.concat(), &key).is_none_or(|said| !said.verdict.holds()));
    Ok(())
}

/// Signed by somebody else, or older than what was seen.
#[tokio::test]
async fn who_has_signed_and_how_new_it_is_counts() -> Result<()> {
    let Written { lines, key } = written().await?;
    let whole = lines.concat();
    let other = Signer::new("ledger.example/rollcall/x".into(), &[8; 32])?;
    let said = of(&whole, &Trust::Key(other.verifier().clone()));
    let said = said.ok_or_else(|| anyhow::anyhow!("not read"))?;
    ensure!(said.verdict.findings[0].kind == FindingKind::Unsigned, "{said:?}");
    let Line::Ledger { checkpoint, .. } = Line::read(lines[0].trim_ascii_end())? else {
        anyhow::bail!("no first line")
    };
    let now = read_note(&checkpoint)?;
    let mut newer = now.clone();
    newer.size += 1;
    let mut fork = now.clone();
    fork.root.0[5] ^= 1;
    for (earlier, kind) in [(newer, FindingKind::Older), (fork, FindingKind::Rewritten)] {
        let said = verify(&whole[..], &key, |_| vec![earlier])?;
        ensure!(said.verdict.findings[0].kind == kind, "{said:?}");
    }
    let said = verify(&whole[..], &key, |_| vec![now])?;
    ensure!(said.verdict.holds() && said.verdict.checkpoints == 1);
    Ok(())
}

#[test]
fn an_origin_is_the_host_and_the_organization() {
    let id = OrganizationId(uuid::Uuid::from_u128(1));
    for url in ["https://rollcall.example", "http://rollcall.example/"] {
        assert_eq!(
            origin(url, id),
            "rollcall.example/rollcall/00000000-0000-0000-0000-000000000001"
        );
    }
}

/// However many checkpoints are seen, a file of them stays short; the first and the newest stay.
#[test]
fn what_was_seen_is_thinned_out_and_never_forgotten() -> Result<()> {
    use rollcall_evidence::seen::{Folder, Seen};
    let dir = tempfile::tempdir()?;
    let folder = Folder::new(dir.path());
    let signer = Signer::new("ledger.example/rollcall/x".into(), &[7; 32])?;
    let seen = |size: u64| -> Result<Seen> {
        let head = rollcall_domain::log::Head { position: size, exchange_number: 0 };
        let tree = rollcall_domain::ledger::Frontier::default();
        let ledger = rollcall_domain::log::LedgerHead {
            head,
            frontier: tree,
            uncovered: 0,
            last_exchange: None,
        };
        let mut statement = Statement::of(signer.origin(), &ledger, uuid::Uuid::nil());
        statement.size = size;
        let checkpoint = signer.sign(&statement)?.to_string();
        Ok(Seen { checkpoint, key: signer.verifier().to_string() })
    };
    // As many as would take days to come: written at once, but for the last.
    let many = (0..2_048).map(|n| Ok(serde_json::to_string(&seen(n)?)? + "\n"));
    let path = folder.path(signer.origin());
    std::fs::write(&path, many.collect::<Result<String>>()?)?;
    for n in 2_048..2_060 {
        folder.keep(&seen(n)?)?;
        folder.keep(&seen(n)?)?;
    }
    let kept = folder.of(signer.origin())?;
    ensure!(kept.len() == 512 + 1_024 + 12, "{}", kept.len());
    ensure!(kept.first() == Some(&seen(0)?) && kept.last() == Some(&seen(2_059)?));
    let (statements, findings) =
        rollcall_evidence::seen::statements(&kept, &signer.verifier().to_string());
    ensure!(findings.is_empty() && statements.is_sorted_by_key(|said| said.size));
    // Somebody has changed one, or signed another.
    let mut forged = kept.clone();
    forged[3].checkpoint = forged[3].checkpoint.replacen("records=6", "records=7", 1);
    let (_, findings) = rollcall_evidence::seen::statements(&forged, &kept[0].key);
    ensure!(findings.len() == 1 && findings[0].kind == FindingKind::Unsigned, "{findings:?}");
    std::fs::write(&path, "{}\n")?;
    ensure!(folder.of(signer.origin()).is_err());
    Ok(())
}
