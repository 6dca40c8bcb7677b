//! `flowtrail serve`: all of Flowtrail in one process.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use functions::app::App;
use functions::pages;
use futures_util::FutureExt;
use shared::auth::{self, Authenticator, Caller, InvalidOidcSettings, NewToken, Role};
use shared::config;
use shared::model::Timestamp;
use shared::store::Store;
use shared::sweep::Sweeper;
use shared::table;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior};

use crate::cli::ServeArgs;
use crate::commands::no_such_table;
use crate::connections;
use crate::data_folder::{DataFolder, Holder};
use crate::demo;
use crate::embedded::{Embedded, wire};
use crate::follow::Follower;
use crate::server;
use crate::terminal::Failure;

mod greeting;

/// How long requests in progress may take once the server is told to end.
const SHUTDOWN: Duration = Duration::from_secs(5);

/// How often what has expired is removed. It reads the whole table, and what has
/// expired is hidden anyway.
const UPKEEP_EVERY: Duration = Duration::from_secs(3_600);

/// How long a difference has to stay when a table in use is counted for the first
/// time.
const SETTLE: Duration = Duration::from_secs(5);

/// How often the counters' own records are taken out of the stream.
const TRIM_EVERY: Duration = Duration::from_secs(60);

/// How often runs whose time is over are closed.
const SWEEP_EVERY: Duration = Duration::from_secs(5);

/// Also a server that is started anew each day does it.
const FIRST_UPKEEP_AFTER: Duration = Duration::from_secs(300);

/// The name of the token that is printed, and of whoever makes it.
const SERVE: &str = "flowtrail serve";

/// How long a token lasts that is made for one run of `serve` over a table that
/// is not ours, in milliseconds: half a day.
const SESSION_TOKEN_MS: i64 = 12 * 3_600 * 1_000;

/// The table that is served, and what belongs to it on this machine.
struct ServedTable {
    store: Store,
    streams: aws_sdk_dynamodbstreams::Client,
    /// Where engines write.
    address: String,
    /// Of the embedded table alone.
    embedded: Option<(DataFolder, Embedded, TcpListener)>,
}

/// Serves until Ctrl-C or SIGTERM.
///
/// # Errors
/// A port is taken, the folder cannot be written, the data file is damaged, or
/// the table cannot be reached.
pub async fn run(args: ServeArgs) -> Result<(), Failure> {
    // Listened for from the beginning: Ctrl-C also ends the loading.
    let interrupted = interrupted()?;
    tokio::pin!(interrupted);
    tokio::select! {
        () = &mut interrupted => Ok(()),
        running = start(args) => running?.until(interrupted).await,
    }
}

/// A server that is ready.
struct Running {
    tasks: JoinSet<Result<(), Failure>>,
    stop: watch::Sender<bool>,
    /// Locked as long as the server runs.
    _folder: Option<DataFolder>,
}

impl Running {
    /// Serves until told to end, and then until the requests in progress are
    /// answered.
    async fn until(mut self, interrupted: impl Future<Output = ()>) -> Result<(), Failure> {
        let failure = tokio::select! {
            () = interrupted => None,
            // A task ends by itself only when it cannot go on.
            Some(ended) = self.tasks.join_next() => Some(match ended {
                Ok(Ok(())) => Failure("A part of the server has ended.".to_owned()),
                Ok(Err(failure)) => failure,
                Err(panic) => Failure(format!("A part of the server has failed: {panic}.")),
            }),
        };
        let _ = self.stop.send(true);
        let drained = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(SHUTDOWN, drained).await.is_err() {
            tracing::warn!("requests were cut off at the end");
        }
        failure.map_or(Ok(()), Err)
    }
}

