//! Notes and keys. PeterNeumann and EnochRoot are the vectors of Go's `sumdb/note`.

use rollcall_tlog::key::{KeyError, Kind, Said};
use rollcall_tlog::note::{MAX_SIGNATURES, NoteError};
use rollcall_tlog::{CosigningKey, Note, SigningKey, VerifierKey};

const PETER: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const ENOCH: &str = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop";
const TEXT: &str = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const PETERS: &str = "\u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
const ENOCHS: &str = "\u{2014} EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n";
/// The seed in `PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz`.
const SEED: [u8; 32] = [
    0x81, 0x0a, 0x14, 0x02, 0xd5, 0x14, 0x6c, 0x8d, 0x84, 0xf2, 0x44, 0x33, 0x30, 0xf5, 0x40, 0x80,
    0xeb, 0xf9, 0x8e, 0xe1, 0x7d, 0x9c, 0x74, 0xf6, 0x25, 0x2f, 0xc5, 0xd5, 0xc7, 0x28, 0x31, 0x73,
];

fn key(text: &str) -> VerifierKey {
    text.parse().unwrap_or_else(|e| panic!("{text}: {e}"))
}

fn note(text: &str) -> Note {
    text.parse().unwrap_or_else(|e| panic!("{text}: {e}"))
}

#[test]
fn what_go_signed_is_signed_here_byte_for_byte() {
    let peter = SigningKey::from_seed("PeterNeumann", &SEED).expect("a key");
    assert_eq!(peter.verifier().to_string(), PETER);
    let mut signed = Note::new(TEXT).expect("a text");
    signed.add(peter.sign(TEXT).expect("a signature")).expect("room");
    assert_eq!(signed.to_string(), format!("{TEXT}\n{PETERS}"));
}

#[test]
fn the_vector_of_the_specification_verifies() {
    let example = note(include_str!("c2sp/signed-note-vector.txt"));
    let foo = key("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k");
    assert_eq!(example.text(), "This is an example message.\n");
    assert_eq!(example.verify([&foo]).expect("verified")[0].said, Said::Text);
    let poem = note(include_str!("c2sp/signed-note.txt"));
    assert!(poem.text().ends_with("\n\ned è subito sera.\n"), "the last empty line divides");
    assert_eq!(poem.to_string(), include_str!("c2sp/signed-note.txt"));
}

#[test]
fn signatures_of_unknown_keys_are_kept_and_passed_over() {
    let both = note(&format!("{TEXT}\n{PETERS}{ENOCHS}"));
    let (peter, enoch) = (key(PETER), key(ENOCH));
    let names = |keys: &[&VerifierKey]| -> Result<Vec<String>, NoteError> {
        Ok(both
            .verify(keys.iter().copied())?
            .iter()
            .map(|verified| verified.key.name().to_owned())
            .collect())
    };
    assert_eq!(names(&[&peter]), Ok(vec!["PeterNeumann".into()]));
    assert_eq!(names(&[&enoch, &peter]), Ok(vec!["EnochRoot".into(), "PeterNeumann".into()]));
    assert_eq!(names(&[]), Err(NoteError::Unverified));
    assert_eq!(both.to_string(), format!("{TEXT}\n{PETERS}{ENOCHS}"));
    // One who shares name or id, but not both, is somebody else.
    let namesake = SigningKey::from_seed("PeterNeumann", &[9; 32]).expect("a key");
    assert_eq!(names(&[namesake.verifier()]), Err(NoteError::Unverified));
}

#[test]
fn a_known_key_with_a_wrong_signature_refuses_the_note() {
    let peter = key(PETER);
    let other_text = note(&format!("Another text.\n\n{PETERS}"));
    assert_eq!(other_text.verify([&peter]), Err(NoteError::Forged("PeterNeumann".into())));
    // Even if it stands beside a good one.
    let forged = PETERS.replace("ZJku", "ZJkv");
    let both = note(&format!("{TEXT}\n{PETERS}{forged}"));
    assert_eq!(both.verify([&peter]), Err(NoteError::Forged("PeterNeumann".into())));
    let twice = note(&format!("{TEXT}\n{PETERS}{PETERS}"));
    assert_eq!(twice.verify([&peter]).map(|verified| verified.len()), Ok(1));
}

