//! Serves a router on a port, with limits for numerous and slow connections.
//!
//! Even an idle connection takes memory and a descriptor, and both are limited. A port
//! therefore has at most a certain number of connections: a further one closes the
//! connection that has waited longest for its next request. A connection with a request in
//! progress stays open.
//!
//! Only a port for gRPC supports HTTP/2, in which a connection has several requests at a time.
//! The first bytes of a connection decide which version it uses. The API's port answers requests
//! over HTTP/2 as well, to say where they belong.

use std::convert::Infallible;
use std::io::{self, Cursor};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::http::header::EXPECT;
use axum::http::{HeaderMap, Request, Response};
use functions::bodies::{BodyBudget, Reservation};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::{AbortHandle, JoinSet};
use tokio_io_timeout::TimeoutStream;
use tower::ServiceExt;

use crate::mistakes::{self, Mistake, Mistakes};
use crate::serve::until;

/// The most connections of a port at a time. All ports together stay below the 1,024
/// descriptors that a process has on most machines.
pub const MAX_CONNECTIONS: usize = 400;

/// The most connections of the port for gRPC at a time. A program has one.
pub const MAX_GRPC_CONNECTIONS: usize = 100;

/// The most requests of a connection over HTTP/2 at a time: as many on all connections as the
/// other two ports have together. Clients wait before they send further ones.
pub const MAX_STREAMS: u32 = 8;

/// How much of a body a client sends before the server has read it, in bytes, on each stream of
/// a connection over HTTP/2.
const STREAM_WINDOW_BYTES: u32 = 64 * 1024;

/// How often a connection over HTTP/2 is checked, and how long its client may take to respond.
/// Clients keep such a connection open while they have nothing to send.
const PING_EVERY: Duration = Duration::from_secs(60);
const PING_TIME: Duration = Duration::from_secs(20);

/// The first byte of a connection with TLS (RFC 8446, 5.1). No method of HTTP begins with it.
const TLS_HANDSHAKE: u8 = 0x16;

/// The first bytes of a connection over HTTP/2 (RFC 9113, 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// How long the head of a request may take, and how long an idle connection stays open.
const HEAD_TIME: Duration = Duration::from_secs(30);

/// The maximum size of a request's head, in bytes. API Gateway allows 10 KB.
const MAX_HEAD_BYTES: usize = 64 * 1024;

/// The maximum size of a request's head over HTTP/2, in bytes. A connection has several.
const MAX_STREAM_HEAD_BYTES: u32 = 16 * 1024;

/// The maximum size of a connection's read and write buffers, in bytes.
const MAX_BUFFER_BYTES: usize = 128 * 1024;

/// How long the body of a request may take.
pub const BODY_TIME: Duration = Duration::from_secs(30);

/// The memory for the bodies of all requests in progress, on all ports together, in bytes.
/// Processing a body takes several times its size.
pub const MAX_BODIES_BYTES: usize = 64 * 1024 * 1024;

/// How long the rest of an unneeded body is read.
const DISCARD_TIME: Duration = Duration::from_secs(2);

/// How long a client may read nothing of an answer.
const WRITE_TIME: Duration = Duration::from_secs(60);

/// How long to wait if no connection can be accepted, and none can be closed.
const AFTER_FAILURE: Duration = Duration::from_millis(200);

/// What a port serves.
#[derive(Clone)]
pub struct Services {
    router: Router,
    /// Answers requests over HTTP/2.
    http2_router: Option<Router>,
    /// Logs connections with TLS.
    mistakes: Option<Arc<Mistakes>>,
    max_connections: usize,
}

impl From<Router> for Services {
    /// Serves a router over HTTP/1.1.
    fn from(router: Router) -> Self {
        Self {
            router,
            http2_router: None,
            mistakes: None,
            max_connections: MAX_CONNECTIONS,
        }
    }
}

impl Services {
    /// Serves a router over HTTP/1.1, and explains other protocols.
    pub fn of_api(router: Router, mistakes: Arc<Mistakes>) -> Self {
        Self {
            http2_router: Some(mistakes::router(mistakes.clone())),
            mistakes: Some(mistakes),
            ..router.into()
        }
    }

    /// Serves a router over HTTP/1.1 and HTTP/2.
    pub fn of_grpc(router: Router, mistakes: Arc<Mistakes>) -> Self {
        Self {
            http2_router: Some(router.clone()),
            mistakes: Some(mistakes),
            max_connections: MAX_GRPC_CONNECTIONS,
            ..router.into()
        }
    }
}

