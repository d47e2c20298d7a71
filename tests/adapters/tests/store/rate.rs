//! How fast appends are. Run with `--ignored --nocapture --release`; nothing is asserted, because
//! disks differ.

use crate::fixture;
use crate::given::*;
use rollcall_domain::log::{Append, Log};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

const FOR: Duration = Duration::from_secs(3);

/// What a PATCH writes: one event of about 330 bytes, an exchange with a body, now and then a
/// claim.
fn patch(caller: u128, n: u64) -> Append {
    let mut append = write(user(caller), n, 1).exchange((caller << 64) | u128::from(n));
    if let Some(write) = &mut append.write {
        write.events[0].payload = format!(
            r#"{{"UserChanged":{{"changes":[{{"attribute":"title","after":"{}"}}]}}}}"#,
            "x".repeat(280)
        );
    }
    append
}

/// User and system time of this process so far: says more than the clock on a machine that is
/// shared.
fn processor_time() -> anyhow::Result<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> =
        stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().collect();
    // Fields 14 and 15 of proc(5), counted from the third; in hundredths of a second on Linux.
    let ticks: u64 = [11, 12].iter().filter_map(|i| fields.get(*i)?.parse::<u64>().ok()).sum();
    Ok(Duration::from_millis(ticks * 10))
}

async fn measure(name: &str, log: Arc<dyn Log>, callers: u128) -> anyhow::Result<()> {
    let (start, before) = (Instant::now(), processor_time()?);
    let mut running = JoinSet::new();
    for caller in 0..callers {
        let log = log.clone();
        running.spawn(async move {
            let base = callers * 1000 + caller;
            let mut n = 0;
            while start.elapsed() < FOR {
                log.append(patch(base, n)).await?;
                n += 1;
            }
            anyhow::Ok(n)
        });
    }
    let mut total: u64 = 0;
    while let Some(n) = running.join_next().await {
        total += n??;
    }
    let (rate, cost) = (
        total as f64 / start.elapsed().as_secs_f64(),
        (processor_time()? - before).as_micros() / u128::from(total.max(1)),
    );
    println!(
        "{name}: {callers} callers, {rate:.0} appends/s, {cost} us of our processor time each"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "measures, and asserts nothing"]
async fn appends_per_second() -> anyhow::Result<()> {
    for callers in [1, 32, 128] {
        measure("sqlite file", fixture::sqlite_file::log().await?.log, callers).await?;
        measure("postgres", fixture::postgres::log().await?.log, callers).await?;
        measure("kurrent's stand-in", fixture::kurrent::log().await?.log, callers).await?;
    }
    Ok(())
}
