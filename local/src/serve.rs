//! `flowtrail serve`: all of Flowtrail in one process.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use console::Console;
use functions::app::App;
use functions::bodies::BodyBudget;
use functions::pages;
use futures_util::FutureExt;
use shared::auth::{
    self, Authenticator, Caller, InvalidOidcSettings, NewToken, OidcSettings, Role,
};
use shared::loopback::is_loopback;
use shared::store::Store;
use shared::sweep::Sweeper;
use shared::{config, table};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior};

use crate::arrivals::Arrivals;
use crate::cli::ServeArgs;
use crate::commands::no_such_table;
use crate::connections::Services;
use crate::data_folder::{DataFolder, Holder};
use crate::embedded::{Embedded, wire};
use crate::follow::Follower;
use crate::mistakes::Mistakes;
use crate::sign_in::{self, SignIn};
use crate::terminal::Failure;
use crate::{arrivals, connections, demo, grpc, requirements, server};

mod greeting;

use greeting::{Addresses, Greeting};

pub(crate) use greeting::ESCAPED;

/// How long requests in progress may take after the server receives the signal to stop.
const SHUTDOWN: Duration = Duration::from_secs(5);

/// How often expired items are removed. This reads the whole table, and expired items are
/// hidden anyway.
const UPKEEP_EVERY: Duration = Duration::from_secs(3_600);

/// The minimum pause after an upkeep, as a multiple of its duration: in a large table,
/// upkeep takes a thousandth of a processor's time.
const UPKEEP_PAUSE: u32 = 1_000;

/// How long a difference must persist when a table in use is counted for the first time.
const SETTLE: Duration = Duration::from_secs(5);

/// How often the counters' own records are removed from the stream.
const TRIM_EVERY: Duration = Duration::from_secs(60);

/// How often runs that timed out or stalled are closed.
const SWEEP_EVERY: Duration = Duration::from_secs(5);

/// When the first upkeep starts. It starts early so that a server that is restarted every
/// day runs it too.
const FIRST_UPKEEP_AFTER: Duration = Duration::from_secs(300);

/// The name of the token in the data folder, and of its creator.
const SERVE: &str = "flowtrail serve";

/// The table that is served, and the resources on this machine that belong to it.
struct ServedTable {
    store: Store,
    streams: aws_sdk_dynamodbstreams::Client,
    /// The address that engines write to.
    address: String,
    /// Only for an embedded table.
    embedded: Option<(DataFolder, Embedded, TcpListener)>,
}

impl ServedTable {
    /// Makes a follower wait for writes instead of polling, if the table reports its
    /// writes.
    fn following(&self, follower: Follower) -> Follower {
        match &self.embedded {
            Some((_, embedded, _)) => follower.after_writes(embedded.writes()),
            None => follower,
        }
    }
}

/// Serves until Ctrl-C or SIGTERM.
///
/// # Errors
/// A port is in use, the folder cannot be written, the data file is damaged, or the table
/// cannot be reached.
pub async fn run(args: ServeArgs) -> Result<(), Failure> {
    // Signals are handled from the beginning, so that Ctrl-C also stops the loading.
    let interrupted = interrupted()?;
    tokio::pin!(interrupted);
    tokio::select! {
        () = &mut interrupted => Ok(()),
        running = start(args) => running?.until(interrupted).await,
    }
}

/// The tasks of a server, and the signal that stops them.
struct Tasks {
    running: JoinSet<Result<(), Failure>>,
    stop: watch::Sender<bool>,
}

impl Tasks {
    fn new() -> Self {
        Self {
            running: JoinSet::new(),
            stop: watch::Sender::new(false),
        }
    }

    fn spawn(&mut self, task: impl Future<Output = Result<(), Failure>> + Send + 'static) {
        self.running.spawn(task);
    }

    /// A receiver that becomes `true` when the tasks must stop.
    fn stopped(&self) -> watch::Receiver<bool> {
        self.stop.subscribe()
    }
}

/// A server that is ready.
struct Running {
    tasks: Tasks,
    /// Locked as long as the server runs.
    _folder: Option<DataFolder>,
}

