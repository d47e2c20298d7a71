//! `rollcall simulate entra`

use super::credential::Credential;
use super::faults;
use super::output::{Report, latency};
use super::progress::Progress;
use anyhow::{Context, bail};
use chrono::{DateTime, Utc};
use clap::{Args, ValueEnum};
use rollcall_cli::client::{default_data, local_address};
use rollcall_cli::{Exit, Failure, ServerArgs, output, usage};
use rollcall_engine::clock::Clock;
use rollcall_entra::client::{Mapping, Shape};
use rollcall_entra::directory::{FileTenant, Profile, Scope};
use rollcall_entra::log::{Counting, LogFile, ProvisioningLog, Recorder, to_csv};
use rollcall_entra::play::{Plan, Scene, Tenant, Until, play};
use rollcall_entra::seed::Seed;
use rollcall_entra::time::{Paced, Simulated, Time};
use rollcall_entra::transport::{Faults, HttpTransport, Measured};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Provision a simulated tenant to any SCIM server
#[derive(Debug, Args)]
pub struct Entra {
    #[command(flatten)]
    credential: Credential,
    /// Users of the tenant
    #[arg(long, default_value_t = 1_000, value_name = "N")]
    users: u32,
    /// Groups [default: one for every 25 users]
    #[arg(long, value_name = "N")]
    groups: Option<u32>,
    /// Memberships over all groups [default: five for each user]
    #[arg(long, value_name = "N")]
    memberships: Option<u32>,
    /// Read the tenant from a JSON file instead
    #[arg(long, value_name = "FILE", conflicts_with_all = ["users", "groups", "memberships"])]
    tenant: Option<PathBuf>,
    /// Same seed, same tenant, same requests
    #[arg(long, default_value_t = 1, value_name = "N")]
    seed: u64,
    /// Shape of PATCH requests
    #[arg(long, value_enum, default_value_t, value_name = "SHAPE")]
    shape: ShapeName,
    /// Attribute mapping
    #[arg(long, value_enum, default_value_t, value_name = "NAME")]
    mapping: MappingName,
    /// Set managers and members without looking them up first
    #[arg(long)]
    no_reference_checks: bool,
    /// Only assigned users and groups are in scope
    #[arg(long)]
    assigned: bool,
    /// Cycles, the initial one included
    #[arg(long, default_value_t = 4, value_name = "N")]
    cycles: u32,
    /// Go on after that, without changes in the tenant, until nothing is left to be retried
    #[arg(long)]
    settle: bool,
    /// Changes in the tenant on a working day [default: a tenth of the users]
    #[arg(long, value_name = "N")]
    changes_per_day: Option<f64>,
    /// How fast time passes: 1 is real, 60 is a minute a second [default: as fast as the server
    /// answers]
    #[arg(long, value_name = "FACTOR")]
    speed: Option<f64>,
    /// Objects under way at the same time
    #[arg(long, default_value_t = 8, value_name = "N")]
    concurrency: usize,
    /// Faults: a probability for all, or lost=P,timeout=P,duplicate=P,bad-values=P
    #[arg(long, value_name = "FAULTS", value_parser = faults::parse)]
    faults: Option<Faults>,
    /// Write the provisioning log as the portal's JSON
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    /// Write it as the portal's three CSV files
    #[arg(long, value_name = "DIR")]
    csv: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum ShapeName {
    /// The shipped default
    #[default]
    Legacy,
    /// aadOptscim062020
    Flagged,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum MappingName {
    /// The default mapping, object id as externalId, a custom extension
    #[default]
    Standard,
    /// The same without the custom extension
    Core,
    /// As Entra ships it: mail nickname as externalId
    Shipped,
    /// Kisi's small one
    Kisi,
}

impl Entra {
    fn plan(&self, start: DateTime<Utc>) -> anyhow::Result<Plan> {
        let mut plan = Plan::new(self.seed, self.users, &self.credential.token, start, self.cycles);
        let scope = if self.assigned { Scope::Assigned } else { Scope::Everything };
        plan.tenant = match &self.tenant {
            Some(path) => {
                Tenant::Given(Box::new(read(path)?.into_directory(Seed::new(self.seed), scope)?))
            }
            None => {
                let sized = Profile::sized(self.users);
                let groups = self.groups.unwrap_or(sized.groups);
                let memberships = self
                    .memberships
                    .unwrap_or(sized.memberships)
                    .min(groups.saturating_mul(self.users));
                let assigned = if self.assigned { 0.8 } else { 1.0 };
                Tenant::Generated(Profile { groups, memberships, assigned, ..sized }, scope)
            }
        };
        if let Some(changes) = self.changes_per_day {
            plan.changes_per_day = changes;
        }
        if self.settle {
            plan.until = Until::Settled(self.cycles);
        }
        plan.faults = self.faults.unwrap_or_default();
        plan.settings.concurrency = self.concurrency;
        plan.settings.reference_checks = !self.no_reference_checks;
        plan.settings.shape = match self.shape {
            ShapeName::Legacy => Shape::Legacy,
            ShapeName::Flagged => Shape::Flagged,
        };
        plan.settings.mapping = match self.mapping {
            MappingName::Standard => Mapping::standard(),
            MappingName::Core => Mapping::standard().without_extensions(),
            MappingName::Shipped => Mapping::shipped(),
            MappingName::Kisi => Mapping::kisi(),
        };
        Ok(plan)
    }

    fn time(&self, start: DateTime<Utc>) -> anyhow::Result<Arc<dyn Time>> {
        match self.speed {
            None => Ok(Arc::new(Simulated::flowing(start))),
            Some(factor) if factor > 0.0 && factor.is_finite() => {
                Ok(Arc::new(Paced::new(start, factor)))
            }
            Some(factor) => bail!("--speed {factor}: write a positive number"),
        }
    }
}

fn read(path: &Path) -> anyhow::Result<FileTenant> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    FileTenant::parse(&text).with_context(|| format!("cannot use {}", path.display()))
}

/// Runs it.
pub async fn run(args: Entra, server: ServerArgs) -> Result<Exit, Failure> {
    let url = server.url.unwrap_or_else(|| {
        format!("{}/scim/v2", local_address(&server.data.unwrap_or_else(default_data)))
    });
    let start = Clock::system().now();
    let plan = args.plan(start).map_err(usage)?;
    let time = args.time(start).map_err(usage)?;
    let http = HttpTransport::new(&url, Duration::from_secs(60)).map_err(|e| usage(e.into()))?;
    let way = args.credential.way(http, start).await.map_err(usage)?;
    let measured = Arc::new(Measured::new(way.transport.clone()));
    let file = args.log.as_deref().map(|path| {
        LogFile::create(path).with_context(|| format!("cannot write {}", path.display()))
    });
    let file = file.transpose()?.map(Arc::new);
    let memory = args.csv.as_ref().map(|_| Arc::new(ProvisioningLog::new()));
    let progress = Arc::new(Progress::new(server.json));
    let mut recorders: Vec<Arc<dyn Recorder>> = vec![progress.clone()];
    recorders.extend(file.clone().map(|f| f as Arc<dyn Recorder>));
    recorders.extend(memory.clone().map(|m| m as Arc<dyn Recorder>));
    let counting = Arc::new(Counting::new(recorders));

    let begun = Instant::now();
    let scene = Scene {
        transport: measured.clone(),
        time: time.clone(),
        recorder: counting.clone(),
        application: None,
    };
    let played = play(plan, scene).await;
    let seconds = begun.elapsed().as_secs_f64();
    progress.finish();
    if let Some(file) = file {
        file.finish().context("cannot write the provisioning log")?;
    }
    if let (Some(memory), Some(folder)) = (memory, &args.csv) {
        write_csv(&memory, folder)?;
    }
    let counts = counting.counts();
    let directory = played.directory.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let report = Report {
        seconds,
        from: start,
        to: time.now(),
        users: directory.users(),
        groups: directory.groups().len(),
        changes: played.changes,
        escrows: played.client.escrows(),
        quarantine: played.client.quarantine(),
        undone: played.undone,
        latency: latency(&measured.take()),
        counts,
    };
    if server.json {
        output::json(&report)?;
    } else {
        report.print();
    }
    // A tenant that could not even be looked at is no success.
    Ok(if report.counts.exported == 0 && report.counts.failed_runs > 0 {
        Exit::Difference
    } else {
        Exit::Success
    })
}

fn write_csv(log: &ProvisioningLog, folder: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let names = [
        "ProvisioningLogs.csv",
        "ProvisioningLogs_ProvisioningSteps.csv",
        "ProvisioningLogs_ModifiedProperties.csv",
    ];
    for (name, text) in names.iter().zip(to_csv(&log.summaries())) {
        let path = folder.join(name);
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}
