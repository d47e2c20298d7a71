//! `rollcall backup --check`: a backup is as good as what a restore of it gives. So it is restored,
//! into a server in process on a folder that is thrown away, and everything in it is compared.

use anyhow::{Context as _, anyhow, bail};
use axum::body::{Body, BodyDataStream};
use axum::http::{Request, Response};
use futures::StreamExt as _;
use rollcall_cli::{Exit, Failure, ServerArgs, output, say, usage};
use rollcall_contract::Problem;
use rollcall_contract::backup::{BackupLine, Reading, RestoreQuery};
use rollcall_contract::request_line::{Nothing, RequestLine};
use rollcall_contract::route;
use rollcall_contract::views::VerifiedBody;
use rollcall_door::config::ServeConfig;
use rollcall_door::sealing::{DeploymentKey, WRAPPING, deployment_key_path};
use rollcall_engine::clock::Clock;
use rollcall_engine::ids::Random;
use rollcall_server::host::{Host, HostSetup};
use rollcall_stores::{DeploymentWrap, Stores};
use serde::Serialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use uuid::Uuid;

/// How much of a file is sent at once.
const CHUNK: usize = 1 << 16;
/// The longest answer that is not a backup.
const LONGEST: usize = 1 << 24;

/// The end of an organization's part.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Section {
    position: u64,
    exchange_number: u64,
    sha256: String,
}

/// The parts of a backup; the claim keys are under none.
type Sections = BTreeMap<Option<Uuid>, Section>;

/// What a check comes to.
#[derive(Debug, Serialize)]
struct Checked {
    records: u64,
    exchanges: u64,
    /// Parts that did not come out as they are in the file: organizations, or `claim-keys`.
    different: Vec<String>,
    /// Rows of the views that a rebuild makes otherwise.
    view_differences: u64,
}

/// Runs it.
///
/// # Errors
/// If the file is no backup, or cannot be restored here.
pub fn run(file: &Path, key: Option<&Path>, server: &ServerArgs) -> Result<Exit, Failure> {
    let wrap = wrap(key, server.data.as_deref()).map_err(usage)?;
    // What cannot be read is the file's fault, before any room is taken for it.
    let cannot = || format!("cannot read {}", file.display());
    let backup = File::open(file).with_context(cannot).map_err(usage)?;
    let (sections, counts) = sections_of_file(backup).map_err(|e| {
        e.context(format!("{} is not a backup that can be restored", file.display()))
    })?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(anyhow::Error::from)?;
    let (restored, view_differences) = runtime.block_on(restore(file, &wrap))?;
    let names = sections.keys().chain(restored.keys()).collect::<std::collections::BTreeSet<_>>();
    let different: Vec<String> = names
        .into_iter()
        .filter(|name| !comes_out(**name, &sections, &restored))
        .map(|name| name.map_or_else(|| "claim-keys".to_owned(), |id| id.to_string()))
        .collect();
    let good = different.is_empty() && view_differences == 0;
    let (records, exchanges) = counts;
    if server.json {
        output::json(&Checked { records, exchanges, different, view_differences })?;
    } else if good {
        say!("{records} records and {exchanges} exchanges come out as they are in the file");
    } else {
        for name in &different {
            say!("{name} does not come out as it is in the file");
        }
        if view_differences > 0 {
            say!("{view_differences} rows of the views differ from what a rebuild makes");
        }
    }
    Ok(if good { Exit::Success } else { Exit::Difference })
}

/// What opens the keys in a backup: the key that is named, or that of the data folder. A backup of
/// before keys were in it, or one without its keys, says itself what it needs.
fn wrap(key: Option<&Path>, data: Option<&Path>) -> anyhow::Result<DeploymentWrap> {
    let of_folder = data.map(deployment_key_path).filter(|path| path.exists());
    match key.map(Path::to_owned).or(of_folder) {
        Some(path) => Ok(DeploymentWrap::new(DeploymentKey::read(&path)?.derived(WRAPPING))),
        None => Ok(DeploymentWrap::for_once()?),
    }
}

/// Whether a part came out as it was. What belongs to no organization has grown meanwhile, by the
/// exchange of the restore itself.
fn comes_out(name: Option<Uuid>, sections: &Sections, restored: &Sections) -> bool {
    let (was, is) = (sections.get(&name), restored.get(&name));
    match (name, was, is) {
        (Some(id), Some(was), Some(is)) if id.is_nil() => {
            is.position >= was.position && is.exchange_number >= was.exchange_number
        }
        (Some(id), None, Some(_)) => id.is_nil(),
        (_, was, is) => was == is,
    }
}

/// Takes the lines of a backup to its end.
#[derive(Default)]
struct Parts {
    reading: Reading,
    sections: Sections,
}

impl Parts {
    fn line(&mut self, line: &[u8]) -> anyhow::Result<()> {
        if let BackupLine::Section { organization, position, exchange_number, sha256, .. } =
            self.reading.line::<IgnoredAny, IgnoredAny>(line)?
        {
            self.sections.insert(organization, Section { position, exchange_number, sha256 });
        }
        Ok(())
    }

    fn end(self) -> anyhow::Result<(Sections, (u64, u64))> {
        let whole = self.reading.finish()?;
        if !whole.verified {
            bail!("it is of a version that wrote no digests: restore it once, and back that up");
        }
        Ok((self.sections, (whole.records, whole.exchanges)))
    }
}

