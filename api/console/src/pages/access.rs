//! Who may look at this organization, and who changes it: auditors, admins, links, and who is
//! signed in to this console.

use crate::signing::{Manager, Posted};
use crate::trouble::Trouble;
use crate::view::{Frame, Maybe, Name, When, shown};
use askama::Template;
use axum::extract::{Path, Query};
use axum::response::{IntoResponse, Redirect, Response};
use rollcall_contract::auditors::{AuditorBody, AuditorPath};
use rollcall_contract::console::{
    ConsoleSessionBody, ConsoleSessionPath, LinkBody, LinkMade, LinkPath,
};
use rollcall_contract::keys::{AccessKeyBody, AdminPath};
use rollcall_contract::organizations::OrganizationPath;
use rollcall_contract::request_line::{Nothing, RequestLine, RouteError};
use rollcall_contract::route;
use serde::Deserialize;
use uuid::Uuid;

/// What was done just now.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Done {
    done: Option<String>,
}

struct Key {
    id: String,
    label: Name,
    state: String,
    issued: When,
    expires: Maybe,
    used: Maybe,
}

struct Link {
    id: String,
    role: String,
    label: Name,
    state: String,
    made_by: Name,
    made: When,
    ends: When,
    used: Maybe,
    from: String,
}

struct Session {
    id: String,
    role: String,
    label: Name,
    live: bool,
    began: When,
    seen: When,
    source: String,
}

#[derive(Template)]
#[template(path = "access.html")]
struct Page {
    frame: Frame,
    slug: String,
    auditors: Vec<Key>,
    admins: Option<Vec<Key>>,
    links: Vec<Link>,
    sessions: Vec<Session>,
    made: Option<LinkMade>,
    refused: Option<String>,
    typed: String,
}

/// The page.
pub async fn show(manager: Manager, Query(done): Query<Done>) -> Result<Response, Trouble> {
    page(&manager, None, None, String::new(), done.done.as_deref()).await
}

/// The page, with a link that was made just now, or why none was.
pub async fn page(
    manager: &Manager,
    made: Option<LinkMade>,
    refused: Option<String>,
    typed: String,
    done: Option<&str>,
) -> Result<Response, Trouble> {
    let reader = &manager.0;
    let slug = reader.slug();
    let (path, asker) = (OrganizationPath::of(slug.clone()), reader.asker());
    let frame = reader.frame("Access", "access").with_notice(done);
    let (auditors, links, sessions) = tokio::try_join!(
        asker.ask::<Vec<AuditorBody>>(route::LIST_AUDITORS.line(&path, &Nothing)),
        asker.ask::<Vec<LinkBody>>(route::LIST_LINKS.line(&path, &Nothing)),
        asker.ask::<Vec<ConsoleSessionBody>>(route::LIST_CONSOLE_SESSIONS.line(&path, &Nothing)),
    )?;
    let admins = match frame.is_operator() {
        true => Some(asker.ask(route::LIST_ADMINS.line(&path, &Nothing)).await?),
        false => None,
    };
    let admins = admins.map(|all: Vec<AccessKeyBody>| all.into_iter().map(of_admin).collect());
    let links = links.into_iter().map(|body| Link {
        id: body.link_id.to_string(),
        role: body.role,
        label: Name(body.label),
        state: body.state,
        made_by: Name(body.made_by),
        made: When(body.made_at),
        ends: When(body.ends_at),
        used: Maybe(body.last_use_at),
        from: body.last_use_from.unwrap_or_default(),
    });
    let sessions = sessions.into_iter().map(|body| Session {
        id: body.session_id.to_string(),
        role: body.role,
        label: Name(body.label),
        live: body.live,
        began: When(body.began_at),
        seen: When(body.seen_at),
        source: body.source.unwrap_or_default(),
    });
    let page = Page {
        auditors: auditors.into_iter().map(of_auditor).collect(),
        admins,
        links: links.collect(),
        sessions: sessions.collect(),
        made,
        refused,
        typed,
        frame,
        slug,
    };
    Ok(shown(&page))
}

fn of_auditor(body: AuditorBody) -> Key {
    Key {
        id: body.auditor_id.to_string(),
        label: Name(body.label),
        state: body.state,
        issued: When(body.issued_at),
        expires: Maybe(body.expires_at),
        used: Maybe(body.last_used_at),
    }
}

fn of_admin(body: AccessKeyBody) -> Key {
    Key {
        id: body.key_id.to_string(),
        label: Name(body.label),
        state: body.state,
        issued: When(body.issued_at),
        expires: Maybe(body.expires_at),
        used: Maybe(body.last_used_at),
    }
}

/// What a path names besides the organization.
#[derive(Debug, Deserialize)]
pub struct Which {
    id: Uuid,
}

async fn done(
    posted: &Posted<Manager>,
    line: Result<RequestLine, RouteError>,
    word: &str,
) -> Result<Response, Trouble> {
    posted.who.0.asker().act(line).await?;
    let to = format!("/o/{}/access?done={word}", posted.who.0.slug());
    Ok(Redirect::to(&to).into_response())
}

/// Takes a link back.
pub async fn revoke_link(
    Path(which): Path<Which>,
    posted: Posted<Manager>,
) -> Result<Response, Trouble> {
    let path = LinkPath { organization: posted.who.0.slug(), link: which.id };
    done(&posted, route::REVOKE_LINK.line(&path, &Nothing), "revoked").await
}

/// Revokes an auditor's key.
pub async fn revoke_auditor(
    Path(which): Path<Which>,
    posted: Posted<Manager>,
) -> Result<Response, Trouble> {
    let path = AuditorPath { organization: posted.who.0.slug(), auditor: which.id };
    done(&posted, route::REVOKE_AUDITOR.line(&path, &Nothing), "revoked").await
}

/// Revokes an admin's key.
pub async fn revoke_admin(
    Path(which): Path<Which>,
    posted: Posted<Manager>,
) -> Result<Response, Trouble> {
    let path = AdminPath { organization: posted.who.0.slug(), key: which.id };
    done(&posted, route::REVOKE_ADMIN.line(&path, &Nothing), "revoked").await
}

/// Ends a session of this console.
pub async fn end_session(
    Path(which): Path<Which>,
    posted: Posted<Manager>,
) -> Result<Response, Trouble> {
    let path = ConsoleSessionPath { organization: posted.who.0.slug(), session: which.id };
    done(&posted, route::END_CONSOLE_SESSION.line(&path, &Nothing), "ended").await
}
