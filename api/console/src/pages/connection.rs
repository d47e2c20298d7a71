//! The connection of an organization: single sign-on with its certificates, provisioning with its
//! tokens.

use crate::signing::{Manager, Posted};
use crate::tell;
use crate::trouble::Trouble;
use crate::view::{Frame, Maybe, Name, When, shown};
use askama::Template;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use rollcall_contract::organizations::{OrganizationBody, OrganizationPath};
use rollcall_contract::request_line::Nothing;
use rollcall_contract::route;
use rollcall_contract::saml::{KeyBody, NewMetadata, RefreshedBody, SamlBody};
use rollcall_contract::scim::EnableQuery;
use rollcall_contract::tokens::{NewToken, TokenBody, TokenIssued, TokenPath};
use serde::Deserialize;

/// What was done just now.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Done {
    done: Option<String>,
}

struct Certificate {
    ours: bool,
    state: String,
    sha256: String,
    subject: Name,
    until: When,
}

struct Token {
    id: String,
    label: Name,
    state: String,
    issued: When,
    expires: Maybe,
    used: Maybe,
}

#[derive(Template)]
#[template(path = "connection.html")]
struct Page {
    frame: Frame,
    slug: String,
    saml: SamlBody,
    metadata_url: String,
    certificates: Vec<Certificate>,
    enabled: bool,
    scim: String,
    tenant_url: String,
    tokens: Vec<Token>,
    users: u64,
    issued: Option<TokenIssued>,
    refused: Option<String>,
}

/// The page.
pub async fn show(manager: Manager, Query(done): Query<Done>) -> Result<Response, Trouble> {
    page(&manager, None, None, done.done.as_deref()).await
}

async fn page(
    manager: &Manager,
    issued: Option<TokenIssued>,
    refused: Option<String>,
    done: Option<&str>,
) -> Result<Response, Trouble> {
    let reader = &manager.0;
    let slug = reader.slug();
    let (path, asker) = (OrganizationPath::of(slug.clone()), reader.asker());
    let (organization, saml, tokens) = tokio::try_join!(
        asker.ask::<OrganizationBody>(route::SHOW_ORGANIZATION.line(&path, &Nothing)),
        asker.ask::<SamlBody>(route::SHOW_SAML.line(&path, &Nothing)),
        asker.ask::<Vec<TokenBody>>(route::LIST_TOKENS.line(&path, &Nothing)),
    )?;
    let certificates = saml.certificates.iter().map(|c| Certificate {
        ours: c.owner == "service-provider",
        state: c.state.clone(),
        sha256: c.sha256.clone(),
        subject: Name(c.subject.clone().unwrap_or_default()),
        until: When(c.not_after),
    });
    let tokens = tokens.into_iter().map(|t| Token {
        id: t.token_id.to_string(),
        label: Name(t.label),
        state: t.state,
        issued: When(t.issued_at),
        expires: Maybe(t.expires_at),
        used: Maybe(t.last_used_at),
    });
    let users = super::super::setup::users(&reader.visitor.app, reader.organization.id).await?;
    let page = Page {
        certificates: certificates.collect(),
        metadata_url: saml.metadata_url.clone().unwrap_or_default(),
        saml,
        enabled: organization.enabled,
        scim: organization.scim,
        tenant_url: organization.tenant_url,
        tokens: tokens.collect(),
        users,
        issued,
        refused,
        frame: reader.frame("Connection", "connection").with_notice(done),
        slug,
    };
    Ok(shown(&page))
}

/// Shows a refusal on the page that the form was on.
async fn refused(manager: &Manager, trouble: Trouble) -> Result<Response, Trouble> {
    match trouble {
        Trouble::Refused(problem) if problem.status < 500 => {
            let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::BAD_REQUEST);
            let mut page = page(manager, None, Some(problem.detail), None).await?;
            *page.status_mut() = status;
            Ok(page)
        }
        trouble => Err(trouble),
    }
}

fn back(slug: &str, done: &str) -> Response {
    Redirect::to(&format!("/o/{slug}/connection?done={done}")).into_response()
}

