//! Who is told by mail what needs somebody.

use super::OrganizationError;
use std::collections::BTreeSet;

/// So many are told at most: whoever is more has a list of their own.
pub const MOST_RECIPIENTS: usize = 10;

/// RFC 5321 section 4.5.3.1.
const LONGEST: usize = 254;
const LONGEST_LOCAL: usize = 64;

/// Those that are told after some are added and some are no more.
///
/// # Errors
/// If an address is none that mail can be sent to, or there are too many.
pub(super) fn changed(
    before: &BTreeSet<String>,
    add: &[String],
    remove: &[String],
) -> Result<BTreeSet<String>, OrganizationError> {
    let mut now = before.clone();
    for address in remove {
        let address = address.trim();
        let known = now.iter().find(|known| known.eq_ignore_ascii_case(address)).cloned();
        now.remove(&known.ok_or_else(|| OrganizationError::NoRecipient(address.to_owned()))?);
    }
    for address in add {
        let address = address.trim();
        if !is_address(address) {
            return Err(OrganizationError::InvalidAddress);
        }
        if !now.iter().any(|known| known.eq_ignore_ascii_case(address)) {
            now.insert(address.to_owned());
        }
    }
    if now.len() > MOST_RECIPIENTS {
        return Err(OrganizationError::TooManyRecipients);
    }
    Ok(now)
}

/// A mailbox without quotes and comments, of letters that every server takes: no blank, no control
/// character, nothing that could begin another header or another command.
fn is_address(text: &str) -> bool {
    let Some((local, host)) = text.rsplit_once('@') else { return false };
    let atom = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c);
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= LONGEST
        && local.len() <= LONGEST_LOCAL
        && local.split('.').all(|part| !part.is_empty() && part.chars().all(atom))
        && host.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn addresses_are_what_mail_can_be_sent_to() {
        for good in ["ada@contoso.example", "o'neill+doors@a-b.example", "a@localhost"] {
            assert!(is_address(good), "{good}");
        }
        for bad in [
            "", "@", "a@", "@b", "a b@c", "a@b c", "a@b..c", ".a@b", "a.@b", "a@-b", "ä@b",
            "\"a\"@b",
        ] {
            assert!(!is_address(bad), "{bad}");
        }
    }

    #[test]
    fn nobody_is_told_twice_and_nobody_leaves_who_was_not_there() {
        let add = |before: &BTreeSet<String>, who: &str| changed(before, &[who.to_owned()], &[]);
        let one = add(&BTreeSet::new(), " ada@contoso.example ").unwrap();
        assert_eq!(add(&one, "ADA@contoso.example").unwrap(), one);
        assert!(changed(&one, &[], &["bo@contoso.example".to_owned()]).is_err());
        assert!(changed(&one, &[], &["Ada@contoso.example".to_owned()]).unwrap().is_empty());
        let many: Vec<String> = (0..11).map(|n| format!("a{n}@contoso.example")).collect();
        assert!(changed(&one, &many, &[]).is_err() && changed(&one, &many[..9], &[]).is_ok());
    }

    proptest! {
        #[test]
        fn what_is_taken_begins_no_header_and_no_command(text in any::<String>()) {
            if is_address(&text) {
                prop_assert!(text.is_ascii() && !text.contains(|c: char| c.is_control() || " <>,;:".contains(c)));
            }
        }
    }
}