/// Serves requests until the server must stop, and then until the requests in progress are
/// answered.
pub async fn serve(
    listener: TcpListener,
    services: impl Into<Services>,
    stopped: watch::Receiver<bool>,
) {
    let services = services.into();
    let mut connections = Connections::default();
    let stop = until(stopped.clone());
    tokio::pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => break,
            socket = connections.accept(&listener, services.max_connections) => {
                connections.answer(socket, services.clone(), stopped.clone());
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
    async fn accept(&mut self, listener: &TcpListener, most: usize) -> TcpStream {
        loop {
            match listener.accept().await {
                Ok((socket, _)) => {
                    // Without this option, parts of a stream would wait until the client
                    // acknowledges the earlier parts. If it cannot be set, they wait.
                    let _ = socket.set_nodelay(true);
                    self.make_room(most).await;
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
    async fn make_room(&mut self, most: usize) {
        loop {
            while self.tasks.try_join_next().is_some() {}
            self.open
                .retain(|connection| !connection.task.is_finished());
            if self.open.len() < most {
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

    fn answer(&mut self, socket: TcpStream, services: Services, stopped: watch::Receiver<bool>) {
        let activity = Arc::new(Activity {
            requests: Mutex::new(Requests {
                in_progress: 0,
                changed_at: Instant::now(),
            }),
            changed: self.changed.clone(),
        });
        let answered = answer(socket, services, activity.clone(), stopped);
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

/// Answers the requests of a connection.
async fn answer(
    mut socket: TcpStream,
    services: Services,
    activity: Arc<Activity>,
    stopped: watch::Receiver<bool>,
) {
    let changed = activity.changed.clone();
    let begin = tokio::select! {
        begin = tokio::time::timeout(HEAD_TIME, Begin::read(&mut socket)) => begin,
        () = until(stopped.clone()) => return,
    };
    if let Ok(Ok(begin)) = begin {
        if begin.is_tls()
            && let Some(mistakes) = &services.mistakes
        {
            mistakes.log(Mistake::Tls);
        }
        let http2_router = services.http2_router.filter(|_| begin.is_http2());
        let (reader, writer) = socket.into_split();
        let reader = Cursor::new(begin.bytes).chain(reader);
        let mut stream = TimeoutStream::new(tokio::io::join(reader, writer));
        stream.set_write_timeout(Some(WRITE_TIME));
        let stream = Box::pin(stream);
        match http2_router {
            Some(router) => answer_http2(stream, router, activity, stopped).await,
            None => answer_http1(stream, services.router, activity, stopped).await,
        }
    }
    changed.notify_one();
}

/// The first bytes of a connection.
#[derive(Default)]
struct Begin {
    bytes: Vec<u8>,
}

impl Begin {
    /// Reads as many bytes as are needed to know the protocol.
    async fn read(socket: &mut (impl AsyncRead + Unpin)) -> io::Result<Self> {
        let mut begin = Self::default();
        while begin.is_undecided() {
            let mut bytes = [0; PREFACE.len()];
            let missing = PREFACE.len() - begin.bytes.len();
            let read = socket.read(&mut bytes[..missing]).await?;
            if read == 0 {
                break;
            }
            begin.bytes.extend_from_slice(&bytes[..read]);
        }
        Ok(begin)
    }

    fn is_undecided(&self) -> bool {
        PREFACE.starts_with(&self.bytes) && !self.is_http2()
    }

    fn is_http2(&self) -> bool {
        self.bytes == PREFACE
    }

    fn is_tls(&self) -> bool {
        self.bytes.starts_with(&[TLS_HANDSHAKE])
    }
}

/// Answers the requests of a connection over HTTP/1.1, one after another.
async fn answer_http1(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    router: Router,
    activity: Arc<Activity>,
    stopped: watch::Receiver<bool>,
) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_header_size(MAX_HEAD_BYTES)
        .max_buf_size(MAX_BUFFER_BYTES);
    let service = service_fn(|request| answer_request(request, &router, &activity));
    let connection = http.serve_connection(TokioIo::new(stream), service);
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

/// Answers the requests of a connection over HTTP/2, several at a time.
async fn answer_http2(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    router: Router,
    activity: Arc<Activity>,
    stopped: watch::Receiver<bool>,
) {
    let mut http = http2::Builder::new(TokioExecutor::new());
    http.timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(2 * STREAM_WINDOW_BYTES)
        .max_header_list_size(MAX_STREAM_HEAD_BYTES)
        .max_send_buf_size(MAX_BUFFER_BYTES)
        .keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PING_TIME);
    let service = service_fn(|request| answer_request(request, &router, &activity));
    let connection = http.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => {}
        () = until(stopped) => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}

/// Answers a request.
fn answer_request(
    request: Request<Incoming>,
    router: &Router,
    activity: &Arc<Activity>,
) -> impl Future<Output = Result<Response<Body>, Infallible>> + Send + use<> {
    let working = RequestInProgress::new(activity);
    let answer = router.clone().oneshot(request.map(Body::new));
    async move {
        let Ok(answer) = answer.await;
        Ok(until_sent(answer, working))
    }
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
    requests: Mutex<Requests>,
    changed: Arc<Notify>,
}

/// The requests of a connection.
struct Requests {
    in_progress: usize,
    /// When the last one ended, or the connection began.
    changed_at: Instant,
}

impl Activity {
    /// Returns `None` while a request is in progress.
    fn waiting_since(&self) -> Option<Instant> {
        let requests = self.lock();
        (requests.in_progress == 0).then_some(requests.changed_at)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Requests> {
        let locked = self.requests.lock();
        locked.unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request in progress, until it is dropped.
struct RequestInProgress(Arc<Activity>);

impl RequestInProgress {
    fn new(activity: &Arc<Activity>) -> Self {
        activity.lock().in_progress += 1;
        Self(activity.clone())
    }
}

impl Drop for RequestInProgress {
    fn drop(&mut self) {
        {
            let mut requests = self.0.lock();
            requests.in_progress -= 1;
            requests.changed_at = Instant::now();
        }
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
