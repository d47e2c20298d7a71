//! What a command on an organization comes to.

use super::decide_saml;
use super::recipients;
use super::{
    Organization, OrganizationCommand, OrganizationError, OrganizationEvent, Scim, Settings,
};
use crate::claim::{ClaimChanges, ClaimKind, ClearClaim};
use crate::context::Context;
use crate::credential::{CredentialEvent, Purpose};
use crate::decision::Decision;
use crate::fold_text::{NameFold, fold_text};
use crate::provisioning_log::into_parts;
use crate::scim::Policy;

/// Decides a command. A command that changes nothing yields no event.
pub fn decide(
    organization: &Organization,
    command: OrganizationCommand,
    context: &Context,
) -> Result<Decision<OrganizationEvent>, OrganizationError> {
    let events = match (organization, command) {
        (Organization::Absent, OrganizationCommand::Create { name, domain }) => {
            create(name, domain)
        }
        (Organization::Absent, _) => Err(OrganizationError::NotFound),
        (Organization::Present(_), OrganizationCommand::Create { .. }) => {
            Err(OrganizationError::AlreadyExists)
        }
        (Organization::Present(settings), command) => change(settings, command, context),
    };
    events.map(Decision::from)
}

fn create(name: String, domain: String) -> Result<Vec<OrganizationEvent>, OrganizationError> {
    if name.trim().is_empty() || !is_plain(&name) {
        return Err(OrganizationError::InvalidName);
    }
    let slug = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if domain.is_empty()
        || domain.len() > 63
        || !domain.chars().all(slug)
        || domain.starts_with('-')
        || domain.ends_with('-')
    {
        return Err(OrganizationError::InvalidDomain);
    }
    Ok(vec![OrganizationEvent::Created { name, domain }])
}

fn is_plain(text: &str) -> bool {
    text.chars().count() <= 200 && !text.chars().any(char::is_control)
}

fn change(
    settings: &Settings,
    command: OrganizationCommand,
    context: &Context,
) -> Result<Vec<OrganizationEvent>, OrganizationError> {
    let when = |condition: bool, event: OrganizationEvent| {
        Ok(if condition { vec![event] } else { vec![] })
    };
    match command {
        OrganizationCommand::Create { .. } => Err(OrganizationError::AlreadyExists),
        OrganizationCommand::Enable if settings.erased => Err(OrganizationError::Erased),
        OrganizationCommand::Erase { because } if !settings.erased => {
            let off = settings.enabled.then_some(OrganizationEvent::Disabled {});
            Ok(off.into_iter().chain([OrganizationEvent::Erased { because }]).collect())
        }
        OrganizationCommand::Erase { .. } => Ok(vec![]),
        OrganizationCommand::Enable => when(!settings.enabled, OrganizationEvent::Enabled {}),
        OrganizationCommand::Disable => when(settings.enabled, OrganizationEvent::Disabled {}),
        OrganizationCommand::EnableScim => {
            when(settings.scim != Scim::Enabled, OrganizationEvent::ScimEnabled {})
        }
        OrganizationCommand::DisableScim => {
            when(settings.scim != Scim::Disabled, OrganizationEvent::ScimDisabled {})
        }
        OrganizationCommand::SetScimPolicy { strict, members_replace_adds } => {
            let before = &settings.scim_policy;
            let policy = Policy {
                strict: strict.unwrap_or(before.strict),
                members_replace_adds: members_replace_adds.unwrap_or(before.members_replace_adds),
            };
            when(policy != *before, OrganizationEvent::ScimPolicySet { policy })
        }
        OrganizationCommand::Credential(command) => {
            let changes = settings.credentials.decide(command, context.now)?;
            let enables = settings.scim == Scim::Never
                && changes.iter().any(|change| {
                    matches!(change, CredentialEvent::Issued(new) if new.purpose == Purpose::Scim)
                });
            let mut events = Vec::from_iter(enables.then_some(OrganizationEvent::ScimEnabled {}));
            events.extend(changes.into_iter().map(OrganizationEvent::from));
            Ok(events)
        }
        OrganizationCommand::ImportProvisioningLog { changes } => {
            let parts = into_parts(changes, &settings.imported);
            Ok(parts
                .into_iter()
                .map(|cycles| OrganizationEvent::ProvisioningLogImported { cycles })
                .collect())
        }
        OrganizationCommand::ForgetProvisioningLog { cycles } => {
            if let Some(unknown) = cycles.iter().find(|c| !settings.imported.contains_key(*c)) {
                return Err(OrganizationError::NotImported(unknown.clone()));
            }
            let named = match cycles.is_empty() {
                true => settings.imported.keys().cloned().collect(),
                false => Vec::from_iter(cycles),
            };
            let is_news = !named.is_empty();
            when(is_news, OrganizationEvent::ProvisioningLogForgotten { cycles: named })
        }
        OrganizationCommand::NoteRhythm(noticed) => when(
            noticed.is_news(settings.rhythm.as_ref()),
            OrganizationEvent::ProvisioningRhythmChanged(noticed),
        ),
        OrganizationCommand::BoundTimes { until } => {
            when(context.now < until, OrganizationEvent::TimesBounded { until })
        }
        OrganizationCommand::ChangeRecipients { add, remove } => {
            let recipients = recipients::changed(&settings.recipients, &add, &remove)?;
            let is_news = recipients != settings.recipients;
            let recipients = recipients.into_iter().collect();
            when(is_news, OrganizationEvent::NotificationRecipientsSet { recipients })
        }
        OrganizationCommand::Saml(command) => decide_saml::decide(&settings.saml, command, context),
    }
}

/// The claims that go with an organization's events. That of its domain holds in the whole
/// deployment.
pub fn claims(events: &[OrganizationEvent]) -> ClaimChanges<ClearClaim> {
    let mut claims = ClaimChanges::default();
    for event in events {
        match event {
            OrganizationEvent::Created { domain, .. } => {
                claims.take.push(ClearClaim::new(ClaimKind::Domain, fold_text(domain)));
                // It has no names yet, so all of them will be folded so.
                claims.take.push(ClearClaim::new(ClaimKind::NameFold, NameFold::CURRENT.as_str()));
            }
            OrganizationEvent::LoginRefused(refused) => claims.take.extend(refused.used_up()),
            OrganizationEvent::LogoutRequested(requested) => claims.take.push(requested.claim()),
            _ => {}
        }
    }
    claims
}
