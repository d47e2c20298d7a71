//! The SAML library against everything that a forger, a broken identity provider or a curious
//! stranger may send: each message is made now, with fresh keys, times and ids, and refused for the
//! expected reason, within a second, without a connection being opened. And what Entra sends is
//! accepted.

mod encryption;
mod forge;
mod metadata;
mod mutation;
mod protocol;
mod redirect;
mod redirected;
mod signature;
mod simulator;
mod text;
mod valid;
mod wrapping;
mod xml;

use forge::{Case, Forge};
use rollcall_domain::saml::Reason;
use std::collections::BTreeSet;

fn all(forge: &Forge) -> Vec<Case> {
    [
        signature::cases(forge),
        wrapping::cases(forge),
        text::cases(forge),
        xml::cases(forge),
        protocol::cases(forge),
        encryption::cases(forge),
    ]
    .concat()
}

#[test]
fn every_hostile_message_is_refused_for_its_reason() {
    let forge = Forge::new();
    let cases = all(&forge);
    let names: BTreeSet<&str> = cases.iter().map(|c| c.name).collect();
    assert_eq!(names.len(), cases.len(), "two cases have the same name");
    assert!(cases.len() >= 90, "only {} cases", cases.len());
    let wrong: Vec<String> = cases.iter().filter_map(|case| forge.verdict(case).err()).collect();
    assert!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    forge.assert_no_connection();
    println!("{} hostile messages refused", cases.len());
}

#[test]
fn every_reason_that_a_response_can_have_is_seen() {
    let forge = Forge::new();
    let seen: BTreeSet<Reason> = all(&forge).iter().map(|c| c.reason).collect();
    // Two readers that disagree, and a failure of our own, are what the gate exists to prevent.
    let never = [Reason::Disagreement, Reason::Internal, Reason::Replayed];
    let unseen: Vec<&Reason> =
        Reason::ALL.iter().filter(|r| !seen.contains(r) && !never.contains(r)).collect();
    assert!(unseen.is_empty(), "no case for {unseen:?}");
}
