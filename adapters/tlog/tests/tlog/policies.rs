//! Policies.

use super::{ORIGIN, log_key, signed, tree, witness};
use rollcall_tlog::key::KeyError;
use rollcall_tlog::policy::{PolicyError, Refused};
use rollcall_tlog::{Note, Policy, SigningKey};

/// The text with `LOG` and `W1`, `W2`... as keys.
fn text(policy: &str) -> String {
    let mut text = policy.replace("LOG", &log_key().verifier().to_string());
    for n in 1..=6 {
        text = text.replace(&format!("W{n}"), &witness(n).verifier().to_string());
    }
    text
}

fn read(policy: &str) -> Result<Policy, PolicyError> {
    Policy::read(text(policy).as_bytes())
}

/// The specification's example.
const EXAMPLE: &str = "log LOG\n\nwitness X1 W1\nwitness X2 W2\nwitness X3 W3\ngroup X-witnesses 2 X1 X2 X3\n\n\
    witness Y1 W4\nwitness Y2 W5\nwitness Y3 W6\ngroup Y-witnesses any Y1 Y2 Y3\n\n\
    group X-and-Y all X-witnesses Y-witnesses\nquorum X-and-Y\n";

#[test]
fn the_example_wants_two_and_one() {
    let policy = read(EXAMPLE).expect("a policy");
    assert_eq!((policy.logs().len(), policy.witnesses().len()), (1, 6));
    for (witnesses, enough) in [
        (&[1, 2, 4][..], true),
        (&[1, 3, 6], true),
        (&[1, 2, 3, 4, 5, 6], true),
        (&[1, 2, 3], false),
        (&[1, 4, 5, 6], false),
        (&[4], false),
        (&[], false),
    ] {
        let evaluated = policy.evaluate(&signed(&tree(3), witnesses));
        assert_eq!(evaluated.is_ok(), enough, "{witnesses:?}");
        let seen = match evaluated {
            Ok(signed) => signed.witnessed,
            Err(Refused::Quorum(signed)) => signed.witnessed,
            Err(e) => panic!("{e}"),
        };
        let at: Vec<u64> = seen.iter().map(|witnessed| witnessed.at - 1_800_000_000).collect();
        assert_eq!(at, witnesses.iter().map(|n| u64::from(*n)).collect::<Vec<_>>());
    }
}

#[test]
fn a_public_log_satisfies_a_policy_of_public_witnesses() {
    let policy = Policy::read(include_bytes!("c2sp/witnessed-policy.txt")).expect("a policy");
    let note: Note = include_str!("c2sp/witnessed-checkpoint.txt").parse().expect("a note");
    let names: Vec<String> = policy
        .evaluate(&note)
        .expect("accepted")
        .witnessed
        .iter()
        .map(|seen| seen.witness.to_string())
        .collect();
    assert_eq!(names, ["garden", "smartit", "remora", "stagemole"]);
}

#[test]
fn a_log_signs_as_itself() {
    let note = signed(&tree(3), &[1]);
    let other = SigningKey::from_seed("other.example/log", &[2; 32]).expect("a key");
    let elsewhere = text("witness w1 W1\nquorum w1\n") + &format!("log {}\n", other.verifier());
    let elsewhere = Policy::read(elsewhere.as_bytes()).expect("a policy");
    assert_eq!(elsewhere.evaluate(&note), Err(Refused::NoLog));
    // Its signature does not help either, for the origin is not its name.
    let mut cosigned = note.clone();
    cosigned.add(other.sign(note.text()).expect("a signature")).expect("room");
    assert_eq!(elsewhere.evaluate(&cosigned), Err(Refused::NoLog));
    let unnamed = read("witness w1 W1\nquorum w1\n").expect("a policy");
    assert_eq!(unnamed.evaluate(&note), Err(Refused::NoLog));
    assert_eq!(
        unnamed
            .trusting(log_key().verifier().clone())
            .evaluate(&note)
            .expect("accepted")
            .log
            .name(),
        ORIGIN
    );
    let none = read("log LOG\nquorum none\n").expect("a policy");
    assert!(none.evaluate(&signed(&tree(3), &[])).is_ok());
    let unsigned = Note::new(note.text()).expect("a text");
    assert_eq!(none.evaluate(&unsigned), Err(Refused::NoLog));
}

#[test]
fn whoever_forges_a_known_witness_is_refused() {
    let policy = read("log LOG\nwitness w1 W1\nwitness w2 W2\ngroup g any w1 w2\nquorum g\n")
        .expect("a policy");
    let (good, other) = (signed(&tree(3), &[1]), signed(&tree(4), &[2]));
    let mut forged = good;
    forged.add(other.signatures()[1].clone()).expect("room");
    assert!(matches!(policy.evaluate(&forged), Err(Refused::Signature(_))));
}

#[test]
fn lines_may_look_as_they_like() {
    let policy = read("\n# comment\n\t # another\n\twitness \t w1  W1   https://w1.example.com/  \n\n  quorum\tw1").expect("a policy");
    assert_eq!(policy.witnesses()[0].1.url.as_deref(), Some(&b"https://w1.example.com/"[..]));
    read("witness all W1\nwitness any W2\ngroup group 2 all any\nquorum group\n")
        .expect("keywords are names");
    let mut bytes = b"witness \x80\xe2\x84\xaa ".to_vec();
    bytes.extend(text("W1\nquorum ").bytes());
    bytes.extend(b"\x80\xe2\x84\xaa\n");
    let opaque = Policy::read(&bytes).expect("names are bytes");
    assert_eq!(Policy::read(&opaque.write()), Ok(opaque));
}

