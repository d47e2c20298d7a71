//! The rules of the web browser profile (SAML profiles, section 4.1.4) and those that Rollcall
//! adds.

use super::envelope::Envelope;
use super::reading::{Confirmation, Issuer, Reading};
use super::{Expected, Verified};
use crate::connection::Connection;
use crate::xml::ENTITY_FORMAT;
use chrono::{DateTime, TimeDelta, Utc};
use rollcall_domain::personal::Personal;
use rollcall_domain::saml::{Assertion, Reason, Refusal, attribute_names};
use std::collections::BTreeMap;

/// No assertion is meant to be valid for longer, whoever signed it.
const MAX_LIFETIME: TimeDelta = TimeDelta::hours(24);

/// What must hold for the response around, before any work is done for it.
pub(super) fn envelope(
    connection: &Connection,
    envelope: &Envelope<'_, '_>,
    expected: Expected<'_>,
) -> Result<(), Refusal> {
    let signed = envelope.signature.is_some();
    match &envelope.destination {
        Some(destination) if *destination != connection.acs_url => {
            return Err(Refusal::new(
                Reason::Destination,
                format!("sent to {destination}, we are {}", connection.acs_url),
            ));
        }
        None if signed => {
            return Err(Refusal::new(Reason::Destination, "a signed response without destination"));
        }
        _ => {}
    }
    match &envelope.issuer {
        Some(found) => issuer(connection, found)?,
        None if signed => {
            return Err(Refusal::new(Reason::Issuer, "a signed response without issuer"));
        }
        None => {}
    }
    issued(connection, envelope.issued_at, expected.now, "the response")?;
    match &envelope.in_response_to {
        Some(request) if expected.requests.contains(&request.as_str()) => Ok(()),
        Some(request) => Err(Refusal::new(
            Reason::UnknownRequest,
            format!("answers {request}, which this browser has not asked"),
        )),
        None if connection.policy.allow_idp_initiated => Ok(()),
        None => Err(Refusal::new(Reason::Unsolicited, "answers no request")),
    }
}

/// What must hold for a verified assertion; makes the domain's word of it.
pub(super) fn assertion(
    connection: &Connection,
    envelope: &Envelope<'_, '_>,
    verified: Verified,
    expected: Expected<'_>,
) -> Result<Assertion, Refusal> {
    let Verified { reading, certificate_sha256, signed, encrypted } = verified;
    let (now, skew) = (expected.now, connection.policy.clock_skew);
    issuer(connection, &reading.issuer)?;
    issued(connection, reading.issued_at, now, "the assertion")?;
    conditions(connection, &reading, now)?;
    let confirmed_until = confirmed(connection, envelope, &reading.confirmations, now)?;
    if reading.authn.instant > now + skew {
        return Err(Refusal::new(Reason::AuthnStatement, "the user signs in in the future"));
    }
    if reading.authn.session_not_on_or_after.is_some_and(|until| until + skew <= now) {
        return Err(Refusal::new(Reason::SessionEnded, "SessionNotOnOrAfter has passed"));
    }
    let tenant_id = tenant(connection, &reading)?;
    let object_identifier =
        single(&reading, attribute_names::OBJECT_IDENTIFIER)?.map(Personal::new);
    Ok(Assertion {
        id: reading.id,
        issuer: reading.issuer.value,
        name_id: reading.name_id.into(),
        issued_at: reading.issued_at,
        not_on_or_after: reading.conditions.not_on_or_after.min(confirmed_until),
        authn_instant: reading.authn.instant,
        authn_context: reading.authn.context,
        session_index: reading.authn.session_index,
        session_not_on_or_after: reading.authn.session_not_on_or_after,
        in_response_to: envelope.in_response_to.clone(),
        tenant_id,
        object_identifier,
        attributes: Personal::new(reading.attributes.into_iter().collect::<BTreeMap<_, _>>()),
        certificate_sha256,
        signed,
        encrypted,
    })
}

fn issuer(connection: &Connection, found: &Issuer) -> Result<(), Refusal> {
    if found.format.as_deref().is_some_and(|format| format != ENTITY_FORMAT) {
        return Err(Refusal::new(Reason::Issuer, "the issuer is not named as an entity"));
    }
    if found.value != connection.idp.entity_id {
        return Err(Refusal::new(
            Reason::Issuer,
            format!("issued by {}, expected {}", found.value, connection.idp.entity_id),
        ));
    }
    Ok(())
}

fn issued(
    connection: &Connection,
    at: DateTime<Utc>,
    now: DateTime<Utc>,
    what: &str,
) -> Result<(), Refusal> {
    let skew = connection.policy.clock_skew;
    if at > now + skew {
        return Err(Refusal::new(
            Reason::IssueInstant,
            format!("{what} is issued in the future: {at}, it is {now}"),
        ));
    }
    if at + connection.policy.max_age + skew < now {
        return Err(Refusal::new(
            Reason::IssueInstant,
            format!("{what} is too old: issued {at}, it is {now}"),
        ));
    }
    Ok(())
}

