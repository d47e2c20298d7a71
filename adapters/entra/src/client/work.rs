//! The work on one object in one run: its requests, one after another, and its entry in the log.

use super::Client;
use super::body::Edit;
use super::run::Running;
use super::status::{Effect, Failure, INCOMPATIBLE, Purpose, judge, unanswered};
use crate::directory::{Delta, Group, User};
use crate::log::{
    Action, ErrorInformation, Identity, ModifiedProperty, ObjectSummary, Party, ProvisioningStep,
    Sent, StatusInfo, StepResult, StepType,
};
use crate::seed::Seed;
use crate::transport::{Answer, Method, Request, TransportError};
use bytes::Bytes;
use chrono::{DateTime, Duration, Utc};
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// How often a request is sent again that was answered 429.
const PATIENT: u32 = 3;

pub(super) struct Work<'a> {
    client: &'a Client,
    run: &'a Running,
    seed: Seed,
    change: Option<Uuid>,
    began: DateTime<Utc>,
    sent: u64,
    steps: Vec<ProvisioningStep>,
    modified: Vec<ModifiedProperty>,
    source: Identity,
    target: Identity,
    pub(super) action: Action,
}

/// How the work on an object ended, if nothing failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Done {
    /// The target was told something.
    Exported,
    /// There was nothing to tell, and why.
    Skipped(&'static str),
}

impl<'a> Work<'a> {
    pub(super) fn probe(client: &'a Client, run: &'a Running) -> Self {
        Self::new(client, run, run.seed.part("probe", 0), None)
    }

    /// Work on a user, a group, a reference; `part` tells several changes of one object apart.
    pub(super) fn on(client: &'a Client, run: &'a Running, subject: Delta, part: u64) -> Self {
        let (purpose, number) = match subject {
            Delta::User(user) => ("change user", u64::from(user.0)),
            Delta::Manager(user) => ("change manager", u64::from(user.0)),
            Delta::Group(group) => ("change group", u64::from(group.0)),
            Delta::Member(group, _) => ("change members", u64::from(group.0)),
        };
        let seed = run.seed.part(purpose, number).part("part", part);
        Self::new(client, run, seed, Some(seed.uuid("change", 0)))
    }

    fn new(client: &'a Client, run: &'a Running, seed: Seed, change: Option<Uuid>) -> Self {
        Self {
            client,
            run,
            seed,
            change,
            began: client.time.now(),
            sent: 0,
            steps: Vec::new(),
            modified: Vec::new(),
            source: Identity::default(),
            target: Identity::default(),
            action: Action::Other,
        }
    }

    pub(super) fn about_user(mut self, user: &User) -> Self {
        let mut details = Map::new();
        details.insert("UserPrincipalName".to_owned(), json!(user.user_principal_name));
        details.insert("objectId".to_owned(), json!(user.object_id));
        self.source = Identity {
            id: user.object_id.to_string(),
            display_name: user.display_name.clone(),
            identity_type: "User",
            details,
        };
        self.target = Identity {
            display_name: user.user_principal_name.clone(),
            identity_type: "User",
            ..Identity::default()
        };
        self.step(
            "EntryImport",
            StepType::Import,
            StepResult::Success,
            "Received the user from Microsoft Entra ID".to_owned(),
        );
        self
    }

    pub(super) fn about_group(mut self, group: &Group) -> Self {
        let details = Map::from_iter([("objectId".to_owned(), json!(group.object_id))]);
        self.source = Identity {
            id: group.object_id.to_string(),
            display_name: group.display_name.clone(),
            identity_type: "Group",
            details,
        };
        self.target = Identity {
            display_name: group.display_name.clone(),
            identity_type: "Group",
            ..Identity::default()
        };
        self.step(
            "EntryImport",
            StepType::Import,
            StepResult::Success,
            "Received the group from Microsoft Entra ID".to_owned(),
        );
        self
    }

    /// Somebody who is gone: nothing is known but the target's id.
    pub(super) fn about_gone(mut self, kind: &'static str) -> Self {
        self.source.identity_type = kind;
        self.target.identity_type = kind;
        self
    }

    pub(super) fn found(&mut self, id: impl std::fmt::Display) {
        self.target.id = id.to_string();
    }

    pub(super) fn step(
        &mut self,
        name: &'static str,
        kind: StepType,
        status: StepResult,
        description: String,
    ) {
        self.steps.push(ProvisioningStep {
            name,
            provisioning_step_type: kind,
            status,
            description,
            details: Map::new(),
        });
    }

    pub(super) fn modifies(&mut self, edits: &[Edit]) {
        let text = |v: &Value| v.as_str().map_or_else(|| v.to_string(), str::to_owned);
        self.modified.extend(edits.iter().map(|edit| ModifiedProperty {
            display_name: edit.target.to_string(),
            old_value: edit.old.as_ref().map(text),
            new_value: Some(text(&edit.new)),
        }));
    }

