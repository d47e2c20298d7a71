//! The guards: a page that can name one of these has one. Nothing that changes is reached but by
//! [`Posted`], which no auditor ever gets.

use super::{cookie, origin};
use crate::asking::Asker;
use crate::form::{FORM_BYTES, Form};
use crate::trouble::Trouble;
use crate::view::{Frame, Head};
use crate::{Console, tell};
use axum::body::to_bytes;
use axum::extract::{ConnectInfo, FromRequest, FromRequestParts, RawPathParams, Request};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use rollcall_contract::console::SETUP_PATH;
use rollcall_domain::credential::Purpose;
use rollcall_door::App;
use rollcall_door::callers::{SignedIn, find, standing};
use rollcall_door::session::Asked;
use rollcall_engine::secrets::{same, sha256_hex};
use rollcall_projections::console::{ConsoleRole, ConsoleSessionRow};
use rollcall_projections::organizations::OrganizationRow;
use std::net::SocketAddr;
use std::sync::Arc;

/// Somebody with a live session.
#[derive(Clone)]
pub struct Visitor {
    /// The application.
    pub app: Arc<App>,
    /// The session.
    pub session: ConsoleSessionRow,
    /// The key it stands for.
    pub signed_in: SignedIn,
    /// Asks the API in their name.
    pub asker: Asker,
    /// What the forms of their pages hold.
    token: String,
}

impl Visitor {
    async fn of(parts: &mut Parts, console: &Console) -> Result<Self, Trouble> {
        let app = console.app.clone();
        let back = || match parts.headers.contains_key("hx-request") {
            // A part of a page that is swapped in is no place to sign in.
            true => Trouble::Reload,
            false if parts.method == Method::GET => {
                let target = parts.uri.path_and_query().map(|t| t.as_str());
                Trouble::SignIn(target.unwrap_or("/").to_owned())
            }
            false => Trouble::SignIn("/".to_owned()),
        };
        let secret = cookie::found(&parts.headers).ok_or_else(back)?;
        let now = app.engine.clock.now();
        let session = app.console.sessions.of_cookie(&sha256_hex(secret), now).await?;
        let mut session = session.ok_or_else(back)?;
        // A key that was revoked, or a group that was left, ends its sessions, on every server, with
        // the next request; another group makes its holder somebody else.
        let held = standing(&app, &session, Asked::ToUseIt).await?;
        let (signed_in, role) = held.ok_or_else(back)?;
        session.role = role;
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0);
        let api = console.api.clone();
        let asker = Asker::new(api, signed_in.clone(), peer, &parts.headers);
        Ok(Self { token: token_of(secret), app, session, signed_in, asker })
    }

    /// As whom they use the console.
    pub fn role(&self) -> ConsoleRole {
        self.session.role
    }

    /// Whether the session still lets in. Asking does not prolong it.
    pub async fn is_still_signed_in(&self) -> bool {
        let (session, now) = (&self.session, self.app.engine.clock.now());
        let live = self.app.console.sessions.is_live(&session.sha256, now).await;
        let held = standing(&self.app, session, Asked::ToLook).await;
        // What cannot be looked up now is no reason to send anybody away.
        live.unwrap_or(true) && held.map_or(true, |held| held.is_some())
    }

    /// What surrounds a page.
    pub fn frame(&self, title: impl Into<String>, at: &'static str, head: Option<Head>) -> Frame {
        Frame {
            title: title.into(),
            at,
            head,
            who: self.session.label.clone(),
            role: self.role(),
            token: self.token.clone(),
            notice: None,
        }
    }

    /// The organization in the path; that of others is not there.
    async fn organization(&self, parts: &mut Parts) -> Result<OrganizationRow, Trouble> {
        let params = RawPathParams::from_request_parts(parts, &()).await;
        let params = params.map_err(|_| Trouble::nothing())?;
        let name = params.iter().find(|(name, _)| *name == "organization").map(|(_, v)| v);
        let found = find(&self.app, name.ok_or_else(Trouble::nothing)?).await?;
        match self.signed_in.organization.is_none_or(|own| own == found.id) {
            true => Ok(found),
            false => Err(Trouble::nothing()),
        }
    }
}