impl Running {
    /// Serves until interrupted, and then until the requests in progress are answered.
    async fn until(mut self, interrupted: impl Future<Output = ()>) -> Result<(), Failure> {
        let tasks = &mut self.tasks.running;
        let failure = tokio::select! {
            () = interrupted => None,
            // A task ends without the signal only if it cannot continue.
            Some(ended) = tasks.join_next() => Some(match ended {
                Ok(Ok(())) => Failure(
                    "A part of the server has stopped. Start the server again.".to_owned(),
                ),
                Ok(Err(failure)) => failure,
                Err(panic) => Failure(format!(
                    "A part of the server has failed: {panic}. Start the server again."
                )),
            }),
        };
        let _ = self.tasks.stop.send(true);
        let drained = async { while tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(SHUTDOWN, drained).await.is_err() {
            tracing::warn!("stopped before all requests in progress were answered");
        }
        failure.map_or(Ok(()), Err)
    }
}

async fn start(args: ServeArgs) -> Result<Running, Failure> {
    let oidc = args.oidc.settings().map_err(invalid_option)?;
    let console = console(&args)?;
    let mut served = open(&args).await?;
    let api = listen(args.port, "--port").await?;
    let api_address = get_address(&api)?;
    let grpc = listen_for_grpc(args.grpc_port).await?;
    let grpc_address = grpc.as_ref().map(get_address).transpose()?;
    let is_ours = prepare_table(&args, &served).await?;
    let store = served.store.clone();
    let embedded = served.embedded.as_ref();
    let embedded = embedded.map(|(_, embedded, _)| embedded.clone());

    let mut tasks = Tasks::new();
    let caught_up = follow_stream(&mut tasks, &served, is_ours).await?;
    let budget = BodyBudget::new(connections::MAX_BODIES_BYTES);
    let folder = serve_table(&mut tasks, &mut served, &api_address, caught_up, &budget)?;
    // The API answers while the demo data is loaded.
    let app = app(store.clone(), oidc).allowing(args.allowed_origins);
    let app = Arc::new(app);
    let sign_in = Arc::new(SignIn::new(app.clone(), api_address.clone()));
    let router = server::router_with(app.clone(), console, budget.clone());
    let router = router.merge(sign_in::router(sign_in.clone()));
    let arrivals = Arrivals::new();
    let list = arrivals::router(arrivals.clone(), app.clone(), api_address.clone());
    let router = server::for_hosts(router.merge(list), args.allowed_hosts.clone());
    let router = arrivals::recorded(router, arrivals.clone());
    let mistakes = Mistakes::new(api_address.clone(), grpc_address.clone(), arrivals);
    let mistakes = Arc::new(mistakes);
    let services = Services::of_api(router, mistakes.clone());
    tasks.spawn(connections::serve(api, services, tasks.stopped()).map(Ok));
    if let Some(listener) = grpc {
        let router = grpc::router(grpc::Server {
            app,
            budget,
            allowed_hosts: args.allowed_hosts,
            mistakes: mistakes.clone(),
        });
        let services = Services::of_grpc(router, mistakes);
        tasks.spawn(connections::serve(listener, services, tasks.stopped()).map(Ok));
    }
    if is_ours && demo::prepare(&store, embedded.as_ref(), !args.no_demo).await? {
        tasks.spawn(demo::keep_moving(store.clone(), tasks.stopped()));
    }
    let addresses = Addresses {
        api: api_address,
        table: served.address,
        grpc: grpc_address,
    };
    greet(&store, folder.as_ref(), addresses, &sign_in).await?;
    Ok(Running {
        tasks,
        _folder: folder,
    })
}

fn console(args: &ServeArgs) -> Result<Console, Failure> {
    let sign_in = args.oidc.sign_in().map_err(invalid_option)?;
    pages::console(sign_in.as_ref()).map_err(|error| {
        Failure(format!(
            "The console cannot use the issuer: {error}. Check the --oidc options."
        ))
    })
}

fn app(store: Store, oidc: Option<OidcSettings>) -> App {
    match oidc {
        Some(settings) => App::with_jwts(store, settings),
        None => App::new(store),
    }
}

/// Whether each consumer of the stream has caught up with the writes.
#[derive(Default)]
struct CaughtUp([Option<watch::Receiver<bool>>; 3]);

impl CaughtUp {
    fn is_complete(&self) -> bool {
        let is_caught_up =
            |it: &Option<watch::Receiver<bool>>| it.as_ref().is_some_and(|it| *it.borrow());
        self.0.iter().all(is_caught_up)
    }
}

/// Starts the consumers of the table's stream and the sweeper, unless the functions on AWS do
/// this work or the table has no stream.
async fn follow_stream(
    tasks: &mut Tasks,
    served: &ServedTable,
    is_ours: bool,
) -> Result<CaughtUp, Failure> {
    if !is_ours {
        // A second consumer would not harm the table, but the table's owner would pay for it.
        eprintln!(
            "The functions of this table keep its totals and statistics (count), remove the \
             records of deleted runs (reap), and close runs that timed out or stalled (sweep)."
        );
        return Ok(CaughtUp::default());
    }
    let (streams, store) = (&served.streams, &served.store);
    let mut counter = served.following(Follower::counting(streams.clone(), store.clone()));
    if !counter.has_stream().await? {
        eprintln!(
            "The table {} has no stream: totals and statistics are not updated, and the steps of \
             deleted runs are not removed. Create a table with: flowtrail table create",
            store.table()
        );
        return Ok(CaughtUp::default());
    }
    // Nothing else writes to the embedded table yet.
    let settle = served.embedded.as_ref().map_or(SETTLE, |_| Duration::ZERO);
    counter.begin(demo::has_runs(store).await?, settle).await?;
    let labeller = served.following(Follower::labelling(streams.clone(), store.clone()));
    let reaper = served.following(Follower::reaping(streams.clone(), store.clone()));
    let caught_up = [counter, labeller, reaper].map(|follower| {
        let (caught_up, is_caught_up) = watch::channel(false);
        tasks.spawn(follower.follow(caught_up, tasks.stopped()));
        Some(is_caught_up)
    });
    tasks.spawn(sweep(Sweeper::new(store.clone()), tasks.stopped()));
    Ok(CaughtUp(caught_up))
}

/// Serves the DynamoDB endpoint of an embedded table, and maintains the table. Returns its
/// folder.
fn serve_table(
    tasks: &mut Tasks,
    served: &mut ServedTable,
    api_address: &str,
    caught_up: CaughtUp,
    budget: &BodyBudget,
) -> Result<Option<DataFolder>, Failure> {
    let Some((mut folder, embedded, listener)) = served.embedded.take() else {
        return Ok(None);
    };
    folder.announce(&served.address, api_address)?;
    tasks.spawn(keep_up(embedded.clone(), caught_up, tasks.stopped()));
    let router = wire::router_beside(embedded, served.store.clone(), budget.clone());
    tasks.spawn(connections::serve(listener, router, tasks.stopped()).map(Ok));
    Ok(Some(folder))
}

async fn greet(
    store: &Store,
    folder: Option<&DataFolder>,
    addresses: Addresses,
    sign_in: &SignIn,
) -> Result<(), Failure> {
    let greeting = Greeting {
        addresses,
        link: sign_in.link()?,
        admin_token: match folder {
            Some(folder) => Some(admin_token(store, folder).await?),
            None => None,
        },
    };
    greeting.print(store).await
}

fn invalid_option(invalid: InvalidOidcSettings) -> Failure {
    let option = invalid.variable.trim_start_matches("FLOWTRAIL_");
    let option = option.to_ascii_lowercase().replace('_', "-");
    Failure(format!("--{option}, or the variable {invalid}."))
}

async fn open(args: &ServeArgs) -> Result<ServedTable, Failure> {
    if let Some(url) = &args.table.endpoint_url {
        let sdk_config = config::sdk_config(Some(url)).await;
        return Ok(ServedTable {
            store: Store::new(
                aws_sdk_dynamodb::Client::new(&sdk_config),
                &args.table.table,
            ),
            streams: aws_sdk_dynamodbstreams::Client::new(&sdk_config),
            address: url.clone(),
            embedded: None,
        });
    }
    match DataFolder::open(&args.table.data).await? {
        Holder::Server(other) => Err(Failure(format!(
            "The folder {} is in use by a running flowtrail, whose table is at {other}. Stop that \
             server, or choose another folder with --data.",
            args.table.data.display()
        ))),
        Holder::Us(folder) => {
            let listener = listen(args.table_port, "--table-port").await?;
            let address = get_address(&listener)?;
            let embedded = folder.open_database()?;
            Ok(ServedTable {
                store: Store::new(embedded.client(), &args.table.table),
                streams: embedded.streams_client(),
                address,
                embedded: Some((folder, embedded, listener)),
            })
        }
    }
}

/// Creates the table if it is on this machine; returns whether it is. Elsewhere a table
/// costs money and has an owner, who creates it.
async fn prepare_table(args: &ServeArgs, served: &ServedTable) -> Result<bool, Failure> {
    let client = served.store.client();
    let is_ours = served.embedded.is_some() || is_loopback(&served.address);
    if is_ours {
        requirements::create_table(&served.store, &served.streams).await?;
    } else if !table::exists(client, &args.table.table).await? {
        return Err(no_such_table(&args.table));
    } else {
        requirements::require(&served.store, &served.streams).await?;
    }
    Ok(is_ours)
}

/// Returns the file of the data folder's admin token, which stays the same at every start.
/// Other tables have no such file: their owner creates tokens.
async fn admin_token(store: &Store, folder: &DataFolder) -> Result<PathBuf, Failure> {
    if let Some(token) = folder.admin_token() {
        let header = format!("Bearer {token}");
        let authenticator = Authenticator::new(store.clone());
        if authenticator.authenticate(Some(&header)).await.is_ok() {
            return Ok(folder.admin_token_path());
        }
    }
    let new = NewToken {
        role: Role::Admin.into(),
        name: Some(SERVE.to_owned()),
        flows: None,
        expires_at: None,
    };
    let caller = Caller::operator(demo::team_id(), SERVE);
    let (_, secret) = auth::create_token(store, &caller, &new).await?;
    folder.keep_admin_token(secret.reveal())?;
    Ok(folder.admin_token_path())
}

async fn listen(port: u16, option: &str) -> Result<TcpListener, Failure> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .map_err(|error| {
            Failure(match error.kind() {
                std::io::ErrorKind::AddrInUse => {
                    format!("Port {port} is in use by another program. Choose another port with {option}.")
                }
                _ => format!("Port {port} cannot be used: {error}. Choose another port with {option}."),
            })
        })
}