    pub(super) fn modifies_reference(&mut self, name: &str, old: Option<&str>, new: Option<&str>) {
        let modified = ModifiedProperty {
            display_name: name.to_owned(),
            old_value: old.map(str::to_owned),
            new_value: new.map(str::to_owned),
        };
        self.modified.push(modified);
    }

    /// Sends one request of this object and reads the answer's JSON; null if it has none.
    pub(super) async fn send(
        &mut self,
        purpose: Purpose,
        method: Method,
        target: String,
        body: Option<Value>,
    ) -> Result<Value, Failure> {
        let body = body.map(|b| Bytes::from(b.to_string()));
        for attempt in 0..=PATIENT {
            match self.once(method, target.clone(), body.clone()).await {
                Ok(answer) if answer.status == 429 && attempt < PATIENT => {
                    let wait =
                        Duration::seconds(i64::from(answer.retry_after.unwrap_or(5).min(60)));
                    self.client.time.sleep_until(self.client.time.now() + wait).await;
                }
                Ok(answer) => return self.read(purpose, &answer),
                Err(error) => return Err(unanswered(purpose, &error)),
            }
        }
        Err(Failure::new(Effect::NextCycle, "TooManyRequests", "StatusCode: 429"))
    }

    fn read(&self, purpose: Purpose, answer: &Answer) -> Result<Value, Failure> {
        judge(purpose, answer.status, &answer.body)?;
        if answer.body.is_empty() || purpose == Purpose::Delete {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&answer.body).map_err(|e| {
            Failure::new(Effect::Escrow, INCOMPATIBLE, format!("the answer is no JSON: {e}"))
        })
    }

    async fn once(
        &mut self,
        method: Method,
        target: String,
        body: Option<Bytes>,
    ) -> Result<Answer, TransportError> {
        self.sent += 1;
        let (bearer, at) = (self.client.state().bearer.clone(), self.client.time.now());
        let request = Request {
            method,
            target,
            body,
            bearer,
            at,
            luck: self.seed.part("request", self.sent),
        };
        let result = self.client.transport.send(&request).await;
        self.run.counted_request();
        let (status, error, exchanges) = match &result {
            Ok(answer) => (Some(answer.status), None, answer.exchanges.clone()),
            Err(TransportError::AnswerLost { exchanges }) => {
                (None, Some("the answer was lost".to_owned()), exchanges.clone())
            }
            Err(other) => (None, Some(other.to_string()), Vec::new()),
        };
        self.client.recorder.sent(Sent {
            cycle_id: self.run.id,
            change_id: self.change,
            at: request.at,
            method: method.as_str(),
            target: request.target,
            status,
            error,
            exchanges,
        });
        result
    }

    /// Tells the log how it ended.
    pub(super) fn end(self, outcome: &Result<Done, Failure>) {
        let Some(change_id) = self.change else { return };
        let run = self.run;
        let (status, error) = match outcome {
            Ok(Done::Exported) => {
                run.counted_export();
                (StepResult::Success, None)
            }
            Ok(Done::Skipped(reason)) => (
                StepResult::Skipped,
                Some(information(reason, "There was nothing to do", "nonServiceFailure")),
            ),
            Err(failure) => {
                run.counted_failure();
                (StepResult::Failure, Some(information(failure.code, &failure.reason, "failure")))
            }
        };
        let now = self.client.time.now();
        let client = self.client;
        client.recorder.summary(ObjectSummary {
            id: self.seed.uuid("summary", 0),
            activity_date_time: now,
            tenant_id: client.tenant_id,
            job_id: client.job_id.clone(),
            cycle_id: run.id,
            change_id,
            provisioning_action: self.action,
            duration_in_milliseconds: (now - self.began).num_milliseconds(),
            initiated_by: initiator(run, client),
            service_principal: party(
                client.service_principal.to_string(),
                &client.settings.application,
            ),
            source_system: party(
                client.seed.uuid("source system", 0).to_string(),
                "Microsoft Entra ID",
            ),
            target_system: party(
                client.seed.uuid("target system", 0).to_string(),
                &client.settings.application,
            ),
            source_identity: self.source,
            target_identity: self.target,
            provisioning_steps: self.steps,
            modified_properties: self.modified,
            provisioning_status_info: StatusInfo { status, error_information: error },
        });
    }
}

fn initiator(run: &Running, client: &Client) -> Party {
    let (name, kind) = match run.kind {
        crate::log::RunKind::OnDemand => ("Azure AD Provision on demand", "user"),
        _ => ("Azure AD Provisioning Service", "application"),
    };
    Party { initiator_type: Some(kind), ..party(client.seed.uuid(kind, 0).to_string(), name) }
}

fn party(id: String, name: &str) -> Party {
    Party { id, display_name: name.to_owned(), initiator_type: None }
}

fn information(code: &str, reason: &str, category: &'static str) -> ErrorInformation {
    let recommended = (category == "failure")
        .then(|| "https://go.microsoft.com/fwlink/?linkid=2125009".to_owned());
    ErrorInformation {
        error_code: code.to_owned(),
        reason: reason.to_owned(),
        additional_details: None,
        error_category: category,
        recommended_action: recommended,
    }
}
