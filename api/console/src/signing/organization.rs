//! Signing in through one's organization: by a session that Rollcall's own SAML began, for members
//! of a group that opens the console. The browser comes back here from the identity provider; the
//! session of the console begins when its user says so, for nothing that a browser opens by itself
//! may begin one.

use super::begin::Begun;
use super::guard::read;
use super::kept::kept;
use super::key::unknown_organization;
use super::origin;
use crate::trouble::Trouble;
use crate::view::{Name, in_address, shown};
use crate::{Console, tell};
use askama::Template;
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use rollcall_contract::console::{SIGN_IN_PATH, sign_in_address};
use rollcall_domain::exchange::Protocol;
use rollcall_door::App;
use rollcall_door::callers::{HeldBy, SignedIn, began_here};
use rollcall_door::exchange::Opened;
use rollcall_door::session::{self, Checked};
use rollcall_projections::organizations::OrganizationRow;
use serde::Deserialize;

/// Which organization somebody is of.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Which {
    organization: String,
}

/// Sends the browser to the page of the organization that was typed.
pub async fn which(State(console): State<Console>, Query(which): Query<Which>) -> Response {
    let typed = which.organization.trim();
    match console.app.organizations.by_domain(typed).await {
        Ok(Some(found)) => {
            Redirect::to(&format!("{SIGN_IN_PATH}/{}", found.domain)).into_response()
        }
        Ok(None) => unknown_organization(typed),
        Err(error) => Trouble::from(error).into_response(),
    }
}

/// Who is at the door, as far as the application's session tells.
enum Here {
    /// Nobody, or somebody who did not begin here.
    Nobody,
    /// Somebody whose groups do not open the console.
    InNoGroup(Checked),
    /// Somebody who may come in.
    Welcome(Checked, HeldBy),
}

impl Here {
    async fn of(
        app: &App,
        headers: &HeaderMap,
        organization: &OrganizationRow,
    ) -> Result<Self, Trouble> {
        let Some(token) = session::token(headers) else { return Ok(Here::Nobody) };
        let checked = session::check(app, token).await?;
        let Some(checked) = checked.filter(|c| c.row.organization == organization.id) else {
            return Ok(Here::Nobody);
        };
        if !began_here(app, &checked).await? {
            return Ok(Here::Nobody);
        }
        Ok(match SignedIn::by_session(app, &checked).await? {
            Some(held) => Here::Welcome(checked, held),
            None => Here::InNoGroup(checked),
        })
    }
}

fn name(checked: &Checked) -> String {
    checked.display_name.clone().unwrap_or_else(|| checked.user_name.clone())
}

#[derive(Template)]
#[template(path = "sign-in-organization.html")]
struct Page {
    organization: Name,
    slug: String,
    /// Who may come in, and as whom.
    welcome: Option<(Name, &'static str)>,
    /// Who may not.
    in_no_group: Option<Name>,
    /// Where the identity provider is asked.
    sign_on: String,
}

fn made(app: &App, organization: &OrganizationRow, here: &Here) -> Page {
    let slug = organization.domain.clone();
    let back = sign_in_address(&app.public_url, &slug);
    Page {
        organization: Name(organization.name.clone()),
        welcome: match here {
            Here::Welcome(checked, (_, role)) => Some((Name(name(checked)), tell::role(*role))),
            _ => None,
        },
        in_no_group: match here {
            Here::InNoGroup(checked) => Some(Name(name(checked))),
            _ => None,
        },
        sign_on: format!("/saml/{slug}/login?RelayState={}", in_address(&back)),
        slug,
    }
}

/// The page of an organization. Opening it begins nothing.
pub async fn page(
    State(console): State<Console>,
    Path(slug): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Trouble> {
    let app = &console.app;
    let organization = app.organizations.by_domain(&slug).await?.ok_or_else(Trouble::nothing)?;
    let here = Here::of(app, &headers, &organization).await?;
    Ok(shown(&made(app, &organization, &here)))
}

/// Begins a session of the console.
pub async fn sign_in(
    State(console): State<Console>,
    Path(slug): Path<String>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let app = &console.app;
    if !origin::is_ours(&parts.headers, &app.public_url) {
        return Trouble::new(StatusCode::FORBIDDEN, tell::FOREIGN_FORM).into_response();
    }
    let operation = "console.sign-in-through-organization";
    let mut opened = Opened::new(&app.engine, Protocol::Administration, operation, &parts);
    if let Err(trouble) = read(body).await {
        return kept(app, opened, None, trouble.into_response()).await;
    }
    let (why, response) = match begun(&console, &slug, &parts.headers, &mut opened).await {
        Ok(told) => told,
        Err(trouble) => (None, trouble.into_response()),
    };
    kept(app, opened, why.map(str::to_owned), response).await
}

async fn begun(
    console: &Console,
    slug: &str,
    headers: &HeaderMap,
    opened: &mut Opened,
) -> Result<(Option<&'static str>, Response), Trouble> {
    let app = &console.app;
    let organization = app.organizations.by_domain(slug).await?.ok_or_else(Trouble::nothing)?;
    opened.organization = organization.id;
    let here = Here::of(app, headers, &organization).await?;
    let refused = |why, here: &Here| {
        let page = shown(&made(app, &organization, here));
        Ok((Some(why), (StatusCode::FORBIDDEN, page).into_response()))
    };
    let (checked, (signed_in, role)) = match &here {
        Here::Nobody => return refused("no-session", &here),
        Here::InNoGroup(_) => return refused("in-no-group", &here),
        Here::Welcome(checked, held) => (checked, held),
    };
    opened.caller = signed_in.actor.clone();
    let begun = Begun::new(console, signed_in, *role, opened.source.clone()).called(name(checked));
    let response = begun.on_to(&format!("/o/{}", organization.domain));
    app.console.sessions.begin(begun.row).await?;
    Ok((None, response))
}