#[test]
fn a_policy_is_written_and_read_again() {
    for policy in [
        EXAMPLE,
        "quorum none\n",
        "log LOG https://log.example/\nwitness w1 W1 https://w1.example/\nquorum w1\n",
    ] {
        let policy = read(policy).expect("a policy");
        assert_eq!(Policy::read(&policy.write()), Ok(policy));
    }
}

#[test]
fn what_is_no_policy_says_why() {
    let cases = [
        ("quorum none\n\x01", PolicyError::Control),
        ("quorum none\r\n", PolicyError::Control),
        ("quibble w1\nquorum none\n", PolicyError::Line(1)),
        ("witness w1 W1 https://w1.example.com/ # comment\nquorum w1\n", PolicyError::Line(1)),
        ("log\nquorum none\n", PolicyError::Line(1)),
        ("log garbage\nquorum none\n", PolicyError::Key(1, KeyError::Form)),
        ("log LOG\nlog LOG https://log.example.com/\nquorum none\n", PolicyError::SameKey(2)),
        ("witness w1\nquorum w1\n", PolicyError::Line(1)),
        ("witness w1 LOG\nquorum w1\n", PolicyError::NoCosigner(1)),
        ("witness none W1\nquorum none\n", PolicyError::NameTaken(1)),
        ("witness w1 W1\nwitness w1 W2\nquorum w1\n", PolicyError::NameTaken(2)),
        ("witness w1 W1\nwitness w2 W1\nquorum w1\n", PolicyError::SameKey(2)),
        ("witness w1 W1\ngroup w1 any w1\nquorum w1\n", PolicyError::NameTaken(2)),
        ("witness w1 W1\ngroup g1 1\nquorum w1\n", PolicyError::Line(2)),
        ("witness w1 W1\ngroup none any w1\nquorum none\n", PolicyError::NameTaken(2)),
        ("witness w1 W1\ngroup g1 0 w1\nquorum g1\n", PolicyError::Threshold(2)),
        ("witness w1 W1\ngroup g1 -1 w1\nquorum g1\n", PolicyError::Threshold(2)),
        ("witness w1 W1\ngroup g1 2 w1\nquorum g1\n", PolicyError::Threshold(2)),
        ("witness w1 W1\ngroup g1 99999999999999999999 w1\nquorum g1\n", PolicyError::Threshold(2)),
        ("witness w1 W1\ngroup g1 any w2\nquorum g1\n", PolicyError::Undefined(2)),
        ("group g1 any w1\nwitness w1 W1\nquorum g1\n", PolicyError::Undefined(1)),
        ("witness w1 W1\ngroup g1 any none w1\nquorum g1\n", PolicyError::Undefined(2)),
        ("witness w1 W1\ngroup g1 any g1\nquorum g1\n", PolicyError::Undefined(2)),
        ("witness w1 W1\ngroup g1 all w1 w1\nquorum g1\n", PolicyError::MemberTwice(2)),
        (
            "witness w1 W1\nwitness w2 W2\ngroup g1 any w1 w2\ngroup g2 any w1\nquorum g1\n",
            PolicyError::MemberTwice(4),
        ),
        ("witness w1 W1\n", PolicyError::Quorum),
        ("", PolicyError::Quorum),
        ("witness w1 W1\nquorum w1\nquorum w1\n", PolicyError::Quorum),
        ("quorum unknown\n", PolicyError::Undefined(1)),
        ("quorum w1\nwitness w1 W1\n", PolicyError::Undefined(1)),
        ("quorum\n", PolicyError::Line(1)),
    ];
    for (policy, why) in cases {
        assert_eq!(read(policy), Err(why), "{policy}");
    }
    let ml_dsa = "witness w1 test+5893dc2c+BtMcFiao6ZM=\nquorum w1\n";
    assert_eq!(read(ml_dsa), Err(PolicyError::Key(1, KeyError::Kind(6))));
    assert_eq!(Policy::read(&vec![b'\n'; 256 * 1024 + 1]), Err(PolicyError::TooLong));
}

#[test]
fn thirty_two_of_each_are_read_and_far_more_are_not() {
    let keys: Vec<String> = (0..300_u32)
        .map(|n| {
            let mut seed = [7; 32];
            seed[..4].copy_from_slice(&n.to_be_bytes());
            rollcall_tlog::CosigningKey::from_seed("w.example", &seed)
                .expect("a key")
                .verifier()
                .to_string()
        })
        .collect();
    let policy = |count: usize| {
        let lines: String = keys[..count]
            .iter()
            .enumerate()
            .map(|(n, key)| format!("witness w{n} {key}\ngroup g{n} any w{n}\nlog {key}\n"))
            .collect();
        Policy::read(format!("{lines}quorum g0\n").as_bytes())
            .map(|policy| policy.witnesses().len())
    };
    assert_eq!(policy(32), Ok(32));
    assert_eq!(policy(256), Ok(256));
    assert_eq!(policy(257), Err(PolicyError::TooMany(769)));
}
