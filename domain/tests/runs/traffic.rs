//! Traffic of a tenant with known truth: which session each exchange belongs to, and what it was.

use chrono::{DateTime, Duration, Utc};
use rollcall_domain::ids::{ExchangeId, TokenId};
use rollcall_domain::run::{Action, Fact, Key, Lookup, RunKind, Shape};
use rollcall_domain::scim::ResourceKind;
use uuid::Uuid;

/// A small seeded generator (SplitMix64).
pub struct Rng(pub u64);

impl Rng {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
    /// From `low` to `high`, both included.
    pub fn pick(&mut self, low: i64, high: i64) -> i64 {
        low + i64::try_from(self.next() % u64::try_from(high - low + 1).unwrap()).unwrap()
    }
    pub fn chance(&mut self, percent: i64) -> bool {
        self.pick(1, 100) <= percent
    }
}

/// One client: an Entra job, with its way to write and to address.
#[derive(Clone)]
pub struct Job {
    pub token: TokenId,
    pub sources: Vec<&'static str>,
    pub shape: Shape,
    pub matching: &'static str,
    /// Milliseconds one request takes, to its answer.
    pub latency: (i64, i64),
    pub parallel: usize,
    pub prefix: &'static str,
}

/// One request of a session.
pub struct Request {
    pub at: DateTime<Utc>,
    pub fact: Fact,
    pub session: usize,
}

/// What happened, and the truth about it.
pub struct Traffic {
    pub rng: Rng,
    pub requests: Vec<Request>,
    pub kinds: Vec<RunKind>,
    /// Linked users of each job, by prefix.
    linked: std::collections::HashMap<&'static str, i64>,
}

/// What a lane of work does to one object.
type Steps = Vec<Step>;

struct Step {
    action: Action,
    operation: &'static str,
    kind: ResourceKind,
    subject: Option<String>,
    status: u16,
    events: u64,
}

pub const GROUPS: i64 = 20;

impl Traffic {
    pub fn new(seed: u64) -> Self {
        Self { rng: Rng(seed), requests: Vec::new(), kinds: Vec::new(), linked: Default::default() }
    }

    /// The facts in the order in which they came in, numbered, with the session of each.
    pub fn finish(mut self) -> (Vec<(Fact, usize)>, Vec<RunKind>) {
        self.requests.sort_by_key(|r| r.at);
        let number = |(i, mut r): (usize, Request)| {
            r.fact.number = i as u64 + 1;
            r.fact.id = ExchangeId(Uuid::from_u128(i as u128 + 1));
            r.fact.at = r.at;
            (r.fact, r.session)
        };
        (self.requests.into_iter().enumerate().map(number).collect(), self.kinds)
    }

    fn session(&mut self, kind: RunKind) -> usize {
        self.kinds.push(kind);
        self.kinds.len() - 1
    }

    fn send(&mut self, job: &Job, session: usize, at: DateTime<Utc>, legacy: bool, step: Step) {
        let patch = step.action == Action::Patch;
        let source =
            job.sources[usize::try_from(self.rng.pick(0, job.sources.len() as i64 - 1)).unwrap()];
        let shape = match patch {
            true if legacy => Shape::Legacy,
            true => job.shape,
            false => Shape::None,
        };
        let fact = Fact {
            number: 0,
            id: ExchangeId(Uuid::nil()),
            at,
            token: job.token,
            source: Some(source.to_owned()),
            operation: step.operation.to_owned(),
            action: step.action,
            kind: Some(step.kind),
            subject: step.subject.as_deref().map(Key::of),
            status: step.status,
            events: step.events,
            shape,
        };
        self.requests.push(Request { at, fact, session });
    }

    fn latency(&mut self, job: &Job) -> Duration {
        Duration::milliseconds(self.rng.pick(job.latency.0, job.latency.1))
    }

    /// Lookups for a GUID that nobody has. Gives when they are answered.
    fn probe(
        &mut self,
        job: &Job,
        session: usize,
        at: DateTime<Utc>,
        groups: bool,
        status: u16,
    ) -> DateTime<Utc> {
        let mut at = at;
        for kind in
            [ResourceKind::User, ResourceKind::Group].into_iter().take(if groups { 2 } else { 1 })
        {
            let (attribute, operation) = if kind == ResourceKind::User {
                (job.matching, "users.list")
            } else {
                ("displayName", "groups.list")
            };
            let value = Key(self.rng.next());
            let found = (status == 200).then_some(0);
            let action =
                Action::Lookup(Lookup { attribute: attribute.into(), value, guid: true, found });
            self.send(
                job,
                session,
                at,
                false,
                Step { action, operation, kind, subject: None, status, events: 0 },
            );
            at += self.latency(job);
        }
        at
    }

