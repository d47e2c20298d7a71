//! `rollcall serve`: from a configuration to a running server, and its end.

use crate::background::Background;
use crate::listen::{self, Entrances, Local, Patience, Tls, Trusted};
use crate::reload::{self, Reload};
use crate::router::{Doors, on_the_wire, router};
use crate::{known, notify, telemetry};
use anyhow::{Context, bail};
use axum::Extension;
use metrics_exporter_prometheus::PrometheusHandle;
use rollcall_contract::found_at::ADDRESS;
use rollcall_door::callers::Inside;
use rollcall_door::config::ServeConfig;
use rollcall_door::sealing::{DeploymentKey, WRAPPING, deployment_key_path};
use rollcall_door::strangers::Strangers;
use rollcall_door::{App, Settings};
use rollcall_engine::begin;
use rollcall_engine::clock::Clock;
use rollcall_engine::ids::{Ids, Random};
use rollcall_engine::secrets;
use rollcall_projections::console::ConsoleStore;
use rollcall_projections::consumer_places::ConsumerPlaces;
use rollcall_projections::notices::Notices;
use rollcall_projections::reads::ReadTrail;
use rollcall_projections::saml::SamlConnections;
use rollcall_projections::session_uses::SessionUses;
use rollcall_projections::strangers::StrangerRing;
use rollcall_sign_on::saml::seals;
use rollcall_stores::{DeploymentWrap, Places};
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// How often a stop looks whether strangers' requests have ended.
const GLANCE: Duration = Duration::from_millis(10);
/// How long a stop waits for requests that were accepted.
const DRAIN: Duration = Duration::from_secs(30);

/// Runs the server until it is told to stop.
///
/// # Errors
/// What has to be changed before it can start.
pub async fn serve(config: ServeConfig, reload: Reload) -> anyhow::Result<()> {
    // Before anything else: a reload that came first would end the process.
    let hangups = reload::hangups()?;
    std::fs::create_dir_all(&config.data).with_context(|| {
        format!("cannot make the data folder {}: choose another with --data", config.data.display())
    })?;
    let metrics = telemetry::start_metrics(config.metric_organizations)?;
    let clock = Clock::kept();
    let ids = Ids::new(clock.clone(), Random::system());
    let drawn = ids.key();
    let writer = std::array::from_fn(|byte| drawn[byte]);
    let tls = match (&config.tls_certificate_file, &config.tls_key_file) {
        (Some(certificate), Some(key)) => Some(Tls::read(certificate, key)?),
        _ => None,
    };
    notify::status("opening the log");
    let key_file =
        config.deployment_key_file.clone().unwrap_or_else(|| deployment_key_path(&config.data));
    let mut deployment_key = DeploymentKey::read_or_make(&key_file, &ids)?;
    let mut wrap = DeploymentWrap::new(deployment_key.derived(WRAPPING));
    if let Some(former) = &config.former_deployment_key_file {
        let former = DeploymentKey::read(former)?;
        wrap = wrap.after(former.derived(WRAPPING));
        deployment_key = deployment_key.after(former);
    }
    let stores = rollcall_stores::open(Places {
        data: &config.data,
        database: config.database_url.as_deref().map(|url| (url, config.database_connections)),
        kurrent: config.kurrent_url.as_deref().map(|url| (url, writer)),
        wrap: &wrap,
        epoch: ids.epoch(),
    });
    let stores = stores.await?;
    // Before any time is given out that counts.
    let asked = Instant::now();
    let told = stores.log.time().await.context("cannot ask the database for the time")?;
    clock.follow(told.map(|time| time + asked.elapsed() / 2));
    let operator_key = secrets::operator_key(&config.data, &ids)?;
    stores.log.watch().remember(known::read(&config.data));
    notify::status("bringing the views that answer SCIM up to the log");
    let engine = begin::engine(&stores.log, &stores.live, clock, ids).await?;
    engine.look_at_the_clock().await.context("cannot ask the database for the time")?;
    if engine.closed().is_none() {
        engine.begin_where_the_log_ends().await.context("cannot read the ends of the log")?;
        engine.look().await.context("cannot look at the log")?;
    }
    seals::check(
        &SamlConnections::new(stores.live.clone()),
        &deployment_key,
        &config,
        stores.shared,
    )
    .await?;
    let audit = begin::audit(&stores.log, &stores.audit).await?;
    let listener = TcpListener::bind(config.listen).await.with_context(|| {
        format!("cannot listen on {}: choose another address with --listen", config.listen)
    })?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    let url = format!("{scheme}://{}", listener.local_addr()?);
    let public_url = config.public_url.clone().unwrap_or_else(|| url.clone());
    // A certificate is for a name, and not for the address that is listened on.
    let found_at = if tls.is_some() { public_url.clone() } else { url.clone() };
    reachable(&public_url)?;
    let shared = stores.shared;
    let ring = StrangerRing::open(stores.side.clone(), stores.log.clone()).await;
    let ring = ring.context("cannot open what is kept of strangers")?;
    let connections = listen::room_for_strangers(config.stranger_connections);
    let strangers =
        Strangers::new(config.stranger_requests(), connections, ring, config.rate_limit > 0);
    let places = ConsumerPlaces::open(stores.side.clone()).await;
    let places = places.context("cannot open what is kept of consumers")?;
    let session_uses = SessionUses::open(stores.side.clone()).await;
    let session_uses = session_uses.context("cannot open what is kept of sessions")?;
    let console = ConsoleStore::open(stores.side.clone()).await;
    let console = console.context("cannot open what is kept of the console")?;
    let reads = ReadTrail::open(stores.side.clone()).await;
    let reads = reads.context("cannot open the trail of what was read")?;
    let notices = Notices::open(stores.side.clone()).await;
    let notices = notices.context("cannot open what is kept of what was told")?;
    let settings = Settings {
        notices,
        places,
        session_uses,
        console,
        reads,
        config,
        public_url,
        operator_key,
        deployment_key,
        shared,
        strangers,
    };
    let app = Arc::new(App::new(engine, audit, settings));
    let empty = app.organizations.list().await.is_ok_and(|all| all.is_empty());
    announce(&app, stores.name, &url, empty);
    run(app, metrics, Listening { listener, tls, found_at }, reload, hangups).await
}

