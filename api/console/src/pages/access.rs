//! Who may look at this organization, and who changes it: auditors, admins, links, and who is
//! signed in to this console.

use crate::signing::{Manager, OperatorOf, Posted};
use crate::trouble::Trouble;
use crate::view::{Frame, Maybe, Name, When, shown};
use askama::Template;
use axum::extract::{Path, Query};
use axum::response::{IntoResponse, Redirect, Response};
use rollcall_contract::auditors::{AuditorBody, AuditorPath};
use rollcall_contract::console::{
    ConsoleGroupBody, ConsoleGroupPath, ConsoleGroupRole, ConsoleSessionBody, ConsoleSessionPath,
    LinkBody, LinkMade, LinkPath, NewConsoleGroup,
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

struct Group {
    id: String,
    name: Option<Name>,
    role: &'static str,
    members: u64,
    set: When,
}

impl Group {
    /// What it is called, without markup.
    fn plain(&self) -> String {
        self.name.as_ref().map_or_else(|| self.id.clone(), Name::plain)
    }
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
    groups: Vec<Group>,
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
    let (auditors, links, sessions, groups) = tokio::try_join!(
        asker.ask::<Vec<AuditorBody>>(route::LIST_AUDITORS.line(&path, &Nothing)),
        asker.ask::<Vec<LinkBody>>(route::LIST_LINKS.line(&path, &Nothing)),
        asker.ask::<Vec<ConsoleSessionBody>>(route::LIST_CONSOLE_SESSIONS.line(&path, &Nothing)),
        asker.ask::<Vec<ConsoleGroupBody>>(route::LIST_CONSOLE_GROUPS.line(&path, &Nothing)),
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
        groups: groups.into_iter().map(of_group).collect(),
        sessions: sessions.collect(),
        made,
        refused,
        typed,
        frame,
        slug,
    };
    Ok(shown(&page))
}

fn of_group(body: ConsoleGroupBody) -> Group {
    Group {
        id: body.group_id.to_string(),
        name: body.group.map(Name),
        role: match body.role {
            ConsoleGroupRole::Admin => "admins",
            ConsoleGroupRole::Auditor => "auditors",
        },
        members: body.members,
        set: When(body.set_at),
    }
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

/// Lets the members of a group in.
pub async fn set_group(posted: Posted<OperatorOf>) -> Result<Response, Trouble> {
    let Posted { who, form } = posted;
    let role = match form.text("role") {
        "admin" => ConsoleGroupRole::Admin,
        "auditor" => ConsoleGroupRole::Auditor,
        _ => return Err(Trouble::nothing()),
    };
    let (slug, group) = (who.0.slug(), form.text("group").trim().to_owned());
    let path = ConsoleGroupPath { organization: slug.clone(), group };
    let line = route::SET_CONSOLE_GROUP.line(&path, &Nothing);
    who.0.asker().tell::<ConsoleGroupBody>(line, &NewConsoleGroup { role }).await?;
    Ok(Redirect::to(&format!("/o/{slug}/access?done=let-in")).into_response())
}

/// Lets the members of a group in no more.
pub async fn remove_group(
    Path(which): Path<Which>,
    posted: Posted<OperatorOf>,
) -> Result<Response, Trouble> {
    let slug = posted.who.0.slug();
    let path = ConsoleGroupPath { organization: slug.clone(), group: which.id.to_string() };
    posted.who.0.asker().act(route::REMOVE_CONSOLE_GROUP.line(&path, &Nothing)).await?;
    Ok(Redirect::to(&format!("/o/{slug}/access?done=revoked")).into_response())
}

/// Ends a session of this console.
pub async fn end_session(
    Path(which): Path<Which>,
    posted: Posted<Manager>,
) -> Result<Response, Trouble> {
    let path = ConsoleSessionPath { organization: posted.who.0.slug(), session: which.id };
    done(&posted, route::END_CONSOLE_SESSION.line(&path, &Nothing), "ended").await
}
