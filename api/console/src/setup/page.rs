//! The page of a setup, its checks, and what its forms do.

use super::mistakes::{self, Found};
use super::observe::observe;
use super::observed::Observed;
use super::steps::{State, Step, is_done};
use crate::signing::{Posted, Setter};
use crate::trouble::Trouble;
use crate::view::{Frame, Said, When, count, shown};
use askama::Template;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use rollcall_contract::organizations::{OrganizationBody, OrganizationPath};
use rollcall_contract::request_line::Nothing;
use rollcall_contract::route;
use rollcall_contract::saml::{KeyBody, NewMetadata, SamlBody};
use rollcall_contract::scim::EnableQuery;
use rollcall_contract::tokens::{NewToken, TokenIssued};

/// A step on the page.
struct Line {
    number: usize,
    title: &'static str,
    state: State,
    /// What was seen.
    seen: Option<String>,
    mistakes: Vec<Told>,
}

/// A mistake on the page.
struct Told {
    code: &'static str,
    title: &'static str,
    remedy: &'static str,
    evidence: Said,
}

/// How far it has come.
struct Progress {
    lines: Vec<Line>,
    done: usize,
    last_cycle: Option<String>,
    at: When,
}

impl Progress {
    fn is_complete(&self) -> bool {
        self.done == self.lines.len()
    }

    fn of(&self, number: &usize) -> &Line {
        &self.lines[number.saturating_sub(1).min(self.lines.len() - 1)]
    }
}

#[derive(Template)]
#[template(path = "setup.html")]
struct Page {
    frame: Frame,
    slug: String,
    saml: SamlBody,
    metadata_url: String,
    tenant_url: String,
    progress: Progress,
    certificate: Option<(String, When)>,
    issued: Option<TokenIssued>,
    refused: Option<(usize, String)>,
    has_token: bool,
}

#[derive(Template)]
#[template(path = "setup-checks.html")]
struct Checks {
    slug: String,
    progress: Progress,
}

/// The page.
pub async fn show(setter: Setter) -> Result<Response, Trouble> {
    page(&setter, None, None, None).await
}

/// The checks alone, for whoever has the page open.
pub async fn checks(setter: Setter) -> Result<Response, Trouble> {
    let seen = observe(&setter.0.visitor.app, &setter.0.organization).await?;
    Ok(shown(&Checks { slug: setter.0.slug(), progress: progress(&seen) }))
}

async fn page(
    setter: &Setter,
    issued: Option<TokenIssued>,
    refused: Option<(usize, String)>,
    typed: Option<String>,
) -> Result<Response, Trouble> {
    let reader = &setter.0;
    let slug = reader.slug();
    let (path, asker) = (OrganizationPath::of(slug.clone()), reader.asker());
    let (organization, saml) = tokio::try_join!(
        asker.ask::<OrganizationBody>(route::SHOW_ORGANIZATION.line(&path, &Nothing)),
        asker.ask::<SamlBody>(route::SHOW_SAML.line(&path, &Nothing)),
    )?;
    // As it is now: a form may have changed it since the request came in.
    let row = reader.visitor.app.organizations.by_id(reader.organization.id).await?;
    let row = row.ok_or_else(Trouble::nothing)?;
    let seen = observe(&reader.visitor.app, &row).await?;
    let ours = saml.certificates.iter().find(|c| c.state == "current");
    let page = Page {
        progress: progress(&seen),
        certificate: ours.map(|c| (c.sha256.clone(), When(c.not_after))),
        metadata_url: typed.or(saml.metadata_url.clone()).unwrap_or_default(),
        saml,
        tenant_url: organization.tenant_url,
        has_token: seen.token_issued.is_some(),
        issued,
        refused,
        frame: reader.frame("Set up", "setup"),
        slug,
    };
    Ok(shown(&page))
}

fn progress(seen: &Observed) -> Progress {
    let found = mistakes::found(seen);
    let lines: Vec<Line> = Step::ALL.into_iter().map(|step| line(step, seen, &found)).collect();
    let cycle = seen.runs.iter().find(|run| run.is_cycle && run.users > 0);
    Progress {
        done: lines.iter().filter(|line| line.state == State::Done).count(),
        lines,
        last_cycle: cycle.map(|run| {
            let (requests, users, groups) =
                (count(run.requests), count(seen.users), count(seen.groups));
            format!("{requests} requests, {users} users, {groups} groups, {} refused", run.failures)
        }),
        at: When(seen.now),
    }
}

fn line(step: Step, seen: &Observed, found: &[Found]) -> Line {
    let mistakes: Vec<Told> = found
        .iter()
        .filter(|found| found.mistake.step() == step)
        .map(|found| Told {
            code: found.mistake.as_str(),
            title: found.mistake.title(),
            remedy: found.mistake.remedy(),
            evidence: Said(found.evidence.clone()),
        })
        .collect();
    let state = match (mistakes.is_empty(), is_done(step, seen)) {
        (false, _) => State::Wrong,
        (true, true) => State::Done,
        (true, false) => State::Waiting,
    };
    Line { number: step.number(), title: step.title(), state, seen: evidence(step, seen), mistakes }
}

