//! What every handler shares.

use crate::SCIM_PREFIX;
use crate::audit::Audit;
use crate::config::ServeConfig;
use crate::exchange::RateLimit;
use crate::sealing::DeploymentKey;
use crate::strangers::Strangers;
use rollcall_domain::ids::CredentialId;
use rollcall_domain::scim::{Limits, Policy, ScimError};
use rollcall_engine::Engine;
use rollcall_mail::Mailer;
use rollcall_outbound::Guard;
use rollcall_projections::console::ConsoleStore;
use rollcall_projections::console_groups::ConsoleGroupView;
use rollcall_projections::consumer_places::ConsumerPlaces;
use rollcall_projections::consumers::ConsumerView;
use rollcall_projections::credentials::CredentialView;
use rollcall_projections::directory::Directory;
use rollcall_projections::exchanges::Exchanges;
use rollcall_projections::fold::Folder;
use rollcall_projections::logins::LoginView;
use rollcall_projections::notices::Notices;
use rollcall_projections::organizations::Organizations;
use rollcall_projections::reads::ReadTrail;
use rollcall_projections::saml::SamlConnections;
use rollcall_projections::session_uses::SessionUses;
use rollcall_projections::sessions::SessionView;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use tokio::sync::Semaphore;

/// The application behind the routes.
pub struct App {
    /// Use cases.
    pub engine: Arc<Engine>,
    /// What auditors ask.
    pub audit: Audit,
    /// Users, groups, members.
    pub directory: Directory,
    /// Organizations.
    pub organizations: Organizations,
    /// Requests and their outcomes.
    pub exchanges: Exchanges,
    /// Who is let in.
    pub credentials: CredentialView,
    /// Whose members use the console.
    pub console_groups: ConsoleGroupView,
    /// Who follows logs from outside.
    pub consumers: ConsumerView,
    /// How far they have come.
    pub places: ConsumerPlaces,
    /// When sessions were last asked for.
    pub session_uses: SessionUses,
    /// Who uses the console, and the links to it.
    pub console: ConsoleStore,
    /// What was read by whom.
    pub reads: ReadTrail,
    /// What was told by mail.
    pub notices: Notices,
    /// The configuration.
    pub config: ServeConfig,
    /// Limits on what a client sends.
    pub limits: Arc<Limits>,
    /// Public address of the SCIM endpoint: what Entra calls Tenant URL.
    pub scim_base: Arc<str>,
    /// Address under which clients reach it.
    pub public_url: String,
    /// How organizations sign on.
    pub connections: SamlConnections,
    /// Logins, and attempts at them.
    pub logins: LoginView,
    /// Who is signed in.
    pub sessions: SessionView,
    /// Seals private keys and signs cookies.
    pub deployment_key: DeploymentKey,
    /// Where requests of our own may go.
    pub outbound: Guard,
    /// What sends mail; none where no server is named.
    pub mail: Option<Mailer>,
    /// SHA-256 of the operator key, in lower-case hex.
    pub operator_sha256: String,
    /// True if other processes may write the same store.
    pub shared: bool,
    /// What those may take who have no live credential.
    pub strangers: Strangers,
    /// Limit on requests of `/api/v1`, per key. The operator's of the data folder has none.
    pub keys: RateLimit<CredentialId>,
    /// One permit for each request under way of those who have one.
    pub in_flight: Arc<Semaphore>,
    /// True once it was told to stop: it serves what comes, and asks to be sent no more.
    pub leaving: AtomicBool,
}

/// What an application is told besides its engine.
pub struct Settings {
    /// How far consumers have come.
    pub places: ConsumerPlaces,
    /// When sessions were last asked for.
    pub session_uses: SessionUses,
    /// Who uses the console, and the links to it.
    pub console: ConsoleStore,
    /// What was read by whom.
    pub reads: ReadTrail,
    /// What was told by mail.
    pub notices: Notices,
    /// The configuration.
    pub config: ServeConfig,
    /// Address under which clients reach it.
    pub public_url: String,
    /// Opens the administration.
    pub operator_key: String,
    /// Seals private keys and signs cookies.
    pub deployment_key: DeploymentKey,
    /// True if other processes may write the same store.
    pub shared: bool,
    /// What those may take who have no live credential.
    pub strangers: Strangers,
}

impl App {
    /// Puts the parts together.
    pub fn new(engine: Arc<Engine>, audit: Arc<Folder>, settings: Settings) -> Self {
        let Settings { places, session_uses, console, config, public_url, operator_key, .. } =
            settings;
        let Settings { deployment_key, shared, strangers, reads, notices, .. } = settings;
        let views = engine.views.clone();
        engine.followed_by(audit.clone());
        let limits = Arc::new(Limits { max_members: config.max_members, ..Limits::default() });
        Self {
            directory: Directory::new(views.clone()),
            organizations: Organizations::new(views.clone()),
            credentials: CredentialView::new(views.clone()),
            console_groups: ConsoleGroupView::new(views.clone()),
            consumers: ConsumerView::new(views.clone()),
            places,
            session_uses,
            console,
            reads,
            notices,
            exchanges: Exchanges::new(engine.log.clone()),
            connections: SamlConnections::new(views.clone()),
            logins: LoginView::new(views.clone()),
            sessions: SessionView::new(views),
            // Refused before, if these are no nets.
            outbound: Guard::opening(&config.allow_private_outbound).unwrap_or_default(),
            // Refused before, if there is none.
            mail: config.mailer().ok().flatten(),
            deployment_key,
            limits,
            scim_base: format!("{}{SCIM_PREFIX}", public_url.trim_end_matches('/')).into(),
            public_url,
            operator_sha256: rollcall_engine::secrets::sha256_hex(&operator_key),
            shared,
            strangers,
            keys: RateLimit::new(config.rate_limit, config.rate_burst),
            in_flight: Arc::new(Semaphore::new(config.max_in_flight)),
            leaving: AtomicBool::new(false),
            engine,
            audit: Audit::new(audit),
            config,
        }
    }

    /// The limits on what the client of one connection sends.
    pub fn limits_of(&self, policy: &Policy) -> Arc<Limits> {
        match *policy == self.limits.policy {
            true => self.limits.clone(),
            false => Arc::new(Limits { policy: policy.clone(), ..Limits::clone(&self.limits) }),
        }
    }

    /// What feeds the views, one for each family.
    pub fn folders(&self) -> [&Arc<Folder>; 2] {
        [&self.engine.folder, self.audit.folder()]
    }

    /// What a SCIM client is told when a view cannot be read.
    pub fn trouble(&self, doing: &str, error: &dyn std::fmt::Display) -> ScimError {
        tracing::warn!(doing, %error, "view cannot be read");
        ScimError::unavailable(
            "the store cannot be reached at the moment; try again later".to_owned(),
        )
    }
}
