//! Reads and subscriptions.

use crate::faults::Faults;
use crate::proto::streams::read_req::Options;
use crate::proto::streams::read_req::options::all_options::AllOption;
use crate::proto::streams::read_req::options::filter_options::{Filter, Window};
use crate::proto::streams::read_req::options::stream_options::RevisionOption;
use crate::proto::streams::read_req::options::{
    CountOption, FilterOption, ReadDirection, StreamOption,
};
use crate::proto::streams::read_resp::read_event::{Position, RecordedEvent};
use crate::proto::streams::read_resp::{
    Checkpoint, Content, ReadEvent, StreamNotFound, SubscriptionConfirmation,
};
use crate::proto::streams::{ReadReq, ReadResp};
use crate::proto::{self, StreamIdentifier};
use crate::store::{Event, Store};
use crate::visible::Metadata;
use crate::{answer, service::Shared};
use std::sync::Arc;
use tokio::sync::mpsc::Sender;
use tonic::Status;

/// Events between two checkpoints, times the client's multiplier.
const CHECKPOINT: u64 = 32;

type Out = Sender<Result<ReadResp, Status>>;

fn response(content: Content) -> Result<ReadResp, Status> {
    Ok(ReadResp { content: Some(content) })
}

fn event(event: &Event) -> Result<ReadResp, Status> {
    let structured = proto::uuid::Structured {
        most_significant_bits: event.id.as_u64_pair().0 as i64,
        least_significant_bits: event.id.as_u64_pair().1 as i64,
    };
    let recorded = RecordedEvent {
        id: Some(proto::Uuid { value: Some(proto::uuid::Value::Structured(structured)) }),
        stream_identifier: Some(StreamIdentifier { stream_name: event.stream.as_bytes().to_vec() }),
        stream_revision: event.revision,
        prepare_position: event.position,
        commit_position: event.position,
        metadata: event.message.metadata.clone(),
        custom_metadata: event.message.custom_metadata.clone(),
        data: event.message.data.clone(),
    };
    let position = Some(Position::CommitPosition(event.position));
    response(Content::Event(ReadEvent { event: Some(recorded), link: None, position }))
}

/// Which events of `$all` are wanted.
struct Wanted(FilterOption);

impl Wanted {
    fn of(options: &Options) -> Result<Self, Status> {
        let option =
            options.filter_option.clone().unwrap_or(FilterOption::NoFilter(proto::Empty {}));
        if let FilterOption::Filter(f) = &option
            && let Some(Filter::StreamIdentifier(e) | Filter::EventType(e)) = &f.filter
            && !e.regex.is_empty()
        {
            regex::Regex::new(&e.regex).map_err(|e| Status::invalid_argument(e.to_string()))?;
        }
        Ok(Self(option))
    }

    fn has(&self, event: &Event) -> bool {
        let FilterOption::Filter(options) = &self.0 else { return true };
        let (expression, text) = match &options.filter {
            Some(Filter::StreamIdentifier(e)) => (e, &*event.stream),
            Some(Filter::EventType(e)) => (e, event.event_type()),
            None => return true,
        };
        if expression.regex.is_empty() {
            return expression.prefix.iter().any(|prefix| text.starts_with(prefix.as_str()));
        }
        regex::Regex::new(&expression.regex).is_ok_and(|regex| regex.is_match(text))
    }

    /// After how many events, wanted or not, a checkpoint is due, and how many a read looks at.
    fn window(&self) -> (u64, usize) {
        let FilterOption::Filter(options) = &self.0 else { return (u64::MAX, usize::MAX) };
        let searched = match options.window {
            Some(Window::Max(max)) => max as usize,
            _ => usize::MAX,
        };
        (CHECKPOINT * u64::from(options.checkpoint_interval_multiplier.max(1)), searched)
    }
}

/// Answers a read or a subscription, until it ends.
pub(crate) async fn read(shared: Arc<Shared>, faults: Faults, request: ReadReq, out: Out) {
    if let Err(status) = answered(&shared, &faults, request, &out).await {
        drop(out.send(Err(status)).await);
    }
}

async fn answered(
    shared: &Shared,
    faults: &Faults,
    request: ReadReq,
    out: &Out,
) -> Result<(), Status> {
    let options = request.options.ok_or_else(|| Status::invalid_argument("options"))?;
    let wanted = Wanted::of(&options)?;
    match options.count_option {
        Some(CountOption::Count(count)) => {
            let page = page(&shared.store(), &options, &wanted, count as usize, shared.ticks())?;
            for item in page {
                if out.send(item).await.is_err() {
                    break;
                }
            }
            Ok(())
        }
        Some(CountOption::Subscription(_)) => {
            subscribe(shared, faults, &options, &wanted, out).await
        }
        None => Err(Status::invalid_argument("count or subscription")),
    }
}

