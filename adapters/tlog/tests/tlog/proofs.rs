//! Proofs in one file.

use super::{leaves, log_key, signed, tree, witness};
use proptest::prelude::*;
use rollcall_domain::ledger::ProofError;
use rollcall_tlog::note::NoteError;
use rollcall_tlog::policy::Refused;
use rollcall_tlog::proof::{FormatError, NotProven};
use rollcall_tlog::{Policy, Proof};

fn policy(witnesses: &[u8], quorum: &str) -> Policy {
    let mut text = format!("log {}\n", log_key().verifier());
    for n in witnesses {
        text += &format!("witness w{n} {}\n", witness(*n).verifier());
    }
    Policy::read(format!("{text}quorum {quorum}\n").as_bytes()).expect("a policy")
}

fn proof(index: u64, size: u64, witnesses: &[u8]) -> Proof {
    let tree = tree(size);
    let path = tree.inclusion(index, size).expect("a proof");
    Proof { extra: None, index, path, note: signed(&tree, witnesses) }
}

#[test]
fn a_proof_is_verified_offline() {
    let file = proof(1000, 5000, &[1, 2]).to_string();
    assert!(file.starts_with("c2sp.org/tlog-proof@v1\nindex 1000\n"));
    assert!(file.len() < 4096, "{} bytes", file.len());
    let read: Proof = file.parse().expect("a proof");
    assert_eq!(read.to_string(), file);
    let hashes: Vec<_> = leaves(5000).collect();
    let policy = policy(&[1, 2], "w2");
    let accepted = read.verify(hashes[1000], &policy).expect("proven");
    assert_eq!(
        (accepted.checkpoint.size(), accepted.witnessed.len(), accepted.witnessed[1].at),
        (5000, 2, 1_800_000_002)
    );
    assert_eq!(read.verify(hashes[1001], &policy), Err(NotProven::Entry(ProofError::Root)));
    let moved = Proof { index: 1001, ..read.clone() };
    assert_eq!(moved.verify(hashes[1000], &policy), Err(NotProven::Entry(ProofError::Root)));
    let unseen = proof(1000, 5000, &[1]);
    assert!(matches!(
        unseen.verify(hashes[1000], &policy),
        Err(NotProven::Checkpoint(Refused::Quorum(_)))
    ));
}

#[test]
fn extra_data_goes_along() {
    let with = Proof { extra: Some(b"age-v1.2.1".to_vec()), ..proof(0, 1, &[]) };
    let file = with.to_string();
    assert!(file.starts_with(
        "c2sp.org/tlog-proof@v1\nextra YWdlLXYxLjIuMQ==\nindex 0\n\nrollcall.example"
    ));
    assert_eq!(file.parse(), Ok(with));
}

#[test]
fn what_is_no_proof_says_why() {
    let note = signed(&tree(1), &[]).to_string();
    let hash = "AHCioX9nLjsrse6YhjRRmk1WUEirVOLLRoOQ6vfO5vk=\n";
    let header = "c2sp.org/tlog-proof@v1\n";
    let bad = [
        (format!("wrong\nindex 0\n\n{note}"), FormatError::Header),
        (format!("{header}extra !!\nindex 0\n\n{note}"), FormatError::Extra),
        (format!("{header}\n\n{note}"), FormatError::Index),
        (format!("{header}index x\n\n{note}"), FormatError::Index),
        (format!("{header}index -5\n\n{note}"), FormatError::Index),
        (format!("{header}index 05\n\n{note}"), FormatError::Index),
        (format!("{header}index 0\nextra AA==\n\n{note}"), FormatError::Path),
        (format!("{header}index 0\n!!\n\n{note}"), FormatError::Path),
        (format!("{header}index 0\n{}\n{note}", hash.repeat(65)), FormatError::Path),
        (format!("{header}index 0\n{hash}"), FormatError::Path),
        ("c2sp.org/tlog-proof@v1".into(), FormatError::Header),
        ("a".repeat(2 * 1024 * 1024), FormatError::TooLong),
    ];
    for (text, why) in bad {
        assert_eq!(text.parse::<Proof>(), Err(why), "{:.200}", text);
    }
    assert!(format!("{header}index 0\n{}\n{note}", hash.repeat(64)).parse::<Proof>().is_ok());
    // The specification's own example has its signatures cut: all is read up to there.
    let example = include_str!("c2sp/proof-with-signatures-cut.txt");
    assert_eq!(example.parse::<Proof>(), Err(FormatError::Note(NoteError::Signature(1))));
    let (path, _) = example.split_once("\u{2014}").expect("signatures");
    let read: Proof = format!("{path}{}", note.rsplit("\n\n").next().expect("signatures"))
        .parse()
        .expect("a proof");
    assert_eq!(
        (read.index, read.path.len(), read.extra.map(|extra| extra.len())),
        (73_894, 5, Some(39))
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_is_changed_in_a_proof_is_noticed(size in 1..300_u64, at in any::<prop::sample::Index>(), byte in any::<prop::sample::Index>(), to in 0x20..0x7f_u8) {
        let index = at.index(size as usize) as u64;
        let hash = leaves(size).nth(index as usize).expect("a leaf");
        let policy = policy(&[1], "w1");
        let good = proof(index, size, &[1]).to_string();
        prop_assert!(good.parse::<Proof>().expect("a proof").verify(hash, &policy).is_ok());
        let mut bytes = good.clone().into_bytes();
        let at = byte.index(bytes.len());
        bytes[at] = to;
        if let Ok(Ok(changed)) = String::from_utf8(bytes).map(|text| text.parse::<Proof>()) {
            prop_assert!(changed.to_string() == good || changed.verify(hash, &policy).is_err());
        }
    }
}
