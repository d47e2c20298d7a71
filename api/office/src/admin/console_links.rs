//! Links to the console: an operator's own, which lives for a minute, and those for others, each
//! with a credential of its own behind it, whose secret nobody ever sees.

use super::keys::{self, New};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use chrono::{DateTime, TimeDelta, Utc};
use rollcall_contract::Problem;
use rollcall_contract::console::{
    LinkBody, LinkMade, LinkPath, LinkRole, MOST_HOURS, NewLink, OPEN_PATH, SETUP_PATH, USUAL_HOURS,
};
use rollcall_contract::organizations::OrganizationPath;
use rollcall_domain::actor::Actor;
use rollcall_domain::credential::Purpose;
use rollcall_domain::ids::{CredentialId, OrganizationId};
use rollcall_domain::organization::OrganizationCommand;
use rollcall_door::callers::{Admin, Operator};
use rollcall_door::{App, Given, Refusal};
use rollcall_engine::secrets::sha256_hex;
use rollcall_projections::console::{ConsoleLinkRow, ConsoleRole};
use std::sync::Arc;

/// Seconds that an operator's own link lives.
const OWN_SECONDS: i64 = 60;

/// What the secret of a link begins with, so that one that leaks can be told.
const PREFIX: &str = "rollcall_link_";

/// Days for which somebody who was invited may come again with a new link or a session.
const ACCESS_DAYS: i64 = 90;

fn role_of(role: LinkRole) -> (ConsoleRole, Purpose) {
    match role {
        LinkRole::Admin => (ConsoleRole::Admin, Purpose::Administration),
        LinkRole::Auditor => (ConsoleRole::Auditor, Purpose::Audit),
        LinkRole::Setup => (ConsoleRole::Setup, Purpose::Administration),
    }
}

fn purpose_of(role: ConsoleRole) -> Purpose {
    match role {
        ConsoleRole::Operator => Purpose::Operation,
        ConsoleRole::Admin | ConsoleRole::Setup => Purpose::Administration,
        ConsoleRole::Auditor => Purpose::Audit,
    }
}

fn address(app: &App, role: ConsoleRole, secret: &str) -> String {
    let path = if role == ConsoleRole::Setup { SETUP_PATH } else { OPEN_PATH };
    format!("{}{path}#{secret}", app.public_url.trim_end_matches('/'))
}