/// Listens for gRPC. If no port was chosen and the usual one is in use, for example by an
/// OpenTelemetry Collector, the server goes on without gRPC.
async fn listen_for_grpc(port: Option<u16>) -> Result<Option<TcpListener>, Failure> {
    let listened = listen(port.unwrap_or(grpc::DEFAULT_PORT), "--grpc-port").await;
    match (port, listened) {
        (None, Err(failure)) => {
            eprintln!("OpenTelemetry traces over gRPC are not accepted: {failure}");
            Ok(None)
        }
        (_, listened) => listened.map(Some),
    }
}

fn get_address(listener: &TcpListener) -> Result<String, Failure> {
    let address = listener
        .local_addr()
        .map_err(|error| Failure(format!("A port cannot be used: {error}.")))?;
    Ok(format!("http://{address}"))
}

/// Maintains the embedded table until the server stops, and returns an error if the table
/// fails. Records stay in the stream until all consumers have processed them.
async fn keep_up(
    embedded: Embedded,
    caught_up: CaughtUp,
    stopped: watch::Receiver<bool>,
) -> Result<(), Failure> {
    let mut next = Instant::now() + FIRST_UPKEEP_AFTER;
    let mut trims = tokio::time::interval(TRIM_EVERY);
    let mut trimmed = 0;
    let stop = until(stopped);
    tokio::pin!(stop);
    loop {
        let has_caught_up = caught_up.is_complete();
        let kept = tokio::select! {
            () = &mut stop => return Ok(()),
            () = embedded.failed() => break,
            () = tokio::time::sleep_until(next), if has_caught_up => {
                let began = Instant::now();
                let kept = embedded.upkeep().await;
                next = Instant::now() + UPKEEP_EVERY.max(began.elapsed() * UPKEEP_PAUSE);
                kept
            }
            _ = trims.tick() => embedded.trim_counters(trimmed).await.map(|to| trimmed = to),
        };
        if kept.is_err() {
            break;
        }
    }
    Err(Failure(
        "The embedded table has failed. Nothing that was acknowledged is lost: start the server again."
            .to_owned(),
    ))
}

