//! Putting a backup in place.

use super::codec::log_error;
use super::session::Session;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::*;

/// Puts parts of a backup in place, all or none.
pub(super) async fn restore(session: &mut Session, parts: Vec<Restored>) -> Result<(), LogError> {
    let mut wanted = Wanted::default();
    for part in &parts {
        match part {
            Restored::Record(record) => {
                wanted.organizations.insert(record.stream.organization);
                wanted.streams.insert(record.stream);
            }
            Restored::Exchange(exchange) => {
                wanted.organizations.insert(exchange.exchange.organization);
                wanted.exchanges.insert((exchange.exchange.organization, exchange.exchange.id));
            }
            Restored::ClaimKey(..) | Restored::Claim(..) => {}
        }
    }
    let facts = session.begin(&wanted).await.map_err(log_error)?;
    let (plan, keys) = arrange(facts, parts)?;
    if let Some(scope) = session.keep_keys(&keys).await.map_err(log_error)?.first() {
        return Err(LogError::Damaged(format!("{scope} has another claim key")));
    }
    session.write(&plan).await.map_err(log_error)?;
    session.commit().await.map_err(log_error)
}

type Keys = Vec<(OrganizationId, [u8; 32])>;

/// Checks that each part follows what is there, so that no hole is restored.
fn arrange(mut facts: Facts, parts: Vec<Restored>) -> Result<(Plan, Keys), LogError> {
    let mut plan = Plan::default();
    let mut keys = Vec::new();
    for part in parts {
        match part {
            Restored::ClaimKey(scope, key) => keys.push((scope, key)),
            Restored::Claim(claim, holder) => {
                _ = plan.claims.insert(claim, ClaimOutcome::Held(holder));
            }
            Restored::Record(record) => {
                let head = facts.heads.entry(record.stream.organization).or_default();
                let version = facts.versions.entry(record.stream).or_default();
                if (record.position, record.version) != (head.position + 1, *version + 1) {
                    return Err(LogError::Damaged(format!(
                        "position {} of version {} cannot follow position {} and version {version}",
                        record.position, record.version, head.position
                    )));
                }
                *version = record.version;
                head.position = record.position;
                plan.heads.insert(record.stream.organization, *head);
                plan.records.push(record);
            }
            Restored::Exchange(mut exchange) => {
                let organization = exchange.exchange.organization;
                let head = facts.heads.entry(organization).or_default();
                let known = facts.exchanges.contains_key(&(organization, exchange.exchange.id));
                let Some(number) = restored_number(&exchange, *head, known)? else { continue };
                (exchange.number, head.exchange_number) = (number, number);
                plan.heads.insert(organization, *head);
                plan.exchanges.push(*exchange);
            }
        }
    }
    Ok((plan, keys))
}