fn conditions(
    connection: &Connection,
    reading: &Reading,
    now: DateTime<Utc>,
) -> Result<(), Refusal> {
    let skew = connection.policy.clock_skew;
    let conditions = &reading.conditions;
    if conditions.not_before >= conditions.not_on_or_after {
        return Err(Refusal::new(Reason::Conditions, "conditions that end before they begin"));
    }
    if conditions.not_on_or_after - reading.issued_at > MAX_LIFETIME {
        return Err(Refusal::new(
            Reason::Conditions,
            "an assertion that is valid for more than a day",
        ));
    }
    if now + skew < conditions.not_before {
        return Err(Refusal::new(
            Reason::NotYetValid,
            format!("valid from {}, it is {now}", conditions.not_before),
        ));
    }
    if conditions.not_on_or_after + skew <= now {
        return Err(Refusal::new(
            Reason::Expired,
            format!("valid until {}, it is {now}", conditions.not_on_or_after),
        ));
    }
    if conditions.audiences.is_empty() {
        return Err(Refusal::new(
            Reason::Audience,
            "no audience: anybody could use this assertion",
        ));
    }
    match conditions
        .audiences
        .iter()
        .find(|restriction| !restriction.iter().any(|a| is_us(connection, a)))
    {
        Some(other) => Err(Refusal::new(
            Reason::Audience,
            format!("meant for {}, we are {}", other.join(", "), connection.entity_id),
        )),
        None => Ok(()),
    }
}

/// Entra writes `spn:` before an identifier that is not a URI.
fn is_us(connection: &Connection, audience: &str) -> bool {
    let us = connection.entity_id.as_str();
    audience == us || (!us.contains(':') && audience.strip_prefix("spn:") == Some(us))
}

/// At least one bearer confirmation holds; answers until when.
fn confirmed(
    connection: &Connection,
    envelope: &Envelope<'_, '_>,
    confirmations: &[Confirmation],
    now: DateTime<Utc>,
) -> Result<DateTime<Utc>, Refusal> {
    let mut first = Refusal::new(Reason::Confirmation, "no bearer confirmation");
    for (n, confirmation) in confirmations.iter().enumerate() {
        match confirms(connection, envelope, confirmation, now) {
            Ok(until) => return Ok(until),
            Err(refusal) if n == 0 => first = refusal,
            Err(_) => {}
        }
    }
    Err(first)
}

fn confirms(
    connection: &Connection,
    envelope: &Envelope<'_, '_>,
    confirmation: &Confirmation,
    now: DateTime<Utc>,
) -> Result<DateTime<Utc>, Refusal> {
    match &confirmation.recipient {
        None => {
            return Err(Refusal::new(Reason::Recipient, "a bearer confirmation without recipient"));
        }
        Some(recipient) if *recipient != connection.acs_url => {
            return Err(Refusal::new(
                Reason::Recipient,
                format!("confirmed for {recipient}, we are {}", connection.acs_url),
            ));
        }
        Some(_) => {}
    }
    if confirmation.not_before.is_some() {
        return Err(Refusal::new(
            Reason::Confirmation,
            "a bearer confirmation with NotBefore, which the profile forbids",
        ));
    }
    let until = confirmation
        .not_on_or_after
        .ok_or_else(|| Refusal::new(Reason::Confirmation, "a bearer confirmation without end"))?;
    if until + connection.policy.clock_skew <= now {
        return Err(Refusal::new(Reason::Expired, format!("confirmed until {until}, it is {now}")));
    }
    // Where only the assertion is signed, this is the signed half of the two: taking it away from
    // the response must not make an answer look unasked for.
    if confirmation.in_response_to != envelope.in_response_to {
        return Err(Refusal::new(
            Reason::UnknownRequest,
            "response and confirmation do not name the same request",
        ));
    }
    Ok(until)
}

/// The tenant that an assertion speaks of must be its issuer's.
fn tenant(connection: &Connection, reading: &Reading) -> Result<Option<String>, Refusal> {
    let said = single(reading, attribute_names::TENANT_ID)?;
    match (&said, connection.idp.tenant_id()) {
        (Some(said), Some(issuer)) if !said.eq_ignore_ascii_case(issuer) => Err(Refusal::new(
            Reason::Tenant,
            format!("speaks of tenant {said}, issued by {issuer}"),
        )),
        _ => Ok(said),
    }
}

/// The value of an attribute that says who it is: one, or none.
fn single(reading: &Reading, name: &str) -> Result<Option<String>, Refusal> {
    let values =
        reading.attributes.iter().find(|(n, _)| n == name).map(|(_, values)| values.as_slice());
    match values.unwrap_or_default() {
        [] => Ok(None),
        [one] => Ok(Some(one.clone())),
        _ => Err(Refusal::new(
            Reason::Attributes,
            format!("the attribute {name} has several values"),
        )),
    }
}
