//! A checkpoint's way to a witness and back.

use super::{ORIGIN, log_key, signed, tree, witness};
use rollcall_domain::ledger::{NodeHash, Tree};
use rollcall_tlog::key::Said;
use rollcall_tlog::witness::{
    AddCheckpoint, Answer, Declined, RequestError, SIZE_TYPE, Seen, decide,
};
use rollcall_tlog::{Checkpoint, Note, SigningKey};

fn request(tree: &Tree, old: u64) -> AddCheckpoint {
    AddCheckpoint {
        old,
        path: tree.consistency(old, tree.size()).expect("a proof"),
        note: signed(tree, &[]),
    }
}

/// What a witness decides that knows our log, and has seen so many leaves of this tree.
fn decided(request: &AddCheckpoint, seen: &Tree) -> Result<Checkpoint, Declined> {
    let log = log_key();
    decide(request, [log.verifier()], |origin| {
        assert_eq!(origin, ORIGIN);
        (seen.size() > 0).then(|| Seen { size: seen.size(), root: seen.root() })
    })
}

#[test]
fn the_examples_are_read_and_written() {
    let text = include_str!("c2sp/add-checkpoint.txt");
    let request: AddCheckpoint = text.parse().expect("a request");
    assert_eq!(
        (request.old, request.path.len(), request.note.signatures().len()),
        (20_852_014, 4, 2)
    );
    assert_eq!(request.to_string(), text);
    let body = include_str!("c2sp/witness-answer.txt");
    let Answer::Cosigned(signatures) = Answer::read(200, Some("text/plain"), body) else {
        panic!("no cosignatures")
    };
    let names: Vec<&str> = signatures.iter().map(|signature| signature.name()).collect();
    assert_eq!(names, ["witness.example/w1", "witness.example/w1", "witness.example/w2"]);
    assert_eq!(
        signatures.iter().map(|signature| format!("{signature}\n")).collect::<String>(),
        body
    );
}

#[test]
fn a_log_grows_and_is_cosigned() {
    let mut seen = Tree::default();
    for size in [1, 2, 2, 7, 8, 100] {
        let tree = tree(size);
        let request: AddCheckpoint =
            request(&tree, seen.size()).to_string().parse().expect("a request");
        let checkpoint = decided(&request, &seen).expect("to be cosigned");
        let answer =
            format!("{}\n", witness(1).cosign(&checkpoint.to_string(), 5).expect("a signature"));
        let Answer::Cosigned(signatures) = Answer::read(200, None, &answer) else {
            panic!("no cosignature")
        };
        let mut note = request.note;
        signatures.into_iter().for_each(|signature| note.add(signature).expect("room"));
        let (log, witness) = (log_key(), witness(1));
        assert_eq!(
            note.verify([log.verifier(), witness.verifier()]).expect("verified")[1].said,
            Said::SeenAt(5)
        );
        seen = tree;
    }
}

#[test]
fn a_witness_declines_as_the_specification_says() {
    let (five, nine) = (tree(5), tree(9));
    let good = request(&nine, 5);
    assert!(decided(&good, &five).is_ok());
    assert_eq!(decided(&good, &tree(4)), Err(Declined::Conflict(4)));
    assert_eq!(decided(&request(&nine, 0), &five), Err(Declined::Conflict(5)));
    assert_eq!(
        decided(&AddCheckpoint { old: 10, ..good.clone() }, &five),
        Err(Declined::Malformed)
    );
    assert_eq!(
        decided(&AddCheckpoint { path: vec![], ..good.clone() }, &five),
        Err(Declined::Inconsistent)
    );
    let more = AddCheckpoint { path: vec![NodeHash([0; 32])], ..request(&nine, 0) };
    assert_eq!(decided(&more, &Tree::default()), Err(Declined::Inconsistent));
    // Another tree of the same size: a fork.
    let fork: Tree = (0..9_u8).map(|n| rollcall_domain::ledger::leaf(&[n])).collect();
    assert_eq!(decided(&request(&fork, 9), &nine), Err(Declined::Conflict(9)));
    assert_eq!(decided(&request(&fork, 5), &five), Err(Declined::Inconsistent));
    assert_eq!(decide(&good, [], |_| None), Err(Declined::UnknownLog));
    let other = SigningKey::from_seed(ORIGIN, &[9; 32]).expect("a key");
    assert_eq!(decide(&good, [other.verifier()], |_| None), Err(Declined::Unsigned));
    let text = good.note.to_string().replace("position 7", "position 8");
    let changed = AddCheckpoint { note: text.parse::<Note>().expect("a note"), ..good };
    assert_eq!(decided(&changed, &five), Err(Declined::Unsigned));
}

#[test]
fn answers_are_understood() {
    for declined in [
        Declined::Malformed,
        Declined::UnknownLog,
        Declined::Unsigned,
        Declined::Conflict(0),
        Declined::Inconsistent,
    ] {
        let (media_type, body) = declined.body();
        assert_eq!(
            Answer::read(declined.status(), Some(media_type), &body),
            Answer::Declined(declined)
        );
    }
    assert_eq!(Answer::read(409, Some("text/plain"), "5\n"), Answer::Failed(409));
    assert_eq!(Answer::read(409, Some(SIZE_TYPE), "05\n"), Answer::Failed(409));
    assert_eq!(
        Answer::read(409, Some("text/x.tlog.size; charset=utf-8"), "5\n"),
        Answer::Declined(Declined::Conflict(5))
    );
    assert_eq!(Answer::read(200, None, ""), Answer::Failed(200));
    assert_eq!(Answer::read(200, None, "what\n"), Answer::Failed(200));
    assert_eq!(Answer::read(500, None, ""), Answer::Failed(500));
}

#[test]
fn what_is_no_request_is_refused() {
    let note = signed(&tree(1), &[]).to_string();
    let hash = "AHCioX9nLjsrse6YhjRRmk1WUEirVOLLRoOQ6vfO5vk=\n";
    let read = |text: String| text.parse::<AddCheckpoint>().map(|_| ());
    assert_eq!(read(format!("old 0\n\n{note}")), Ok(()));
    assert_eq!(read(format!("old 1\n{}\n{note}", hash.repeat(63))), Ok(()));
    assert_eq!(read(format!("old 1\n{}\n{note}", hash.repeat(64))), Err(RequestError::Path));
    assert_eq!(read(format!("old 00\n\n{note}")), Err(RequestError::Old));
    assert_eq!(read(format!("new 0\n\n{note}")), Err(RequestError::Old));
    assert_eq!(read(format!("old 0\n{note}")), Err(RequestError::Path));
    assert!(matches!(read("old 0\n\nLog\n1\n".into()), Err(RequestError::Note(_))));
    assert_eq!(read("a".repeat(1024 * 1024)), Err(RequestError::TooLong));
}
