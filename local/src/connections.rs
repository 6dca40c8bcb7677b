//! Serves a router on a port, with limits for numerous and slow connections.
//!
//! Even an idle connection takes memory and a descriptor, and both are limited. A port
//! therefore has at most [`MAX_CONNECTIONS`] connections: a further one closes the
//! connection that has waited longest for its next request. A connection with a request in
//! progress stays open.
//!
//! Only HTTP/1.1 is supported, in which a connection has one request at a time.

use std::convert::Infallible;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::http::header::EXPECT;
use axum::http::{HeaderMap, Request, Response};
use functions::bodies::{BodyBudget, Reservation};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::{AbortHandle, JoinSet};
use tokio_io_timeout::TimeoutStream;
use tower::ServiceExt;

use crate::serve::until;

/// The most connections of a port at a time. Both ports together stay below the 1,024
/// descriptors that a process has on most machines.
pub const MAX_CONNECTIONS: usize = 400;

/// How long the head of a request may take, and how long an idle connection stays open.
const HEAD_TIME: Duration = Duration::from_secs(30);

/// The maximum size of a request's head, in bytes. API Gateway allows 10 KB.
const MAX_HEAD_BYTES: usize = 64 * 1024;

/// The maximum size of a connection's read and write buffers, in bytes.
const MAX_BUFFER_BYTES: usize = 128 * 1024;

/// How long the body of a request may take.
pub const BODY_TIME: Duration = Duration::from_secs(30);

/// The memory for the bodies of all requests in progress, on both ports together, in bytes.
/// Processing a body takes several times its size.
pub const MAX_BODIES_BYTES: usize = 64 * 1024 * 1024;

/// How long the rest of an unneeded body is read.
const DISCARD_TIME: Duration = Duration::from_secs(2);

/// How long a client may read nothing of an answer.
const WRITE_TIME: Duration = Duration::from_secs(60);

/// How long to wait if no connection can be accepted, and none can be closed.
const AFTER_FAILURE: Duration = Duration::from_millis(200);

/// Serves a router until the server must stop, and then until the requests in progress are
/// answered.
pub async fn serve(listener: TcpListener, router: Router, stopped: watch::Receiver<bool>) {
    let mut connections = Connections::default();
    let stop = until(stopped.clone());
    tokio::pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => break,
            socket = connections.accept(&listener) => {
                connections.answer(socket, router.clone(), stopped.clone());
            }
        }
    }
    drop(listener);
    while connections.tasks.join_next().await.is_some() {}
}

/// The connections of a port.
#[derive(Default)]
struct Connections {
    open: Vec<Connection>,
    tasks: JoinSet<()>,
    /// Notified when a connection has ended, or becomes idle.
    changed: Arc<Notify>,
}

struct Connection {
    activity: Arc<Activity>,
    task: AbortHandle,
}

impl Connections {
    /// Returns the next connection, once there is room for it.
    async fn accept(&mut self, listener: &TcpListener) -> TcpStream {
        loop {
            match listener.accept().await {
                Ok((socket, _)) => {
                    // Without this option, parts of a stream would wait until the client
                    // acknowledges the earlier parts. If it cannot be set, they wait.
                    let _ = socket.set_nodelay(true);
                    self.make_room().await;
                    return socket;
                }
                Err(error) if is_closed_by_client(&error) => {}
                // No descriptor or no memory is left.
                Err(error) => {
                    tracing::warn!(%error, "failed to accept a connection");
                    if !self.close_longest_waiting() {
                        tokio::time::sleep(AFTER_FAILURE).await;
                    }
                }
            }
        }
    }

    /// Returns once there is room for another connection.
    async fn make_room(&mut self) {
        loop {
            while self.tasks.try_join_next().is_some() {}
            self.open
                .retain(|connection| !connection.task.is_finished());
            if self.open.len() < MAX_CONNECTIONS {
                return;
            }
            if !self.close_longest_waiting() {
                self.changed.notified().await;
            }
        }
    }

    /// Closes the connection that has waited longest for a request. Returns `false` if no
    /// connection is waiting.
    fn close_longest_waiting(&mut self) -> bool {
        let waiting = self.open.iter().enumerate();
        let waiting = waiting.filter_map(|(position, connection)| {
            Some((connection.activity.waiting_since()?, position))
        });
        let Some((_, position)) = waiting.min() else {
            return false;
        };
        self.open.swap_remove(position).task.abort();
        true
    }

