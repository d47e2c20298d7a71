//! The gRPC services.

use crate::accept::Accepted;
use crate::answer::{self, Refused};
use crate::decide::{Expected, Verdict};
use crate::faults::{Fault, Faults};
use crate::proto::gossip::gossip_server::{Gossip, GossipServer};
use crate::proto::gossip::{ClusterInfo, EndPoint, MemberInfo, member_info::VNodeState};
use crate::proto::server_features::server_features_server::{ServerFeatures, ServerFeaturesServer};
use crate::proto::server_features::{SupportedMethod, SupportedMethods};
use crate::proto::streams::batch_append_req::ProposedMessage;
use crate::proto::streams::streams_server::{Streams, StreamsServer};
use crate::proto::streams::*;
use crate::proto::{self, AllStreamPosition, Empty, StreamIdentifier};
use crate::read;
use crate::store::{Store, TOMBSTONE};
use crate::visible::{DELETED, Metadata};
use futures::StreamExt as _;
use futures::stream::BoxStream;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tonic::{Request, Response, Status, Streaming};
use uuid::Uuid;

/// How a stand-in is set up.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where the events are kept.
    pub file: PathBuf,
    /// The largest append in bytes.
    pub maximum_append_size: usize,
    /// Whether requests are acknowledged as soon as they come in. The makers' client sends each in
    /// two pieces, and waits with the second for up to 40 ms until the system acknowledges the
    /// first: so it is with a server. Tests that ask often need not wait for that.
    pub is_quick: bool,
}

impl Settings {
    /// With the append size of servers as they were delivered for years.
    pub fn new(file: impl Into<PathBuf>) -> Self {
        Self { file: file.into(), maximum_append_size: 1024 * 1024, is_quick: false }
    }
}

/// What all calls share.
pub(crate) struct Shared {
    store: Mutex<Store>,
    written: watch::Sender<u64>,
    subscriptions: AtomicU64,
    maximum_append_size: usize,
}

impl Shared {
    pub fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes whenever events were written.
    pub fn written(&self) -> watch::Receiver<u64> {
        self.written.subscribe()
    }

    pub fn subscription_id(&self) -> String {
        Uuid::from_u128(self.subscriptions.fetch_add(1, Ordering::Relaxed).into()).to_string()
    }

    /// The time in ticks of 100 nanoseconds since 1970.
    #[expect(clippy::disallowed_methods, reason = "a server of its own, with a clock of its own")]
    pub fn ticks(&self) -> u64 {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| (d.as_nanos() / 100) as u64)
    }

    /// Appends, or says why not. Gives the last revision and its position.
    fn append(
        &self,
        name: &str,
        expected: Expected,
        mut messages: Vec<ProposedMessage>,
        faults: &Faults,
    ) -> Result<(u64, u64), Refused> {
        let fault = faults.of_append();
        if let Some(Fault::Before(refusal)) = fault {
            return Err(Refused::Fault(refusal));
        }
        let size: usize = messages.iter().map(|m| m.data.len() + m.custom_metadata.len()).sum();
        if size > self.maximum_append_size {
            return Err(Refused::TooLarge(self.maximum_append_size));
        }
        let mut store = self.store();
        let metadata = Metadata::of(&store, name);
        if !metadata.may_write() {
            return Err(Refused::Denied);
        }
        match store.decide(name, metadata.is_deleted(), expected, &messages) {
            Verdict::Tombstoned => return Err(Refused::Tombstoned),
            Verdict::Wrong(current) => return Err(Refused::Wrong(current)),
            Verdict::Already(_) if !faults.answers_repetitions() => return Err(Refused::Silence),
            Verdict::Already(last) => {
                return Ok((last, store.stream(name)[last as usize].position));
            }
            Verdict::Write => {}
        }
        if metadata.is_deleted() {
            // The stream begins again where it ended: what was before stays hidden.
            let from = store.stream(name).len();
            self.set_metadata(&mut store, name, &serde_json::json!({ "$tb": from }))?;
        }
        let created = self.ticks().to_string();
        messages
            .iter_mut()
            .for_each(|m| drop(m.metadata.insert("created".to_owned(), created.clone())));
        let last = store.write(name, messages).map_err(Refused::File)?.unwrap_or(0);
        let position = store.stream(name).last().map_or(0, |e| e.position);
        self.written.send_modify(|n| *n += 1);
        drop(store);
        match fault {
            Some(Fault::After(refusal)) => Err(Refused::Fault(refusal)),
            Some(Fault::Unanswered) => Err(Refused::Silence),
            _ => Ok((last, position)),
        }
    }

    fn set_metadata(
        &self,
        store: &mut Store,
        name: &str,
        metadata: &serde_json::Value,
    ) -> Result<(), Refused> {
        let message = system("$metadata", metadata.to_string(), self.ticks(), store.all.len());
        store.write(&format!("$${name}"), vec![message]).map(drop).map_err(Refused::File)
    }

    fn delete(&self, name: &str, expected: Expected, for_ever: bool) -> Result<u64, Refused> {
        let mut store = self.store();
        let deleted = Metadata::of(&store, name).is_deleted();
        match store.decide(name, deleted, expected, &[]) {
            Verdict::Tombstoned => return Err(Refused::Tombstoned),
            Verdict::Wrong(current) => return Err(Refused::Wrong(current)),
            Verdict::Write | Verdict::Already(_) => {}
        }
        if for_ever {
            let message = system(TOMBSTONE, String::new(), self.ticks(), store.all.len());
            store.write(name, vec![message]).map_err(Refused::File)?;
        } else {
            self.set_metadata(&mut store, name, &serde_json::json!({ "$tb": DELETED }))?;
        }
        self.written.send_modify(|n| *n += 1);
        Ok(store.all.last().map_or(0, |e| e.position))
    }
}

