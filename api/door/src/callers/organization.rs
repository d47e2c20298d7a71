//! The organization in a path: its domain or its id.

use super::holder::Holder;
use crate::{App, Refusal};
use axum::extract::{FromRequestParts as _, RawPathParams};
use axum::http::request::Parts;
use rollcall_domain::ids::OrganizationId;
use rollcall_projections::organizations::OrganizationRow;

/// What a path calls the requests that named no organization.
const NOBODY: &str = "none";

/// The parameter of the route that takes every address at which nothing is.
pub const REST: &str = "rest";

/// Finds an organization by its domain or its id.
///
/// # Errors
/// 404 if there is none.
pub async fn find(app: &App, name: &str) -> Result<OrganizationRow, Refusal> {
    let found = match name.parse::<OrganizationId>() {
        Ok(id) => app.organizations.by_id(id).await?,
        Err(_) => app.organizations.by_domain(name).await?,
    };
    found.ok_or_else(|| nothing(name))
}

/// The organization of a path, for somebody with a key.
pub enum Named {
    /// One that is there.
    One(Box<OrganizationRow>),
    /// Of requests whose token named none: those are nobody's but the operators'.
    Nobody,
}

/// The organization of a path, and says so to the exchange. Another organization than that of a key
/// is not there for its holder.
pub async fn named(parts: &mut Parts, app: &App, holder: &Holder) -> Result<Named, Refusal> {
    let params = RawPathParams::from_request_parts(parts, &())
        .await
        .map_err(|e| Refusal::bad_request(e.body_text()))?;
    let value = |wanted| params.iter().find(|(name, _)| *name == wanted).map(|(_, value)| value);
    // An address where nothing is has no parameters, and may be below an organization all the same.
    let below = value(REST).and_then(|rest| rest.strip_prefix("organizations/"));
    let name = value("organization").or(below.and_then(|below| below.split('/').next()));
    let Some(name) = name.map(str::to_owned) else { return Ok(Named::Nobody) };
    if name == NOBODY && holder.organization.is_none() {
        holder.visit.organization(OrganizationId::NONE);
        holder.visit.rests_on(app.engine.folder.position(OrganizationId::NONE).await?);
        return Ok(Named::Nobody);
    }
    let organization = find(app, &name).await?;
    if holder.organization.is_some_and(|own| own != organization.id) {
        return Err(nothing(&name));
    }
    holder.visit.organization(organization.id);
    holder.visit.rests_on(organization.position.unwrap_or_default());
    Ok(Named::One(Box::new(organization)))
}

/// A parameter of the path; empty if the path has none of this name.
///
/// # Errors
/// If the path cannot be read.
pub async fn parameter(parts: &mut Parts, wanted: &str) -> Result<String, Refusal> {
    let params = RawPathParams::from_request_parts(parts, &())
        .await
        .map_err(|e| Refusal::bad_request(e.body_text()))?;
    let found = params.iter().find(|(name, _)| *name == wanted);
    Ok(found.map(|(_, value)| value.to_owned()).unwrap_or_default())
}

fn nothing(name: &str) -> Refusal {
    Refusal::not_found(format!("there is no organization {name:?}"))
}
