//! Credentials of SCIM clients: tokens, client secrets, federation. What is secret is shown once, by
//! the answer to the form that asked for it.

use crate::signing::{Manager, Posted};
use crate::trouble::Trouble;
use crate::view::{Frame, Maybe, Name, When, shown};
use crate::{form::Form, tell};
use askama::Template;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use rollcall_contract::credentials::{
    CredentialAdded, CredentialBody, CredentialPath, NewCredential, NewProof, NewSecret,
};
use rollcall_contract::organizations::{OrganizationBody, OrganizationPath};
use rollcall_contract::request_line::Nothing;
use rollcall_contract::route;
use serde::Deserialize;
use uuid::Uuid;

/// What was done just now.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Done {
    done: Option<String>,
}

struct Row {
    id: String,
    kind: &'static str,
    label: Name,
    state: String,
    made_by: Name,
    issued: When,
    used: Maybe,
    expires: Maybe,
    /// What it trusts, or how many secrets it has.
    about: Vec<(&'static str, String)>,
    has_secrets: bool,
    has_two: bool,
    is_live: bool,
    used_by_last_cycle: bool,
    can_be_revoked: bool,
}

#[derive(Template)]
#[template(path = "credentials.html")]
struct Page {
    frame: Frame,
    slug: String,
    tenant_url: String,
    rows: Vec<Row>,
    added: Option<CredentialAdded>,
    refused: Option<String>,
    typed: [String; 4],
}

fn row(body: CredentialBody) -> Row {
    let mut about = Vec::new();
    if let Some(trust) = &body.trust {
        about.push(("Tenant", trust.tenant.clone()));
        about.push(("Subject", trust.subject.clone()));
        about.push(("Audience", trust.audiences.join(", ")));
    }
    if let Some(url) = &body.jwks_url {
        about.push(("Keys", url.clone()));
    }
    let count = body.secrets.len();
    if count > 0 {
        about.push(("Secrets", count.to_string()));
    }
    Row {
        id: body.client_id.to_string(),
        kind: tell::proof(&body.kind),
        label: Name(body.label),
        is_live: body.state == "live",
        state: body.state,
        made_by: Name(body.made_by),
        issued: When(body.issued_at),
        used: Maybe(body.last_used_at),
        expires: Maybe(body.expires_at),
        about,
        has_secrets: body.kind == "client-secret",
        has_two: count > 1,
        used_by_last_cycle: body.used_by_last_cycle,
        can_be_revoked: body.can_be_revoked,
    }
}

async fn page(
    manager: &Manager,
    added: Option<CredentialAdded>,
    refused: Option<String>,
    typed: [String; 4],
    done: Option<&str>,
) -> Result<Response, Trouble> {
    let reader = &manager.0;
    let slug = reader.slug();
    let (path, asker) = (OrganizationPath::of(slug.clone()), reader.asker());
    let (rows, organization) = tokio::try_join!(
        asker.ask::<Vec<CredentialBody>>(route::LIST_CREDENTIALS.line(&path, &Nothing)),
        asker.ask::<OrganizationBody>(route::SHOW_ORGANIZATION.line(&path, &Nothing)),
    )?;
    let page = Page {
        frame: reader.frame("Credentials", "connection").with_notice(done),
        tenant_url: organization.tenant_url,
        rows: rows.into_iter().map(row).collect(),
        added,
        refused,
        typed,
        slug,
    };
    Ok(shown(&page))
}

/// The page.
pub async fn list(manager: Manager, Query(done): Query<Done>) -> Result<Response, Trouble> {
    page(&manager, None, None, Default::default(), done.done.as_deref()).await
}

/// The page again, with why it was refused and what was typed.
async fn refused(manager: &Manager, trouble: Trouble, form: &Form) -> Result<Response, Trouble> {
    let (status, why) = match trouble {
        Trouble::Refused(problem) if problem.status < 500 => (problem.status, problem.detail),
        trouble => return Err(trouble),
    };
    let typed = ["label", "tenant", "subject", "application"].map(|n| form.text(n).to_owned());
    let mut page = page(manager, None, Some(why), typed, None).await?;
    *page.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    Ok(page)
}

/// How its holder is to prove to be it.
fn proof_of(form: &Form) -> Result<NewProof, Trouble> {
    let id = |name: &str| {
        let typed = form.text(name);
        typed.parse::<Uuid>().map_err(|_| Trouble::unreadable(tell::NOT_AN_ID))
    };
    Ok(match form.text("kind") {
        "token" => NewProof::Token {},
        "client-secret" => NewProof::ClientSecret {},
        "federated" => NewProof::Federated {
            tenant: id("tenant")?,
            subject: id("subject")?,
            application: id("application")?,
            authority: None,
            authorized_party: None,
        },
        _ => return Err(Trouble::nothing()),
    })
}

/// Adds one, and shows what is secret in it this once.
pub async fn add(posted: Posted<Manager>) -> Result<Response, Trouble> {
    let Posted { who, form } = posted;
    let proof = match proof_of(&form) {
        Ok(proof) => proof,
        Err(trouble) => return refused(&who, trouble, &form).await,
    };
    let new = NewCredential { label: form.text("label").to_owned(), expires_at: None, proof };
    let path = OrganizationPath::of(who.0.slug());
    let line = route::ADD_CREDENTIAL.line(&path, &Nothing);
    match who.0.asker().tell::<CredentialAdded>(line, &new).await {
        Ok(added) => page(&who, Some(added), None, Default::default(), None).await,
        Err(trouble) => refused(&who, trouble, &form).await,
    }
}

/// The credential in a path.
#[derive(Debug, Deserialize)]
pub struct Which {
    credential: Uuid,
}

/// Gives one a new secret, retires its former one, or revokes it.
pub async fn change(
    Path(which): Path<Which>,
    posted: Posted<Manager>,
) -> Result<Response, Trouble> {
    let Posted { who, form } = posted;
    let (slug, asker) = (who.0.slug(), who.0.asker());
    let path = CredentialPath { organization: slug.clone(), credential: which.credential };
    let confirmed = form.text("confirm") == slug;
    let done = match form.text("do") {
        "rotate" => {
            let line = route::ROTATE_CREDENTIAL.line(&path, &Nothing);
            match asker.tell::<CredentialAdded>(line, &NewSecret::default()).await {
                Ok(added) => return page(&who, Some(added), None, Default::default(), None).await,
                Err(trouble) => Err(trouble),
            }
        }
        "retire" if confirmed => asker.act(route::RETIRE_CREDENTIAL.line(&path, &Nothing)).await,
        "revoke" if confirmed => asker.act(route::REVOKE_CREDENTIAL.line(&path, &Nothing)).await,
        "retire" | "revoke" => Err(Trouble::new(StatusCode::BAD_REQUEST, tell::NOT_CONFIRMED)),
        _ => Err(Trouble::nothing()),
    };
    match done {
        Ok(()) => Ok(Redirect::to(&format!("/o/{slug}/credentials?done=revoked")).into_response()),
        Err(trouble) => refused(&who, trouble, &form).await,
    }
}