    fn lookup(&self, job: &Job, kind: ResourceKind, id: &str, found: bool) -> Step {
        let (attribute, operation) = if kind == ResourceKind::User {
            (job.matching, "users.list")
        } else {
            ("displayName", "groups.list")
        };
        let guid = attribute == "externalId" && kind == ResourceKind::User;
        let value = Key::of(&format!("{id} value"));
        let action = Action::Lookup(Lookup {
            attribute: attribute.into(),
            value,
            guid,
            found: Some(u64::from(found)),
        });
        Step {
            action,
            operation,
            kind,
            subject: found.then(|| id.to_owned()),
            status: 200,
            events: 0,
        }
    }

    fn step(
        &self,
        kind: ResourceKind,
        verb: &'static str,
        id: &str,
        status: u16,
        events: u64,
    ) -> Step {
        let user = kind == ResourceKind::User;
        let (action, operation) = match verb {
            "read" => (Action::Read, if user { "users.read" } else { "groups.read" }),
            "create" => (Action::Create, if user { "users.create" } else { "groups.create" }),
            "patch" => (Action::Patch, if user { "users.patch" } else { "groups.patch" }),
            "delete" => (Action::Delete, if user { "users.delete" } else { "groups.delete" }),
            other => panic!("{other}"),
        };
        let subject = (verb != "create" || status < 400).then(|| id.to_owned());
        Step { action, operation, kind, subject, status, events }
    }

    /// Several objects at a time, one request after another for each. Gives when the last is
    /// answered.
    fn work(
        &mut self,
        job: &Job,
        session: usize,
        at: DateTime<Utc>,
        objects: Vec<Steps>,
    ) -> DateTime<Utc> {
        let mut free = vec![at; job.parallel];
        for steps in objects {
            let lane = (0..free.len()).min_by_key(|i| free[*i]).unwrap();
            for step in steps {
                let at = free[lane];
                self.send(job, session, at, false, step);
                free[lane] = at + self.latency(job);
            }
        }
        free.into_iter().max().unwrap()
    }

    fn user(&mut self, job: &Job) -> String {
        let n = self.linked.get(job.prefix).copied().unwrap_or(1).max(1);
        format!("{}-user-{}", job.prefix, self.rng.pick(0, n - 1))
    }

    fn new_user(&mut self, job: &Job) -> String {
        let n = self.linked.entry(job.prefix).or_default();
        *n += 1;
        format!("{}-user-{}", job.prefix, *n - 1)
    }

    fn group(&mut self, job: &Job) -> String {
        format!("{}-group-{}", job.prefix, self.rng.pick(0, GROUPS - 1))
    }

    fn creation(&mut self, job: &Job) -> Steps {
        let id = self.new_user(job);
        let status = if self.rng.chance(2) { 409 } else { 201 };
        vec![
            self.lookup(job, ResourceKind::User, &id, false),
            self.step(ResourceKind::User, "create", &id, status, u64::from(status == 201)),
        ]
    }

    /// Everything in scope, for the first time. Gives when it ends.
    pub fn initial(&mut self, job: &Job, at: DateTime<Utc>, users: i64) -> DateTime<Utc> {
        let session = self.session(RunKind::Initial);
        let at = self.probe(job, session, at, true, 200);
        let creations = (0..users).map(|_| self.creation(job)).collect();
        let at = self.work(job, session, at, creations);
        let groups = (0..GROUPS).map(|g| {
            let id = format!("{}-group-{g}", job.prefix);
            vec![
                self.lookup(job, ResourceKind::Group, &id, false),
                self.step(ResourceKind::Group, "create", &id, 201, 1),
            ]
        });
        let groups = groups.collect();
        let at = self.work(job, session, at, groups);
        let members = (0..GROUPS).map(|g| {
            let id = format!("{}-group-{g}", job.prefix);
            (0..1 + users / 100)
                .map(|_| self.step(ResourceKind::Group, "patch", &id, 204, 1))
                .collect()
        });
        let members = members.collect();
        self.work(job, session, at, members)
    }

    /// What changed since the cycle before. Gives when it ends.
    pub fn incremental(&mut self, job: &Job, at: DateTime<Utc>, changes: i64) -> DateTime<Utc> {
        let session = self.session(RunKind::Incremental);
        let groups = self.rng.chance(50);
        let at = self.probe(job, session, at, groups, 200);
        let (mut users, mut groups) = (Vec::new(), Vec::new());
        for _ in 0..changes {
            match self.rng.pick(1, 100) {
                1..=12 => users.push(self.creation(job)),
                13..=16 => {
                    let id = self.user(job);
                    users.push(vec![self.step(ResourceKind::User, "delete", &id, 204, 1)]);
                }
                17..=75 => {
                    let id = self.user(job);
                    let status = if self.rng.chance(3) { 400 } else { 200 };
                    let read = self.step(ResourceKind::User, "read", &id, 200, 0);
                    users.push(vec![
                        read,
                        self.step(
                            ResourceKind::User,
                            "patch",
                            &id,
                            status,
                            u64::from(status == 200),
                        ),
                    ]);
                }
                _ => {
                    let id = self.group(job);
                    groups.push(vec![
                        self.step(ResourceKind::Group, "read", &id, 200, 0),
                        self.step(ResourceKind::Group, "patch", &id, 204, 1),
                    ]);
                }
            }
        }
        let at = self.work(job, session, at, users);
        self.work(job, session, at, groups)
    }

