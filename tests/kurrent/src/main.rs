//! The stand-in as a process of its own, so that it can be killed.

use clap::Parser;
use rollcall_kurrent_standin::{Faults, Settings, serve};
use std::path::PathBuf;

/// A stand-in for a KurrentDB server, for tests. Without TLS, without users.
#[derive(Parser)]
struct Arguments {
    /// Where it listens; port 0 chooses one. What was chosen is its first line of output.
    #[arg(long, default_value = "127.0.0.1:2113")]
    listen: String,
    /// The file that holds the events.
    #[arg(long)]
    file: PathBuf,
    /// Loses the answer of every so many appends after it was written; 0 loses none.
    #[arg(long, default_value_t = 0)]
    lose_every: u64,
    /// Drops repetitions without an answer.
    #[arg(long)]
    silent_repetitions: bool,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let listener = tokio::net::TcpListener::bind(&arguments.listen).await?;
    println!("esdb://{}?tls=false", listener.local_addr()?);
    let faults = Faults::default();
    faults.lose_every(arguments.lose_every);
    faults.leave_repetitions_unanswered(arguments.silent_repetitions);
    serve(listener, Settings::new(arguments.file), faults).await
}
