//! Who is told by mail what needs somebody.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use rollcall_contract::Problem;
use rollcall_contract::attention::{Cause, NotificationsBody, RecipientsChange, ToldBody};
use rollcall_contract::organizations::OrganizationPath;
use rollcall_domain::organization::OrganizationCommand;
use rollcall_door::callers::{Admin, find};
use rollcall_door::{App, Given, Refusal};
use rollcall_projections::organizations::OrganizationRow;
use std::sync::Arc;

async fn body(app: &App, row: OrganizationRow) -> Result<NotificationsBody, Refusal> {
    let told = app.notices.of(row.id).await?.into_iter().filter_map(|notice| {
        Some(ToldBody {
            // One that only a later version knows is of no use here.
            cause: Cause::parse(&notice.cause)?,
            first_told_at: notice.first_told_at,
            told_at: notice.told_at,
            lasts: notice.lasts,
        })
    });
    Ok(NotificationsBody {
        told: told.collect(),
        recipients: row.recipients.0,
        can_send: app.mail.is_some(),
    })
}

/// Who is told by mail what needs somebody, and what they were told.
#[utoipa::path(
    get,
    path = "/api/v1/organizations/{organization}/notifications",
    tag = "organizations",
    params(OrganizationPath),
    security(("operator" = []), ("admin" = [])),
    responses(
        (status = 200, body = NotificationsBody),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
    ),
)]
pub async fn show(
    admin: Admin,
    State(app): State<Arc<App>>,
) -> Result<Json<NotificationsBody>, Refusal> {
    body(&app, admin.organization).await.map(Json)
}

/// Tells others from now on. All of it is done, or nothing.
#[utoipa::path(
    patch,
    path = "/api/v1/organizations/{organization}/notifications",
    tag = "organizations",
    params(OrganizationPath),
    request_body = RecipientsChange,
    security(("operator" = []), ("admin" = [])),
    responses(
        (status = 200, body = NotificationsBody),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem),
    ),
)]
pub async fn change(
    admin: Admin,
    State(app): State<Arc<App>>,
    Given(RecipientsChange { add, remove }): Given<RecipientsChange>,
) -> Result<Json<NotificationsBody>, Refusal> {
    let change = OrganizationCommand::ChangeRecipients { add, remove };
    admin.execute(&app, change, StatusCode::OK).await?;
    let now = find(&app, &admin.organization.id.to_string()).await?;
    body(&app, now).await.map(Json)
}

/// Sends a mail to all who are told, to see that it arrives. It is done once the mail server has
/// taken all of them.
#[utoipa::path(
    post,
    path = "/api/v1/organizations/{organization}/notifications/test",
    tag = "organizations",
    params(OrganizationPath),
    security(("operator" = []), ("admin" = [])),
    responses(
        (status = 204),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem),
        (status = 502, body = Problem),
    ),
)]
pub async fn test(admin: Admin, State(app): State<Arc<App>>) -> Result<StatusCode, Refusal> {
    let row = &admin.organization;
    let mail = app.mail.as_ref().ok_or_else(|| {
        Refusal::conflict(
            "this server knows no mail server: start it with --smtp-url and --mail-from",
        )
    })?;
    if row.recipients.0.is_empty() {
        return Err(Refusal::conflict("nobody is told: rollcall notify add --mail ADDRESS"));
    }
    let letter = crate::letter::test(row, &app.public_url);
    for to in &row.recipients.0 {
        mail.send(to, &letter).await.map_err(|error| {
            Refusal::new(StatusCode::BAD_GATEWAY, format!("{to} was not told: {error}"))
        })?;
    }
    Ok(StatusCode::NO_CONTENT)
}
