//! What of an exchange is in its entry as a hash only, because others chose the words.

use super::Writer;
use crate::access_end::AccessEnd;
use crate::credential::TokenRequest;
use crate::credential::assertion::{Finding, Seen};
use crate::exchange::{Answer, Exchange};
use crate::failure::{Change, Facts, Wants};
use sha2::{Digest as _, Sha256};

/// The hash of the particulars of an exchange, also if those are erased. A hash that is kept stands
/// for nothing that is there: else anything could be put under it.
pub(super) fn hash(exchange: &Exchange) -> [u8; 32] {
    let there = particulars(exchange);
    let kept = exchange.particulars_hash.filter(|_| there == particulars(&nothing_of(exchange)));
    kept.map_or_else(|| Sha256::digest(there).into(), |kept| kept.0)
}

/// The same exchange without any.
fn nothing_of(exchange: &Exchange) -> Exchange {
    let mut nothing = Exchange { particulars_hash: None, ..exchange.clone() };
    nothing.erase_particulars();
    nothing
}

/// The fields that [`super::ExchangeHashes::particulars`] is the hash of: method, target, headers,
/// address, subject and its key, liberties with their places, facts, the answer's headers and text,
/// what was removed from the request.
///
/// Every field is named, here or as one that the entry's metadata has: a new field does not compile
/// until it is decided where it goes.
fn particulars(exchange: &Exchange) -> Vec<u8> {
    let Exchange {
        // In the metadata.
        id: _,
        organization: _,
        parent: _,
        replays: _,
        received_at: _,
        protocol: _,
        caller: _,
        operation: _,
        unknown_shape: _,
        duration_us: _,
        // Hashed by themselves; whether they were dropped is said later than the leaf is made.
        request_body: _,
        answer_body: _,
        bodies_dropped: _,
        body_hashes: _,
        particulars_hash: _,
        method,
        target,
        headers,
        source,
        subject,
        subject_key,
        interpretations,
        facts,
        answer,
        redactions,
    } = exchange;
    let Answer {
        headers: answer_headers,
        detail,
        status: _,
        scim_type: _,
        rule: _,
        found: _,
        body_bytes: _,
        body_kept: _,
    } = answer;
    let mut to = Writer::default();
    to.text(method);
    to.text(target);
    to.list(headers, pair);
    to.maybe(source.as_deref(), Writer::text);
    to.maybe(subject.as_deref(), Writer::text);
    to.maybe(subject_key.as_deref(), Writer::text);
    to.list(interpretations, |to, liberty| {
        to.text(&liberty.reading.name());
        to.text(&liberty.at);
    });
    write_facts(&mut to, facts);
    to.list(answer_headers, pair);
    to.maybe(detail.as_deref(), Writer::text);
    to.list(redactions, |to, redaction| to.text(redaction));
    // Leaves of before there were token requests stay as they are: nothing stands for none.
    if let Some(asked) = &facts.token_request {
        write_token_request(&mut to, asked);
    }
    write_later_wants(&mut to, &facts.wants);
    // Nor for a message that was not refused so.
    if let Some(untrusted) = &facts.untrusted {
        to.text("untrusted");
        to.text(untrusted);
    }
    to.into_bytes()
}

fn pair(to: &mut Writer, (name, value): &(String, String)) {
    to.text(name);
    to.text(value);
}

fn write_facts(to: &mut Writer, facts: &Facts) {
    let Facts { cause, needs, holder, wants, token_request: _, untrusted: _ } = facts;
    let Wants {
        attributes,
        added,
        removed,
        members_replaced,
        whole,
        deletes,
        ends_access,
        more,
        all,
        unread,
        enables: _,
        removes_somebody: _,
        ends: _,
        request: _,
    } = wants;
    to.maybe(*cause, |to, cause| to.text(cause.as_str()));
    to.maybe(needs.map(|needs| needs.0), Writer::id);
    to.maybe(holder.map(|holder| holder.0), Writer::id);
    to.list(attributes, |to, Change { path, value }| {
        to.text(path);
        to.maybe(value.as_deref(), Writer::text);
    });
    to.list(added, |to, member| to.id(member.0));
    to.list(removed, |to, member| to.id(member.0));
    for flag in [members_replaced, whole, deletes, ends_access] {
        to.flag(*flag);
    }
    to.number(*more);
    to.maybe(all.as_deref(), Writer::text);
    to.number(*unread);
}

/// What wants were given later. Leaves of before stay as they are: nothing stands for none.
fn write_later_wants(to: &mut Writer, wants: &Wants) {
    let Wants { enables, removes_somebody, ends, request, .. } = wants;
    if !enables && !removes_somebody && ends.is_empty() && request.is_none() {
        return;
    }
    to.text("wants");
    to.flag(*enables);
    to.flag(*removes_somebody);
    to.list(ends, |to, end| {
        let (name, group, member) = match end {
            AccessEnd::Disabled { user } => ("disabled", None, Some(user)),
            AccessEnd::UserDeleted { user } => ("user-deleted", None, Some(user)),
            AccessEnd::GroupDeleted { group } => ("group-deleted", Some(group), None),
            AccessEnd::Removed { group, member } => ("removed", Some(group), Some(member)),
            AccessEnd::OthersRemoved { group, .. } => ("others-removed", Some(group), None),
            AccessEnd::SomebodyRemoved { group, .. } => ("somebody-removed", Some(group), None),
        };
        to.text(name);
        to.maybe(group.map(|group| group.0), Writer::id);
        to.maybe(member.map(|member| member.0), Writer::id);
        if let AccessEnd::OthersRemoved { but, .. } = end {
            to.list(&but.iter().copied().collect::<Vec<_>>(), |to, member| to.id(member.0));
        }
        if let AccessEnd::SomebodyRemoved { request, .. } = end {
            to.maybe(request.as_deref(), Writer::text);
        }
    });
    to.maybe(request.as_deref(), Writer::text);
}

fn write_token_request(to: &mut Writer, asked: &TokenRequest) {
    let TokenRequest { client, authentication, secret, assertion } = asked;
    to.maybe(client.map(|client| client.0), Writer::id);
    to.maybe(*authentication, |to, how| to.text(how.as_str()));
    to.maybe(secret.as_deref(), Writer::text);
    to.maybe(assertion.as_ref(), |to, Seen { sha256, findings }| {
        to.text(sha256);
        to.list(findings, |to, Finding { axis, holds, found, expected }| {
            to.text(axis.as_str());
            to.maybe(*holds, Writer::flag);
            to.maybe(found.as_deref(), Writer::text);
            to.list(expected, |to, expected| to.text(expected));
        });
    });
}
