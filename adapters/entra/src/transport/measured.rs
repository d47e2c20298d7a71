//! How long requests take, by what they do.

use super::{Answer, Method, Request, Transport, TransportError};
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// What a request does, for figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Doing {
    /// A filter on one attribute, probes included.
    Match,
    /// Does the one refer to the other?
    Check,
    /// A read by id.
    Read,
    /// A creation.
    Create,
    /// A change of a user, or of a group's name.
    Change,
    /// Members in.
    AddMembers,
    /// Members out.
    RemoveMembers,
    /// A deletion.
    Delete,
}

impl Doing {
    /// What a request does.
    pub fn of(request: &Request) -> Self {
        let says = |text: &[u8]| {
            request.body.as_ref().is_some_and(|b| b.windows(text.len()).any(|w| w == text))
        };
        match request.method {
            Method::Get if request.target.contains("+and+") => Self::Check,
            Method::Get if request.target.contains("filter=") => Self::Match,
            Method::Get => Self::Read,
            Method::Post => Self::Create,
            Method::Delete => Self::Delete,
            Method::Patch
                if says(b"\"path\":\"members\"")
                    && (says(b"\"op\":\"Add\"") || says(b"\"op\":\"add\"")) =>
            {
                Self::AddMembers
            }
            Method::Patch if says(b"\"path\":\"members") => Self::RemoveMembers,
            Method::Patch => Self::Change,
        }
    }

    /// Its name in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Match => "match",
            Self::Check => "reference check",
            Self::Read => "read",
            Self::Create => "create",
            Self::Change => "change",
            Self::AddMembers => "add members",
            Self::RemoveMembers => "remove members",
            Self::Delete => "delete",
        }
    }
}

/// The times of one kind of request, in microseconds, sorted.
#[derive(Clone, Debug, Default)]
pub struct Times(Vec<u32>);

impl Times {
    /// How many there were.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The time, in milliseconds, that a share of the requests did not exceed.
    pub fn quantile(&self, share: f64) -> f64 {
        let at = ((self.0.len() as f64 * share).ceil() as usize).clamp(1, self.0.len().max(1)) - 1;
        self.0.get(at).map_or(0.0, |micros| f64::from(*micros) / 1_000.0)
    }
}

/// A transport that takes the time of every request that is answered.
pub struct Measured {
    inner: Arc<dyn Transport>,
    times: Mutex<BTreeMap<Doing, Vec<u32>>>,
}

impl Measured {
    /// Around another transport.
    pub fn new(inner: Arc<dyn Transport>) -> Self {
        Self { inner, times: Mutex::default() }
    }

    /// The times taken since the last call.
    pub fn take(&self) -> BTreeMap<Doing, Times> {
        let times = std::mem::take(&mut *self.times.lock().unwrap_or_else(PoisonError::into_inner));
        let sorted = times.into_iter().map(|(doing, mut times)| {
            times.sort_unstable();
            (doing, Times(times))
        });
        sorted.collect()
    }
}

#[async_trait]
impl Transport for Measured {
    async fn send(&self, request: &Request) -> Result<Answer, TransportError> {
        let begun = Instant::now();
        let answer = self.inner.send(request).await?;
        let micros = u32::try_from(begun.elapsed().as_micros()).unwrap_or(u32::MAX);
        self.times
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(Doing::of(request))
            .or_default()
            .push(micros);
        Ok(answer)
    }
}
