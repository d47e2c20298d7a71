//! The other side: Entra's identity provider, and its provisioning job.

use super::visitor::Site;
use anyhow::Result;
use chrono::{DateTime, Duration, Utc};
use rollcall_entra::client::Mapping;
use rollcall_entra::idp::server::{Ambient, Shared, serve};
use rollcall_entra::idp::{Application, Hash, IdentityProvider, Person, SigningKey, SigningOption};
use rollcall_entra::play::{Happening, Plan};
use rollcall_tests::clock::now;
use rollcall_tests::tenant::provision;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::net::TcpListener;

/// Somebody of the tenant.
pub const ADA: &str = "ada@contoso.example";

/// The identity provider for `acme`, and the address of its metadata.
pub async fn identity_provider(site: &Site) -> Result<(Shared, String)> {
    identity_provider_of(&site.url, "acme", vec![person(ADA)]).await
}

/// The identity provider of an organization with these people, and the address of its metadata.
pub async fn identity_provider_of(
    url: &str,
    slug: &str,
    people: Vec<Person>,
) -> Result<(Shared, String)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let at = |action: &str| format!("{url}/saml/{slug}/{action}");
    let provider = IdentityProvider {
        tenant_id: "11111111-2222-4333-8444-555555555555".to_owned(),
        base_url: format!("http://{}", listener.local_addr()?),
        application: Application {
            app_id: "99999999-2222-4333-8444-555555555555".to_owned(),
            entity_id: at("metadata"),
            reply_urls: vec![at("acs")],
            logout_url: Some(at("logout")),
        },
        keys: vec![SigningKey::generate(now(), 100)?],
        active: 0,
        signing: SigningOption::default(),
        hash: Hash::Sha256,
        encrypt_for: None,
        people,
    };
    let metadata = provider.metadata_url();
    let drawn = Arc::new(AtomicU64::new(now().timestamp_micros().unsigned_abs()));
    let id = move || format!("_{:032x}", drawn.fetch_add(1, Ordering::Relaxed));
    let entra = Shared::new(provider, Ambient { now: Arc::new(now), id: Arc::new(id) });
    tokio::spawn(serve(listener, entra.clone()));
    Ok((entra, metadata))
}

/// Somebody with this user principal name.
pub fn person(name: &str) -> Person {
    Person {
        object_id: "0a1b2c3d-1111-4222-8333-444455556666".to_owned(),
        user_principal_name: name.to_owned(),
        mail: ADA.to_owned(),
        given_name: "Ada".to_owned(),
        surname: "Keller".to_owned(),
        display_name: "Ada Keller".to_owned(),
        groups: Vec::new(),
        guest_of: None,
        unassigned: false,
    }
}

/// Test Connection, then cycles of a small tenant with this mapping.
pub async fn provisioning(site: &Site, token: &str, mapping: Mapping, cycles: u32) -> Result<()> {
    let start: DateTime<Utc> = "2026-03-02T07:00:00Z".parse()?;
    let mut plan = Plan::new(7, 12, token, start, cycles);
    plan.settings.mapping = mapping;
    plan.first_cycle = Duration::minutes(10);
    plan.at(Duration::zero(), Happening::TestConnection);
    provision(plan, &format!("{}/scim/v2", site.url)).await.map(drop)
}