async fn start(args: ServeArgs) -> Result<Running, Failure> {
    let oidc = args.oidc.settings().map_err(invalid_option)?;
    let sign_in = args.oidc.sign_in().map_err(invalid_option)?;
    let console = pages::console(sign_in.as_ref())
        .map_err(|error| Failure(format!("The issuer cannot be told to browsers: {error}.")))?;
    let mut served = open(&args).await?;
    let api = listen(args.port, "--port").await?;
    let api_address = address_of(&api)?;
    let is_ours = prepare_table(&args, &served).await?;
    let store = served.store.clone();

    let (stop, stopped) = watch::channel(false);
    let mut tasks = JoinSet::new();
    let (counted, is_counted) = watch::channel(false);
    let (reaped, is_reaped) = watch::channel(false);
    let mut follower = Follower::counting(served.streams.clone(), store.clone());
    if !is_ours {
        // Two that count one table would not harm it; two that pay for it would.
        eprintln!(
            "Totals and statistics are those that the function `count` keeps there, what is left of \
             deleted runs is removed by the function `reap`, and runs whose time is over are closed \
             by the function `sweep`."
        );
    } else if follower.has_stream().await? {
        // Nobody else writes to the embedded table as yet.
        let settle = served.embedded.as_ref().map_or(SETTLE, |_| Duration::ZERO);
        follower
            .begin(demo::has_runs(&store).await?, settle)
            .await?;
        tasks.spawn(follower.follow(counted, stopped.clone()));
        let reaper = Follower::reaping(served.streams.clone(), store.clone());
        tasks.spawn(reaper.follow(reaped, stopped.clone()));
        tasks.spawn(sweep(Sweeper::new(store.clone()), stopped.clone()));
    } else {
        eprintln!(
            "The table {} has no stream: totals and statistics stay as they are, and so do the \
             steps of deleted runs. Make a table with: flowtrail table create",
            args.table.table
        );
    }
    let folder = match served.embedded.take() {
        None => None,
        Some((mut folder, embedded, listener)) => {
            folder.announce(&served.address)?;
            let followed = [is_counted, is_reaped];
            tasks.spawn(keep_up(embedded.clone(), followed, stopped.clone()));
            let served = connections::serve(listener, wire::router(embedded), stopped.clone());
            tasks.spawn(served.map(Ok));
            Some(folder)
        }
    };
    // The API answers while the demo data is loaded.
    let app = match oidc {
        Some(settings) => App::taking_jwts(store.clone(), settings),
        None => App::new(store.clone()),
    };
    let app = app.allowing(args.allowed_origins.clone());
    let router = server::router_with(Arc::new(app), console);
    tasks.spawn(connections::serve(api, router, stopped.clone()).map(Ok));
    if is_ours && demo::prepare(&store, !args.no_demo).await? {
        tasks.spawn(demo::keep_moving(store.clone(), stopped));
    }
    let token = admin_token(&store, folder.as_ref()).await?;
    greeting::print(&store, &api_address, &served.address, &token).await?;

    Ok(Running {
        tasks,
        stop,
        _folder: folder,
    })
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
            "The folder {} is in use by a running flowtrail, whose table is at {other}. End that \
             one, or name another folder with --data.",
            args.table.data.display()
        ))),
        Holder::Us(folder) => {
            let listener = listen(args.table_port, "--table-port").await?;
            let address = address_of(&listener)?;
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

/// Sets the table up where it is this machine's; says whether it is. Elsewhere
/// a table costs money and has an owner, who makes it.
async fn prepare_table(args: &ServeArgs, served: &ServedTable) -> Result<bool, Failure> {
    let client = served.store.client();
    let is_ours = served.embedded.is_some() || config::is_loopback(&served.address);
    if is_ours {
        table::create(client, &args.table.table).await?;
    } else if !table::exists(client, &args.table.table).await? {
        return Err(no_such_table(&args.table));
    }
    Ok(is_ours)
}

/// The token that is printed: of the embedded table the same at every start, of
/// another a new one with a short life.
async fn admin_token(store: &Store, folder: Option<&DataFolder>) -> Result<String, Failure> {
    if let Some(token) = folder.and_then(DataFolder::admin_token) {
        let header = format!("Bearer {token}");
        let authenticator = Authenticator::new(store.clone());
        if authenticator.authenticate(Some(&header)).await.is_ok() {
            return Ok(token);
        }
    }
    let session_end = Timestamp::now().milliseconds() + SESSION_TOKEN_MS;
    let new = NewToken {
        role: Role::Admin.into(),
        name: Some(SERVE.to_owned()),
        flows: None,
        expires_at: match folder {
            Some(_) => None,
            None => Timestamp::from_milliseconds(session_end),
        },
    };
    let caller = Caller::operator(demo::team_id(), SERVE);
    let (_, secret) = auth::create_token(store, &caller, &new).await?;
    if let Some(folder) = folder {
        folder.keep_admin_token(secret.reveal())?;
    }
    Ok(secret.reveal().to_owned())
}

async fn listen(port: u16, option: &str) -> Result<TcpListener, Failure> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .map_err(|error| {
            Failure(match error.kind() {
                std::io::ErrorKind::AddrInUse => {
                    format!("Port {port} is taken by another program. Name another with {option}.")
                }
                _ => format!("Port {port} cannot be used: {error}. Name another with {option}."),
            })
        })
}

fn address_of(listener: &TcpListener) -> Result<String, Failure> {
    let address = listener
        .local_addr()
        .map_err(|error| Failure(format!("A port cannot be used: {error}.")))?;
    Ok(format!("http://{address}"))
}

/// Keeps the embedded table tidy, and ends when it fails. What is in the stream
/// stays there until all have followed it.
async fn keep_up(
    embedded: Embedded,
    followed: [watch::Receiver<bool>; 2],
    stopped: watch::Receiver<bool>,
) -> Result<(), Failure> {
    let first = Instant::now() + FIRST_UPKEEP_AFTER;
    let mut ticks = tokio::time::interval_at(first, UPKEEP_EVERY);
    let mut trims = tokio::time::interval(TRIM_EVERY);
    let mut trimmed = 0;
    let stop = until(stopped);
    tokio::pin!(stop);
    loop {
        let is_followed = followed.iter().all(|caught_up| *caught_up.borrow());
        let kept = tokio::select! {
            () = &mut stop => return Ok(()),
            () = embedded.failed() => break,
            _ = ticks.tick(), if is_followed => embedded.upkeep().await,
            _ = trims.tick() => embedded.trim_counters(trimmed).await.map(|to| trimmed = to),
        };
        if kept.is_err() {
            break;
        }
    }
    Err(Failure(
        "The embedded table has failed. Nothing that was acknowledged is lost: start again."
            .to_owned(),
    ))
}

/// Closes runs whose time is over, until the server is told to end. What fails is tried
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
                tracing::warn!(error, "runs whose time is over wait for the table");
            }
        }
    };
    tokio::select! {
        // A run is closed or not, by one write.
        () = stop => Ok(()),
        never = swept => never,
    }
}

/// Ends when the server is told to.
pub(crate) async fn until(mut stopped: watch::Receiver<bool>) {
    // An error means that the sender is gone, which ends the server as well.
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

/// Ends at Ctrl-C or SIGTERM, which are listened for from now on.
#[cfg(unix)]
fn interrupted() -> Result<impl Future<Output = ()>, Failure> {
    use tokio::signal::unix::{SignalKind, signal};

    let listen = |kind| {
        signal(kind).map_err(|error| Failure(format!("Signals cannot be listened for: {error}.")))
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

/// Ends at Ctrl-C.
#[cfg(not(unix))]
fn interrupted() -> Result<impl Future<Output = ()>, Failure> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}
