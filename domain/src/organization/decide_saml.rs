//! What a command on an organization's SAML connection comes to.

use super::saml::{IdpEndpoints, MAX_SESSION_MINUTES, SamlPolicy, SamlState};
use super::saml_settings::{LIVE_KEYS, SamlSettings};
use super::{CertificateOwner, OrganizationError, OrganizationEvent, SamlCommand};
use crate::context::Context;
use crate::login::Identifier;
use crate::saml::IdpSettings;

/// Days before the end of a certificate at which a warning is due: Entra's own mails, and the end.
const WARN_AT_DAYS: [u32; 4] = [60, 30, 7, 0];
/// Longest URI, in bytes: that of an entity id (SAML core 8.3.6).
const URI_BYTES: usize = 1_024;
/// Most authentication contexts.
const CONTEXTS: usize = 10;
/// Most targets, and longest one in bytes.
const TARGETS: (usize, usize) = (50, 500);

pub(super) fn decide(
    saml: &SamlSettings,
    command: SamlCommand,
    context: &Context,
) -> Result<Vec<OrganizationEvent>, OrganizationError> {
    match command {
        SamlCommand::Configure { metadata_url, idp } => {
            // A new connection says what it begins with.
            let policy = saml.policy.clone();
            let first = (saml.idp.is_none() && !saml.policy_told)
                .then_some(OrganizationEvent::SamlPolicyChanged { policy });
            let mut events = Vec::from_iter(first);
            events.extend(configure(saml, metadata_url, &idp)?);
            if saml.state != SamlState::Enabled {
                events.push(OrganizationEvent::SamlEnabled {});
            }
            Ok(events)
        }
        SamlCommand::Refresh { idp } => match &saml.idp {
            None => Err(OrganizationError::SamlNotConfigured),
            Some(known) if known.entity_id != idp.entity_id => {
                Err(OrganizationError::OtherIdentityProvider)
            }
            Some(_) => configure(saml, saml.metadata_url.clone(), &idp),
        },
        SamlCommand::GenerateKey { key } if saml.keys.is_empty() => {
            Ok(vec![OrganizationEvent::SamlKeyGenerated { key }])
        }
        SamlCommand::GenerateKey { .. } => Err(OrganizationError::KeyExists),
        SamlCommand::RotateKey { .. } if saml.keys.is_empty() => Err(OrganizationError::UnknownKey),
        SamlCommand::RotateKey { .. } if saml.keys.len() >= LIVE_KEYS => {
            Err(OrganizationError::TooManyKeys)
        }
        SamlCommand::RotateKey { key } => Ok(vec![OrganizationEvent::SamlKeyGenerated { key }]),
        SamlCommand::RetireKey { key } => match saml.current_key() {
            Some(current) if current.id == key => Err(OrganizationError::CurrentKey),
            _ if saml.keys.iter().any(|k| k.id == key) => {
                Ok(vec![OrganizationEvent::SamlKeyRetired { key }])
            }
            _ => Err(OrganizationError::UnknownKey),
        },
        SamlCommand::ChangePolicy { policy } => {
            check(&policy, saml)?;
            Ok(if saml.policy == policy {
                vec![]
            } else {
                vec![OrganizationEvent::SamlPolicyChanged { policy }]
            })
        }
        SamlCommand::Enable if saml.idp.is_none() => Err(OrganizationError::SamlNotConfigured),
        SamlCommand::Enable if saml.state == SamlState::Enabled => Ok(vec![]),
        SamlCommand::Enable => Ok(vec![OrganizationEvent::SamlEnabled {}]),
        SamlCommand::Disable if saml.state == SamlState::Enabled => {
            Ok(vec![OrganizationEvent::SamlDisabled {}])
        }
        SamlCommand::Disable => Ok(vec![]),
        SamlCommand::WarnOfCertificates => Ok(warnings(saml, context)),
        SamlCommand::UseLogoutRequest(used) => Ok(vec![OrganizationEvent::LogoutRequested(used)]),
        SamlCommand::RefuseLogin(refused) => Ok(vec![OrganizationEvent::LoginRefused(refused)]),
    }
}