fn page(
    store: &Store,
    options: &Options,
    wanted: &Wanted,
    count: usize,
    now: u64,
) -> Result<Vec<Result<ReadResp, Status>>, Status> {
    let backwards = options.read_direction() == ReadDirection::Backwards;
    let stream = options
        .stream_option
        .as_ref()
        .ok_or_else(|| Status::invalid_argument("a stream or $all"))?;
    let found = match stream {
        StreamOption::All(all) => {
            let events = store.all.iter().cloned();
            let found = directed(events.collect(), backwards, |e| match &all.all_option {
                // A read starts at the position it names; backwards, right before it.
                Some(AllOption::Position(p)) if backwards => e.position < p.commit_position,
                Some(AllOption::Position(p)) => e.position >= p.commit_position,
                Some(AllOption::End(_)) => backwards,
                _ => !backwards,
            });
            let searched = wanted.window().1;
            found
                .into_iter()
                .take(searched)
                .filter(|e| wanted.has(e))
                .take(count)
                .collect::<Vec<_>>()
        }
        StreamOption::Stream(stream) => {
            let name = name(stream.stream_identifier.as_ref())?;
            let Some(events) = events(store, &name, now)? else {
                let stream_identifier = stream.stream_identifier.clone();
                return Ok(vec![response(Content::StreamNotFound(StreamNotFound {
                    stream_identifier,
                }))]);
            };
            let found = directed(events, backwards, |e| match &stream.revision_option {
                Some(RevisionOption::Revision(n)) if backwards => e.revision <= *n,
                Some(RevisionOption::Revision(n)) => e.revision >= *n,
                Some(RevisionOption::End(_)) => backwards,
                _ => !backwards,
            });
            found.into_iter().take(count).collect()
        }
    };
    Ok(found.iter().map(|e| event(e)).collect())
}

fn directed(
    mut events: Vec<Arc<Event>>,
    backwards: bool,
    keep: impl Fn(&Event) -> bool,
) -> Vec<Arc<Event>> {
    events.retain(|e| keep(e));
    if backwards {
        events.reverse();
    }
    events
}

fn name(identifier: Option<&StreamIdentifier>) -> Result<String, Status> {
    let bytes = identifier.map(|i| i.stream_name.clone()).unwrap_or_default();
    String::from_utf8(bytes).map_err(|e| Status::invalid_argument(e.to_string()))
}

/// What is visible of a stream; none if there is no such stream.
fn events(store: &Store, name: &str, now: u64) -> Result<Option<Vec<Arc<Event>>>, Status> {
    if store.is_tombstoned(name) {
        return Err(answer::tombstoned(name));
    }
    let metadata = Metadata::of(store, name);
    if !metadata.may_read() {
        return Err(answer::denied());
    }
    let events = store.stream(name);
    Ok((!events.is_empty() && !metadata.is_deleted()).then(|| metadata.visible(events, now)))
}

/// Sends what comes after the place that is named, for ever.
async fn subscribe(
    shared: &Shared,
    faults: &Faults,
    options: &Options,
    wanted: &Wanted,
    out: &Out,
) -> Result<(), Status> {
    let mut written = shared.written();
    let mut ended = faults.subscriptions();
    let id = shared.subscription_id();
    let confirmation =
        response(Content::Confirmation(SubscriptionConfirmation { subscription_id: id }));
    let mut open = out.send(confirmation).await.is_ok();
    let stream = options
        .stream_option
        .clone()
        .ok_or_else(|| Status::invalid_argument("a stream or $all"))?;
    // The first revision or position that is still to be sent; it resumes after the one named.
    let mut next = {
        let store = shared.store();
        match &stream {
            StreamOption::All(all) => match &all.all_option {
                Some(AllOption::Position(p)) => p.commit_position + 1,
                Some(AllOption::End(_)) => store.all.last().map_or(0, |e| e.position + 1),
                _ => 0,
            },
            StreamOption::Stream(s) => match &s.revision_option {
                Some(RevisionOption::Revision(n)) => n + 1,
                Some(RevisionOption::End(_)) => {
                    store.stream(&name(s.stream_identifier.as_ref())?).len() as u64
                }
                _ => 0,
            },
        }
    };
    let (interval, _) = wanted.window();
    let mut since_checkpoint = 0;
    while open {
        written.borrow_and_update();
        let batch: Vec<Arc<Event>> = {
            let store = shared.store();
            match &stream {
                StreamOption::All(_) => {
                    store.all.iter().filter(|e| e.position >= next).cloned().collect()
                }
                StreamOption::Stream(s) => {
                    let found =
                        events(&store, &name(s.stream_identifier.as_ref())?, shared.ticks())?;
                    found.unwrap_or_default().into_iter().filter(|e| e.revision >= next).collect()
                }
            }
        };
        for e in batch {
            next = if matches!(stream, StreamOption::All(_)) { e.position } else { e.revision } + 1;
            since_checkpoint += 1;
            if wanted.has(&e) {
                open = open && out.send(event(&e)).await.is_ok();
            }
            if since_checkpoint >= interval {
                since_checkpoint = 0;
                let at = Checkpoint { commit_position: e.position, prepare_position: e.position };
                open = open && out.send(response(Content::Checkpoint(at))).await.is_ok();
            }
        }
        tokio::select! {
            changed = written.changed() => open = open && changed.is_ok(),
            _ = ended.changed() => return Ok(()),
            () = out.closed() => return Ok(()),
        }
    }
    Ok(())
}
