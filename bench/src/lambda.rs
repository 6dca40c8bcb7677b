//! Every Lambda function as the binary that is shipped, under AWS's runtime interface
//! emulator, with its sample event: what it takes to start, to answer, and to keep.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::DeflateEncoder;
use functions::route::function_names;
use local::embedded::Embedded;
use local::terminal::Failure;
use serde_json::{Value, json};
use shared::auth::Role;
use shared::store::Store;
use shared::table;

use crate::measure::{failure, memory_kb, new_token};
use crate::report::{Figure, Line, Times, Unit};
use crate::runtime_api::sample_event;
use crate::table::{TABLE, serve_wire};

/// The same runtime with no client of AWS, which the starts are compared with.
const NO_CLIENT: &str = "no_client";

/// How long a function may take to do anything.
const DEADLINE: Duration = Duration::from_secs(20);

/// A process that ends with this.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The table that the functions work on, at an address of this machine.
struct SampleTable {
    store: Store,
    url: String,
    /// A token for the authorizer's event.
    token: String,
}

/// What a function was seen to take.
struct Measured {
    first: Duration,
    warm: Duration,
    peak_kb: u64,
}

/// Builds the functions, runs each, and prints a table.
///
/// # Errors
/// One cannot be built, does not start, or does not answer as it should.
pub async fn run(emulator: &Path, rounds: u32) -> Result<(), Failure> {
    let names: Vec<_> = function_names().collect();
    build(&names)?;
    let folder = release_folder()?;
    let table = SampleTable::new().await?;
    let Starts {
        plain,
        of_functions,
    } = starts(&names, rounds)?;
    let plain = plain.median();
    println!("Start without a client of AWS: {:.1} ms\n", ms(plain));
    println!(
        "| function | start, ms | of that without a client | first answer, ms | warm answer, ms | peak memory, MB | binary, MB | zipped, MB |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- |");
    for (name, starts) in names.iter().zip(of_functions) {
        let binary = folder.join(name);
        let measured = measure(emulator, &binary, name, &table, rounds).await?;
        let bytes = std::fs::read(&binary).map_err(failure)?;
        let start = starts.median();
        println!(
            "| `{name}` | {:.1} | {:.1} × | {:.1} | {:.1} | {:.0} | {:.1} | {:.1} |",
            ms(start),
            ms(start) / ms(plain),
            ms(measured.first),
            ms(measured.warm),
            measured.peak_kb as f64 / 1_024.0,
            bytes.len() as f64 / 1e6,
            zipped(&bytes)? as f64 / 1e6,
        );
    }
    Ok(())
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

/// The bars of some functions, or of all: their starts, beside the same without a client
/// of AWS, and their sizes.
///
/// # Errors
/// One cannot be built, or does not start.
pub fn bars(names: &[&str], rounds: u32) -> Result<Vec<Line>, Failure> {
    const NAME: &str = "init";
    build(names)?;
    let Starts {
        plain,
        of_functions,
    } = starts(names, rounds)?;
    let mut lines = Vec::new();
    for (name, starts) in names.iter().zip(of_functions) {
        let bytes = std::fs::read(release_folder()?.join(name)).map_err(failure)?;
        let megabytes = |bytes: usize| Figure::new(bytes as f64 / 1e6, Unit::Megabytes);
        lines.extend([
            Line::times(NAME, format!("`{name}`: start"), &starts)
                .beside_times("no client of AWS", &plain)
                .at_most(2.0),
            Line::new(NAME, format!("`{name}`: binary"), megabytes(bytes.len())).at_most(12.0),
            Line::new(
                NAME,
                format!("`{name}`: zipped"),
                megabytes(zipped(&bytes)?),
            )
            .at_most(5.0),
        ]);
    }
    Ok(lines)
}

/// The times from the start of a process to its first poll.
struct Starts {
    plain: Times,
    of_functions: Vec<Times>,
}

fn starts(names: &[&str], rounds: u32) -> Result<Starts, Failure> {
    let folder = release_folder()?;
    let mut starts = Starts {
        plain: Times::default(),
        of_functions: vec![Times::default(); names.len()],
    };
    // Interleaved, so that what else the machine does falls on all.
    for _ in 0..rounds {
        starts
            .plain
            .push(start(&folder.join("examples").join(NO_CLIENT))?);
        for (name, times) in names.iter().zip(&mut starts.of_functions) {
            times.push(start(&folder.join(name))?);
        }
    }
    Ok(starts)
}

/// Where [`build`] leaves what it has built.
///
/// # Errors
/// Nobody knows where this program lies.
pub fn release_folder() -> Result<PathBuf, Failure> {
    let program = std::env::current_exe().map_err(failure)?;
    let target = program.parent().and_then(Path::parent);
    Ok(target.unwrap_or(Path::new(".")).join("release"))
}

/// Builds functions as `sam build` would ship them.
///
/// # Errors
/// One cannot be built.
pub fn build(names: &[&str]) -> Result<(), Failure> {
    let cargo = std::env::var_os("CARGO").unwrap_or("cargo".into());
    let mut command = Command::new(cargo);
    command
        .args(["build", "--release", "--package", "functions"])
        .args(["--example", NO_CLIENT]);
    for name in names {
        command.args(["--bin", name]);
    }
    match command.status().map_err(failure)?.success() {
        true => Ok(()),
        false => Err(Failure("the functions cannot be built".to_owned())),
    }
}

/// The size of a file in a zip.
fn zipped(bytes: &[u8]) -> Result<usize, Failure> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).map_err(failure)?;
    Ok(encoder.finish().map_err(failure)?.len())
}

