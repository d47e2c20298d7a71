//! `rollcall bundle`

use anyhow::{Context, bail};
use clap::Subcommand;
use rollcall_cli::client::Client;
use rollcall_cli::part::{Part, check_free};
use rollcall_cli::say;
use rollcall_cli::{Choice, Exit, Failure, ServerArgs, call, exit, output, report, usage};
use rollcall_contract::bundles::{BundleImported, BundleRequest, ImportQuery};
use rollcall_contract::organizations::OrganizationPath;
use rollcall_contract::replay::{ExchangeLine, ReplayLine, ReplaySummary};
use rollcall_contract::request_line::Nothing;
use rollcall_contract::route;
use rollcall_domain::interpretation::Reading;
use rollcall_door::config::ServeConfig;
use rollcall_engine::clock::Clock;
use rollcall_replay::bundle;
use rollcall_replay::{Lines, ScratchSettings, Selection};
use rollcall_stores::{DeploymentWrap, Stores};
use serde_json::json;
use std::path::{Path, PathBuf};

/// Exchanges and the state they need, in one file
#[derive(Debug, Subcommand)]
pub enum Bundle {
    /// Write exchanges and the state they need to a file
    Export {
        #[command(flatten)]
        choice: Choice,
        /// The file to make; it must not exist
        #[arg(long, alias = "file", value_name = "FILE")]
        output: PathBuf,
        /// Let names stand for others, the same one for the same one everywhere
        #[arg(long)]
        pseudonymise: bool,
    },
    /// Make an organization of its own from a bundle
    Import {
        /// A file made by `rollcall bundle export`
        #[arg(long, alias = "file", value_name = "FILE")]
        input: PathBuf,
        /// The slug of the organization to make
        #[arg(long, value_name = "SLUG")]
        domain: String,
    },
    /// Replay a bundle on this machine, without a server; exit code 1 if events differ
    Replay {
        /// A file made by `rollcall bundle export`
        file: PathBuf,
        /// List every exchange, not only those that differ
        #[arg(long)]
        all: bool,
        /// Do not take this liberty, such as string-boolean: what would break?
        #[arg(long, value_name = "READING")]
        without: Vec<String>,
    },
}

/// Runs it.
pub fn run(command: Bundle, server: ServerArgs) -> Result<Exit, Failure> {
    match command {
        Bundle::Export { choice, output, pseudonymise } => {
            let (org, choice) = choice.into_request();
            let request = BundleRequest { choice, pseudonymise };
            call(server, async |client| export(client, &org, &request, &output).await)
        }
        Bundle::Import { input, domain } => {
            call(server, async |client| import(client, &input, &domain).await)
        }
        Bundle::Replay { file, all, without } => {
            let unknown = |name: &String| {
                Reading::parse(name).with_context(|| format!("there is no reading {name:?}"))
            };
            let refused = without.iter().map(unknown).collect::<Result<_, _>>().map_err(usage)?;
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .enable_all()
                .build()
                .map_err(anyhow::Error::from)?;
            let settings = |scim_base| ScratchSettings {
                config: ServeConfig::at(PathBuf::new()),
                scim_base,
                refused,
            };
            Ok(runtime.block_on(replay_file(&file, all, settings, server.json))?)
        }
    }
}

/// The file appears under its name only once it is whole.
async fn export(
    client: Client,
    org: &str,
    request: &BundleRequest,
    to: &Path,
) -> anyhow::Result<Exit> {
    check_free(to)?;
    let answer = client
        .send_json(&route::EXPORT_BUNDLE.line(&OrganizationPath::of(org), &Nothing)?, request)
        .await?;
    let part = Part::download(to, answer).await?;
    let whole = bundle::check(part.path())?;
    part.finish()?;
    if client.json {
        output::json(
            &json!({ "records": whole.records, "exchanges": whole.exchanges, "left_out": whole.left_out }),
        )?;
    } else {
        say!("{} exchanges and {} records written", whole.exchanges, whole.records);
        if whole.left_out > 0 {
            say!("{} exchanges left out: they are no SCIM requests", whole.left_out);
        }
    }
    Ok(Exit::Success)
}

async fn import(client: Client, from: &Path, domain: &str) -> anyhow::Result<Exit> {
    bundle::check(from).with_context(|| format!("cannot use {}", from.display()))?;
    let file = std::fs::read(from)?;
    let line = route::IMPORT_BUNDLE.line(&Nothing, &ImportQuery { domain: domain.to_owned() })?;
    let made: BundleImported = client.upload(&line, file.into()).await?;
    if client.json {
        output::json(&made)?;
    } else {
        let (records, exchanges) = (made.records.to_string(), made.exchanges.to_string());
        output::pairs(&[
            ("Organization", made.organization_id.to_string()),
            ("Domain", made.domain),
            ("Records", records),
            ("Exchanges", exchanges),
        ]);
    }
    Ok(Exit::Success)
}

async fn replay_file(
    file: &Path,
    all: bool,
    settings: impl FnOnce(String) -> ScratchSettings,
    as_json: bool,
) -> anyhow::Result<Exit> {
    let begin =
        bundle::check(file).with_context(|| format!("cannot use {}", file.display()))?.begin;
    let folder = tempfile::Builder::new().prefix("rollcall-bundle-").tempdir()?;
    let stores = Stores::in_folder_unflushed(folder.path(), &DeploymentWrap::for_once()?)?;
    bundle::load(file, &*stores.log, Ok).await?;
    let (organization, settings) = (begin.organization, settings(begin.scim_base));
    let lines = rollcall_replay::verify(
        stores.log.clone(),
        organization,
        Selection::default(),
        settings,
        Clock::system(),
        all,
    )
    .await?;
    let (exchanges, summary) = told(lines).await?;
    report(as_json, &exchanges, &summary)?;
    Ok(exit("verify", &summary))
}

/// Takes the lines of a replay to the summary.
async fn told(mut lines: Lines) -> anyhow::Result<(Vec<ExchangeLine>, ReplaySummary)> {
    let mut exchanges = Vec::new();
    while let Some(line) = lines.recv().await {
        match line {
            ReplayLine::Exchange(exchange) => exchanges.push(exchange),
            ReplayLine::Summary(summary) => return Ok((exchanges, summary)),
            ReplayLine::Broken { detail } => bail!("the replay broke off: {detail}"),
        }
    }
    bail!("the replay broke off")
}
