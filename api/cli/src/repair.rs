//! `rollcall log repair`

use super::Exit;
use super::backup::check;
use super::client::Client;
use super::output;
use crate::say;
use anyhow::{Context as _, bail};
use clap::Args;
use rollcall_contract::backup::BackupLine;
use rollcall_contract::organizations::OrganizationPath;
use rollcall_contract::repair::{LostRecordBody, RepairLog, RepairPlanBody, RepairedBody};
use rollcall_contract::request_line::Nothing;
use rollcall_contract::route;
use serde::de::IgnoredAny;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use uuid::Uuid;

/// Repair the log of an organization of which records are missing or cannot be read
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("what").args(["plan", "input", "accept"]).required(true).multiple(true))]
pub struct Repair {
    /// The organization's slug or id
    #[arg(long, value_name = "SLUG")]
    org: String,
    /// Say what is lost and what can be done, and do nothing; exit code 1 if something is lost
    #[arg(long, conflicts_with = "accept")]
    plan: bool,
    /// A file made by `rollcall backup`: put back what was lost
    #[arg(long, value_name = "FILE", conflicts_with = "accept")]
    input: Option<PathBuf>,
    /// Let the log count without what was lost
    #[arg(long, requires = "because")]
    accept: bool,
    /// Why, for those who ask later
    #[arg(long, value_name = "TEXT", requires = "accept")]
    because: Option<String>,
}

/// Runs it.
pub async fn run(command: Repair, client: Client) -> anyhow::Result<Exit> {
    let path = OrganizationPath::of(command.org);
    let plan: RepairPlanBody = client.ask(&route::PLAN_REPAIR.line(&path, &Nothing)?).await?;
    let found = match &command.input {
        Some(file) => Some(records(file, &plan)?),
        None => None,
    };
    if command.plan {
        return show(&client, &plan, found.as_deref());
    }
    let body = RepairLog { records: found.unwrap_or_default(), because: command.because };
    if command.input.is_some() && body.records.is_empty() {
        bail!("the backup has nothing of what was lost");
    }
    let done: RepairedBody = client.tell(&route::REPAIR_LOG.line(&path, &Nothing)?, &body).await?;
    if client.json {
        output::json(&done)?;
    } else {
        say!("{} records put back, {} passed over", done.put_back.len(), done.passed_over.len());
        table(&done.passed_over);
        told(&done.then);
        if !done.lost.is_empty() {
            say!("Still lost:");
            table(&done.lost);
        }
    }
    Ok(if done.lost.is_empty() { Exit::Success } else { Exit::Difference })
}

fn show(client: &Client, plan: &RepairPlanBody, found: Option<&[Value]>) -> anyhow::Result<Exit> {
    if client.json {
        output::json(plan)?;
    } else if plan.lost.is_empty() {
        say!("Nothing is lost");
    } else {
        table(&plan.lost);
        say!("From a backup: rollcall log repair --org {} --input FILE", plan.organization_id);
        if let Some(found) = found {
            say!("That file has {} of these {} records", found.len(), plan.lost.len());
        }
        match plan.can_be_accepted {
            true => say!(
                "From nothing: rollcall log repair --org {} --accept --because \"...\", after a copy of what is there",
                plan.organization_id
            ),
            false => {
                say!("From nothing: not possible, what brought the organization into being is lost")
            }
        }
        told(&plan.then);
    }
    Ok(if plan.lost.is_empty() { Exit::Success } else { Exit::Difference })
}

fn table(lost: &[LostRecordBody]) {
    let row = |lost: &LostRecordBody| {
        let unknown = || "-".to_owned();
        let subject = lost.subject.map_or_else(unknown, |id| id.to_string());
        let aggregate = lost.aggregate.clone().unwrap_or_else(unknown);
        vec![lost.position.to_string(), lost.was.clone(), aggregate, subject]
    };
    if !lost.is_empty() {
        let rows: Vec<_> = lost.iter().map(row).collect();
        output::table(&["POSITION", "RECORD", "ABOUT", "ID"], &rows);
    }
}

fn told(then: &[String]) {
    for step in then {
        match step.as_str() {
            "restart-provisioning" => {
                say!("Then: restart provisioning in Entra, so that it says anew who there is");
            }
            "review-credentials" => say!(
                "Then: look through credentials, keys and single sign-on: a revocation may be lost"
            ),
            other => say!("Then: {other}"),
        }
    }
}

/// The records of a backup that are lost, as they stand in it. The file is checked as a whole first.
fn records(file: &Path, plan: &RepairPlanBody) -> anyhow::Result<Vec<Value>> {
    check(file)?;
    let lost: BTreeSet<u64> = plan.lost.iter().map(|lost| lost.position).collect();
    let wanted = |record: &Value| {
        let of = record["stream"]["organization"].as_str().and_then(|id| id.parse::<Uuid>().ok());
        let position = record["position"].as_u64();
        of == Some(plan.organization_id) && position.is_some_and(|at| lost.contains(&at))
    };
    let open = File::open(file).with_context(|| format!("cannot read {}", file.display()))?;
    let mut found = Vec::new();
    for line in BufReader::with_capacity(1 << 18, open).lines() {
        if let Ok(BackupLine::Record { record }) =
            serde_json::from_str::<BackupLine<Value, IgnoredAny>>(&line?)
            && wanted(&record)
        {
            found.push(*record);
        }
    }
    Ok(found)
}