/// What was seen of a step, for people.
fn evidence(step: Step, seen: &Observed) -> Option<String> {
    let at = |at: chrono::DateTime<chrono::Utc>| When(at).plain();
    match step {
        Step::Metadata => seen.identity_provider.as_ref().map(|idp| format!("Read: {idp}")),
        Step::Certificate => seen.has_key.then(|| "A certificate is in use.".to_owned()),
        Step::TestLogin => seen.logins.first().map(|login| {
            let who = login.name_id.as_deref().unwrap_or("somebody");
            let outcome = match (login.accepted, login.reason.as_deref()) {
                (true, _) => "accepted",
                (false, reason) => reason.unwrap_or("refused"),
            };
            format!("Last sign-in {}: {who}, {outcome}", at(login.at))
        }),
        Step::UniqueUserIdentifier => {
            let name = seen.logins.first().and_then(|login| login.name_id.as_deref());
            name.map(|name| format!("Last sign-in came as {name}"))
        }
        Step::Token => seen.token_issued.map(|issued| format!("Token issued {}", at(issued))),
        Step::TestConnection => seen.arrived.map(|came| format!("Last request {}", at(came))),
        Step::Assignment | Step::Mappings => (seen.users > 0).then(|| {
            format!("{} users and {} groups are here", count(seen.users), count(seen.groups))
        }),
        Step::Start => seen.runs.iter().find(|run| run.is_cycle).map(|run| {
            let (requests, failures) = (count(run.requests), run.failures);
            let state = if run.is_open { "under way" } else { "ended" };
            format!(
                "Last cycle {}: {requests} requests, {failures} refused, {state}",
                at(run.began)
            )
        }),
        Step::Application | Step::SingleSignOn => None,
    }
}

/// Shows a refusal beside the step that it is about; what was typed stays.
async fn refused(
    setter: &Setter,
    step: Step,
    trouble: Trouble,
    typed: Option<String>,
) -> Result<Response, Trouble> {
    match trouble {
        Trouble::Refused(problem) if problem.status < 500 => {
            let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::BAD_REQUEST);
            let refused = Some((step.number(), problem.detail));
            let mut page = page(setter, None, refused, typed).await?;
            *page.status_mut() = status;
            Ok(page)
        }
        trouble => Err(trouble),
    }
}

fn back(slug: &str, step: Step) -> Response {
    let setup = rollcall_contract::console::SETUP_PATH;
    Redirect::to(&format!("{setup}/{slug}#step-{}", step.number())).into_response()
}

/// Reads the metadata, and takes what it says.
pub async fn metadata(posted: Posted<Setter>) -> Result<Response, Trouble> {
    let Posted { who, form } = posted;
    let slug = who.0.slug();
    let path = OrganizationPath::of(slug.clone());
    let typed = form.get("metadata-url").map(str::to_owned);
    let pasted = form.get("metadata").map(str::to_owned);
    let new = NewMetadata { metadata_url: typed.clone(), metadata: pasted };
    let line = route::CONFIGURE_SAML.line(&path, &Nothing);
    match who.0.asker().tell::<SamlBody>(line, &new).await {
        Ok(_) => Ok(back(&slug, Step::Metadata)),
        Err(trouble) => refused(&who, Step::Metadata, trouble, typed).await,
    }
}

/// Generates a certificate, and switches single sign-on on.
pub async fn certificate(posted: Posted<Setter>) -> Result<Response, Trouble> {
    let slug = posted.who.0.slug();
    let path = OrganizationPath::of(slug.clone());
    let line = route::GENERATE_KEY.line(&path, &Nothing);
    match posted.who.0.asker().ask::<KeyBody>(line).await {
        Ok(_) => Ok(back(&slug, Step::Certificate)),
        Err(trouble) => refused(&posted.who, Step::Certificate, trouble, None).await,
    }
}

/// Enables SCIM and issues a token, shown on the page that this answers, and on no other.
pub async fn token(posted: Posted<Setter>) -> Result<Response, Trouble> {
    let Posted { who, form } = posted;
    let (path, asker) = (OrganizationPath::of(who.0.slug()), who.0.asker());
    let query = EnableQuery { allow_without_sso: form.is_ticked("without-sso") };
    if let Err(trouble) = asker.act(route::ENABLE_SCIM.line(&path, &query)).await {
        return refused(&who, Step::Token, trouble, None).await;
    }
    let new = NewToken { label: "Entra".to_owned(), expires_at: None };
    match asker.tell::<TokenIssued>(route::ISSUE_TOKEN.line(&path, &Nothing), &new).await {
        Ok(issued) => page(&who, Some(issued), None, None).await,
        Err(trouble) => refused(&who, Step::Token, trouble, None).await,
    }
}
