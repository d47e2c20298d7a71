//! What a run was, from what happened in it and where it stands in the rhythm.

use super::evidence::Evidence;
use super::kind::{Confidence, RunKind};
use super::open::Open;
use super::rhythm::Rhythm;

/// What is known of the client besides the run.
pub(super) struct Client<'a> {
    /// The cycles before.
    pub rhythm: &'a Rhythm,
    /// Resources it has ever touched in other runs.
    pub known: u64,
    /// Whether it ever looked for a GUID that nobody has.
    pub probes: bool,
    /// Whether most of its PATCH requests have the new shape.
    pub flagged: bool,
}

/// What a run was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub kind: RunKind,
    pub confidence: Confidence,
    pub evidence: Vec<Evidence>,
}

/// Decides what a run was.
pub(super) fn classify(run: &Open, client: &Client) -> Verdict {
    let mut evidence = Vec::new();
    for probe in &run.probes {
        evidence.push(Evidence::Probe { attribute: probe.attribute.clone() });
        evidence.extend(probe.failed.map(|status| Evidence::ProbeFailed { status }));
    }
    let (kind, confidence) = decide(run, client, &mut evidence);
    Verdict { kind, confidence, evidence }
}

fn decide(run: &Open, client: &Client, evidence: &mut Vec<Evidence>) -> (RunKind, Confidence) {
    if let Some(operation) = &run.foreign {
        evidence.push(Evidence::Foreign { operation: operation.clone() });
        return (RunKind::OtherClient, Confidence::High);
    }
    if run.paging {
        evidence.push(Evidence::Paging);
        return (RunKind::AccountDiscovery, Confidence::High);
    }
    let (users, groups) = (run.tally.users.count(), run.tally.groups.count());
    if users + groups > 0 {
        evidence.push(Evidence::Subjects { users, groups });
    }
    if run.probes.is_empty() {
        return without_probe(run, client, evidence);
    }
    if run.is_only_probes() {
        evidence.push(Evidence::ProbeOnly);
    }
    if run.inside && run.is_small() {
        return inside(run, client, evidence);
    }
    let Some(due) = client.rhythm.is_due(run.tally.began) else {
        evidence.push(Evidence::NothingBefore);
        return match (users + groups, run.is_small()) {
            (0, _) => (RunKind::ConnectionTest, Confidence::High),
            (_, true) => (RunKind::OnDemand, Confidence::Medium),
            (_, false) => (RunKind::Initial, Confidence::High),
        };
    };
    if reads_again(run, client) {
        evidence.push(Evidence::ReadAgain { touched: users + groups, known: client.known });
        return (RunKind::Restart, if due { Confidence::Medium } else { Confidence::High });
    }
    let since = client.rhythm.since(run.tally.began).unwrap_or_default().num_minutes();
    let usual = client.rhythm.usual().num_minutes();
    if due {
        evidence.push(Evidence::Due { minutes: since, usual });
        let on_time =
            client.rhythm.last().is_some_and(|last| client.rhythm.follows(last, run.tally.began));
        return (
            RunKind::Incremental,
            if on_time || !run.is_small() { Confidence::High } else { Confidence::Medium },
        );
    }
    evidence.push(Evidence::NotDue { minutes: since, usual });
    match (users + groups, run.is_small()) {
        (0, _) => (RunKind::ConnectionTest, Confidence::High),
        (_, true) => (RunKind::OnDemand, Confidence::High),
        (_, false) => (RunKind::Incremental, Confidence::Low),
    }
}

fn without_probe(
    run: &Open,
    client: &Client,
    evidence: &mut Vec<Evidence>,
) -> (RunKind, Confidence) {
    if !client.probes {
        evidence.push(Evidence::NeverProbes);
        return (RunKind::OtherClient, Confidence::High);
    }
    evidence.push(Evidence::NoProbe);
    // The lookup may have been lost: a request that could not be recorded is in no log.
    if run.tally.subjects() > 1 {
        (RunKind::Incremental, Confidence::Low)
    } else {
        (RunKind::OtherClient, Confidence::Low)
    }
}

fn inside(run: &Open, client: &Client, evidence: &mut Vec<Evidence>) -> (RunKind, Confidence) {
    evidence.push(Evidence::InsideCycle);
    if run.tally.subjects() == 0 {
        return (RunKind::ConnectionTest, Confidence::Medium);
    }
    let mut confidence = Confidence::Medium;
    if client.flagged && run.legacy > 0 && run.modern == 0 {
        evidence.push(Evidence::LegacyShape);
        confidence = Confidence::High;
    }
    if run.own_source {
        evidence.push(Evidence::OwnSource);
        confidence = Confidence::High;
    }
    (RunKind::OnDemand, confidence)
}

/// Whether most of what the client knows was touched: with few changes among them, or so many
/// that it cannot be what changed since the cycle before.
fn reads_again(run: &Open, client: &Client) -> bool {
    let touched = run.tally.subjects();
    let unchanged = run.tally.written.count() * 2 <= touched;
    touched >= 3 && touched * 10 >= client.known * 6 && unchanged
        || touched >= 20 && touched * 10 >= client.known * 9
}
