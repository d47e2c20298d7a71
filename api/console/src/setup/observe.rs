//! Observes the connection of an organization: reads what is there, and what came lately.

use super::observed::{Arrived, Login, Observed, Run};
use crate::trouble::Trouble;
use rollcall_domain::credential::Purpose;
use rollcall_domain::exchange::Exchange;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::scim::ResourceKind;
use rollcall_domain::sql::SqlError;
use rollcall_door::App;
use rollcall_projections::credential::CredentialState;
use rollcall_projections::directory::{Page, SearchRequest};
use rollcall_projections::exchanges::ExchangeFilter;
use rollcall_projections::logins::{LoginFilter, LoginRow};
use rollcall_projections::organizations::{OrganizationRow, ScimState};
use rollcall_projections::runs::RunFilter;
use rollcall_projections::strangers::{StrangerFilter, StrangerRow};
use serde_json::Value;

/// So many of each are looked at.
const LATEST: usize = 50;
/// So many users are looked at for mistakes of mapping.
const SAMPLE: u64 = 100;
/// What a request is called that asked for nothing there is.
const NOTHING: &str = "unknown";

/// Looks.
///
/// # Errors
/// If the views cannot be read.
pub async fn observe(app: &App, organization: &OrganizationRow) -> Result<Observed, Trouble> {
    let id = organization.id;
    let now = app.engine.clock.now();
    let settings = app.connections.of(id).await?.map(|c| c.settings).unwrap_or_default();
    let certificates = app.connections.certificates(id).await?;
    let theirs = certificates.iter().filter(|c| c.until.is_none() && c.owner != "service-provider");
    let tokens = app.credentials.list(id, Purpose::Scim).await?;
    let live = tokens.iter().filter(|token| token.state(now) == CredentialState::Live);
    let (users, sample) = search(app, id, ResourceKind::User, SAMPLE).await?;
    let logins = app.logins.list(id, &LoginFilter::default(), LATEST).await?;
    let requests = app.exchanges.list(id, &ExchangeFilter::default(), LATEST).await?;
    let requests: Vec<_> = requests.into_iter().filter(|r| r.token.is_some()).collect();
    let strangers = StrangerFilter { failed: true, ..StrangerFilter::default() };
    let evidence = &app.strangers.evidence;
    let wrong = evidence.list(OrganizationId::NONE, &strangers, LATEST).await?;
    let wrong = exchanges(&wrong)?;
    let untrusted = exchanges(&evidence.list(id, &strangers, LATEST).await?)?;
    let mut logins: Vec<Login> = logins.iter().map(|row| login(row, &sample)).collect();
    logins.extend(untrusted.iter().filter_map(untrusted_login));
    logins.sort_by_key(|login| std::cmp::Reverse(login.at));
    let (groups, _) = search(app, id, ResourceKind::Group, 0).await?;
    let views = app.audit.of(id).await?;
    let runs = views.runs.list(id, &RunFilter::default(), LATEST).await?;
    Ok(Observed {
        now,
        identity_provider: settings.idp.as_ref().map(|idp| idp.entity_id.clone()),
        certificate_ends: theirs.map(|c| c.not_after).max(),
        has_key: settings.current_key().is_some(),
        logins,
        scim_enabled: organization.scim == ScimState::Enabled,
        token_issued: live.map(|token| token.issued).min(),
        arrived: requests.iter().find(|r| r.operation != NOTHING).map(|r| r.received_at),
        elsewhere: requests
            .iter()
            .find(|r| r.operation == NOTHING && r.status == 404)
            .map(|r| (r.received_at, r.target.clone())),
        unknown_token: wrong.iter().find(|e| is_of_scim(e)).map(|e| e.received_at),
        users,
        groups,
        sample: sample.iter().map(arrived).collect(),
        runs: runs
            .into_iter()
            .map(|run| Run {
                began: run.began,
                last: run.ended,
                is_cycle: run.kind.is_cycle(),
                is_on_demand: run.kind == rollcall_domain::run::RunKind::OnDemand,
                is_open: run.open,
                requests: run.exchanges,
                users: run.users,
                groups: run.groups,
                failures: run.failures,
            })
            .collect(),
    })
}

/// How many users an organization has.
///
/// # Errors
/// If the views cannot be read.
pub async fn users(app: &App, organization: OrganizationId) -> Result<u64, Trouble> {
    Ok(search(app, organization, ResourceKind::User, 0).await?.0)
}

/// A stranger's request at the SCIM address: they brought a token that nobody knows, or none.
fn is_of_scim(exchange: &Exchange) -> bool {
    exchange.answer.status == 401 && exchange.target.starts_with(rollcall_door::SCIM_PREFIX)
}

fn exchanges(rows: &[StrangerRow]) -> Result<Vec<Exchange>, SqlError> {
    rows.iter().map(StrangerRow::exchange).collect()
}

/// A sign-in message that could not be trusted: whoever sent it is nobody, and the reason says why.
fn untrusted_login(exchange: &Exchange) -> Option<Login> {
    let reason = exchange.facts.untrusted.clone()?;
    Some(Login { at: exchange.received_at, reason: Some(reason), ..Login::default() })
}

async fn search(
    app: &App,
    organization: OrganizationId,
    kind: ResourceKind,
    count: u64,
) -> Result<(u64, Vec<Value>), Trouble> {
    let request = SearchRequest {
        filter: None,
        sort: None,
        page: Page::Index { start: 1, count },
        with_members: false,
        with_groups: false,
        base_url: String::new(),
    };
    let found = app.directory.search(organization, kind, &request).await;
    let found = found.map_err(|e| rollcall_door::Refusal::unavailable(&e))?;
    Ok((found.total, found.items))
}

fn arrived(user: &Value) -> Arrived {
    let text = |name: &str| user[name].as_str().map(str::to_owned);
    Arrived {
        user_name: text("userName").unwrap_or_default(),
        external_id: text("externalId"),
        has_mail: user["emails"].as_array().is_some_and(|mails| !mails.is_empty()),
    }
}

fn login(row: &LoginRow, sample: &[Value]) -> Login {
    let name = row.name_id.as_deref();
    let has = |user: &&Value| {
        let mails = user["emails"].as_array().into_iter().flatten();
        let mut mails = mails.filter_map(|mail| mail["value"].as_str());
        let own = user["userName"].as_str();
        name.is_some_and(|name| mails.any(|m| m.eq_ignore_ascii_case(name)) && own != Some(name))
    };
    let of = sample.iter().find(has).and_then(|user| user["userName"].as_str());
    Login {
        at: row.at,
        accepted: row.accepted,
        reason: row.reason.clone(),
        name_id: row.name_id.clone(),
        issuer: row.issuer.clone(),
        is_mail_of: of.map(str::to_owned),
    }
}
