//! Writing a bundle.

use super::line::{BundleBegin, BundleLine, counts};
use super::pseudonyms::Pseudonyms;
use super::touched::Touched;
use crate::Selection;
use crate::line;
use flate2::Compression;
use flate2::write::GzEncoder;
use rollcall_domain::actor::Actor;
use rollcall_domain::credential::{CredentialEvent, KeySource, Proof, Purpose};
use rollcall_domain::event::DomainEvent;
use rollcall_domain::exchange::{Exchange, Protocol};
use rollcall_domain::failure::Wants;
use rollcall_domain::group::GroupEvent;
use rollcall_domain::ids::CredentialId;
use rollcall_domain::log::{
    AggregateKind, Bodies, Head, Log, LogError, Position, Record, RecordedExchange, StreamId,
    Version,
};
use rollcall_domain::organization::{OrganizationEvent, credential, rehash};
use rollcall_domain::user::UserEvent;
use rollcall_engine::secrets::sha256_hex;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Headers that a replay needs, and the one that names the client.
const HEADERS: [&str; 4] = ["content-type", "if-match", "if-none-match", "user-agent"];
/// Where a server stands whose address is not told (RFC 2606 section 2).
const ELSEWHERE: &str = "https://rollcall.invalid/scim/v2";
/// Compressed bytes sent at once.
const CHUNK: usize = 64 * 1024;

/// What goes into a bundle.
pub struct ExportOptions {
    /// The first line.
    pub begin: BundleBegin,
    /// Which exchanges.
    pub selection: Selection,
    /// Up to here; what is appended later does not matter.
    pub head: Head,
    /// The key of the pseudonyms, if names are to stand for others.
    pub pseudonyms: Option<[u8; 32]>,
}

/// Compressed bytes as they come; an error breaks the file off.
pub type Chunks = mpsc::Sender<Result<bytes::Bytes, std::io::Error>>;

/// Writes a bundle.
pub async fn export(log: Arc<dyn Log>, options: ExportOptions, chunks: Chunks) {
    let told = chunks.clone();
    let pseudonyms = options.pseudonyms.map(Pseudonyms::new);
    let gzip = GzEncoder::new(Vec::new(), Compression::default());
    let writer = Writer {
        gzip,
        chunks,
        digest: Sha256::new(),
        pseudonyms,
        base: String::new(),
        credentials: HashSet::new(),
        records: 0,
        exchanges: 0,
    };
    if let Err(error) = write(&*log, options, writer).await {
        tracing::warn!(%error, "a bundle broke off");
        let _ = told.send(Err(std::io::Error::other(error.to_string()))).await;
    }
}

async fn write(log: &dyn Log, options: ExportOptions, mut writer: Writer) -> Result<(), LogError> {
    let ExportOptions { mut begin, selection, head, .. } = options;
    let organization = begin.organization;
    begin.pseudonymised = writer.pseudonyms.is_some();
    if let Some(pseudonyms) = &mut writer.pseudonyms {
        begin.domain = pseudonyms.text(&begin.domain);
        begin.name = pseudonyms.text(&begin.name);
        writer.base = std::mem::replace(&mut begin.scim_base, ELSEWHERE.to_owned());
    }
    writer.line(&BundleLine::Begin(begin)).await?;
    let bounds = selection.bounds(log, organization, head).await?;
    let (mut touched, mut until, mut left_out) = (Touched::default(), 0, 0);
    if let Some((first, last)) = bounds {
        let mut pages = Exchanges { log, organization, number: first - 1, last };
        while let Some(page) = pages.next().await? {
            for recorded in page.iter().filter(|x| selection.takes(x)) {
                touched.add(recorded);
                until = recorded.after;
                left_out += u64::from(recorded.exchange.protocol != Protocol::Scim);
            }
        }
    }
    let kept = writer.records(log, organization, until, &touched).await?;
    if let Some((first, last)) = bounds {
        let mut pages = Exchanges { log, organization, number: first - 1, last };
        while let Some(page) = pages.next().await? {
            for recorded in page
                .into_iter()
                .filter(|x| x.exchange.protocol == Protocol::Scim && selection.takes(x))
            {
                writer.exchange(recorded, &kept).await?;
            }
        }
    }
    writer.end(left_out).await
}

struct Exchanges<'a> {
    log: &'a dyn Log,
    organization: rollcall_domain::ids::OrganizationId,
    number: u64,
    last: u64,
}

impl Exchanges<'_> {
    async fn next(&mut self) -> Result<Option<Vec<RecordedExchange>>, LogError> {
        if self.number >= self.last {
            return Ok(None);
        }
        let mut page =
            self.log.exchanges(self.organization, self.number, 100, Bodies::Read).await?;
        let Some(end) = page.last() else {
            return Err(LogError::Damaged(format!("exchange {} is missing", self.number + 1)));
        };
        self.number = end.number;
        page.retain(|x| x.number <= self.last);
        Ok(Some(page))
    }
}

