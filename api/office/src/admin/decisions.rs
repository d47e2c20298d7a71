//! What came of a review of access. Auditors say so as well: it is what they are here for, and it
//! changes nobody's access.

use crate::audit::moment;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use rollcall_contract::Problem;
use rollcall_contract::organizations::OrganizationPath;
use rollcall_contract::review::{DecisionKept, DecisionVerdict, NewDecision};
use rollcall_domain::ids::ResourceId;
use rollcall_domain::organization::{AccessDecided, Verdict};
use rollcall_door::callers::Reviewer;
use rollcall_door::{App, Given, Refusal};
use std::sync::Arc;

/// Keeps what a reviewer decided about one time that somebody was in a group, in the log. Reviews
/// show the last decision about each.
#[utoipa::path(
    post,
    path = "/api/v1/organizations/{organization}/review/decisions",
    tag = "audit",
    params(OrganizationPath),
    request_body = NewDecision,
    security(("operator" = []), ("admin" = []), ("auditor" = [])),
    responses(
        (status = 201, body = DecisionKept),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
    ),
)]
pub async fn decide(
    reviewer: Reviewer,
    State(app): State<Arc<App>>,
    Given(new): Given<NewDecision>,
) -> Result<(StatusCode, Json<DecisionKept>), Refusal> {
    let organization = reviewer.organization;
    let seen = format!("position:{}", new.seen_position);
    let (seen, views) =
        moment::moment(&app, organization, "seen_position", Some(seen.as_str())).await?;
    let (group, member) = (ResourceId(new.group_id), ResourceId(new.member_id));
    let was = views.history.was_member(organization, group, member, new.since_position).await?;
    if !was {
        return Err(Refusal::not_found(
            "nobody joined that group by that event: take group, member and since_position from a \
             row of the review",
        ));
    }
    let decided = AccessDecided {
        group,
        member,
        since: new.since_position,
        seen_at: seen.position,
        verdict: match new.verdict {
            DecisionVerdict::Keep => Verdict::Keep,
            DecisionVerdict::Remove => Verdict::Remove,
            DecisionVerdict::Note => Verdict::Note,
        },
        remark: new.remark.map(|text| text.trim().to_owned().into()),
    };
    let position = reviewer.decide(&app, decided).await?;
    Ok((StatusCode::CREATED, Json(DecisionKept { position })))
}
