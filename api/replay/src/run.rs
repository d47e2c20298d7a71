//! A fork on a thread of its own: steps in, lines out.

use super::error::ReplayError;
use super::feed::{Feed, Step};
use super::scratch::{Scratch, Settings};
use metrics::NoopRecorder;
use rollcall_contract::replay::{ReplayLine, ReplaySummary};
use rollcall_engine::clock::Clock;
use tokio::sync::mpsc;

/// The lines of a replay as they come.
pub type Lines = mpsc::Receiver<ReplayLine>;

/// What happens to each exchange of a fork.
pub trait Replayer: Send + 'static {
    /// Takes one step.
    fn step(
        &mut self,
        scratch: &mut Scratch,
        step: Step,
        told: &mut Told,
    ) -> impl Future<Output = Result<(), ReplayError>>;

    /// Says what shows only once all steps were taken.
    fn end(&mut self, _told: &mut Told) -> impl Future<Output = Result<(), ReplayError>> {
        std::future::ready(Ok(()))
    }
}

/// What is told.
pub struct Told {
    /// Counts.
    pub summary: ReplaySummary,
    lines: mpsc::Sender<ReplayLine>,
}

impl Told {
    /// Tells a line.
    pub async fn tell(&self, line: ReplayLine) -> Result<(), ReplayError> {
        self.lines.send(line).await.map_err(|_| ReplayError::Unheard)
    }
}

/// Starts a fork; the last line is a summary, or says why there is none.
pub fn start(
    feed: Feed,
    settings: Settings,
    clock: Clock,
    replayer: impl Replayer,
) -> std::io::Result<Lines> {
    let (steps, incoming) = mpsc::channel(16);
    let (lines, receiver) = mpsc::channel(64);
    let organization = feed.organization;
    std::thread::Builder::new().name("replay".to_owned()).spawn(move || {
        // What happens in a fork is no traffic of this server, and its refusals no trouble.
        let _metrics = metrics::set_default_local_recorder(&NoopRecorder);
        let _logs = tracing::subscriber::set_default(tracing::subscriber::NoSubscriber::default());
        let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => {
                return drop(lines.blocking_send(ReplayLine::Broken { detail: error.to_string() }));
            }
        };
        runtime.block_on(async move {
            let started = clock.now();
            let mut told = Told { summary: ReplaySummary::default(), lines };
            let last = match replay(organization, &settings, incoming, replayer, &mut told).await {
                Ok(ended_at) => {
                    let seconds = (clock.now() - started).as_seconds_f64();
                    ReplayLine::Summary(ReplaySummary {
                        ended_at,
                        seconds,
                        ..std::mem::take(&mut told.summary)
                    })
                }
                Err(error) => ReplayLine::Broken { detail: error.to_string() },
            };
            let _ = told.tell(last).await;
        });
    })?;
    tokio::spawn(feed.run(steps));
    Ok(receiver)
}

async fn replay(
    organization: rollcall_domain::ids::OrganizationId,
    settings: &Settings,
    mut steps: mpsc::Receiver<Result<Step, ReplayError>>,
    mut replayer: impl Replayer,
    told: &mut Told,
) -> Result<u64, ReplayError> {
    let mut scratch = Scratch::open(organization, settings).await?;
    while let Some(step) = steps.recv().await {
        let step = step?;
        if matches!(step, Step::Exchange(..)) && told.summary.forked_at.is_none() {
            told.summary.forked_at = Some(scratch.position);
        }
        replayer.step(&mut scratch, step, told).await?;
    }
    replayer.end(told).await?;
    Ok(scratch.position)
}