struct Writer {
    gzip: GzEncoder<Vec<u8>>,
    chunks: Chunks,
    digest: Sha256,
    pseudonyms: Option<Pseudonyms>,
    /// The server's address, for which another stands.
    base: String,
    /// Those that let SCIM in.
    credentials: HashSet<CredentialId>,
    records: u64,
    exchanges: u64,
}

fn broken(error: impl std::fmt::Display) -> LogError {
    LogError::Damaged(error.to_string())
}

impl Writer {
    async fn line(&mut self, line: &BundleLine) -> Result<(), LogError> {
        let mut bytes = serde_json::to_vec(line).map_err(broken)?;
        bytes.push(b'\n');
        self.digest.update(&bytes);
        self.gzip.write_all(&bytes).map_err(broken)?;
        if self.gzip.get_ref().len() >= CHUNK { self.flush().await } else { Ok(()) }
    }

    async fn flush(&mut self) -> Result<(), LogError> {
        let ready = std::mem::take(self.gzip.get_mut());
        self.chunks
            .send(Ok(ready.into()))
            .await
            .map_err(|_| LogError::Unavailable("the reader of the bundle went away".to_owned()))
    }

    /// Writes the records that are needed; gives their old positions, in order.
    async fn records(
        &mut self,
        log: &dyn Log,
        organization: rollcall_domain::ids::OrganizationId,
        until: Position,
        touched: &Touched,
    ) -> Result<Vec<Position>, LogError> {
        let mut kept = Vec::new();
        let mut versions: HashMap<StreamId, Version> = HashMap::new();
        let mut position = 0;
        while position < until {
            let page = log.records(organization, position, 500).await?;
            let Some(end) = page.last() else {
                return Err(LogError::Damaged(format!("position {} is missing", position + 1)));
            };
            position = end.position;
            for record in page.into_iter().filter(|r| r.position <= until) {
                let old = record.position;
                let Some(mut record) = self.needed(record, touched)? else { continue };
                kept.push(old);
                let version = versions.entry(record.stream).or_default();
                *version += 1;
                (record.position, record.version) = (kept.len() as u64, *version);
                self.records += 1;
                self.line(&BundleLine::Record { record: Box::new(record) }).await?;
            }
        }
        Ok(kept)
    }

    /// A record as it goes into the bundle, if it does.
    fn needed(
        &mut self,
        mut record: Record,
        touched: &Touched,
    ) -> Result<Option<Record>, LogError> {
        if record.stream.kind != AggregateKind::Organization && !touched.holds(record.stream.id) {
            return Ok(None);
        }
        match DomainEvent::decode(&record).map_err(broken)? {
            DomainEvent::User(event) if !event.changes_resource() => return Ok(None),
            DomainEvent::User(_) | DomainEvent::Group(_) => {}
            // Only what the answer to a SCIM request depends on.
            DomainEvent::Organization(event) if !event.kind().concerns_scim() => return Ok(None),
            DomainEvent::Organization(mut event) => {
                if !self.lets_scim_in(&event) {
                    return Ok(None);
                }
                // Not even the hash of a secret leaves.
                if rehash(&mut event, |credential, sha256| {
                    sha256_hex(&format!("bundle {credential} {sha256}"))
                }) {
                    record.event_version = event.kind().version().to_owned();
                    record.payload = serde_json::to_string(&event).map_err(broken)?;
                }
            }
            // Stays, so that the versions of its stream go on.
            DomainEvent::Lost(_) => {}
            DomainEvent::Deployment(_) | DomainEvent::Consumer(_) => return Ok(None),
        }
        if let Some(pseudonyms) = &mut self.pseudonyms {
            record.payload = renamed(pseudonyms, &record).map_err(broken)?;
            record.payload = moved(&record.payload, &self.base);
            rename_actor(pseudonyms, &mut record.actor);
        }
        Ok(Some(record))
    }

    /// Whether an event is about a credential for SCIM, or about none.
    fn lets_scim_in(&mut self, event: &OrganizationEvent) -> bool {
        match credential(event) {
            Some(CredentialEvent::Issued(issued)) if issued.purpose == Purpose::Scim => {
                self.credentials.insert(issued.credential)
            }
            Some(event) => self.credentials.contains(&event.credential()),
            None => true,
        }
    }

    async fn exchange(
        &mut self,
        mut recorded: RecordedExchange,
        kept: &[Position],
    ) -> Result<(), LogError> {
        let before = |position: Position| kept.partition_point(|p| *p <= position) as u64;
        recorded.after = before(recorded.after);
        recorded.positions =
            recorded.positions.map(|(first, last)| (before(first - 1) + 1, before(last)));
        self.exchanges += 1;
        recorded.number = self.exchanges;
        let exchange = &mut recorded.exchange;
        exchange.subject_key = None;
        exchange.source = None;
        // The bodies say what it wanted; the hashes of names and values are for the key of this
        // log.
        exchange.facts.wants = Wants::default();
        exchange.headers.retain(|(name, _)| HEADERS.contains(&name.as_str()));
        if let Some(pseudonyms) = &mut self.pseudonyms {
            rename(pseudonyms, exchange, &self.base);
        }
        self.line(&BundleLine::exchange(recorded)).await
    }

