//! What a checkpoint of Rollcall says: the tree, and in one extension line the ends of the log, how
//! much of it was there before its leaves, and which log it is.

use rollcall_domain::body_hashes::Sha256Hash;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::ledger::{NodeHash, verify_consistency};
use rollcall_domain::log::{Head, LedgerHead};
use rollcall_tlog::checkpoint::CheckpointError;
use rollcall_tlog::key::KeyError;
use rollcall_tlog::note::NoteError;
use rollcall_tlog::policy::{Policy, PolicyError};
use rollcall_tlog::{Checkpoint, Note, SigningKey, VerifierKey};
use uuid::Uuid;

/// What the extension line begins with: its form and version.
const FORM: &str = "rollcall/1";

/// Why a note is no checkpoint of Rollcall.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StatementError {
    /// No note.
    #[error("the note: {0}")]
    Note(#[from] NoteError),
    /// No checkpoint.
    #[error("the checkpoint: {0}")]
    Checkpoint(#[from] CheckpointError),
    /// Not the one extension line that Rollcall writes.
    #[error("the checkpoint lacks the line that says what is under it")]
    Extension,
    /// The key cannot be used.
    #[error("the key: {0}")]
    Key(#[from] KeyError),
}

/// What is said of an organization's ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Which ledger.
    pub origin: String,
    /// How many leaves the tree has.
    pub size: u64,
    /// Its root.
    pub root: NodeHash,
    /// The ends of the log.
    pub head: Head,
    /// So many leaves at the beginning came later than what is under them.
    pub uncovered: u64,
    /// Which log it is.
    pub epoch: Uuid,
}

impl Statement {
    /// What the head of a log says.
    pub fn of(origin: &str, ledger: &LedgerHead, epoch: Uuid) -> Self {
        Self {
            origin: origin.to_owned(),
            size: ledger.frontier.size(),
            root: ledger.frontier.root(),
            head: ledger.head,
            uncovered: ledger.uncovered,
            epoch,
        }
    }

    /// Reads the text of a note; whether it is signed is another question.
    pub fn read(note: &Note) -> Result<Self, StatementError> {
        let checkpoint: Checkpoint = note.text().parse()?;
        let [line] = checkpoint.extensions() else { return Err(StatementError::Extension) };
        let (head, uncovered, epoch) = read_line(line).ok_or(StatementError::Extension)?;
        Ok(Self {
            origin: checkpoint.origin().to_owned(),
            size: checkpoint.size(),
            root: checkpoint.root(),
            head,
            uncovered,
            epoch,
        })
    }

    fn checkpoint(&self) -> Result<Checkpoint, CheckpointError> {
        let Head { position, exchange_number } = self.head;
        let (uncovered, epoch) = (self.uncovered, self.epoch);
        let line = format!(
            "{FORM} records={position} exchanges={exchange_number} uncovered={uncovered} epoch={epoch}"
        );
        Checkpoint::new(self.origin.clone(), self.size, self.root, vec![line])
    }
}

fn read_line(line: &str) -> Option<(Head, u64, Uuid)> {
    let mut words = line.strip_prefix(FORM)?.strip_prefix(' ')?.split(' ');
    let mut value = |name: &str| words.next()?.strip_prefix(name)?.strip_prefix('=');
    let number = |text: &str| text.parse::<u64>().ok().filter(|number| number.to_string() == text);
    let position = number(value("records")?)?;
    let exchange_number = number(value("exchanges")?)?;
    let uncovered = number(value("uncovered")?)?;
    let epoch = value("epoch")?;
    let id: Uuid = epoch.parse().ok()?;
    let whole = words.next().is_none() && id.to_string() == epoch;
    whole.then_some((Head { position, exchange_number }, uncovered, id))
}

/// Reads a note as it was kept or sent; whether it is signed is another question.
pub fn read_note(text: &str) -> Result<Statement, StatementError> {
    Statement::read(&text.parse()?)
}

/// Reads a policy (C2SP tlog-policy).
pub fn policy(bytes: &[u8]) -> Result<Policy, PolicyError> {
    Policy::read(bytes)
}

/// Whether a proof shows that the tree of one statement began with that of another. Its hashes are
/// in hexadecimal.
pub fn consistent(before: &Statement, now: &Statement, path: &[String]) -> bool {
    let hash = |text: &String| Some(NodeHash(Sha256Hash::parse(text)?.0));
    let path: Option<Vec<NodeHash>> = path.iter().map(hash).collect();
    path.is_some_and(|path| {
        verify_consistency(before.size, before.root, now.size, now.root, &path).is_ok()
    })
}

/// Which ledger an organization's is, on a server that is reached under this address.
pub fn origin(public_url: &str, organization: OrganizationId) -> String {
    let host = public_url.split_once("://").map_or(public_url, |(_, rest)| rest);
    format!("{}/rollcall/{organization}", host.trim_end_matches('/'))
}

/// Signs what is said of one ledger.
#[derive(Debug)]
pub struct Signer {
    origin: String,
    key: SigningKey,
}

impl Signer {
    /// The key of this ledger, from 32 secret bytes.
    pub fn new(origin: String, seed: &[u8; 32]) -> Result<Self, StatementError> {
        let key = SigningKey::from_seed(&origin, seed)?;
        Ok(Self { origin, key })
    }

    /// Which ledger it signs for.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// What verifies its signatures.
    pub fn verifier(&self) -> &VerifierKey {
        self.key.verifier()
    }

    /// The signed note.
    pub fn sign(&self, statement: &Statement) -> Result<Note, StatementError> {
        let mut note = Note::new(statement.checkpoint()?.to_string())?;
        note.add(self.key.sign(note.text())?)?;
        Ok(note)
    }
}
