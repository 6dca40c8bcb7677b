//! Serving a router to whoever connects, however many these are, and however slow.
//!
//! A connection that has nothing to say costs memory and a descriptor, and there is an
//! end to both. So there are at most [`MAX_CONNECTIONS`]: for one more, the one goes that
//! has waited longest for its next request. One that is being answered stays.
//!
//! HTTP/1.1 alone, on which a connection has one request at a time.

use std::convert::Infallible;
use std::error::Error;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes, HttpBody, to_bytes};
use axum::http::{Request, Response};
use http_body_util::{BodyExt, LengthLimitError};
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

/// How many connections a port has at a time. Both ports together stay below the 1,024
/// descriptors that a process has on most machines.
pub const MAX_CONNECTIONS: usize = 400;

/// How long the head of a request may take, and how long a connection is kept on which
/// none begins.
const HEAD_TIME: Duration = Duration::from_secs(30);

/// The largest head of a request, in bytes. API Gateway takes 10 KB.
const MAX_HEAD_BYTES: usize = 64 * 1024;

/// What is read before it is asked for, or written before it is sent, at most, in bytes.
const MAX_BUFFER_BYTES: usize = 128 * 1024;

/// How long the body of a request may take. It is read before anybody is asked who sends
/// it.
pub const BODY_TIME: Duration = Duration::from_secs(30);

/// How long somebody may read nothing of an answer.
const WRITE_TIME: Duration = Duration::from_secs(60);

/// How long to wait where no connection can be accepted, and none can go.
const AFTER_FAILURE: Duration = Duration::from_millis(200);

/// Serves a router until told to end, and then until the requests in progress are
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
    /// Told when one has ended, or has nothing more to answer.
    changed: Arc<Notify>,
}

struct Connection {
    activity: Arc<Activity>,
    task: AbortHandle,
}

impl Connections {
    /// The next connection, once there is room for it.
    async fn accept(&mut self, listener: &TcpListener) -> TcpStream {
        loop {
            match listener.accept().await {
                Ok((socket, _)) => {
                    // A stream's pieces would wait for the other side to tell of those
                    // before. Where it cannot be set they do.
                    let _ = socket.set_nodelay(true);
                    self.make_room().await;
                    return socket;
                }
                Err(error) if is_of_the_connection(&error) => {}
                // There is no descriptor left, or no memory.
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    if !self.end_longest_waiting() {
                        tokio::time::sleep(AFTER_FAILURE).await;
                    }
                }
            }
        }
    }

    /// Ends once there is room for one more.
    async fn make_room(&mut self) {
        loop {
            while self.tasks.try_join_next().is_some() {}
            self.open
                .retain(|connection| !connection.task.is_finished());
            if self.open.len() < MAX_CONNECTIONS {
                return;
            }
            if !self.end_longest_waiting() {
                self.changed.notified().await;
            }
        }
    }

    /// Ends the connection that has waited longest for a request. Returns whether there
    /// is one that waits.
    fn end_longest_waiting(&mut self) -> bool {
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

/// Whether accepting failed for a connection that went away meanwhile.
fn is_of_the_connection(error: &io::Error) -> bool {
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
        let working = Working::new(&activity);
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
        // Whatever ends a connection concerns nobody but whoever was on it.
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

/// An answer that counts as work until its end is handed to the socket.
fn until_sent(answer: Response<Body>, working: Working) -> Response<Body> {
    answer.map(|body| {
        Body::new(body.map_frame(move |frame| {
            let _working = &working;
            frame
        }))
    })
}

/// What a connection does.
struct Activity {
    /// `None` while it has a request that is not answered.
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

/// A request that is being answered, until it is dropped.
struct Working(Arc<Activity>);

impl Working {
    fn new(activity: &Arc<Activity>) -> Self {
        *activity.lock() = None;
        Self(activity.clone())
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        *self.0.lock() = Some(Instant::now());
        self.0.changed.notify_one();
    }
}

/// Why a body was not read to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnreadBody {
    /// It is larger than is read.
    TooLarge,
    /// It takes longer than [`BODY_TIME`].
    TooSlow,
    /// It does not come as it was announced.
    Broken,
}

/// Reads a body of up to so many bytes.
///
/// # Errors
/// Those of [`UnreadBody`].
pub async fn read_body(body: Body, most: usize) -> Result<Bytes, UnreadBody> {
    // What is announced as too large is not waited for.
    if body.size_hint().lower() > most as u64 {
        return Err(UnreadBody::TooLarge);
    }
    let read = tokio::time::timeout(BODY_TIME, to_bytes(body, most)).await;
    read.map_err(|_| UnreadBody::TooSlow)?.map_err(|error| {
        match error
            .source()
            .is_some_and(|cause| cause.is::<LengthLimitError>())
        {
            true => UnreadBody::TooLarge,
            false => UnreadBody::Broken,
        }
    })
}