/// A function's environment, as Lambda makes it.
pub fn environment<'a>(command: &'a mut Command, table_url: Option<&str>) -> &'a mut Command {
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("FLOWTRAIL_TABLE", TABLE)
        .env("AWS_REGION", "eu-west-1")
        .env("AWS_ACCESS_KEY_ID", "any")
        .env("AWS_SECRET_ACCESS_KEY", "any")
        .env("AWS_SESSION_TOKEN", "any")
        .env("AWS_LAMBDA_FUNCTION_NAME", "measured")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    if let Some(url) = table_url {
        command.env("AWS_ENDPOINT_URL_DYNAMODB", url);
    }
    command
}

/// From the start of a process to its first poll of the Runtime API. The client is
/// the one for AWS's own endpoint, with TLS.
fn start(binary: &Path) -> Result<Duration, Failure> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(failure)?;
    let address = listener.local_addr().map_err(failure)?;
    let mut command = Command::new(binary);
    environment(&mut command, None).env("AWS_LAMBDA_RUNTIME_API", address.to_string());
    let begin = Instant::now();
    let _process = Process(command.spawn().map_err(failure)?);
    let (mut connection, _) = listener.accept().map_err(failure)?;
    let read = connection.read(&mut [0; 16]).map_err(failure)?;
    let took = begin.elapsed();
    match read {
        0 => Err(Failure(format!("{} does not poll", binary.display()))),
        _ => Ok(took),
    }
}

impl SampleTable {
    async fn new() -> Result<Self, Failure> {
        let embedded = Embedded::in_memory().map_err(failure)?;
        table::create(&embedded.client(), TABLE).await?;
        let store = Store::new(embedded.client(), TABLE);
        let url = serve_wire(embedded).await?;
        let (_, token) = new_token(&store, Role::Viewer).await?;
        Ok(Self {
            token: token.reveal().to_owned(),
            store,
            url,
        })
    }

    /// Writes the sample records, also in place of what a function has made of them.
    async fn refresh(&self) -> Result<(), Failure> {
        for line in include_str!("../../tests/sample-records.jsonl").lines() {
            let record: Value = serde_json::from_str(line).map_err(failure)?;
            let item = serde_dynamo::to_item(record).map_err(failure)?;
            self.store.put(item).await?;
        }
        Ok(())
    }
}

/// Runs a function under the emulator, once cold and then warm.
async fn measure(
    emulator: &Path,
    binary: &Path,
    name: &str,
    table: &SampleTable,
    rounds: u32,
) -> Result<Measured, Failure> {
    let mut event = sample_event(name)?;
    if name == "authorize" {
        event["authorizationToken"] = json!(format!("Bearer {}", table.token));
    }
    let (port, runtime_port) = (free_port()?, free_port()?);
    let mut command = Command::new(emulator);
    environment(&mut command, Some(&table.url))
        .arg("--runtime-interface-emulator-address")
        .arg(format!("127.0.0.1:{port}"))
        .arg("--runtime-api-address")
        .arg(format!("127.0.0.1:{runtime_port}"))
        .arg(binary);
    let _process = Process(command.spawn().map_err(failure)?);
    for port in [port, runtime_port] {
        listening(port).await?;
    }
    let mut first = None;
    let mut warm = Times::default();
    // The emulator starts the function at the first event.
    for _ in 0..=rounds {
        table.refresh().await?;
        let url = format!("http://127.0.0.1:{port}/2015-03-31/functions/function/invocations");
        let event = event.to_string();
        let begin = Instant::now();
        let answer = tokio::task::spawn_blocking(move || post(&url, &event)).await;
        let answer = answer.map_err(failure)??;
        let took = begin.elapsed();
        check(name, &answer)?;
        match first {
            None => first = Some(took),
            Some(_) => warm.push(took),
        }
    }
    Ok(Measured {
        first: first.unwrap_or_default(),
        warm: warm.median(),
        peak_kb: peak_kb(binary)?,
    })
}

fn free_port() -> Result<u16, Failure> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(failure)?;
    Ok(listener.local_addr().map_err(failure)?.port())
}

async fn listening(port: u16) -> Result<(), Failure> {
    let deadline = Instant::now() + DEADLINE;
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        if Instant::now() > deadline {
            return Err(Failure("the emulator does not listen".to_owned()));
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    Ok(())
}

fn post(url: &str, event: &str) -> Result<String, Failure> {
    let answer = ureq::post(url).send(event).map_err(failure)?;
    answer.into_body().read_to_string().map_err(failure)
}

/// Whether a function did what it was asked to.
fn check(name: &str, answer: &str) -> Result<(), Failure> {
    let expected = match name {
        "authorize" => "\"Effect\":\"Allow\"",
        "count" => "{\"state\":{}}",
        "import_state_machine_execution" | "reap" => "null",
        "create_token" => "\"statusCode\":201",
        _ => "\"statusCode\":200",
    };
    match answer.contains(expected) {
        true => Ok(()),
        false => Err(Failure(format!("{name} answers {answer:.300}"))),
    }
}

/// The most memory that a running binary has had in use.
fn peak_kb(binary: &Path) -> Result<u64, Failure> {
    let binary = std::fs::canonicalize(binary).map_err(failure)?;
    for entry in std::fs::read_dir("/proc").map_err(failure)? {
        let process: PathBuf = entry.map_err(failure)?.path();
        let is_it = std::fs::read_link(process.join("exe")).is_ok_and(|exe| exe == binary);
        if !is_it {
            continue;
        }
        let process = process.file_name().and_then(|id| id.to_str()?.parse().ok());
        let peak = process.and_then(|process| memory_kb(process, "VmHWM:"));
        return peak.ok_or(Failure("the system does not tell of memory".to_owned()));
    }
    Err(Failure(format!("{} does not run", binary.display())))
}