#[test]
fn a_new_signature_takes_the_place_of_the_old_one() {
    let mut both = note(&format!("{TEXT}\n{}{ENOCHS}", PETERS.replace("ZJku", "ZJkv")));
    let peter = SigningKey::from_seed("PeterNeumann", &SEED).expect("a key");
    both.add(peter.sign(TEXT).expect("a signature")).expect("room");
    assert_eq!(both.to_string(), format!("{TEXT}\n{ENOCHS}{PETERS}"));
}

#[test]
fn what_is_no_note_is_refused() {
    let many = |n| {
        format!("{TEXT}\n{}", ENOCHS.repeat(n)).parse::<Note>().map(|note| note.signatures().len())
    };
    assert_eq!(many(MAX_SIGNATURES), Ok(MAX_SIGNATURES));
    assert_eq!(many(MAX_SIGNATURES + 1), Err(NoteError::TooLong));
    let cut = &PETERS[..PETERS.len() - 1];
    let bad = [
        TEXT.to_owned(),
        format!("{TEXT}\n"),
        format!("{TEXT}\n{cut}"),
        format!("\x01{TEXT}\n{PETERS}"),
        format!("{TEXT}\r\n\n{PETERS}"),
        format!("{TEXT}\n\u{2014} Bad Name x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZI=\n"),
        format!("{TEXT}\n\u{2014} Bad+Name x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZI=\n"),
        format!("{TEXT}\n\u{2014} Short x08gow==\n"),
        format!("{TEXT}\n{PETERS}Unexpected line.\n"),
        format!("{TEXT}\n{}", PETERS.replace('\u{2014}', "-")),
        format!("{TEXT}\n{}", PETERS.replace("AM=", "AN=")),
    ];
    for text in bad {
        assert!(text.parse::<Note>().is_err(), "{text}");
    }
    assert!(Note::new("no newline").is_err());
    assert!(Note::new("tab\t\n").is_err());
}

#[test]
fn keys_of_other_implementations_are_read_and_written() {
    let keys = [
        (PETER, Kind::Ed25519),
        (ENOCH, Kind::Ed25519),
        ("TEST+7997405c+AQcC+FTVKf0jlTdHDY3rbevmnKxxPjigCXlVtGe6RIr6", Kind::Ed25519),
        ("foo+1573814f+ATnT68N1+aPhXIQhFQ0X6jekt0UsUk/iyE8dWHb3g9GN", Kind::Ed25519),
        ("remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2", Kind::Cosignature),
    ];
    for (text, kind) in keys {
        assert_eq!((key(text).to_string().as_str(), key(text).kind()), (text, kind));
    }
}

#[test]
fn every_mangled_key_is_refused() {
    for from in 0..PETER.len() {
        for to in from..=PETER.len() {
            assert_eq!(
                PETER[from..to].parse::<VerifierKey>().is_ok(),
                to - from == PETER.len(),
                "{}",
                &PETER[from..to]
            );
        }
        let mut bytes = PETER.as_bytes().to_vec();
        bytes[from] += 1;
        let mangled = String::from_utf8(bytes).expect("ASCII");
        assert!(mangled.parse::<VerifierKey>().is_err(), "{mangled}");
    }
    let read = |text: &str| text.parse::<VerifierKey>();
    assert_eq!(
        read("PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"),
        Err(KeyError::Kind(0x65))
    );
    assert!(
        read("PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==").is_err()
    );
    assert_eq!(
        read("PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"),
        Err(KeyError::Id)
    );
    for name in ["", "a b", "a+b", "a\u{2003}b", "a\nb", &"a".repeat(256)] {
        assert_eq!(SigningKey::from_seed(name, &SEED).map(|_| ()), Err(KeyError::Name), "{name}");
        assert_eq!(CosigningKey::from_seed(name, &SEED).map(|_| ()), Err(KeyError::Name), "{name}");
    }
}

#[test]
fn a_private_key_is_not_printed() {
    let peter = SigningKey::from_seed("PeterNeumann", &SEED).expect("a key");
    assert_eq!(format!("{peter:?}"), format!("SigningKey({PETER})"));
}