/// An event that the server itself writes.
fn system(kind: &str, data: String, created: u64, count: usize) -> ProposedMessage {
    let id = Uuid::from_u64_pair(created, count as u64).to_string();
    let metadata = [
        ("type", kind.to_owned()),
        ("content-type", "application/json".to_owned()),
        ("created", created.to_string()),
    ];
    ProposedMessage {
        id: Some(proto::Uuid { value: Some(proto::uuid::Value::String(id)) }),
        metadata: metadata
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value))
            .collect::<HashMap<_, _>>(),
        custom_metadata: Vec::new(),
        data: data.into_bytes(),
    }
}

/// Serves on a listener until the task is dropped.
pub async fn serve(
    listener: TcpListener,
    settings: Settings,
    faults: Faults,
) -> anyhow::Result<()> {
    let address = listener.local_addr()?;
    let shared = Arc::new(Shared {
        store: Mutex::new(Store::open(&settings.file)?),
        written: watch::Sender::new(0),
        subscriptions: AtomicU64::new(1),
        maximum_append_size: settings.maximum_append_size,
    });
    let is_quick = settings.is_quick;
    let node = Node { shared, faults, host: address.ip().to_string(), port: address.port() };
    let limit = settings.maximum_append_size.saturating_mul(2).max(16 * 1024 * 1024);
    tonic::transport::Server::builder()
        .add_service(StreamsServer::new(node.clone()).max_decoding_message_size(limit))
        .add_service(GossipServer::new(node.clone()))
        .add_service(ServerFeaturesServer::new(node))
        .serve_with_incoming(
            TcpListenerStream::new(listener)
                .map(move |stream| Ok::<_, std::io::Error>(Accepted::new(stream?, is_quick))),
        )
        .await?;
    Ok(())
}

#[derive(Clone)]
struct Node {
    shared: Arc<Shared>,
    faults: Faults,
    host: String,
    port: u16,
}

fn text(identifier: Option<&StreamIdentifier>) -> Result<String, Status> {
    let bytes = identifier.map(|i| i.stream_name.clone()).unwrap_or_default();
    match String::from_utf8(bytes) {
        Ok(name) if !name.is_empty() => Ok(name),
        _ => Err(Status::invalid_argument("a stream has a name")),
    }
}

