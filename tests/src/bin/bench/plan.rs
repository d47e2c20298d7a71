//! What is measured, read from the arguments.

use anyhow::{Context as _, Result, bail};
use rollcall_tests::bench::elsewhere::Load;
use rollcall_tests::server::binary;
use std::path::PathBuf;

/// What was asked for.
pub struct Plan {
    pub quick: bool,
    pub json: bool,
    pub only: Option<String>,
    pub folder: PathBuf,
    /// Tenant URL and token of another server.
    pub url: Option<String>,
    pub token: Option<String>,
    pub load: Load,
}

impl Plan {
    pub fn from_arguments() -> Result<Self> {
        // Data lies next to the build: the same disk for servers and baselines, and no RAM disk.
        let folder = binary()?.parent().context("a folder")?.join("bench-data");
        std::fs::create_dir_all(&folder)?;
        let load = Load { users: 1_000, connections: 8, seed: 1 };
        let mut plan =
            Self { quick: false, json: false, only: None, folder, url: None, token: None, load };
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--quick" => plan.quick = true,
                "--json" => plan.json = true,
                "--only" => plan.only = Some(arguments.next().context("--only needs names")?),
                "--url" => plan.url = Some(arguments.next().context("--url needs a tenant URL")?),
                "--token" => {
                    plan.token = Some(arguments.next().context("--token needs a secret token")?)
                }
                "--users" => {
                    plan.load.users = arguments.next().context("--users needs a number")?.parse()?
                }
                "--connections" => {
                    plan.load.connections =
                        arguments.next().context("--connections needs a number")?.parse()?
                }
                "--seed" => {
                    plan.load.seed = arguments.next().context("--seed needs a number")?.parse()?
                }
                other => bail!(
                    "unknown argument {other}; usage: bench [--quick] [--json] [--only client,sqlite,postgres,directory,review,history-sqlite,history-postgres,logins,signals,tenants,neighbours,cycles], or bench --url URL --token TOKEN [--users N] [--connections N] [--seed N] [--json]"
                ),
            }
        }
        Ok(plan)
    }

    pub fn wants(&self, name: &str) -> bool {
        self.only.as_ref().is_none_or(|only| only.split(',').any(|o| o == name))
    }

    pub fn pick<T>(&self, full: T, quick: T) -> T {
        if self.quick { quick } else { full }
    }

    pub fn say(&self, text: &str) {
        // Figures go to standard output, progress does not.
        eprintln!("{text}");
    }
}