/// Makes a link by which the operator who asks opens the console: once, within a minute.
#[utoipa::path(
    post,
    path = "/api/v1/console/links",
    tag = "console",
    security(("operator" = [])),
    responses(
        (status = 201, body = LinkMade),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
    ),
)]
pub async fn open(
    operator: Operator,
    State(app): State<Arc<App>>,
) -> Result<(StatusCode, Json<LinkMade>), Refusal> {
    let now = app.engine.clock.now();
    let credential = match &operator.actor {
        Actor::NamedOperator { operator, .. } => Some(*operator),
        _ => None,
    };
    let secret = app.engine.ids.secret(PREFIX);
    let row = ConsoleLinkRow {
        sha256: sha256_hex(&secret),
        id: app.engine.ids.session().0,
        organization: OrganizationId::NONE,
        role: ConsoleRole::Operator,
        credential,
        label: operator.actor.called().to_owned(),
        made_by: operator.actor.called().to_owned(),
        made_at: now,
        ends_at: now + TimeDelta::seconds(OWN_SECONDS),
        is_shareable: false,
        uses: 0,
        last_use_at: None,
        last_use_from: None,
        revoked_at: None,
    };
    let made =
        LinkMade { link_id: None, url: address(&app, row.role, &secret), ends_at: row.ends_at };
    app.console.links.add(row).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// Makes a link by which somebody else opens the console, or sets the organization up. Everything
/// that is done with it is done in its label's name.
#[utoipa::path(
    post,
    path = "/api/v1/organizations/{organization}/console/links",
    tag = "console",
    params(OrganizationPath),
    request_body = NewLink,
    security(("operator" = [])),
    responses(
        (status = 201, body = LinkMade),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem),
    ),
)]
pub async fn make(
    operator: Operator,
    State(app): State<Arc<App>>,
    Path(path): Path<OrganizationPath>,
    Given(new): Given<NewLink>,
) -> Result<(StatusCode, Json<LinkMade>), Refusal> {
    let organization = operator.organization(&app, &path.organization).await?.id;
    let hours = new.hours.unwrap_or(USUAL_HOURS);
    if hours == 0 || hours > MOST_HOURS {
        return Err(Refusal::parameter("hours", format!("a link lives 1 to {MOST_HOURS} hours")));
    }
    let now = app.engine.clock.now();
    let ends_at = now + TimeDelta::hours(i64::from(hours));
    let (role, purpose) = role_of(new.role);
    let until = match role {
        ConsoleRole::Setup => ends_at,
        _ => ends_at.max(now + TimeDelta::days(ACCESS_DAYS)),
    };
    // The secret of the credential is forgotten here: only sessions act by it.
    let New { credential, command, .. } = keys::draw(&app, purpose, new.label.clone(), Some(until));
    operator
        .execute(&app, organization, OrganizationCommand::Credential(command), StatusCode::CREATED)
        .await?;
    let secret = app.engine.ids.secret(PREFIX);
    let row = ConsoleLinkRow {
        sha256: sha256_hex(&secret),
        id: app.engine.ids.session().0,
        organization,
        role,
        credential: Some(credential),
        label: new.label,
        made_by: operator.actor.called().to_owned(),
        made_at: now,
        ends_at,
        is_shareable: new.shareable,
        uses: 0,
        last_use_at: None,
        last_use_from: None,
        revoked_at: None,
    };
    let (link_id, url) = (Some(row.id), address(&app, role, &secret));
    app.console.links.add(row).await?;
    Ok((StatusCode::CREATED, Json(LinkMade { link_id, url, ends_at })))
}

fn body(row: ConsoleLinkRow, now: DateTime<Utc>) -> LinkBody {
    LinkBody {
        link_id: row.id,
        role: row.role.as_str().to_owned(),
        state: row.state(now).as_str().to_owned(),
        label: row.label,
        made_by: row.made_by,
        made_at: row.made_at,
        ends_at: row.ends_at,
        shareable: row.is_shareable,
        uses: row.uses,
        last_use_at: row.last_use_at,
        last_use_from: row.last_use_from,
        key_id: row.credential.map(|CredentialId(id)| id),
    }
}

/// All links that were made for this organization, the newest first.
#[utoipa::path(
    get,
    path = "/api/v1/organizations/{organization}/console/links",
    tag = "console",
    params(OrganizationPath),
    security(("operator" = []), ("admin" = [])),
    responses(
        (status = 200, body = Vec<LinkBody>),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
    ),
)]
pub async fn list(
    admin: Admin,
    State(app): State<Arc<App>>,
) -> Result<Json<Vec<LinkBody>>, Refusal> {
    let now = app.engine.clock.now();
    let rows = app.console.links.list(admin.organization.id).await?;
    Ok(Json(rows.into_iter().map(|row| body(row, now)).collect()))
}

/// Takes a link back: it lets nobody in any more, and whoever came in by it is out.
#[utoipa::path(
    delete,
    path = "/api/v1/organizations/{organization}/console/links/{link}",
    tag = "console",
    params(LinkPath),
    security(("operator" = []), ("admin" = [])),
    responses(
        (status = 204),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
    ),
)]
pub async fn revoke(
    admin: Admin,
    State(app): State<Arc<App>>,
    Path(path): Path<LinkPath>,
) -> Result<StatusCode, Refusal> {
    let now = app.engine.clock.now();
    let nothing = || Refusal::not_found("there is no such link");
    // The link first: should the rest fail, it is closed already, and this can be asked again.
    let revoked = app.console.links.revoke(admin.organization.id, path.link, now).await?;
    let row = revoked.ok_or_else(nothing)?;
    let CredentialId(credential) = row.credential.ok_or_else(nothing)?;
    let command = keys::revoke(credential, purpose_of(row.role));
    admin.done(&app, OrganizationCommand::Credential(command)).await
}