/// Reads the four ways in which each message says what it expects.
macro_rules! expected {
    ($option:expr, $in:path) => {{
        use $in as E;
        match $option {
            Some(E::Revision(n)) => Expected::Revision(n),
            Some(E::NoStream(_)) => Expected::NoStream,
            Some(E::StreamExists(_)) => Expected::Exists,
            Some(E::Any(_)) | None => Expected::Any,
        }
    }};
}

#[tonic::async_trait]
impl Streams for Node {
    type ReadStream = ReceiverStream<Result<ReadResp, Status>>;
    type BatchAppendStream = BoxStream<'static, Result<BatchAppendResp, Status>>;

    async fn read(&self, request: Request<ReadReq>) -> Result<Response<Self::ReadStream>, Status> {
        let (out, answers) = mpsc::channel(64);
        tokio::spawn(read::read(
            self.shared.clone(),
            self.faults.clone(),
            request.into_inner(),
            out,
        ));
        Ok(Response::new(ReceiverStream::new(answers)))
    }

    async fn append(
        &self,
        request: Request<Streaming<AppendReq>>,
    ) -> Result<Response<AppendResp>, Status> {
        use append_req::Content;
        let mut parts = request.into_inner();
        let (mut options, mut messages) = (None, Vec::new());
        while let Some(part) = parts.message().await? {
            match part.content {
                Some(Content::Options(o)) => options = Some(o),
                Some(Content::ProposedMessage(m)) => messages.push(ProposedMessage {
                    id: m.id,
                    metadata: m.metadata,
                    custom_metadata: m.custom_metadata,
                    data: m.data,
                }),
                None => {}
            }
        }
        let options = options.ok_or_else(|| Status::invalid_argument("options come first"))?;
        let name = text(options.stream_identifier.as_ref())?;
        let expected = expected!(
            options.expected_stream_revision,
            append_req::options::ExpectedStreamRevision
        );
        let result = match self.shared.append(&name, expected, messages, &self.faults) {
            Ok((revision, position)) => append_resp::Result::Success(append_resp::Success {
                current_revision_option: Some(
                    append_resp::success::CurrentRevisionOption::CurrentRevision(revision),
                ),
                position_option: Some(append_resp::success::PositionOption::Position(
                    append_resp::Position { commit_position: position, prepare_position: position },
                )),
            }),
            Err(Refused::Wrong(current)) => {
                append_resp::Result::WrongExpectedVersion(answer::wrong(expected, current))
            }
            Err(Refused::Silence) => std::future::pending().await,
            Err(refused) => return Err(answer::status(&name, refused)),
        };
        Ok(Response::new(AppendResp { result: Some(result) }))
    }

    async fn delete(&self, request: Request<DeleteReq>) -> Result<Response<DeleteResp>, Status> {
        let options =
            request.into_inner().options.ok_or_else(|| Status::invalid_argument("options"))?;
        let name = text(options.stream_identifier.as_ref())?;
        let expected = expected!(
            options.expected_stream_revision,
            delete_req::options::ExpectedStreamRevision
        );
        let at = self
            .shared
            .delete(&name, expected, false)
            .map_err(|refused| deletion(&name, refused))?;
        let position = delete_resp::Position { commit_position: at, prepare_position: at };
        Ok(Response::new(DeleteResp {
            position_option: Some(delete_resp::PositionOption::Position(position)),
        }))
    }

    async fn tombstone(
        &self,
        request: Request<TombstoneReq>,
    ) -> Result<Response<TombstoneResp>, Status> {
        let options =
            request.into_inner().options.ok_or_else(|| Status::invalid_argument("options"))?;
        let name = text(options.stream_identifier.as_ref())?;
        let expected = expected!(
            options.expected_stream_revision,
            tombstone_req::options::ExpectedStreamRevision
        );
        let at = self
            .shared
            .delete(&name, expected, true)
            .map_err(|refused| deletion(&name, refused))?;
        let position = tombstone_resp::Position { commit_position: at, prepare_position: at };
        Ok(Response::new(TombstoneResp {
            position_option: Some(tombstone_resp::PositionOption::Position(position)),
        }))
    }