/// Where operators come in, if that is another address.
async fn inside(app: &App, tls: Option<Tls>) -> anyhow::Result<Option<Entrances>> {
    let address = &app.config.admin_listen;
    if address.is_empty() {
        if !app.config.listen.ip().is_loopback() {
            tracing::info!(
                "the administration and metrics can be reached from other machines: keep them inside, or name --admin-listen"
            );
        }
        return Ok(None);
    }
    let listener = TcpListener::bind(address).await.with_context(|| {
        format!("cannot listen on {address}: choose another address with --admin-listen")
    })?;
    let at = listener.local_addr()?;
    tracing::info!(%at, "operators' keys are taken, and metrics shown, here and by the socket");
    Ok(Some(Entrances { listener, local: None, tls }))
}

/// Where requests come in.
struct Listening {
    listener: TcpListener,
    tls: Option<Tls>,
    /// Where the command line finds it.
    found_at: String,
}

async fn run(
    app: Arc<App>,
    metrics: PrometheusHandle,
    listening: Listening,
    reload: Reload,
    hangups: Signal,
) -> anyhow::Result<()> {
    let Listening { listener, tls, found_at } = listening;
    let address_file = app.config.data.join(ADDRESS);
    std::fs::write(&address_file, format!("{found_at}\n"))
        .with_context(|| format!("cannot write {}", address_file.display()))?;
    let (stop, stopping) = watch::channel(false);
    let doors = Doors::new(&app);
    let background = Background::start(&app, &doors, &stopping);
    let (feed, streams) = (doors.feed.clone(), doors.streams.clone());
    let router = on_the_wire(router(&app, doors, Some(metrics)));
    let trusted = Trusted::parse(&app.config.trusted_proxy)?;
    let local = Local::bind(&app.config.data)?;
    let outside = Entrances { listener, local, tls: tls.clone() };
    let inside = inside(&app, tls.clone()).await?;
    let mut servers = JoinSet::new();
    for (entrances, router) in
        [(Some(outside), router.clone()), (inside, router.layer(Extension(Inside)))]
    {
        let Some(entrances) = entrances else { continue };
        let connections = app.strangers.connections.clone();
        let (trusted, stopping) = (trusted.clone(), stopping.clone());
        let patience = Patience::default();
        servers.spawn(listen::serve(entrances, router, patience, connections, trusted, stopping));
    }
    notify::ready("serving");
    tokio::select! {
        told = signals() => told?,
        () = reload.at_signals(hangups, &app.config, tls.as_ref()) => {}
    }
    notify::stopping();
    drain(&app).await?;
    tracing::info!("stopping: finishing what was accepted");
    let _ = stop.send(true);
    feed.stop();
    streams.stop();
    let drained = tokio::time::timeout(DRAIN, async {
        while servers.join_next().await.is_some() {}
        // Requests whose client went away are finished as well.
        let _ = app
            .in_flight
            .acquire_many(u32::try_from(app.config.max_in_flight).unwrap_or(u32::MAX))
            .await;
        while app.strangers.guests.there() > 0 {
            tokio::time::sleep(GLANCE).await;
        }
    });
    if drained.await.is_err() {
        tracing::warn!("some requests did not end in {} s", DRAIN.as_secs());
    }
    background.ended().await;
    if let Err(error) = app.strangers.evidence.flush().await {
        tracing::warn!(%error, "the last evidence of strangers was not kept");
    }
    if app.engine.closed().is_none()
        && let Err(error) = known::keep(&app.config.data, &app.engine.known())
    {
        tracing::warn!(%error, "what is known of the log could not be kept");
    }
    let _ = std::fs::remove_file(address_file);
    tracing::info!("stopped");
    Ok(())
}

