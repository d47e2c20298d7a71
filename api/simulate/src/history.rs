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
use rollcall_server::host::{self, Host, HostSetup};
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
    let start = start(&args, Clock::system().now()).map_err(usage)?;
    let ids = Ids::new(Clock::system(), Random::system());
    let stores = open(&data, &ids).map_err(usage)?;
    let key = secrets::operator_key(&data, &ids)?;
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
    rollcall_stores::finished(&made.data)?;
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
fn open(data: &Path, ids: &Ids) -> anyhow::Result<Stores> {
    if data.join("log.db").exists() {
        bail!("{} has a log already: name a folder that has none", data.display());
    }
    std::fs::create_dir_all(data).with_context(|| format!("cannot make {}", data.display()))?;
    Stores::in_folder_unflushed(data, &host::wrap_of_folder(data, ids)?)
}

/// So long a history may go on after its last day, until its last run is over.
const TAIL: Duration = Duration::hours(1);

/// When it begins: so that all of it is over. What is yet to come was not recorded by anybody.
fn start(args: &History, now: DateTime<Utc>) -> anyhow::Result<DateTime<Utc>> {
    let length = Duration::days(i64::from(args.days)) + TAIL;
    match args.start {
        Some(start) if start + length > now => bail!(
            "a history of {} days from {} would end in the future: begin it earlier with --start",
            args.days,
            output::instant(start)
        ),
        Some(start) => Ok(start),
        None => {
            let start = morning(now - Duration::days(i64::from(args.days)));
            Ok(if start + length > now { start - Duration::days(1) } else { start })
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        history: History,
    }

    fn begins(args: &[&str], now: DateTime<Utc>) -> anyhow::Result<DateTime<Utc>> {
        let line = Line::try_parse_from([&["history"], args].concat())?;
        start(&line.history, now)
    }

    /// At each hour of a day, whatever its length.
    #[test]
    fn no_history_ends_in_the_future() -> anyhow::Result<()> {
        let midnight: DateTime<Utc> = "2026-11-24T00:00:00Z".parse()?;
        for minute in (0..1_440).step_by(7) {
            let now = midnight + Duration::minutes(minute);
            for days in [1, 30, 90] {
                let began = begins(&["--days", &days.to_string()], now)?;
                let end = began + Duration::days(days) + TAIL;
                assert!(end <= now && now - end < Duration::days(1), "{now}: {began}, {days} days");
            }
        }
        assert!(begins(&["--days", "2", "--start", "2026-11-23T00:00:00Z"], midnight).is_err());
        assert!(begins(&["--days", "2", "--start", "2026-11-20T00:00:00Z"], midnight).is_ok());
        Ok(())
    }
}