    async fn batch_append(
        &self,
        request: Request<Streaming<BatchAppendReq>>,
    ) -> Result<Response<Self::BatchAppendStream>, Status> {
        let (node, mut waiting) = (self.clone(), HashMap::<Vec<u8>, Vec<ProposedMessage>>::new());
        let answers = request.into_inner().filter_map(move |part| {
            let answer = part.and_then(|part| node.of_batch(&mut waiting, part)).transpose();
            std::future::ready(answer)
        });
        Ok(Response::new(answers.boxed()))
    }
}

fn deletion(name: &str, refused: Refused) -> Status {
    match refused {
        Refused::Wrong(_) => Status::failed_precondition("WrongExpectedVersion"),
        other => answer::status(name, other),
    }
}

impl Node {
    /// Takes one part of an append in; answers once it is whole.
    fn of_batch(
        &self,
        waiting: &mut HashMap<Vec<u8>, Vec<ProposedMessage>>,
        part: BatchAppendReq,
    ) -> Result<Option<BatchAppendResp>, Status> {
        use batch_append_req::options::ExpectedStreamPosition as Sent;
        use batch_append_resp::{
            ExpectedStreamPosition as Back, Result as Outcome, Success, success,
        };
        let key = prost::Message::encode_to_vec(&part.correlation_id.clone().unwrap_or_default());
        let mut messages = waiting.remove(&key).unwrap_or_default();
        messages.extend(part.proposed_messages);
        if !part.is_final {
            waiting.insert(key, messages);
            return Ok(None);
        }
        let options = part.options.ok_or_else(|| Status::invalid_argument("options"))?;
        let name = text(options.stream_identifier.as_ref())?;
        let (expected, back) = match options.expected_stream_position {
            Some(Sent::StreamPosition(n)) => (Expected::Revision(n), Back::StreamPosition(n)),
            Some(Sent::NoStream(())) => (Expected::NoStream, Back::NoStream(())),
            Some(Sent::StreamExists(())) => (Expected::Exists, Back::StreamExists(())),
            Some(Sent::Any(())) | None => (Expected::Any, Back::Any(())),
        };
        let result = match self.shared.append(&name, expected, messages, &self.faults) {
            Ok((revision, at)) => Outcome::Success(Success {
                current_revision_option: Some(success::CurrentRevisionOption::CurrentRevision(
                    revision,
                )),
                position_option: Some(success::PositionOption::Position(AllStreamPosition {
                    commit_position: at,
                    prepare_position: at,
                })),
            }),
            Err(Refused::Silence) => return Ok(None),
            // These end the whole call, with everything that is under way in it.
            Err(Refused::Fault(refusal)) => return Err(answer::refusal(&refusal)),
            Err(refused) => Outcome::Error(answer::in_batch(&name, expected, refused)),
        };
        Ok(Some(BatchAppendResp {
            correlation_id: part.correlation_id,
            result: Some(result),
            stream_identifier: options.stream_identifier,
            expected_stream_position: Some(back),
        }))
    }
}

#[tonic::async_trait]
impl Gossip for Node {
    async fn read(&self, _: Request<Empty>) -> Result<Response<ClusterInfo>, Status> {
        let id = proto::uuid::Value::String(Uuid::from_u128(self.port.into()).to_string());
        let member = MemberInfo {
            instance_id: Some(proto::Uuid { value: Some(id) }),
            time_stamp: (self.shared.ticks() / 10_000_000) as i64,
            state: VNodeState::Leader.into(),
            is_alive: true,
            http_end_point: Some(EndPoint { address: self.host.clone(), port: self.port.into() }),
        };
        Ok(Response::new(ClusterInfo { members: vec![member] }))
    }
}

#[tonic::async_trait]
impl ServerFeatures for Node {
    async fn get_supported_methods(
        &self,
        _: Request<Empty>,
    ) -> Result<Response<SupportedMethods>, Status> {
        let method = |name: &str| SupportedMethod {
            method_name: name.to_owned(),
            service_name: "event_store.client.streams.streams".to_owned(),
            features: vec!["stream".to_owned(), "all".to_owned()],
        };
        let methods = ["append", "batchappend", "delete", "read", "tombstone"].map(method).to_vec();
        Ok(Response::new(SupportedMethods {
            methods,
            event_store_server_version: "24.10.0".to_owned(),
        }))
    }
}