/// Closes runs that timed out or stalled, until the server stops. After an error it tries
/// again.
async fn sweep(sweeper: Sweeper, stopped: watch::Receiver<bool>) -> Result<(), Failure> {
    let mut ticks = tokio::time::interval(SWEEP_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let stop = until(stopped);
    tokio::pin!(stop);
    let swept = async {
        loop {
            ticks.tick().await;
            if let Err(error) = sweeper
                .sweep((Instant::now() + SWEEP_EVERY).into_std())
                .await
            {
                let error = error.with_causes();
                tracing::warn!(
                    error,
                    "failed to close runs that timed out or stalled; trying again"
                );
            }
        }
    };
    tokio::select! {
        // Each run is closed by one write, so stopping here leaves no run half closed.
        () = stop => Ok(()),
        never = swept => never,
    }
}

/// Returns when the server must stop.
pub(crate) async fn until(mut stopped: watch::Receiver<bool>) {
    // An error means that the sender is gone, which stops the server as well.
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

/// Returns a future that ends at Ctrl-C or SIGTERM. Signals are handled from this call on.
#[cfg(unix)]
fn interrupted() -> Result<impl Future<Output = ()>, Failure> {
    use tokio::signal::unix::{SignalKind, signal};

    let listen = |kind| {
        signal(kind).map_err(|error| Failure(format!("Signals cannot be received: {error}.")))
    };
    let mut interrupt = listen(SignalKind::interrupt())?;
    let mut terminate = listen(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Returns a future that ends at Ctrl-C.
#[cfg(not(unix))]
fn interrupted() -> Result<impl Future<Output = ()>, Failure> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}