    fn answer(&mut self, socket: TcpStream, router: Router, stopped: watch::Receiver<bool>) {
        let activity = Arc::new(Activity {
            waiting_since: Mutex::new(Some(Instant::now())),
            changed: self.changed.clone(),
        });
        let answered = answer(socket, router, activity.clone(), stopped);
        let task = self.tasks.spawn(answered);
        self.open.push(Connection { activity, task });
    }
}

/// Whether accepting failed because the client closed the connection first.
fn is_closed_by_client(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionReset
    )
}

/// Answers the requests of a connection, one after another.
async fn answer(
    socket: TcpStream,
    router: Router,
    activity: Arc<Activity>,
    stopped: watch::Receiver<bool>,
) {
    let changed = activity.changed.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let working = RequestInProgress::new(&activity);
        let answer = router.clone().oneshot(request.map(Body::new));
        async move {
            let Ok(answer) = answer.await;
            Ok::<_, Infallible>(until_sent(answer, working))
        }
    });
    let mut stream = TimeoutStream::new(socket);
    stream.set_write_timeout(Some(WRITE_TIME));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_header_size(MAX_HEAD_BYTES)
        .max_buf_size(MAX_BUFFER_BYTES);
    {
        let connection = http.serve_connection(TokioIo::new(Box::pin(stream)), service);
        tokio::pin!(connection);
        // An error of a connection matters only to its client.
        tokio::select! {
            _ = connection.as_mut() => {}
            () = until(stopped) => {
                connection.as_mut().graceful_shutdown();
                let _ = connection.await;
            }
        }
    }
    changed.notify_one();
}

/// Marks the connection as busy until the end of the answer is passed to the socket.
fn until_sent(answer: Response<Body>, working: RequestInProgress) -> Response<Body> {
    answer.map(|body| {
        Body::new(body.map_frame(move |frame| {
            let _working = &working;
            frame
        }))
    })
}

/// The activity of a connection.
struct Activity {
    /// `None` while a request is in progress.
    waiting_since: Mutex<Option<Instant>>,
    changed: Arc<Notify>,
}

impl Activity {
    fn waiting_since(&self) -> Option<Instant> {
        *self.lock()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        let locked = self.waiting_since.lock();
        locked.unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request in progress, until it is dropped.
struct RequestInProgress(Arc<Activity>);

impl RequestInProgress {
    fn new(activity: &Arc<Activity>) -> Self {
        *activity.lock() = None;
        Self(activity.clone())
    }
}

impl Drop for RequestInProgress {
    fn drop(&mut self) {
        *self.0.lock() = Some(Instant::now());
        self.0.changed.notify_one();
    }
}

/// Why a body was not read completely.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnreadBody {
    /// It is larger than the limit.
    TooLarge,
    /// It took longer than [`BODY_TIME`].
    TooSlow,
    /// It is incomplete or malformed.
    Broken,
    /// The bodies of other requests use the whole budget.
    Busy,
}

/// Reads a body of at most `most` bytes, once the budget has room for it.
pub async fn read_body(
    body: &mut Body,
    most: usize,
    budget: &BodyBudget,
) -> Result<(Bytes, Reservation), UnreadBody> {
    let announced = body.size_hint();
    // If the announced size is too large, the body is not read at all.
    if announced.lower() > most as u64 {
        return Err(UnreadBody::TooLarge);
    }
    let expected = announced
        .upper()
        .and_then(|upper| usize::try_from(upper).ok());
    let expected = expected.map_or(most, |upper| upper.min(most));
    let reservation = budget.reserve(expected).await.ok_or(UnreadBody::Busy)?;
    let read = tokio::time::timeout(BODY_TIME, Limited::new(body, most).collect()).await;
    let read = read.map_err(|_| UnreadBody::TooSlow)?;
    let read = read.map_err(|error| match error.is::<LengthLimitError>() {
        true => UnreadBody::TooLarge,
        false => UnreadBody::Broken,
    })?;
    Ok((read.to_bytes(), reservation))
}

/// Reads and discards the rest of a refused request's body, for a limited time. A client
/// that is still sending would otherwise lose the answer when the connection closes.
pub async fn discard(body: &mut Body, headers: &HeaderMap) {
    // A client that sends Expect waits for permission, and gets the answer instead.
    if body.is_end_stream() || headers.contains_key(EXPECT) {
        return;
    }
    let rest = async { while let Some(Ok(_)) = body.frame().await {} };
    let _ = tokio::time::timeout(DISCARD_TIME, rest).await;
}
