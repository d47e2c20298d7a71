//! `rollcall log`

use super::Exit;
use super::client::Client;
use super::output;
use super::repair::{self, Repair};
use crate::say;
use clap::Subcommand;
use rollcall_contract::log::{AcceptLog, ClockCorrectedBody, CorrectClock, LogBody};
use rollcall_contract::request_line::Nothing;
use rollcall_contract::route;

/// The log itself
#[derive(Debug, Subcommand)]
pub enum Log {
    /// Which log is served, and whether it is; exit code 1 if not
    Show,
    /// Let the log count as it is, although it is not the one that was known: what is lost is lost
    Accept {
        /// Why, for those who ask later
        #[arg(long, value_name = "TEXT")]
        because: String,
    },
    /// Let time go back to the clock, which had run ahead for a while and is right now: what was
    /// recorded meanwhile counts as recorded no later than this
    CorrectClock {
        /// Why, for those who ask later
        #[arg(long, value_name = "TEXT")]
        because: String,
    },
    Repair(Repair),
}

/// Runs it.
pub async fn run(command: Log, client: Client) -> anyhow::Result<Exit> {
    let log: LogBody = match command {
        Log::Repair(command) => return repair::run(command, client).await,
        Log::CorrectClock { because } => return correct_clock(because, client).await,
        Log::Show => client.ask(&route::SHOW_LOG.line(&Nothing, &Nothing)?).await?,
        Log::Accept { because } => {
            let line = route::ACCEPT_LOG.line(&Nothing, &Nothing)?;
            client.tell(&line, &AcceptLog { because }).await?
        }
    };
    let is_closed = log.closed.is_some();
    if client.json {
        output::json(&log)?;
    } else {
        say!("Epoch   {}", log.epoch);
        match &log.closed {
            None => say!("Served  yes"),
            Some(closed) => say!("Served  no ({}): {}", closed.reason, closed.detail),
        }
        for tail in &log.lost {
            say!(
                "Lost    {}: positions {} to {}, exchanges {} to {}",
                tail.organization_id,
                tail.position + 1,
                tail.known_position,
                tail.exchange + 1,
                tail.known_exchange
            );
        }
    }
    Ok(if is_closed { Exit::Difference } else { Exit::Success })
}

async fn correct_clock(because: String, client: Client) -> anyhow::Result<Exit> {
    let line = route::CORRECT_CLOCK.line(&Nothing, &Nothing)?;
    let corrected: ClockCorrectedBody = client.tell(&line, &CorrectClock { because }).await?;
    if client.json {
        output::json(&corrected)?;
    } else {
        output::pairs(&[
            ("Was", output::instant(corrected.was)),
            ("Is", output::instant(corrected.is)),
            ("Organizations", format!("{} had later records", corrected.organizations.len())),
        ]);
    }
    Ok(Exit::Success)
}
