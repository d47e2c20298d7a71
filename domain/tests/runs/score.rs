//! How much of the truth was found.

use rollcall_domain::ids::{OrganizationId, RunId};
use rollcall_domain::run::{Fact, Inference, Run, RunKind};
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use uuid::Uuid;

#[derive(Default)]
pub struct Score {
    pub exchanges: usize,
    pub placed: usize,
    pub sessions: usize,
    /// Runs that are no session's main run.
    pub surplus: usize,
    pub right: usize,
    misses: BTreeMap<(RunKind, Option<RunKind>), usize>,
}

impl Score {
    /// Infers runs and compares. A session's run is the one that holds most of it, if most of what
    /// that run holds is the session's.
    pub fn of(facts: &[(Fact, usize)], kinds: &[RunKind]) -> Self {
        let organization = OrganizationId(Uuid::from_u128(9));
        let mut inference = Inference::default();
        let mut runs: HashMap<RunId, Run> = HashMap::new();
        let mut assigned = Vec::new();
        for (fact, session) in facts {
            let observed = inference.observe(organization, fact);
            assigned.push((observed.run, *session));
            runs.extend(observed.settled.into_iter().map(|run| (run.id, run)));
        }
        runs.extend(inference.open_runs().map(|run| (run.id, run)));
        let mut held: HashMap<RunId, HashMap<usize, usize>> = HashMap::new();
        for (run, session) in &assigned {
            *held.entry(*run).or_default().entry(*session).or_default() += 1;
        }
        let mut main: HashMap<usize, (usize, RunId)> = HashMap::new();
        for (run, sessions) in &held {
            let (session, n) = sessions
                .iter()
                .max_by_key(|(s, n)| (**n, usize::MAX - **s))
                .map(|(s, n)| (*s, *n))
                .unwrap();
            let best = main.entry(session).or_insert((n, *run));
            if (n, *run) > *best {
                *best = (n, *run);
            }
        }
        let mut score = Score {
            exchanges: facts.len(),
            sessions: kinds.len(),
            surplus: held.len() - main.len(),
            ..Score::default()
        };
        score.placed = main.values().map(|(n, _)| n).sum();
        for (session, kind) in kinds.iter().enumerate() {
            let found = main.get(&session).map(|(_, run)| runs[run].kind);
            if found == Some(*kind) {
                score.right += 1;
            } else {
                *score.misses.entry((*kind, found)).or_default() += 1;
            }
        }
        // Every exchange is in exactly one run, and every run counts what it holds.
        for (run, sessions) in &held {
            assert_eq!(runs[run].tally.exchanges, sessions.values().sum::<usize>() as u64);
        }
        score
    }

    pub fn add(&mut self, other: &Score) {
        self.exchanges += other.exchanges;
        self.placed += other.placed;
        self.sessions += other.sessions;
        self.surplus += other.surplus;
        self.right += other.right;
        for (miss, n) in &other.misses {
            *self.misses.entry(*miss).or_default() += n;
        }
    }

    pub fn share_of_exchanges(&self) -> f64 {
        self.placed as f64 / self.exchanges as f64
    }

    /// Surplus runs count as wrong ones.
    pub fn share_of_kinds(&self) -> f64 {
        self.right as f64 / (self.sessions + self.surplus) as f64
    }

    pub fn print_misses(&self) {
        for ((truth, found), n) in &self.misses {
            println!(
                "    {n} x {} taken for {}",
                truth.as_str(),
                found.map_or("part of another run", RunKind::as_str)
            );
        }
    }
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:7} exchanges, {:6.2} % in the right run; {:4} runs, {:6.2} % of the right kind ({} surplus)",
            self.exchanges,
            self.share_of_exchanges() * 100.0,
            self.sessions,
            self.share_of_kinds() * 100.0,
            self.surplus
        )
    }
}