    async fn end(mut self, left_out: u64) -> Result<(), LogError> {
        let digest = std::mem::take(&mut self.digest)
            .chain_update(counts(self.records, self.exchanges, left_out))
            .finalize();
        let sha256 = digest.iter().fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        self.line(&BundleLine::End {
            records: self.records,
            exchanges: self.exchanges,
            left_out,
            sha256,
        })
        .await?;
        self.gzip.try_finish().map_err(broken)?;
        self.flush().await
    }
}

/// A payload with pseudonyms, in the form in which it would be written.
fn renamed(pseudonyms: &mut Pseudonyms, record: &Record) -> Result<String, serde_json::Error> {
    let mut payload: Value = serde_json::from_str(&record.payload)?;
    pseudonyms.json(&mut payload);
    match record.stream.kind {
        AggregateKind::User => {
            serde_json::to_string(&serde_json::from_value::<UserEvent>(payload)?)
        }
        AggregateKind::Group => {
            serde_json::to_string(&serde_json::from_value::<GroupEvent>(payload)?)
        }
        AggregateKind::Organization => {
            let mut event = serde_json::from_str(&record.payload)?;
            rename_organization(pseudonyms, &mut event);
            serde_json::to_string(&event)
        }
        AggregateKind::Deployment | AggregateKind::Consumer => Ok(payload.to_string()),
    }
}

/// What people wrote; the rest is fixed words, ids and hashes.
fn rename_organization(pseudonyms: &mut Pseudonyms, event: &mut OrganizationEvent) {
    match event {
        OrganizationEvent::Created { name, domain } => {
            *name = pseudonyms.text(name);
            *domain = pseudonyms.text(domain);
        }
        OrganizationEvent::ScimTokenIssued { label, .. } => *label = pseudonyms.text(label),
        OrganizationEvent::CredentialIssued(issued) => {
            issued.label = pseudonyms.text(&issued.label);
            rename_proof(pseudonyms, &mut issued.proof);
        }
        OrganizationEvent::CredentialProofChanged(changed) => {
            rename_proof(pseudonyms, &mut changed.proof);
        }
        _ => {}
    }
}

/// A tenant is somebody, and so is whoever publishes keys at an address.
fn rename_proof(pseudonyms: &mut Pseudonyms, proof: &mut Proof) {
    match proof {
        Proof::Token { .. } | Proof::ClientSecret { .. } => {}
        Proof::PrivateKeyJwt { keys: KeySource::Url(text) | KeySource::Document(text) } => {
            *text = pseudonyms.text(text);
        }
        Proof::Federated { issuer, tenant, subject, audiences, authorized_party } => {
            let texts = [issuer, tenant, subject].into_iter().chain(audiences);
            for text in texts.chain(authorized_party) {
                *text = pseudonyms.text(text);
            }
        }
    }
}

/// Operators and admins have names.
fn rename_actor(pseudonyms: &mut Pseudonyms, actor: &mut Actor) {
    if let Actor::Admin { name, .. }
    | Actor::LocalOperator { name }
    | Actor::NamedOperator { name, .. } = actor
    {
        *name = pseudonyms.text(name);
    }
}

/// What says where the server is, says another place.
fn moved(text: &str, base: &str) -> String {
    if base.is_empty() { text.to_owned() } else { text.replace(base, ELSEWHERE) }
}

fn rename(pseudonyms: &mut Pseudonyms, exchange: &mut Exchange, base: &str) {
    rename_actor(pseudonyms, &mut exchange.caller);
    exchange.target = pseudonyms.target(&exchange.target);
    // The hash of a text can be tested by guessing it.
    exchange.body_hashes = None;
    exchange.answer.detail =
        exchange.answer.detail.as_deref().map(|d| moved(&pseudonyms.detail(d), base));
    for (_, value) in exchange.headers.iter_mut().chain(&mut exchange.answer.headers) {
        *value = moved(value, base);
    }
    for body in [&mut exchange.request_body, &mut exchange.answer_body] {
        if body.is_empty() {
            continue;
        }
        match serde_json::from_slice::<Value>(body) {
            Ok(mut value) => {
                pseudonyms.json(&mut value);
                *body = moved(&value.to_string(), base).into_bytes();
            }
            // What cannot be read cannot be made harmless; and a replay is to say why it is gone.
            Err(_) => {
                body.clear();
                exchange.bodies_dropped = true;
                exchange.redactions.push(line::NO_PSEUDONYMS.to_owned());
            }
        }
    }
}
