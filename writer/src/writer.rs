//! The writer: the table, and the records that wait for it. An engine needs only one.

use std::borrow::Borrow;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use format::model::{Item, Timestamp};
use format::record::INLINE_BYTES;
use store::Store;
use tokio::time::Instant;

use crate::buffer::{Buffer, backoff};
use crate::error::{Error, Result};
use crate::run::{NewRun, Run};

/// The options of a writer.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// The longest time that a step's record waits for a batch. Default: 200 ms.
    pub flush_after: Duration,
    /// The approximate number of bytes that may wait for the table. Further writes wait. Default: 8
    /// MiB.
    pub max_buffered_bytes: usize,
    /// The longest JSON of a payload in its step's own item, in bytes. A longer payload is
    /// compressed. Default: 8,192.
    pub inline_payload_bytes: usize,
    /// How long a table that does not respond is retried before [`Error::Unavailable`] is returned.
    /// Default: 60 s.
    pub write_timeout: Duration,
    /// The source of the current time.
    pub clock: Clock,
}

/// The source of the current time. By default it is the machine's clock.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    /// Creates a clock from a function that is called for each written time.
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

/// Writes runs to a table. One writer for a process is enough; clones are the same writer.
///
/// When the last clone and its last [`Run`] are dropped, the waiting records are written; the drop
/// blocks until then, at most [`Options::write_timeout`]. [`Writer::close`] does the same without
/// blocking a thread, and returns errors.
#[derive(Debug, Clone)]
pub struct Writer(Arc<Inner>);

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) store: Store,
    pub(crate) options: Options,
    pub(crate) buffer: Buffer,
}

/// The timeout of one attempt of a small request.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);

/// The timeout of one attempt to send a batch. Its 12 MB take long over a slow connection.
const BATCH_TIMEOUT: Duration = Duration::from_secs(60);

/// Copies the client with its own connections, and with a timeout of each attempt unless it has
/// one. Connections must not be shared, because they belong to the runtime that opened them.
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
    /// Creates a writer for an existing table, with the default options.
    pub fn new(client: Client, table: &str) -> Self {
        Self::with(client, table, Options::default())
    }

    /// Creates a writer with other options.
    pub fn with(client: Client, table: &str, options: Options) -> Self {
        Self(Arc::new(Inner {
            buffer: Buffer::new(
                Store::new(with_timeout(&client, BATCH_TIMEOUT), table),
                &options,
            ),
            store: Store::new(with_timeout(&client, REQUEST_TIMEOUT), table),
            options,
        }))
    }

    /// Starts a run. The table has its record when this returns.
    ///
    /// An existing run with the same id, team and flow that has not ended is resumed in its current
    /// state ([`Run::is_resumed`]). If the same [`NewRun`] has created it, it counts as newly
    /// started, so repeating the call starts the run only once.
    ///
    /// # Errors
    /// Returns [`Error::RunEnded`], [`Error::IdTaken`] or [`Error::OtherTeam`] for an existing run
    /// with its id that cannot be resumed, and the other errors of [`Error`].
    pub async fn start(&self, new: impl Borrow<NewRun>) -> Result<Run> {
        Run::start(self.0.clone(), new.borrow(), None).await
    }

    /// Returns when the table has everything that was accepted before.
    ///
    /// # Errors
    /// Returns [`Error::Unavailable`] if that takes too long, and [`Error::Refused`] if the table
    /// has refused records since the last flush.
    pub async fn flush(&self) -> Result<()> {
        self.0.buffer.flush().await
    }

    /// Accepts no more records, and returns when the table has all accepted records.
    ///
    /// # Errors
    /// Returns [`Error::Lost`] if the table accepts nothing for [`Options::write_timeout`]; the
    /// remaining records are dropped then. Returns [`Error::Refused`] like [`Self::flush`].
    pub async fn close(&self) -> Result<()> {
        self.0.buffer.close();
        self.flush().await
    }
}

impl Inner {
    /// Repeats a request until the table responds or the time is up.
    pub(crate) async fn persistently<T, F>(&self, request: impl Fn() -> F) -> Result<T>
    where
        F: Future<Output = format::Result<T>>,
    {
        let waited = self.options.write_timeout;
        let deadline = Instant::now() + waited;
        let mut cause = None;
        for wait in backoff() {
            match tokio::time::timeout_at(deadline, request()).await {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(error @ (format::Error::Throttled(_) | format::Error::Unavailable(_)))) => {
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

    /// Accepts records, which are sent soon.
    pub(crate) async fn accept(&self, items: impl IntoIterator<Item = Item>) -> Result<()> {
        self.buffer.accept(items).await
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.options.clock.0)()
    }
}