/// The token of a session's forms: whoever cannot read a page of it cannot know it.
fn token_of(secret: &str) -> String {
    sha256_hex(&format!("a form of {secret}"))
}

/// Whom a page is for.
pub trait Guard: Sized + Send {
    /// Whether auditors may send it a form: to sign out, to say what came of a review, and nothing
    /// else.
    const TAKES_AUDITORS: bool = false;

    /// Lets somebody in.
    ///
    /// # Errors
    /// If it is not for them.
    fn admitted(
        parts: &mut Parts,
        console: &Console,
    ) -> impl Future<Output = Result<Self, Trouble>> + Send;

    /// Who it is.
    fn visitor(&self) -> &Visitor;
}

/// Somebody who may read about the organization in the path.
#[derive(Clone)]
pub struct Reader {
    /// Who.
    pub visitor: Visitor,
    /// The organization.
    pub organization: OrganizationRow,
}

impl Reader {
    /// What surrounds a page about the organization.
    pub fn frame(&self, title: impl Into<String>, at: &'static str) -> Frame {
        self.visitor.frame(title, at, Some(Head::of(&self.organization)))
    }

    /// Its name in paths.
    pub fn slug(&self) -> String {
        self.organization.domain.clone()
    }

    /// Asks the API.
    pub fn asker(&self) -> &Asker {
        &self.visitor.asker
    }
}

impl Guard for Reader {
    async fn admitted(parts: &mut Parts, console: &Console) -> Result<Self, Trouble> {
        let visitor = Visitor::of(parts, console).await?;
        let organization = visitor.organization(parts).await?;
        match visitor.role() {
            ConsoleRole::Setup => Err(not_in_a_setup(parts, &organization)),
            _ => Ok(Self { visitor, organization }),
        }
    }

    fn visitor(&self) -> &Visitor {
        &self.visitor
    }
}

/// Whoever sets up has one page, and does nothing else.
fn not_in_a_setup(parts: &Parts, organization: &OrganizationRow) -> Trouble {
    match parts.method == Method::GET {
        true => Trouble::Elsewhere(setup_of(organization)),
        false => Trouble::new(StatusCode::FORBIDDEN, tell::ADMINS_ONLY),
    }
}

/// Where an organization is set up.
pub fn setup_of(organization: &OrganizationRow) -> String {
    format!("{SETUP_PATH}/{}", organization.domain)
}

/// Somebody who may set the organization in the path up.
#[derive(Clone)]
pub struct Setter(pub Reader);

impl Guard for Setter {
    async fn admitted(parts: &mut Parts, console: &Console) -> Result<Self, Trouble> {
        let visitor = Visitor::of(parts, console).await?;
        let organization = visitor.organization(parts).await?;
        match visitor.signed_in.purpose {
            Purpose::Operation | Purpose::Administration => {
                Ok(Self(Reader { visitor, organization }))
            }
            _ => Err(Trouble::new(StatusCode::FORBIDDEN, tell::ADMINS_ONLY)),
        }
    }

    fn visitor(&self) -> &Visitor {
        &self.0.visitor
    }
}

/// An admin of the organization in the path, or an operator.
#[derive(Clone)]
pub struct Manager(pub Reader);

impl Guard for Manager {
    async fn admitted(parts: &mut Parts, console: &Console) -> Result<Self, Trouble> {
        let reader = Reader::admitted(parts, console).await?;
        match reader.visitor.role() {
            ConsoleRole::Operator | ConsoleRole::Admin => Ok(Self(reader)),
            ConsoleRole::Auditor | ConsoleRole::Setup => {
                Err(Trouble::new(StatusCode::FORBIDDEN, tell::ADMINS_ONLY))
            }
        }
    }

    fn visitor(&self) -> &Visitor {
        &self.0.visitor
    }
}

/// An operator, at the organization in the path.
#[derive(Clone)]
pub struct OperatorOf(pub Reader);

impl Guard for OperatorOf {
    async fn admitted(parts: &mut Parts, console: &Console) -> Result<Self, Trouble> {
        let reader = Reader::admitted(parts, console).await?;
        match reader.visitor.role() {
            ConsoleRole::Operator => Ok(Self(reader)),
            _ => Err(Trouble::new(StatusCode::FORBIDDEN, tell::OPERATORS_ONLY)),
        }
    }

