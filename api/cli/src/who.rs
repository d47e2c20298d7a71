//! Users and groups, where a filter takes an id: by what people call them.

use super::client::{Client, Refused};
use anyhow::Context as _;
use rollcall_contract::directory::{ResourceBody, ResourcePath};
use rollcall_contract::moment::AsOf;
use rollcall_contract::request_line::Route;
use rollcall_contract::route;
use uuid::Uuid;

/// The id of a user.
pub async fn user(
    client: &Client,
    org: &str,
    called: Option<&str>,
) -> anyhow::Result<Option<Uuid>> {
    match called.map(|called| (called, called.parse())) {
        None => Ok(None),
        Some((_, Ok(id))) => Ok(Some(id)),
        Some((called, Err(_))) => found(client, org, called, &route::SHOW_USER).await.map(Some),
    }
}

/// The id of a group.
pub async fn group(client: &Client, org: &str, called: &str) -> anyhow::Result<Uuid> {
    match called.parse() {
        Ok(id) => Ok(id),
        Err(_) => found(client, org, called, &route::SHOW_GROUP).await,
    }
}

/// The id of a user, or else of a group.
pub async fn subject(
    client: &Client,
    org: &str,
    called: Option<&str>,
) -> anyhow::Result<Option<Uuid>> {
    let no_user = match user(client, org, called).await {
        Ok(found) => return Ok(found),
        Err(error) => error,
    };
    let (Some(called), Some(404)) = (called, no_user.downcast_ref::<Refused>().map(|r| r.status))
    else {
        return Err(no_user);
    };
    found(client, org, called, &route::SHOW_GROUP).await.map(Some).or(Err(no_user))
}

async fn found(
    client: &Client,
    org: &str,
    called: &str,
    show: &Route<ResourcePath, AsOf>,
) -> anyhow::Result<Uuid> {
    let path = ResourcePath { organization: org.to_owned(), id: called.to_owned() };
    let body: ResourceBody = client.ask(&show.line(&path, &AsOf::default())?).await?;
    let id = body.resource["id"].as_str().and_then(|id| id.parse().ok());
    id.with_context(|| format!("what the server calls {called:?} has no id"))
}
