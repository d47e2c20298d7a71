//! `rollcall ledger`

mod backup;
mod elsewhere;
mod export;
mod heads;
mod online;
mod output;
mod verify;

use clap::{Args, Subcommand};
use rollcall_cli::{Exit, Failure, ServerArgs, call};
use std::path::PathBuf;
use uuid::Uuid;

/// What proves that nothing in a log was changed, and nothing is missing
#[derive(Debug, Subcommand)]
pub enum Ledger {
    /// Write the whole ledger to a file that can be verified without a server
    Export {
        /// The organization's slug
        #[arg(long, value_name = "SLUG")]
        org: String,
        /// The file to make; it must not exist
        #[arg(long, value_name = "FILE")]
        output: PathBuf,
        #[command(flatten)]
        trust: Trust,
        #[command(flatten)]
        heads: Heads,
    },
    /// Verify a file without a server: a ledger, a backup, or the proof of one entry; exit code 1 if
    /// something differs
    Verify {
        /// A file made by `rollcall ledger export`, `rollcall ledger prove` or `rollcall backup`
        file: PathBuf,
        #[command(flatten)]
        trust: Trust,
        #[command(flatten)]
        elsewhere: Elsewhere,
        #[command(flatten)]
        heads: Heads,
    },
    /// Let the server recompute the ledger from its store, and hold it against the checkpoints you
    /// have seen before; exit code 1 if something differs
    Audit {
        /// The organization's slug
        #[arg(long, value_name = "SLUG")]
        org: String,
        #[command(flatten)]
        trust: Trust,
        #[command(flatten)]
        elsewhere: Elsewhere,
        #[command(flatten)]
        heads: Heads,
    },
    /// Prove that one record or exchange is in the ledger
    Prove {
        /// The organization's slug
        #[arg(long, value_name = "SLUG")]
        org: String,
        /// The record at this position
        #[arg(
            long,
            value_name = "N",
            conflicts_with = "exchange",
            required_unless_present = "exchange"
        )]
        position: Option<u64>,
        /// The exchange of this id
        #[arg(long, value_name = "ID")]
        exchange: Option<Uuid>,
        #[command(flatten)]
        elsewhere: Elsewhere,
        /// The file to make; it must not exist. Standard output if absent
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Sign the ledger as it is now, hold it against the checkpoints you have seen before, and
    /// remember it; exit code 1 if something differs
    Checkpoint {
        /// The organization's slug
        #[arg(long, value_name = "SLUG")]
        org: String,
        #[command(flatten)]
        trust: Trust,
        #[command(flatten)]
        heads: Heads,
    },
}

/// Whom the verifier trusts.
#[derive(Clone, Debug, Default, Args)]
pub struct Trust {
    /// The key that must have signed: `name+id+key`, or a file with it
    #[arg(long, value_name = "KEY", conflicts_with = "policy")]
    key: Option<String>,
    /// Logs and witnesses that must have signed (C2SP tlog-policy)
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
}

/// What the verifier has from elsewhere.
#[derive(Clone, Debug, Default, Args)]
pub struct Elsewhere {
    /// A checkpoint of the same ledger that you have from elsewhere, or a file that has one: an
    /// export's FILE.checkpoint, a review in any format, a page of a feed, a bundle, a backup,
    /// another ledger; may be given several times
    #[arg(long = "checkpoint", visible_alias = "head", value_name = "FILE")]
    checkpoints: Vec<PathBuf>,
}

/// Where the command remembers what it has seen.
#[derive(Clone, Debug, Default, Args)]
pub struct Heads {
    /// Folder of the checkpoints that were seen [default: $XDG_STATE_HOME/rollcall/heads]
    #[arg(long, env = "ROLLCALL_HEADS", value_name = "DIR")]
    heads: Option<PathBuf>,
}

/// Runs it.
pub fn run(command: Ledger, server: ServerArgs) -> Result<Exit, Failure> {
    match command {
        Ledger::Export { org, output, trust, heads } => {
            let (trust, heads) = (trust.read()?, heads.folder()?);
            call(server, async |client| export::export(client, &org, &output, &trust, &heads).await)
        }
        Ledger::Verify { file, trust, elsewhere, heads } => {
            verify::verify(&file, &trust.read()?, elsewhere.read()?, &heads.folder()?, server.json)
        }
        Ledger::Audit { org, trust, elsewhere, heads } => {
            let (trust, heads, given) = (trust.read()?, heads.folder()?, elsewhere.read()?);
            call(server, async |client| online::audit(client, &org, &trust, given, &heads).await)
        }
        Ledger::Prove { org, position, exchange, elsewhere, output } => {
            let given = elsewhere.read()?;
            call(server, async |client| {
                online::prove(client, &org, (position, exchange), given, output.as_deref()).await
            })
        }
        Ledger::Checkpoint { org, trust, heads } => {
            let (trust, heads) = (trust.read()?, heads.folder()?);
            call(server, async |client| online::checkpoint(client, &org, &trust, &heads).await)
        }
    }
}