    fn visitor(&self) -> &Visitor {
        &self.0.visitor
    }
}

/// An operator, wherever they are.
#[derive(Clone)]
pub struct OperatorHere(pub Visitor);

impl Guard for OperatorHere {
    async fn admitted(parts: &mut Parts, console: &Console) -> Result<Self, Trouble> {
        let visitor = Visitor::of(parts, console).await?;
        if visitor.role() == ConsoleRole::Operator {
            return Ok(Self(visitor));
        }
        if parts.method != Method::GET {
            return Err(Trouble::new(StatusCode::FORBIDDEN, tell::OPERATORS_ONLY));
        }
        // Everybody else has one organization, and begins there.
        let home = visitor.app.organizations.by_id(visitor.session.organization).await?;
        let home = home.ok_or_else(Trouble::nothing)?;
        Err(Trouble::Elsewhere(match visitor.role() {
            ConsoleRole::Setup => setup_of(&home),
            _ => format!("/o/{}", home.domain),
        }))
    }

    fn visitor(&self) -> &Visitor {
        &self.0
    }
}

impl Guard for Visitor {
    const TAKES_AUDITORS: bool = true;

    async fn admitted(parts: &mut Parts, console: &Console) -> Result<Self, Trouble> {
        Self::of(parts, console).await
    }

    fn visitor(&self) -> &Visitor {
        self
    }
}

macro_rules! extracted {
    ($($guard:ty),+) => {
        $(impl FromRequestParts<Console> for $guard {
            type Rejection = Trouble;

            async fn from_request_parts(
                parts: &mut Parts,
                console: &Console,
            ) -> Result<Self, Trouble> {
                <$guard as Guard>::admitted(parts, console).await
            }
        })+
    };
}

/// Somebody who may say what came of a review: whoever may read, auditors as well.
#[derive(Clone)]
pub struct Reviewer(pub Reader);

impl Guard for Reviewer {
    const TAKES_AUDITORS: bool = true;

    async fn admitted(parts: &mut Parts, console: &Console) -> Result<Self, Trouble> {
        Ok(Self(Reader::admitted(parts, console).await?))
    }

    fn visitor(&self) -> &Visitor {
        &self.0.visitor
    }
}

extracted!(Visitor, Reader, Reviewer, Setter, Manager, OperatorOf, OperatorHere);

/// Somebody who may change something, with the form they sent from a page of theirs.
pub struct Posted<G> {
    /// Who.
    pub who: G,
    /// What they sent.
    pub form: Form,
}

impl<G: Guard> FromRequest<Console> for Posted<G> {
    type Rejection = Trouble;

    async fn from_request(request: Request, console: &Console) -> Result<Self, Trouble> {
        let (mut parts, body) = request.into_parts();
        if !origin::is_ours(&parts.headers, &console.app.public_url) {
            return Err(Trouble::new(StatusCode::FORBIDDEN, tell::FOREIGN_FORM));
        }
        let who = G::admitted(&mut parts, console).await?;
        if who.visitor().role() == ConsoleRole::Auditor && !G::TAKES_AUDITORS {
            return Err(Trouble::new(StatusCode::FORBIDDEN, tell::AUDITORS_READ));
        }
        let form = read(body).await?;
        if !same(form.text("token"), &who.visitor().token) {
            return Err(Trouble::new(StatusCode::FORBIDDEN, tell::STALE_FORM));
        }
        Ok(Self { who, form })
    }
}

/// Reads a form.
///
/// # Errors
/// If it is none, or too long.
pub async fn read(body: axum::body::Body) -> Result<Form, Trouble> {
    let too_long = |_| Trouble::new(StatusCode::PAYLOAD_TOO_LARGE, tell::FORM_TOO_LONG);
    let body = to_bytes(body, FORM_BYTES).await.map_err(too_long)?;
    Form::read(&body).map_err(|e| Trouble::new(StatusCode::BAD_REQUEST, e.to_string()))
}
