//! On what the figures were measured.

use crate::server::Server;
use anyhow::{Context as _, Result};
use serde::Serialize;
use std::fs;

/// The machine and the build.
#[derive(Clone, Debug, Serialize)]
pub struct Machine {
    /// CPU model as the kernel names it.
    pub cpu: String,
    /// Cores this process may use.
    pub cores: usize,
    /// Main memory in MiB.
    pub memory_mib: u64,
    /// Kernel release.
    pub kernel: String,
}

impl Machine {
    /// What the kernel says; `unknown` where it says nothing.
    pub fn here() -> Self {
        let field = |file: &str, name: &str| {
            let text = fs::read_to_string(file).unwrap_or_default();
            text.lines()
                .find(|l| l.starts_with(name))
                .and_then(|l| l.split_once(':'))
                .map(|(_, v)| v.trim().to_owned())
        };
        let memory = field("/proc/meminfo", "MemTotal")
            .and_then(|v| v.split(' ').next().and_then(|n| n.parse::<u64>().ok()));
        Self {
            cpu: field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown".to_owned()),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_mib: memory.unwrap_or(0) / 1024,
            kernel: fs::read_to_string("/proc/sys/kernel/osrelease")
                .map_or_else(|_| "unknown".to_owned(), |s| s.trim().to_owned()),
        }
    }
}

/// The most memory a process ever held (`VmHWM`), in MiB.
pub fn peak_memory_mib(pid: u32) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status
        .lines()
        .find(|l| l.starts_with("VmHWM:"))
        .ok_or_else(|| anyhow::anyhow!("no VmHWM for {pid}"))?;
    let kib: f64 = line.split_whitespace().nth(1).unwrap_or_default().parse()?;
    Ok(kib / 1024.0)
}

/// CPU time a process has used so far, in seconds.
fn cpu_seconds(pid: u32) -> Result<f64> {
    // Linux counts in hundredths for user space, whatever the kernel's own clock.
    const TICKS_PER_SECOND: f64 = 100.0;
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name in parentheses may hold anything; after it come the fields from the third on.
    let rest = stat.rsplit_once(')').map(|(_, rest)| rest).unwrap_or_default();
    let ticks: Vec<f64> =
        rest.split_whitespace().skip(11).take(2).map(str::parse).collect::<Result<_, _>>()?;
    anyhow::ensure!(ticks.len() == 2, "no CPU time for {pid}");
    Ok(ticks.iter().sum::<f64>() / TICKS_PER_SECOND)
}

/// The CPU time of a process since a moment: what a busy machine cannot distort.
#[derive(Debug)]
pub struct Cpu {
    pid: u32,
    before: f64,
}

impl Cpu {
    /// From now on, of a server.
    pub fn of_server(server: &Server) -> Result<Self> {
        Self::of(server.pid().context("the server does not run")?)
    }

    /// From now on, of any process.
    pub fn of(pid: u32) -> Result<Self> {
        Ok(Self { pid, before: cpu_seconds(pid)? })
    }

    /// Seconds used since.
    pub fn used(&self) -> Result<f64> {
        Ok(cpu_seconds(self.pid)? - self.before)
    }

    /// Microseconds used since for each request.
    pub fn micros_each(&self, requests: u64) -> Result<f64> {
        Ok(self.used()? * 1e6 / requests as f64)
    }
}