    /// Everything linked is read again, by id. Gives when it ends.
    pub fn restart(&mut self, job: &Job, at: DateTime<Utc>) -> DateTime<Utc> {
        let session = self.session(RunKind::Restart);
        let at = self.probe(job, session, at, true, 200);
        let linked = self.linked.get(job.prefix).copied().unwrap_or(0);
        let users = (0..linked).map(|n| {
            let id = format!("{}-user-{n}", job.prefix);
            let mut steps = vec![self.step(ResourceKind::User, "read", &id, 200, 0)];
            if self.rng.chance(5) {
                steps.push(self.step(ResourceKind::User, "patch", &id, 200, 1));
            }
            steps
        });
        let users = users.collect();
        let at = self.work(job, session, at, users);
        let groups = (0..GROUPS).map(|g| {
            vec![self.step(
                ResourceKind::Group,
                "read",
                &format!("{}-group-{g}", job.prefix),
                200,
                0,
            )]
        });
        let groups = groups.collect();
        self.work(job, session, at, groups)
    }

    /// One user, or one group with a few members, by hand. The old shape whatever the flag says.
    pub fn on_demand(&mut self, job: &Job, at: DateTime<Utc>) -> DateTime<Utc> {
        let session = self.session(RunKind::OnDemand);
        let mut at = self.probe(job, session, at, false, 200)
            + Duration::milliseconds(self.rng.pick(200, 2_000));
        let mut steps = Vec::new();
        if self.rng.chance(75) {
            if self.rng.chance(25) {
                steps.extend(self.creation(job));
            } else {
                let id = self.user(job);
                steps.push(self.lookup(job, ResourceKind::User, &id, true));
                if self.rng.chance(70) {
                    steps.push(self.step(ResourceKind::User, "patch", &id, 200, 1));
                }
            }
        } else {
            let id = self.group(job);
            steps.push(self.lookup(job, ResourceKind::Group, &id, true));
            for _ in 0..self.rng.pick(1, 5) {
                let user = self.user(job);
                steps.push(self.lookup(job, ResourceKind::User, &user, true));
            }
            steps.push(self.step(ResourceKind::Group, "patch", &id, 204, 1));
        }
        for step in steps {
            self.send(job, session, at, true, step);
            at += self.latency(job) + Duration::milliseconds(self.rng.pick(50, 400));
        }
        at
    }

    /// The button in the portal.
    pub fn test(&mut self, job: &Job, at: DateTime<Utc>) -> DateTime<Utc> {
        let session = self.session(RunKind::ConnectionTest);
        let groups = self.rng.chance(50);
        self.probe(job, session, at, groups, 200)
    }

    /// A cycle of a job in quarantine: its lookup is refused.
    pub fn refused(&mut self, job: &Job, at: DateTime<Utc>) -> DateTime<Utc> {
        let session = self.session(RunKind::Incremental);
        self.probe(job, session, at, false, 401)
    }

    /// All accounts, page by page.
    pub fn discovery(&mut self, job: &Job, at: DateTime<Utc>, pages: i64) {
        let session = self.session(RunKind::AccountDiscovery);
        for page in 0..pages {
            let step = Step {
                action: Action::Page,
                operation: "users.list",
                kind: ResourceKind::User,
                subject: None,
                status: 200,
                events: 0,
            };
            self.send(job, session, at + Duration::seconds(page * 7), false, step);
        }
    }

    /// Somebody with a script and the same token.
    pub fn script(&mut self, job: &Job, at: DateTime<Utc>, requests: i64) {
        let session = self.session(RunKind::OtherClient);
        let source = if self.rng.chance(50) { job.sources[0] } else { "198.51.100.7" };
        let job = &Job { sources: vec![source], ..job.clone() };
        for n in 0..requests {
            let id = self.user(job);
            let step = Step {
                action: Action::Foreign,
                operation: "users.replace",
                kind: ResourceKind::User,
                subject: Some(id),
                status: 200,
                events: 1,
            };
            self.send(job, session, at + Duration::seconds(n), false, step);
        }
    }
}
