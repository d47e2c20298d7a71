//! `rollcall review`

use super::Exit;
use super::client::Client;
use super::format::Format;
use super::output;
use clap::builder::PossibleValuesParser;
use clap::{ArgGroup, Args, Subcommand, ValueEnum};
use rollcall_contract::findings::{FINDS, FindingQuery};
use rollcall_contract::organizations::OrganizationPath;
use rollcall_contract::request_line::Nothing;
use rollcall_contract::review::{
    AccessQuery, AccessRow, DecisionKept, DecisionVerdict, NewDecision, ReviewBody,
};
use rollcall_contract::route;
use std::path::PathBuf;

/// Write an access review as evidence
#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("whose").required(true).multiple(true),
    subcommand_negates_reqs = true,
    args_conflicts_with_subcommands = true
)]
pub struct Review {
    #[command(subcommand)]
    decide: Option<Then>,
    /// The organization's slug
    #[arg(long, value_name = "SLUG", required = true)]
    org: Option<String>,
    /// Of every group
    #[arg(long, group = "whose", conflicts_with_all = ["group", "user"])]
    all_groups: bool,
    /// In place of who was where: who never signed in, or not for a time; who left, and when their
    /// memberships ended; groups that nobody is in
    #[arg(long, group = "whose", value_name = "WHAT", value_parser = PossibleValuesParser::new(FINDS), conflicts_with_all = ["all_groups", "group", "user"])]
    find: Option<String>,
    /// With --find idle: for so many days; 90, if absent
    #[arg(long, value_name = "DAYS", requires = "find")]
    idle_days: Option<u32>,
    /// Of this group: its displayName, its external id or its id
    #[arg(long, group = "whose", value_name = "NAME|ID")]
    group: Option<String>,
    /// Of this person: userName, mail address, external id or id
    #[arg(long, group = "whose", value_name = "NAME|ID")]
    user: Option<String>,
    /// At a moment: 2026-11-24, 2026-11-24T08:00:00Z, position:N, run:ID or -2d; now, if absent
    #[arg(long, value_name = "MOMENT", allow_hyphen_values = true, conflicts_with_all = ["from", "to"])]
    as_of: Option<String>,
    /// Everybody who was there at any time from this moment on
    #[arg(long, value_name = "MOMENT", allow_hyphen_values = true)]
    from: Option<String>,
    /// To this moment; now, if absent
    #[arg(long, value_name = "MOMENT", allow_hyphen_values = true)]
    to: Option<String>,
    /// How it is written: csv, if absent; json with --json
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// The file to make; it must not exist. Standard output if absent
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// What comes of it.
#[derive(Debug, Subcommand)]
enum Then {
    /// Keep what was decided about somebody's access; it changes nobody's access
    Decide(Decide),
}

/// What is decided.
#[derive(Debug, Args)]
struct Decide {
    /// The organization's slug
    #[arg(long, value_name = "SLUG")]
    org: String,
    /// In which group: its displayName, its external id or its id
    #[arg(long, value_name = "NAME|ID")]
    group: String,
    /// Whose access: userName, mail address, external id or id
    #[arg(long, value_name = "NAME|ID")]
    user: String,
    /// What is decided
    #[arg(long, value_enum)]
    verdict: Verdict,
    /// Why; a note needs it
    #[arg(long, value_name = "TEXT")]
    remark: Option<String>,
    /// As of which moment it was looked at; now, if absent
    #[arg(long, value_name = "MOMENT", allow_hyphen_values = true)]
    as_of: Option<String>,
}

/// What can be decided.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Verdict {
    /// It is right, and stays
    Keep,
    /// It is to end
    Remove,
    /// Neither: something is remarked
    Note,
}

async fn decide(decide: Decide, client: &Client) -> anyhow::Result<Exit> {
    let path = OrganizationPath::of(decide.org);
    let query = AccessQuery {
        group: Some(decide.group),
        user: Some(decide.user),
        as_of: decide.as_of,
        format: rollcall_contract::format::Format::Json,
        ..AccessQuery::default()
    };
    let review: ReviewBody = client.ask(&route::REVIEW_ACCESS.line(&path, &query)?).await?;
    let [AccessRow { group_id, member_id, since_position, .. }] = review.rows.as_slice() else {
        anyhow::bail!("they were not in that group then: `rollcall review` shows who was");
    };
    let new = NewDecision {
        group_id: *group_id,
        member_id: *member_id,
        since_position: *since_position,
        seen_position: review.head.to.position,
        verdict: match decide.verdict {
            Verdict::Keep => DecisionVerdict::Keep,
            Verdict::Remove => DecisionVerdict::Remove,
            Verdict::Note => DecisionVerdict::Note,
        },
        remark: decide.remark,
    };
    let line = route::DECIDE_ACCESS.line(&path, &Nothing)?;
    let kept: DecisionKept = client.tell(&line, &new).await?;
    if client.json {
        output::json(&kept)?;
    } else {
        output::pairs(&[("Kept at position", kept.position.to_string())]);
    }
    Ok(Exit::Success)
}

/// Runs it.
pub async fn run(command: Review, client: Client) -> anyhow::Result<Exit> {
    let Review { org, all_groups: _, find, idle_days, decide: then, .. } = command;
    if let Some(Then::Decide(then)) = then {
        return decide(then, &client).await;
    }
    let org = org.unwrap_or_default();
    let Review { group, user, as_of, from, to, format, output: file, .. } = command;
    let format = Format::of(format, Format::Csv, &client, file.as_deref())?.into();
    let path = OrganizationPath::of(org);
    let line = match find {
        Some(find) => {
            let query = FindingQuery { find, idle_days, as_of, from, to, format };
            route::REVIEW_FINDINGS.line(&path, &query)?
        }
        None => {
            let query = AccessQuery { group, user, as_of, from, to, format };
            route::REVIEW_ACCESS.line(&path, &query)?
        }
    };
    client.download(&line, file.as_deref()).await?;
    Ok(Exit::Success)
}
