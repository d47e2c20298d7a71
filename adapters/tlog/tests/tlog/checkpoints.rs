//! Checkpoints and cosignatures.

use super::{signed, tree, witness};
use rollcall_domain::ledger::{MAX_LEAVES, NodeHash};
use rollcall_tlog::checkpoint::CheckpointError;
use rollcall_tlog::cosignature::MAX_TIME;
use rollcall_tlog::key::Said;
use rollcall_tlog::note::NoteError;
use rollcall_tlog::{Checkpoint, Note, VerifierKey};

fn note(text: &str) -> Note {
    text.parse().expect("a note")
}

#[test]
fn the_example_is_read_and_written() {
    let example = note(include_str!("c2sp/checkpoint.txt"));
    let checkpoint: Checkpoint = example.text().parse().expect("a checkpoint");
    assert_eq!(
        (checkpoint.origin(), checkpoint.size()),
        ("example.com/behind-the-sofa", 20_852_163)
    );
    assert!(checkpoint.extensions().is_empty());
    assert_eq!(checkpoint.to_string(), example.text());
    let cosigned = note(include_str!("c2sp/cosignature.txt"));
    assert_eq!(cosigned.signatures()[1].name(), "witness.example.com/w1");
    assert_eq!(cosigned.to_string(), include_str!("c2sp/cosignature.txt"));
}

#[test]
fn what_public_witnesses_cosigned_verifies() {
    let real = note(include_str!("c2sp/witnessed-checkpoint.txt"));
    let keys: Vec<VerifierKey> = include_str!("c2sp/witnessed-policy.txt")
        .lines()
        .filter(|line| line.starts_with("log") || line.starts_with("witness"))
        .map(|line| line.rsplit(' ').next().expect("a key").parse().expect("a key"))
        .collect();
    let said: Vec<Said> =
        real.verify(&keys).expect("verified").iter().map(|verified| verified.said).collect();
    let seen = Said::SeenAt(0x6a12_2120);
    assert_eq!(said, [Said::Text, seen, seen, seen, seen]);
    let other =
        include_str!("c2sp/witnessed-checkpoint.txt").replacen("1432088532", "1432088533", 1);
    for key in &keys[..5] {
        assert_eq!(note(&other).verify([key]), Err(NoteError::Forged(key.name().into())));
    }
}

#[test]
fn what_is_no_checkpoint_is_refused() {
    let root = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";
    let bad = [
        (format!("Log\n1\n{root}"), CheckpointError::Form),
        ("Log\n1\n".into(), CheckpointError::Form),
        (format!("\n1\n{root}\n"), CheckpointError::Origin),
        (format!("{}\n1\n{root}\n", "a".repeat(256)), CheckpointError::Origin),
        (format!("Log\nbananas\n{root}\n"), CheckpointError::Size),
        (format!("Log\n-1\n{root}\n"), CheckpointError::Size),
        (format!("Log\n+1\n{root}\n"), CheckpointError::Size),
        (format!("Log\n01\n{root}\n"), CheckpointError::Size),
        (format!("Log\n\n{root}\n"), CheckpointError::Size),
        (format!("Log\n9223372036854775808\n{root}\n"), CheckpointError::Size),
        (format!("Log\n3438945738945739845734895735\n{root}\n"), CheckpointError::Size),
        ("Log\n1\nThisIsn'tBase64\n".into(), CheckpointError::Root),
        ("Log\n1\nYmFuYW5hcw==\n".into(), CheckpointError::Root),
        (format!("Log\n1\n{root}\n\n"), CheckpointError::Extension),
        (format!("Log\n1\n{root}\nmore"), CheckpointError::Form),
        (format!("Log\n1\n{root}\n{}", "more\n".repeat(17)), CheckpointError::Extension),
    ];
    for (text, why) in bad {
        assert_eq!(text.parse::<Checkpoint>(), Err(why), "{text}");
    }
    assert_eq!(format!("Log\n0\n{root}\n").parse::<Checkpoint>().expect("a checkpoint").size(), 0);
    let new = |origin: &str, size, more: &str| {
        Checkpoint::new(origin, size, NodeHash([0; 32]), vec![more.to_owned()])
    };
    assert_eq!(new("two\nlines", 1, "more"), Err(CheckpointError::Origin));
    assert_eq!(new("log", MAX_LEAVES + 1, "more"), Err(CheckpointError::Size));
    assert_eq!(new("log", 1, ""), Err(CheckpointError::Extension));
    assert_eq!(new("log", 1, "two\nlines"), Err(CheckpointError::Extension));
}

#[test]
fn a_cosignature_is_of_the_whole_text_and_its_time() {
    let note = signed(&tree(5), &[1]);
    let (key, cosignature) = (witness(1), note.signatures()[1].clone());
    assert_eq!(key.verifier().verify(note.text(), &cosignature), Some(Said::SeenAt(1_800_000_001)));
    assert_eq!(
        key.verifier().verify(&note.text().replace("position 7", "position 8"), &cosignature),
        None
    );
    for at in 0..cosignature.bytes().len() {
        let mut bytes = cosignature.bytes().to_vec();
        bytes[at] ^= 1;
        let other = rollcall_tlog::Signature::new(cosignature.name(), cosignature.key(), bytes)
            .expect("a signature");
        assert_eq!(key.verifier().verify(note.text(), &other), None, "byte {at}");
    }
    let late = key.cosign(note.text(), u64::MAX).expect("a signature");
    assert_eq!(key.verifier().verify(note.text(), &late), Some(Said::SeenAt(MAX_TIME)));
    // One key as a log's and as a witness's gives signatures that are not taken for each other.
    let as_log =
        rollcall_tlog::SigningKey::from_seed(key.verifier().name(), &[101; 32]).expect("a key");
    assert_eq!(as_log.verifier().public(), key.verifier().public());
    assert_ne!(as_log.verifier().id(), key.verifier().id());
}
