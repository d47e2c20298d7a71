//! A job outlives what goes wrong in a pass, and ends with the server.

use super::*;
use crate::host::{Host, HostSetup};
use chrono::DateTime;
use rollcall_engine::ids::Random;
use rollcall_stores::Stores;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Panics in its first pass, cannot do all in its second, and counts.
struct Shaky(Arc<AtomicUsize>);

impl Job for Shaky {
    const NAME: &'static str = "shaky";

    fn pause(&self) -> Duration {
        Duration::from_millis(1)
    }

    async fn pass(&mut self, _: &App) -> Result<(), Incomplete> {
        match self.0.fetch_add(1, Ordering::SeqCst) {
            0 => panic!("the first pass of the test's job, as it should"),
            1 => Incomplete::unless_none(2),
            _ => Ok(()),
        }
    }
}

#[tokio::test]
async fn a_job_goes_on_after_a_panic_and_ends_with_the_server() {
    let setup = HostSetup {
        stores: Stores::in_memory().expect("memory"),
        random: Random::seeded(1),
        start: DateTime::UNIX_EPOCH,
        public_url: "https://rollcall.example.com".to_owned(),
        operator_key: None,
        config: HostSetup::config(),
    };
    let host = Host::open(setup).await.expect("a host");
    let (stop, stopping) = watch::channel(false);
    let passes = Arc::new(AtomicUsize::new(0));
    let mut jobs = Background::start(host.app(), &Doors::new(host.app()), &stopping);
    jobs.add(Shaky(passes.clone()), host.app(), &stopping);
    while passes.load(Ordering::SeqCst) < 4 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    stop.send(true).expect("somebody listens");
    jobs.ended().await;
    let at_the_end = passes.load(Ordering::SeqCst);
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(passes.load(Ordering::SeqCst), at_the_end);
}

#[test]
fn a_pass_is_whole_or_says_of_how_many_it_is_not() {
    assert!(Incomplete::unless_none(0).is_ok());
    assert_eq!(
        Incomplete::unless_none(2).unwrap_err().to_string(),
        "it failed for 2 of its organizations"
    );
}