/// Serves on for a while, and says that it leaves: a proxy that asks `/readyz` sends no more, and
/// connections end with the answer under way. A second signal ends that.
async fn drain(app: &App) -> anyhow::Result<()> {
    let seconds = app.config.drain_seconds;
    app.leaving.store(true, Ordering::SeqCst);
    if seconds == 0 {
        return Ok(());
    }
    tracing::info!(seconds, "told to stop: not ready any more, and serving on until others do");
    tokio::select! {
        () = tokio::time::sleep(Duration::from_secs(seconds)) => Ok(()),
        told = signals() => told,
    }
}

async fn signals() -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

/// Refuses a public URL under which nobody gets here, or everybody can read what is sent.
fn reachable(public_url: &str) -> anyhow::Result<()> {
    let url = reqwest::Url::parse(public_url)
        .with_context(|| format!("--public-url {public_url}: this is no address"))?;
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let ip = host.parse::<IpAddr>().ok();
    if ip.is_some_and(|ip| ip.is_unspecified()) {
        bail!(
            "the public URL {public_url} leads nowhere: say with --public-url under which address Entra and browsers reach this server"
        );
    }
    if !matches!(url.path(), "" | "/") || !url.username().is_empty() || url.password().is_some() {
        // RFC 8414 section 3.1 puts the path of an issuer behind /.well-known, and pages and cookies
        // are at the root.
        bail!(
            "the public URL {} has a path or a user in it: give a host of its own, such as https://rollcall.example.com",
            shown(&url)
        );
    }
    let here = host == "localhost" || ip.is_some_and(|ip| ip.is_loopback());
    if url.scheme() != "https" && !here {
        bail!(
            "the public URL {public_url} is plain http: Entra sends tokens to https only, and browsers keep no session without it; put a proxy with TLS in front, and give its https address with --public-url"
        );
    }
    Ok(())
}

/// An address without what may be a password in it.
fn shown(url: &reqwest::Url) -> String {
    let mut url = url.clone();
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.to_string()
}

fn announce(app: &App, store: &str, url: &str, empty: bool) {
    let data = app.config.data.display();
    let key = secrets::operator_key_path(Path::new(&app.config.data));
    println!("Rollcall {} listens on {url} ({store})", env!("CARGO_PKG_VERSION"));
    println!("  Tenant URL for Entra   {}", app.scim_base);
    println!("  operator key           {}", key.display());
    if !empty {
        return;
    }
    println!(
        "  next                   rollcall --data {data} org create \"Example Ltd\" --domain example"
    );
}
