//! What the server does without being asked: each job says what one pass of it is, and
//! [`Background`] runs the passes, one after another, until the server stops.
//!
//! Several servers on one store may run the same jobs: what is no news is no event.

mod audits;
mod certificates;
mod checkpoints;
mod consumers;
mod credentials;
pub mod cycles;
mod deliveries;
mod evidence;
mod identity;
mod job;
mod names;
pub mod retention;
pub mod sweep;
#[cfg(test)]
mod tests;
mod told;
mod watchdog;

pub use job::{Incomplete, Job};

use crate::notify;
use crate::router::Doors;
use audits::Audits;
use certificates::Certificates;
use checkpoints::Checkpoints;
use consumers::Followers;
use credentials::Credentials;
use cycles::Cycles;
use deliveries::Deliveries;
use evidence::Evidence;
use futures::FutureExt;
use identity::Identity;
use retention::Retention;
use rollcall_door::App;
use rollcall_engine::Names;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};
use sweep::Sweep;
use tokio::sync::watch;
use tokio::task::JoinSet;
use told::ToldByMail;
use watchdog::Watchdog;

/// How long jobs wait before they look again whether the log is open.
const WHILE_CLOSED: Duration = Duration::from_secs(1);

/// The jobs of a running server.
pub struct Background(JoinSet<()>);

impl Background {
    /// Starts all jobs.
    pub fn start(app: &Arc<App>, doors: &Doors, stopping: &watch::Receiver<bool>) -> Self {
        let mut jobs = Self(JoinSet::new());
        for folder in app.folders() {
            jobs.add(Sweep::new(folder.clone(), &app.config), app, stopping);
        }
        jobs.add(Identity::default(), app, stopping);
        jobs.add(Certificates::new(doors.sign_on.clone()), app, stopping);
        jobs.add(Credentials::default(), app, stopping);
        jobs.add(Cycles::default(), app, stopping);
        jobs.add(Names::default(), app, stopping);
        jobs.add(Followers::default(), app, stopping);
        jobs.add(Deliveries::new(doors.feed.postman(app)), app, stopping);
        jobs.add(Checkpoints::default(), app, stopping);
        jobs.add(Audits, app, stopping);
        jobs.add(Evidence, app, stopping);
        if let Some(mail) = &app.mail {
            jobs.add(ToldByMail::new(mail.clone()), app, stopping);
        }
        if let Some(keep) = app.config.keep_bodies_for {
            jobs.add(Retention::new(keep), app, stopping);
        }
        if let Some(patience) = notify::patience() {
            jobs.add(Watchdog::new(patience), app, stopping);
        }
        jobs
    }

    fn add(&mut self, job: impl Job, app: &Arc<App>, stopping: &watch::Receiver<bool>) {
        self.0.spawn(until_stopped(job, app.clone(), stopping.clone()));
    }

    /// Waits until all have ended, once the server stops.
    pub async fn ended(mut self) {
        while self.0.join_next().await.is_some() {}
    }
}

async fn until_stopped<J: Job>(mut job: J, app: Arc<App>, mut stopping: watch::Receiver<bool>) {
    tokio::select! {
        () = forever(&mut job, &app) => {}
        _ = stopping.wait_for(|stop| *stop) => {}
    }
}

async fn forever<J: Job>(job: &mut J, app: &App) {
    tokio::time::sleep(job.first()).await;
    let mut said = None;
    loop {
        if !J::WHILE_CLOSED && app.engine.closed().is_some() {
            tokio::time::sleep(WHILE_CLOSED).await;
            continue;
        }
        let began = Instant::now();
        // A job whose pass panicked goes on with the next.
        let outcome = match AssertUnwindSafe(job.pass(app)).catch_unwind().await {
            Ok(Ok(())) => Outcome::Done,
            Ok(Err(error)) => Outcome::Incomplete(error.to_string()),
            Err(_) => Outcome::Panicked,
        };
        metrics::counter!("rollcall_job_passes_total", "job" => J::NAME, "outcome" => outcome.as_str()).increment(1);
        metrics::histogram!("rollcall_job_seconds", "job" => J::NAME)
            .record(began.elapsed().as_secs_f64());
        // Some jobs pass many times in a second: what lasts is said once.
        if said.as_ref().unwrap_or(&Outcome::Done) != &outcome {
            outcome.tell(J::NAME);
        }
        said = Some(outcome);
        tokio::time::sleep(job.pause()).await;
    }
}

/// What a pass came to.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Done,
    Incomplete(String),
    Panicked,
}

impl Outcome {
    fn as_str(&self) -> &'static str {
        match self {
            Outcome::Done => "done",
            Outcome::Incomplete(_) => "incomplete",
            Outcome::Panicked => "panicked",
        }
    }

    fn tell(&self, job: &str) {
        match self {
            Outcome::Done => tracing::info!(job, "passes do all of it again"),
            Outcome::Incomplete(error) => {
                tracing::warn!(job, error, "a pass could not do all of it; the next ones try again")
            }
            Outcome::Panicked => tracing::error!(job, "a pass panicked; the next ones try again"),
        }
    }
}