fn configure(
    saml: &SamlSettings,
    metadata_url: Option<String>,
    idp: &IdpSettings,
) -> Result<Vec<OrganizationEvent>, OrganizationError> {
    if idp.signing_certificates.is_empty() {
        return Err(OrganizationError::NoCertificate);
    }
    let endpoints = IdpEndpoints::from(idp);
    let mut events = Vec::new();
    if saml.idp.as_ref() != Some(&endpoints) || saml.metadata_url != metadata_url {
        events.push(OrganizationEvent::SamlConfigured { metadata_url, idp: endpoints });
    }
    let fresh =
        idp.signing_certificates.iter().filter(|c| !saml.certificates.contains_key(&c.sha256));
    events.extend(
        fresh.map(|c| OrganizationEvent::SamlCertificateTrusted { certificate: c.clone() }),
    );
    let gone = saml
        .certificates
        .keys()
        .filter(|sha256| !idp.signing_certificates.iter().any(|c| c.sha256 == **sha256));
    events.extend(
        gone.map(|sha256| OrganizationEvent::SamlCertificateDropped { sha256: sha256.clone() }),
    );
    Ok(events)
}

fn check(policy: &SamlPolicy, saml: &SamlSettings) -> Result<(), OrganizationError> {
    if policy.idle_minutes.is_some_and(|idle| idle == 0 || idle > MAX_SESSION_MINUTES) {
        return Err(OrganizationError::InvalidSessionMinutes);
    }
    if policy.session_minutes == 0 || policy.session_minutes > MAX_SESSION_MINUTES {
        return Err(OrganizationError::InvalidSessionMinutes);
    }
    if policy.targets.len() > TARGETS.0 || !policy.targets.iter().all(|target| is_target(target)) {
        return Err(OrganizationError::InvalidTarget);
    }
    let listed = &policy.identifiers;
    let twice = (1..listed.len()).any(|i| listed[..i].contains(&listed[i]));
    if listed.is_empty() || listed.len() > Identifier::MOST || twice {
        return Err(OrganizationError::InvalidIdentifiers);
    }
    let is_uri = |text: &String| {
        text.len() <= URI_BYTES
            && text.contains(':')
            && text.bytes().all(|b| b.is_ascii_graphic() && !b"<>\"".contains(&b))
    };
    let contexts = &policy.authn_contexts;
    if contexts.len() > CONTEXTS || !contexts.iter().all(is_uri) {
        return Err(OrganizationError::InvalidAuthnContext);
    }
    if !policy.entity_id.iter().all(is_uri) {
        return Err(OrganizationError::InvalidEntityId);
    }
    if policy.sign_requests && saml.keys.is_empty() {
        return Err(OrganizationError::UnknownKey);
    }
    Ok(())
}

/// A whole address with a host that ends: `https://app.example` alone would also stand for
/// `https://app.example.evil`, if it could stand for what is below it.
fn is_target(target: &str) -> bool {
    let rest = target.strip_prefix("https://").or_else(|| target.strip_prefix("http://"));
    let host_ends = rest.is_some_and(|rest| rest.find('/').is_some_and(|at| at > 0));
    host_ends
        && target.len() <= TARGETS.1
        && SamlPolicy { targets: vec![target.to_owned()], ..SamlPolicy::default() }
            .allows_target(target)
}

fn warnings(saml: &SamlSettings, context: &Context) -> Vec<OrganizationEvent> {
    let idp = saml
        .certificates
        .values()
        .map(|c| (CertificateOwner::IdentityProvider, &c.sha256, c.not_after));
    let own = saml.current_key().map(|k| {
        (CertificateOwner::ServiceProvider, &k.certificate.sha256, k.certificate.not_after)
    });
    let due =
        |(owner, sha256, not_after): (CertificateOwner, &String, chrono::DateTime<chrono::Utc>)| {
            let left = not_after.signed_duration_since(context.now).num_seconds().max(0);
            // The nearest threshold that was reached; each is told once.
            let days =
                WARN_AT_DAYS.into_iter().rev().find(|days| left <= i64::from(*days) * 86_400)?;
            let told = saml.warned.get(sha256).is_some_and(|told| *told <= days);
            (!told).then(|| OrganizationEvent::SamlCertificateExpiring {
                owner,
                sha256: sha256.clone(),
                not_after,
                days,
            })
        };
    idp.chain(own).filter_map(due).collect()
}
