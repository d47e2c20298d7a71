//! `rollcall simulate history`

use super::app::{InProcess, People};
use super::output::Report;
use super::progress::Progress;
use anyhow::{Context, bail};
use chrono::{DateTime, Duration, NaiveTime, Utc};
use clap::Args;
use rollcall_cli::client::default_data;
use rollcall_cli::say;
use rollcall_cli::{Exit, Failure, ServerArgs, output, usage};
use rollcall_contract::request_line::Nothing;
use rollcall_contract::route;
use rollcall_contract::tokens::TokenPath;
use rollcall_engine::clock::Clock;
use rollcall_engine::ids::{Ids, Random};
use rollcall_engine::secrets;
use rollcall_entra::log::{Counting, LogFile, Recorder};
use rollcall_entra::play::{Played, Scene, month, play};
use rollcall_entra::time::{Simulated, Time};
use rollcall_server::host::{Host, HostSetup};
use rollcall_stores::Stores;
use serde::Serialize;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};
use std::time::Instant;

/// Make a data folder with the history of an organization, in seconds
#[derive(Debug, Args)]
pub struct History {
    /// Days of history
    #[arg(long, default_value_t = 30, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=3_650))]
    days: u32,
    /// Users of the tenant at the beginning
    #[arg(long, default_value_t = 500, value_name = "N", value_parser = clap::value_parser!(u32).range(10..=1_000_000))]
    users: u32,
    /// Same seed and start, same log
    #[arg(long, default_value_t = 1, value_name = "N")]
    seed: u64,
    /// When it begins, such as 2026-03-02T06:00:00Z [default: so that it ends today]
    #[arg(long, value_name = "TIME")]
    start: Option<DateTime<Utc>>,
    /// The organization's name
    #[arg(long, default_value = "Contoso", value_name = "NAME")]
    name: String,
    /// Its slug
    #[arg(long, default_value = "contoso", value_name = "SLUG")]
    domain: String,
    /// Address that Entra would reach
    #[arg(long, default_value = "http://127.0.0.1:8080", value_name = "URL")]
    public_url: String,
    /// Write the provisioning log, the truth about it, as the portal's JSON
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
}

/// What was made.
#[derive(Debug, Serialize)]
struct Made {
    data: PathBuf,
    organization_id: String,
    organization: String,
    #[serde(flatten)]
    report: Report,
}

/// Runs it.
pub async fn run(args: History, server: ServerArgs) -> Result<Exit, Failure> {
    let data = server.data.unwrap_or_else(default_data);
    let stores = open(&data).map_err(usage)?;
    let start = args
        .start
        .unwrap_or_else(|| morning(Clock::system().now() - Duration::days(i64::from(args.days))));
    let key = secrets::operator_key(&data, &Ids::new(Clock::system(), Random::system()))?;
    let setup = HostSetup {
        stores,
        random: Random::seeded(args.seed),
        start,
        public_url: args.public_url.clone(),
        operator_key: Some(key),
        config: HostSetup::config(),
    };
    let host = Arc::new(Host::open(setup).await?);
    let made = simulate(&args, host, start, data, server.json).await?;
    if server.json {
        output::json(&made)?;
    } else {
        output::pairs(&[
            ("Data", made.data.display().to_string()),
            ("Organization", format!("{} ({})", made.organization, made.organization_id)),
        ]);
        made.report.print();
        say!(
            "\nIts tokens were drawn from the seed, so they are revoked. Next: rollcall --data {} serve",
            made.data.display()
        );
    }
    Ok(Exit::Success)
}

/// Two histories do not fit into one log: the second would begin before the first one ends.
fn open(data: &Path) -> anyhow::Result<Stores> {
    if data.join("log.db").exists() {
        bail!("{} has a log already: name a folder that has none", data.display());
    }
    Stores::in_folder_unflushed(data)
}

fn morning(day: DateTime<Utc>) -> DateTime<Utc> {
    day.date_naive().and_time(NaiveTime::MIN).and_utc() + Duration::hours(6)
}

async fn simulate(
    args: &History,
    host: Arc<Host>,
    start: DateTime<Utc>,
    data: PathBuf,
    silent: bool,
) -> anyhow::Result<Made> {
    let begun = Instant::now();
    let organization = host.create_organization(start, &args.name, &args.domain).await?;
    let entra = host.issue_token(start, &args.domain, "entra").await?;
    let desk = host.issue_token(start, &args.domain, "front desk").await?;
    let progress = Arc::new(Progress::new(silent));
    let file = args.log.as_deref().map(|path| {
        LogFile::create(path).with_context(|| format!("cannot write {}", path.display()))
    });
    let file = file.transpose()?.map(Arc::new);
    let mut recorders: Vec<Arc<dyn Recorder>> = vec![progress.clone()];
    recorders.extend(file.clone().map(|f| f as Arc<dyn Recorder>));
    let counting = Arc::new(Counting::new(recorders));
    let time = Arc::new(Simulated::new(start));
    let people = People {
        host: host.clone(),
        organization: args.domain.clone(),
        token: desk.token,
        entra: entra.token_id,
    };
    let scene = Scene {
        transport: Arc::new(InProcess { host: host.clone() }),
        time: time.clone(),
        recorder: counting.clone(),
        application: Some(Arc::new(people)),
    };
    let played = play(month(args.seed, args.users, args.days, &entra.token, start), scene).await;
    let end = time.now();
    for token in [entra.token_id, desk.token_id] {
        let path = TokenPath { organization: args.domain.clone(), token };
        host.administer::<Value>(end, &route::REVOKE_TOKEN.line(&path, &Nothing)?, &Value::Null)
            .await?;
    }
    progress.finish();
    if let Some(file) = file {
        file.finish().context("cannot write the provisioning log")?;
    }
    let Played { directory, client, changes, undone } = played;
    let directory = directory.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(Made {
        data,
        organization_id: organization.organization_id.to_string(),
        organization: organization.domain,
        report: Report {
            seconds: begun.elapsed().as_secs_f64(),
            from: start,
            to: end,
            users: directory.users(),
            groups: directory.groups().len(),
            changes,
            counts: counting.counts(),
            escrows: client.escrows(),
            quarantine: client.quarantine(),
            undone,
            latency: std::collections::BTreeMap::new(),
        },
    })
}