/// Changes single sign-on.
pub async fn sso(posted: Posted<Manager>) -> Result<Response, Trouble> {
    let Posted { who, form } = posted;
    let slug = who.0.slug();
    let (path, asker) = (OrganizationPath::of(slug.clone()), who.0.asker());
    let confirmed = form.text("confirm") == slug;
    let not_confirmed = || Trouble::new(StatusCode::BAD_REQUEST, tell::NOT_CONFIRMED);
    let done = match form.text("do") {
        "metadata" => {
            let new = NewMetadata {
                metadata_url: form.get("metadata-url").map(str::to_owned),
                metadata: None,
            };
            let line = route::CONFIGURE_SAML.line(&path, &Nothing);
            asker.tell::<SamlBody>(line, &new).await.map(|_| "saved")
        }
        "refresh" => {
            let line = route::REFRESH_SAML.line(&path, &Nothing);
            asker.ask::<RefreshedBody>(line).await.map(|_| "refreshed")
        }
        "generate" => {
            let line = route::GENERATE_KEY.line(&path, &Nothing);
            asker.ask::<KeyBody>(line).await.map(|_| "generated")
        }
        "rotate" if confirmed => {
            let line = route::ROTATE_KEY.line(&path, &Nothing);
            asker.ask::<KeyBody>(line).await.map(|_| "rotated")
        }
        "enable" => asker.act(route::ENABLE_SAML.line(&path, &Nothing)).await.map(|()| "switched"),
        "disable" if confirmed => {
            asker.act(route::DISABLE_SAML.line(&path, &Nothing)).await.map(|()| "switched")
        }
        "rotate" | "disable" => Err(not_confirmed()),
        _ => Err(Trouble::nothing()),
    };
    match done {
        Ok(done) => Ok(back(&slug, done)),
        Err(trouble) => refused(&who, trouble).await,
    }
}

/// Switches provisioning.
pub async fn scim(posted: Posted<Manager>) -> Result<Response, Trouble> {
    let Posted { who, form } = posted;
    let slug = who.0.slug();
    let (path, asker) = (OrganizationPath::of(slug.clone()), who.0.asker());
    let done = match form.text("do") {
        "enable" => {
            let query = EnableQuery { allow_without_sso: form.is_ticked("without-sso") };
            asker.act(route::ENABLE_SCIM.line(&path, &query)).await
        }
        "disable" if form.text("confirm") == slug => {
            asker.act(route::DISABLE_SCIM.line(&path, &Nothing)).await
        }
        "disable" => Err(Trouble::new(StatusCode::BAD_REQUEST, tell::NOT_CONFIRMED)),
        _ => Err(Trouble::nothing()),
    };
    match done {
        Ok(()) => Ok(back(&slug, "switched")),
        Err(trouble) => refused(&who, trouble).await,
    }
}

/// Issues a token, and shows it this once.
pub async fn issue(posted: Posted<Manager>) -> Result<Response, Trouble> {
    let Posted { who, form } = posted;
    let path = OrganizationPath::of(who.0.slug());
    let label = form.get("label").unwrap_or("Entra").to_owned();
    let new = NewToken { label, expires_at: None };
    let line = route::ISSUE_TOKEN.line(&path, &Nothing);
    match who.0.asker().tell::<TokenIssued>(line, &new).await {
        Ok(issued) => page(&who, Some(issued), None, None).await,
        Err(trouble) => refused(&who, trouble).await,
    }
}

/// The token in a path.
#[derive(Debug, Deserialize)]
pub struct Which {
    token: uuid::Uuid,
}

/// Revokes a token.
pub async fn revoke(
    Path(which): Path<Which>,
    posted: Posted<Manager>,
) -> Result<Response, Trouble> {
    let Posted { who, form } = posted;
    let slug = who.0.slug();
    if form.text("confirm") != slug {
        let trouble = Trouble::new(StatusCode::BAD_REQUEST, tell::NOT_CONFIRMED);
        return refused(&who, trouble).await;
    }
    let path = TokenPath { organization: slug.clone(), token: which.token };
    match who.0.asker().act(route::REVOKE_TOKEN.line(&path, &Nothing)).await {
        Ok(()) => Ok(back(&slug, "revoked")),
        Err(trouble) => refused(&who, trouble).await,
    }
}
