//! What an engine has one of: the table, and what is on its way there.

use std::borrow::Borrow;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use shared::model::{Item, Timestamp};
use shared::record::INLINE_BYTES;
use tokio::time::Instant;

use crate::buffer::{Buffer, backoff};
use crate::error::{Error, Result};
use crate::run::{NewRun, Run};

/// How a writer gathers what it sends.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// The longest that the record of a step waits for others to be sent with. 200 ms
    /// unless told.
    pub flush_after: Duration,
    /// The most bytes, about, that wait for the table. Who has more to write waits. 8 MiB
    /// unless told.
    pub max_buffered_bytes: usize,
    /// The longest JSON of a payload that lies in its step's own item, in bytes; what is
    /// longer is compressed. 8,192 unless told.
    pub inline_payload_bytes: usize,
    /// How long a table that does not answer is tried before [`Error::Unavailable`] is
    /// told. 60 s unless told.
    pub write_timeout: Duration,
    /// What time it is.
    pub clock: Clock,
}

/// Tells what time it is; the machine's clock unless told.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    /// A clock that is asked for each time that is written.
    pub fn new(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Clock")
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            flush_after: Duration::from_millis(200),
            max_buffered_bytes: 8 * 1024 * 1024,
            inline_payload_bytes: INLINE_BYTES,
            write_timeout: Duration::from_secs(60),
            clock: Clock::new(Timestamp::now),
        }
    }
}

/// Writes runs into a table. One for a process is enough; clones are the same writer.
///
/// When the last clone and the last [`Run`] of it are dropped, what waits is written:
/// the drop takes as long as that, at most [`Options::write_timeout`]. [`Writer::close`]
/// does the same without holding up a thread, and tells of failures.
#[derive(Debug, Clone)]
pub struct Writer(Arc<Inner>);

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) client: Client,
    pub(crate) table: String,
    pub(crate) options: Options,
    pub(crate) buffer: Buffer,
}

/// How long one attempt of a small request takes before the next is made.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);

/// How long one attempt to send a batch takes: its 12 MB have a slow line to go.
const BATCH_TIMEOUT: Duration = Duration::from_secs(60);

/// The same client with connections of its own, whose attempts end, unless it says itself
/// when they do. Those of a client belong to the runtime that has opened them.
fn with_timeout(client: &Client, attempt: Duration) -> Client {
    let timeouts = client.config().timeout_config().cloned();
    let timeouts = timeouts.unwrap_or_else(|| TimeoutConfig::builder().build());
    let mut config = client.config().to_builder();
    if timeouts.operation_attempt_timeout().is_none() {
        let timeouts = timeouts.to_builder().operation_attempt_timeout(attempt);
        config = config.timeout_config(timeouts.build());
    }
    Client::from_conf(config.build())
}

impl Writer {
    /// A writer into a table that is there.
    pub fn new(client: Client, table: &str) -> Self {
        Self::with(client, table, Options::default())
    }

    /// A writer with other options than the usual.
    pub fn with(client: Client, table: &str, options: Options) -> Self {
        Self(Arc::new(Inner {
            buffer: Buffer::new(with_timeout(&client, BATCH_TIMEOUT), table, &options),
            client: with_timeout(&client, REQUEST_TIMEOUT),
            table: table.to_owned(),
            options,
        }))
    }

    /// Starts a run: its record is in the table when this returns.
    ///
    /// Where a run with its id is there, of the same team and flow and not ended, the run is
    /// resumed as it stands ([`Run::is_resumed`]). One that the very same [`NewRun`] has
    /// started is that run: so the same call twice starts it once.
    ///
    /// # Errors
    /// [`Error::RunEnded`] or [`Error::IdTaken`] where such a run is there and cannot be
    /// resumed, and the others of [`Error`].
    pub async fn start(&self, new: impl Borrow<NewRun>) -> Result<Run> {
        Run::start(self.0.clone(), new.borrow(), None).await
    }

    /// Returns once all that was accepted before is in the table.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where that takes too long; [`Error::Refused`] where the
    /// table has refused some of it since the last flush.
    pub async fn flush(&self) -> Result<()> {
        self.0.buffer.flush().await
    }

    /// Takes no more records, and returns once all that were accepted are in the table.
    ///
    /// # Errors
    /// [`Error::Lost`] where the table takes nothing for [`Options::write_timeout`]: what
    /// is left is given up. [`Error::Refused`] as of [`Self::flush`].
    pub async fn close(&self) -> Result<()> {
        self.0.buffer.close();
        self.flush().await
    }
}

impl Inner {
    /// Makes a request again until the table answers it, or the time is up.
    pub(crate) async fn persistently<T, F>(&self, request: impl Fn() -> F) -> Result<T>
    where
        F: Future<Output = shared::Result<T>>,
    {
        let waited = self.options.write_timeout;
        let deadline = Instant::now() + waited;
        let mut cause = None;
        for wait in backoff() {
            match tokio::time::timeout_at(deadline, request()).await {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(error @ (shared::Error::Throttled(_) | shared::Error::Unavailable(_)))) => {
                    cause = Some(error);
                }
                Ok(Err(error)) => return Err(Error::Table(error)),
                Err(_) => break,
            }
            if Instant::now() + wait >= deadline {
                break;
            }
            tokio::time::sleep(wait).await;
        }
        Err(Error::Unavailable { waited, cause })
    }

    /// Takes records, to be sent within a moment.
    pub(crate) async fn accept(&self, items: impl IntoIterator<Item = Item>) -> Result<()> {
        self.buffer.accept(items).await
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.options.clock.0)()
    }
}
