//! How the protocol says what became of an append.

use crate::decide::Expected;
use crate::faults::Refusal;
use crate::proto::google::rpc;
use crate::proto::streams::append_resp;
use crate::proto::{self, StreamIdentifier};
use prost::Message;
use tonic::metadata::MetadataValue;
use tonic::{Code, Status};

/// Why an append was refused.
pub(crate) enum Refused {
    Wrong(Option<u64>),
    Tombstoned,
    TooLarge(usize),
    Denied,
    Fault(Refusal),
    File(std::io::Error),
    /// No answer at all.
    Silence,
}

/// A status whose trailer names an exception, as the server's do.
fn exception(code: Code, message: &str, name: &str, details: &[(&'static str, String)]) -> Status {
    let mut status = Status::new(code, message);
    for (key, value) in
        [("exception", name)].into_iter().chain(details.iter().map(|(k, v)| (*k, v.as_str())))
    {
        if let Ok(value) = MetadataValue::try_from(value) {
            status.metadata_mut().insert(key, value);
        }
    }
    status
}

pub(crate) fn refusal(refusal: &Refusal) -> Status {
    match refusal {
        Refusal::NotLeader(host, port) => exception(
            Code::NotFound,
            "Leader info available",
            "not-leader",
            &[("leader-endpoint-host", host.clone()), ("leader-endpoint-port", port.to_string())],
        ),
        Refusal::Busy => Status::unavailable("Server Is Too Busy"),
        Refusal::Cut => Status::unavailable("the line is cut"),
    }
}

pub(crate) fn denied() -> Status {
    exception(Code::PermissionDenied, "Access Denied", "access-denied", &[])
}

pub(crate) fn tombstoned(stream: &str) -> Status {
    let name = [("stream-name", stream.to_owned())];
    exception(Code::FailedPrecondition, "Event stream is deleted.", "stream-deleted", &name)
}

/// The status of a plain append; a wrong version is no status there.
pub(crate) fn status(stream: &str, refused: Refused) -> Status {
    match refused {
        Refused::Tombstoned => tombstoned(stream),
        Refused::TooLarge(limit) => {
            let limit = [("maximum-append-size", limit.to_string())];
            exception(
                Code::InvalidArgument,
                "Maximum Append Size Exceeded.",
                "maximum-append-size-exceeded",
                &limit,
            )
        }
        Refused::Denied => denied(),
        Refused::Fault(fault) => refusal(&fault),
        Refused::File(e) => Status::internal(e.to_string()),
        Refused::Wrong(_) | Refused::Silence => Status::internal("not a status"),
    }
}

/// The answer of a plain append to a wrong version.
pub(crate) fn wrong(expected: Expected, current: Option<u64>) -> append_resp::WrongExpectedVersion {
    use append_resp::wrong_expected_version as w;
    let e = proto::Empty {};
    append_resp::WrongExpectedVersion {
        current_revision_option_20_6_0: Some(match current {
            Some(n) => w::CurrentRevisionOption2060::CurrentRevision2060(n),
            None => w::CurrentRevisionOption2060::NoStream2060(e),
        }),
        expected_revision_option_20_6_0: Some(match expected {
            Expected::Revision(n) => w::ExpectedRevisionOption2060::ExpectedRevision2060(n),
            Expected::Exists => w::ExpectedRevisionOption2060::StreamExists2060(e),
            Expected::Any | Expected::NoStream => w::ExpectedRevisionOption2060::Any2060(e),
        }),
        current_revision_option: Some(match current {
            Some(n) => w::CurrentRevisionOption::CurrentRevision(n),
            None => w::CurrentRevisionOption::CurrentNoStream(e),
        }),
        expected_revision_option: Some(match expected {
            Expected::Revision(n) => w::ExpectedRevisionOption::ExpectedRevision(n),
            Expected::Exists => w::ExpectedRevisionOption::ExpectedStreamExists(e),
            Expected::Any => w::ExpectedRevisionOption::ExpectedAny(e),
            Expected::NoStream => w::ExpectedRevisionOption::ExpectedNoStream(e),
        }),
    }
}

/// The status inside the answer to one append of a batch.
pub(crate) fn in_batch(stream: &str, expected: Expected, refused: Refused) -> rpc::Status {
    let identifier = || Some(StreamIdentifier { stream_name: stream.as_bytes().to_vec() });
    match refused {
        Refused::Wrong(current) => {
            use proto::wrong_expected_version as w;
            let details = proto::WrongExpectedVersion {
                current_stream_revision_option: Some(match current {
                    Some(n) => w::CurrentStreamRevisionOption::CurrentStreamRevision(n),
                    None => w::CurrentStreamRevisionOption::CurrentNoStream(()),
                }),
                expected_stream_position_option: Some(match expected {
                    Expected::Revision(n) => {
                        w::ExpectedStreamPositionOption::ExpectedStreamPosition(n)
                    }
                    Expected::Exists => w::ExpectedStreamPositionOption::ExpectedStreamExists(()),
                    Expected::Any => w::ExpectedStreamPositionOption::ExpectedAny(()),
                    Expected::NoStream => w::ExpectedStreamPositionOption::ExpectedNoStream(()),
                }),
            };
            rpc_status(rpc::Code::Unknown, "WrongExpectedVersion", details)
        }
        Refused::Tombstoned => rpc_status(
            rpc::Code::Unknown,
            "StreamDeleted",
            proto::StreamDeleted { stream_identifier: identifier() },
        ),
        Refused::TooLarge(limit) => rpc_status(
            rpc::Code::Unknown,
            "MaximumAppendSizeExceeded",
            proto::MaximumAppendSizeExceeded { max_append_size: limit as u32 },
        ),
        Refused::Denied => {
            rpc_status(rpc::Code::PermissionDenied, "AccessDenied", proto::AccessDenied {})
        }
        Refused::Fault(_) | Refused::Silence | Refused::File(_) => {
            rpc_status(rpc::Code::Unknown, "Unknown", proto::Unknown {})
        }
    }
}

fn rpc_status(code: rpc::Code, name: &str, details: impl Message) -> rpc::Status {
    let type_url = format!("type.googleapis.com/event_store.client.{name}");
    rpc::Status {
        code: code.into(),
        message: name.to_owned(),
        details: Some(prost_types::Any { type_url, value: details.encode_to_vec() }),
    }
}
