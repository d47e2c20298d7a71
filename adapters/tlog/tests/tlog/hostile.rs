//! Nothing that is read makes a parser panic, and what is read is written as it was.

use super::{log_key, signed, tree, witness};
use proptest::prelude::*;
use rollcall_tlog::proof::Proof;
use rollcall_tlog::witness::{AddCheckpoint, Answer};
use rollcall_tlog::{Checkpoint, Note, Policy, Signature, Tile, VerifierKey};
use std::fmt::Display;
use std::str::FromStr;

fn read_again<T: FromStr + Display>(text: &str) {
    if let Ok(read) = text.parse::<T>() {
        assert_eq!(read.to_string(), text);
    }
}

fn read_all(text: &str) {
    read_again::<Note>(text);
    read_again::<Checkpoint>(text);
    read_again::<Proof>(text);
    read_again::<AddCheckpoint>(text);
    read_again::<Tile>(text);
    let _ = Signature::read_all(text);
    // An id may be written in capitals.
    let _ = text.parse::<VerifierKey>();
    if let Ok(policy) = Policy::read(text.as_bytes()) {
        assert_eq!(Policy::read(&policy.write()), Ok(policy));
    }
    for status in [200, 409] {
        let _ = Answer::read(status, Some("text/x.tlog.size"), text);
    }
}

/// One good text of each kind.
fn good() -> Vec<String> {
    let tree = tree(9);
    let note = signed(&tree, &[1, 2]);
    let path = tree.inclusion(4, 9).expect("a proof");
    vec![
        note.to_string(),
        note.text().to_owned(),
        Proof { extra: Some(vec![1, 2, 3]), index: 4, path: path.clone(), note: note.clone() }
            .to_string(),
        AddCheckpoint { old: 5, path, note }.to_string(),
        "tile/3/x001/x234/067.p/9".into(),
        witness(1).verifier().to_string(),
        format!(
            "log {} https://log.example\nwitness a {}\nwitness b {}\ngroup c 2 a b\nquorum c\n",
            log_key().verifier(),
            witness(1).verifier(),
            witness(2).verifier()
        ),
    ]
}

proptest! {
    #[test]
    fn arbitrary_text_is_read_or_refused(text in any::<String>()) {
        read_all(&text);
    }

    #[test]
    fn text_that_looks_right_is_read_or_refused(text in "(tile/|index |old |extra |log |witness |group |quorum |\u{2014} |[0-9]{1,3}|[A-Za-z0-9+/=]{1,44}|c2sp.org/tlog-proof@v1|[ +\n\tx/.]|\n\n){0,20}") {
        read_all(&text);
    }

    #[test]
    fn good_text_with_a_wrong_byte_is_read_or_refused(which in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), with in "\\PC|[\n\t +=]|", cut in 0..4_usize) {
        let good = good();
        let text = which.get(&good);
        let chars: Vec<char> = text.chars().collect();
        let at = at.index(chars.len());
        let changed: String = chars[..at].iter().copied().chain(with.chars()).chain(chars[(at + cut).min(chars.len())..].iter().copied()).collect();
        read_all(&changed);
    }

    #[test]
    fn arbitrary_bytes_are_a_policy_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Policy::read(&bytes);
    }
}

#[test]
fn good_text_is_read() {
    good().iter().for_each(|text| read_all(text));
}