fn sections_of_file(file: File) -> anyhow::Result<(Sections, (u64, u64))> {
    let (mut lines, mut parts) = (BufReader::with_capacity(1 << 18, file), Parts::default());
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line)? > 0 {
        parts.line(&line)?;
        line.clear();
    }
    parts.end()
}

async fn sections_of_stream(mut stream: BodyDataStream) -> anyhow::Result<Sections> {
    let (mut parts, mut begun) = (Parts::default(), Vec::new());
    while let Some(chunk) = stream.next().await {
        for piece in chunk.context("the scratch backup broke off")?.split_inclusive(|b| *b == b'\n')
        {
            begun.extend_from_slice(piece);
            if piece.ends_with(b"\n") {
                parts.line(&begun)?;
                begun.clear();
            }
        }
    }
    parts.end().map(|(sections, _)| sections)
}

/// Restores a backup where nobody else is; gives what a backup of that holds, and in how many rows
/// its views differ from a rebuild.
async fn restore(file: &Path, wrap: &DeploymentWrap) -> anyhow::Result<(Sections, u64)> {
    let folder = tempfile::Builder::new().prefix("rollcall-check-").tempdir()?;
    let setup = HostSetup {
        stores: Stores::in_folder_unflushed(folder.path(), wrap)?,
        random: Random::system(),
        start: Clock::system().now(),
        public_url: "http://localhost".to_owned(),
        operator_key: None,
        config: ServeConfig { data: folder.path().to_owned(), ..HostSetup::config() },
    };
    let host = Host::open(setup).await?;
    let source = BufReader::with_capacity(CHUNK, File::open(file)?);
    let chunks = futures::stream::unfold(source, |mut source| async move {
        match source.fill_buf().map(<[u8]>::to_vec) {
            Ok(chunk) if chunk.is_empty() => None,
            Ok(chunk) => {
                source.consume(chunk.len());
                Some((Ok(chunk), source))
            }
            Err(error) => Some((Err(error), source)),
        }
    });
    let line = route::RESTORE.line(&Nothing, &RestoreQuery::default())?;
    // From now on the keys of the backup's operators are known too; the one of this folder opens.
    good(ask(&host, &line, Body::from_stream(chunks)).await?)
        .await
        .context("it does not restore")?;
    let line = route::BACKUP.line(&Nothing, &Nothing)?;
    let again = good(ask(&host, &line, Body::empty()).await?).await?;
    let sections = sections_of_stream(again.into_body().into_data_stream()).await?;
    let line = route::VERIFY_VIEWS.line(&Nothing, &Nothing)?;
    let verified: VerifiedBody = read(good(ask(&host, &line, Body::empty()).await?).await?).await?;
    Ok((sections, verified.differences))
}

async fn ask(host: &Host, line: &RequestLine, body: Body) -> anyhow::Result<Response<Body>> {
    let request = Request::builder()
        .method(line.method.as_str())
        .uri(&line.target)
        .header("authorization", format!("Bearer {}", host.operator_key()))
        .header("content-type", "application/x-ndjson")
        .body(body)?;
    Ok(host.respond(request).await)
}

async fn good(answer: Response<Body>) -> anyhow::Result<Response<Body>> {
    if answer.status().is_success() {
        return Ok(answer);
    }
    let status = answer.status();
    let problem: Problem =
        read(answer).await.with_context(|| format!("it was answered {status}"))?;
    Err(anyhow!("{}", problem.detail))
}

async fn read<T: DeserializeOwned>(answer: Response<Body>) -> anyhow::Result<T> {
    let body = axum::body::to_bytes(answer.into_body(), LONGEST).await?;
    Ok(serde_json::from_slice(&body)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_that_is_missing_or_another_does_not_come_out() {
        let section = |position, sha256: &str| Section {
            position,
            exchange_number: position,
            sha256: sha256.to_owned(),
        };
        let organization = Some(Uuid::from_u128(7));
        let was = Sections::from([
            (None, section(0, "k")),
            (Some(Uuid::nil()), section(3, "n")),
            (organization, section(9, "o")),
        ]);
        let all = |is: &Sections| was.keys().all(|name| comes_out(*name, &was, is));
        assert!(all(&was));
        let with = |name: Option<Uuid>, is: Option<Section>| {
            let mut restored = was.clone();
            restored.remove(&name);
            restored.extend(is.map(|is| (name, is)));
            restored
        };
        assert!(all(&with(Some(Uuid::nil()), Some(section(4, "m")))), "the restore is in there");
        for (name, is) in [
            (None, None),
            (None, Some(section(0, "x"))),
            (Some(Uuid::nil()), None),
            (Some(Uuid::nil()), Some(section(2, "n"))),
            (organization, None),
            (organization, Some(section(9, "x"))),
            (organization, Some(section(10, "o"))),
        ] {
            assert!(!all(&with(name, is.clone())), "{name:?} {is:?}");
        }
        let more = with(Some(Uuid::from_u128(8)), Some(section(1, "z")));
        assert!(!comes_out(Some(Uuid::from_u128(8)), &was, &more), "nobody knows it");
    }
}
