//! The makers' client, kept alive.
//!
//! It has habits that this works around: a first connection that is refused kills the client
//! object for ever, so that it is replaced; nothing it waits for has an end of its own, so that
//! every wait here is bounded.

use eventstore::{BatchAppendClient, Client, ClientSettings, Error};
use rollcall_domain::log::LogError;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

/// Calls of a kind at once; servers allow 100 in one connection.
const CALLS: usize = 40;

/// A client that is younger is not replaced.
const RENEWED: Duration = Duration::from_millis(200);

/// Why a call gave nothing.
#[derive(Debug)]
pub(crate) enum Fault {
    /// There is no such stream.
    Missing,
    /// The stream was deleted for ever.
    Deleted,
    /// The user may not.
    Denied,
    /// Anything else: asking again may help.
    Away(String),
}

impl Fault {
    pub fn of(error: &Error) -> Self {
        match error {
            Error::ResourceNotFound => Fault::Missing,
            Error::ResourceDeleted => Fault::Deleted,
            Error::AccessDenied => Fault::Denied,
            other => Fault::Away(other.to_string()),
        }
    }

    /// In the port's words.
    pub fn about(self, stream: &str) -> LogError {
        match self {
            Fault::Missing => LogError::Damaged(format!("stream {stream} is missing")),
            Fault::Deleted => LogError::Damaged(format!("stream {stream} was deleted")),
            Fault::Denied => {
                LogError::Unavailable(format!("the server denies this user stream {stream}"))
            }
            Fault::Away(why) => LogError::Unavailable(format!("stream {stream}: {why}")),
        }
    }
}

struct Current {
    client: Client,
    number: u64,
    made: Instant,
    /// Sessions of appends that nobody uses at the moment.
    idle: Vec<BatchAppendClient>,
}

/// A connection that is made again whenever it must be.
pub(crate) struct Connection {
    settings: ClientSettings,
    current: Mutex<Current>,
    pub reads: Semaphore,
    pub appends: Semaphore,
    pub patience: Duration,
    pub append_deadline: Duration,
}

impl Connection {
    /// Does not wait for the server.
    pub fn new(
        settings: ClientSettings,
        patience: Duration,
        append_deadline: Duration,
    ) -> Result<Self, Error> {
        let client = Client::new(settings.clone())?;
        Ok(Self {
            settings,
            current: Mutex::new(Current {
                client,
                number: 0,
                made: Instant::now(),
                idle: Vec::new(),
            }),
            reads: Semaphore::new(CALLS),
            appends: Semaphore::new(CALLS),
            patience,
            append_deadline,
        })
    }

    fn current(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The client, and its number among those that were made.
    pub fn client(&self) -> (Client, u64) {
        let current = self.current();
        (current.client.clone(), current.number)
    }

    /// A session for appends that is idle, with its client's number.
    pub fn idle(&self) -> Option<(BatchAppendClient, u64)> {
        let mut current = self.current();
        let number = current.number;
        current.idle.pop().map(|session| (session, number))
    }

    /// Gives a session back that is in order.
    pub fn give_back(&self, session: BatchAppendClient, number: u64) {
        let mut current = self.current();
        if current.number == number && current.idle.len() < CALLS / 2 {
            current.idle.push(session);
        }
    }

    /// Makes another client if this error says that the one with this number is of no use any more.
    pub fn noticed(&self, error: &Error, number: u64) {
        if !matches!(error, Error::ConnectionClosed | Error::GrpcConnectionError(_)) {
            return;
        }
        let mut current = self.current();
        // Making one reads the system's certificates, so not at every try while the server is away.
        if current.number == number && current.made.elapsed() > RENEWED {
            match Client::new(self.settings.clone()) {
                Ok(client) => {
                    *current = Current {
                        client,
                        number: number + 1,
                        made: Instant::now(),
                        idle: Vec::new(),
                    }
                }
                Err(e) => tracing::error!(error = %e, "no new client for KurrentDB"),
            }
        }
    }

    /// Calls the server until it answers or patience ends; `limit` is the time for one try.
    pub async fn call<T, F>(&self, limit: Duration, call: impl Fn(Client) -> F) -> Result<T, Fault>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let begun = Instant::now();
        let mut pause = Duration::from_millis(20);
        loop {
            let (client, number) = self.client();
            let fault = match timeout(limit, call(client)).await {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(e)) => {
                    self.noticed(&e, number);
                    Fault::of(&e)
                }
                Err(_) => Fault::Away(format!("no answer in {} s", limit.as_secs_f32())),
            };
            if !matches!(fault, Fault::Away(_)) || begun.elapsed() > self.patience {
                return Err(fault);
            }
            sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(500));
        }
    }
}
