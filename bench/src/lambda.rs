//! The release binary of each Lambda function under AWS's runtime interface emulator, with its
//! sample event: the time to start and to answer, the memory and the size.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::DeflateEncoder;
use functions::routes::function_names;
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

/// The baseline of the starts: a function without an AWS client.
const NO_CLIENT: &str = "no_client";

/// The timeout of a function.
const DEADLINE: Duration = Duration::from_secs(20);

/// A process that is killed when this value is dropped.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The table of the functions, with an address on this machine.
struct SampleTable {
    store: Store,
    url: String,
    /// A token for the authorizer's event.
    token: String,
}

/// The measurements of a function.
struct Measured {
    first: Duration,
    warm: Duration,
    peak_kb: u64,
}

/// Builds the functions, runs each, and prints a table.
///
/// # Errors
/// Returns an error if a function cannot be built, does not start, or gives a wrong answer.
pub async fn run(emulator: &Path, rounds: u32) -> Result<(), Failure> {
    let names: Vec<_> = function_names().collect();
    build(&names)?;
    let folder = release_folder()?;
    let table = SampleTable::new().await?;
    let Starts {
        plain,
        of_functions,
    } = measure_starts(&names, rounds)?;
    let plain = plain.median();
    println!("Start without an AWS client: {:.1} ms\n", ms(plain));
    println!(
        "| function | start, ms | relative to no client | first answer, ms | warm answer, ms | peak memory, MB | binary, MB | zipped, MB |"
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
            zipped_size(&bytes)? as f64 / 1e6,
        );
    }
    Ok(())
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

/// Measures functions for the report: their starts, compared with a function without an AWS
/// client, and their sizes.
///
/// # Errors
/// Returns an error if a function cannot be built or does not start.
pub fn bars(names: &[&str], rounds: u32) -> Result<Vec<Line>, Failure> {
    const NAME: &str = "init";
    build(names)?;
    let Starts {
        plain,
        of_functions,
    } = measure_starts(names, rounds)?;
    let mut lines = Vec::new();
    for (name, starts) in names.iter().zip(of_functions) {
        let bytes = std::fs::read(release_folder()?.join(name)).map_err(failure)?;
        let megabytes = |bytes: usize| Figure::new(bytes as f64 / 1e6, Unit::Megabytes);
        lines.extend([
            Line::times(NAME, format!("`{name}`: start"), &starts)
                .compared_with_times("no AWS client", &plain)
                .at_most(2.0),
            Line::new(NAME, format!("`{name}`: binary"), megabytes(bytes.len())).at_most(12.0),
            Line::new(
                NAME,
                format!("`{name}`: zipped"),
                megabytes(zipped_size(&bytes)?),
            )
            .at_most(5.0),
        ]);
    }
    Ok(lines)
}

/// The times from the start of a process to its first poll, without and with an AWS client.
struct Starts {
    plain: Times,
    of_functions: Vec<Times>,
}

fn measure_starts(names: &[&str], rounds: u32) -> Result<Starts, Failure> {
    let folder = release_folder()?;
    let mut starts = Starts {
        plain: Times::default(),
        of_functions: vec![Times::default(); names.len()],
    };
    // In turns, so that other load on the machine affects all functions.
    for _ in 0..rounds {
        starts
            .plain
            .push(measure_start(&folder.join("examples").join(NO_CLIENT))?);
        for (name, times) in names.iter().zip(&mut starts.of_functions) {
            times.push(measure_start(&folder.join(name))?);
        }
    }
    Ok(starts)
}

/// The folder of the binaries of [`build`].
///
/// # Errors
/// Returns an error if the path of this program is unknown.
pub fn release_folder() -> Result<PathBuf, Failure> {
    let program = std::env::current_exe().map_err(failure)?;
    let target = program.parent().and_then(Path::parent);
    Ok(target.unwrap_or(Path::new(".")).join("release"))
}

/// Builds functions like `sam build`.
///
/// # Errors
/// Returns an error if a function cannot be built.
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
        false => Err(Failure(
            "the functions cannot be built: see the output of cargo".to_owned(),
        )),
    }
}

/// Measures the size of a file in a zip.
fn zipped_size(bytes: &[u8]) -> Result<usize, Failure> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).map_err(failure)?;
    Ok(encoder.finish().map_err(failure)?.len())
}

/// Sets the environment of a function like Lambda.
pub fn set_environment<'a>(command: &'a mut Command, table_url: Option<&str>) -> &'a mut Command {
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

/// Measures the time from the start of a process to its first poll of the Runtime API. The AWS
/// client is for the endpoint of AWS, with TLS.
fn measure_start(binary: &Path) -> Result<Duration, Failure> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(failure)?;
    let address = listener.local_addr().map_err(failure)?;
    let mut command = Command::new(binary);
    set_environment(&mut command, None).env("AWS_LAMBDA_RUNTIME_API", address.to_string());
    let begin = Instant::now();
    let _process = Process(command.spawn().map_err(failure)?);
    let (mut connection, _) = listener.accept().map_err(failure)?;
    let read = connection.read(&mut [0; 16]).map_err(failure)?;
    let took = begin.elapsed();
    match read {
        0 => Err(Failure(format!(
            "{} ended before it polled the Runtime API",
            binary.display()
        ))),
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

    /// Writes the sample records again, and so replaces the records that a function has changed.
    async fn refresh(&self) -> Result<(), Failure> {
        for line in include_str!("../../tests/sample-records.jsonl").lines() {
            let record: Value = serde_json::from_str(line).map_err(failure)?;
            let item = serde_dynamo::to_item(record).map_err(failure)?;
            self.store.put(item).await?;
        }
        Ok(())
    }
}

/// Measures a function under the emulator: a cold invocation, then warm ones.
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
    let (_process, port) = start_emulator(emulator, binary, &table.url).await?;
    let mut first = None;
    let mut warm = Times::default();
    // The emulator starts the function when the first event arrives.
    for _ in 0..=rounds {
        table.refresh().await?;
        let url = format!("http://127.0.0.1:{port}/2015-03-31/functions/function/invocations");
        let event = event.to_string();
        let begin = Instant::now();
        let answer = tokio::task::spawn_blocking(move || post(&url, &event)).await;
        let answer = answer.map_err(failure)??;
        let took = begin.elapsed();
        check_answer(name, &answer)?;
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

/// Starts the emulator for a function. Returns its process and its port.
async fn start_emulator(
    emulator: &Path,
    binary: &Path,
    table_url: &str,
) -> Result<(Process, u16), Failure> {
    let (port, runtime_port) = (free_port()?, free_port()?);
    let mut command = Command::new(emulator);
    set_environment(&mut command, Some(table_url))
        .arg("--runtime-interface-emulator-address")
        .arg(format!("127.0.0.1:{port}"))
        .arg("--runtime-api-address")
        .arg(format!("127.0.0.1:{runtime_port}"))
        .arg(binary);
    let process = Process(command.spawn().map_err(failure)?);
    for port in [port, runtime_port] {
        wait_for_port(port).await?;
    }
    Ok((process, port))
}

fn free_port() -> Result<u16, Failure> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(failure)?;
    Ok(listener.local_addr().map_err(failure)?.port())
}

async fn wait_for_port(port: u16) -> Result<(), Failure> {
    let deadline = Instant::now() + DEADLINE;
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        if Instant::now() > deadline {
            return Err(Failure(
                "the emulator does not listen: check the path of --emulator".to_owned(),
            ));
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    Ok(())
}

fn post(url: &str, event: &str) -> Result<String, Failure> {
    let answer = ureq::post(url).send(event).map_err(failure)?;
    answer.into_body().read_to_string().map_err(failure)
}

/// Checks that an answer reports success.
fn check_answer(name: &str, answer: &str) -> Result<(), Failure> {
    let expected = match name {
        "authorize" => "\"Effect\":\"Allow\"",
        "count" => "{\"state\":{}}",
        "import_state_machine_execution" | "reap" => "null",
        "create_token" => "\"statusCode\":201",
        _ => "\"statusCode\":200",
    };
    match answer.contains(expected) {
        true => Ok(()),
        false => Err(Failure(format!(
            "{name} gave a wrong answer: {answer:.300}"
        ))),
    }
}

/// Reads the peak memory of a running binary, in KB.
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
        return peak.ok_or(Failure(
            "the system does not report the memory of processes".to_owned(),
        ));
    }
    Err(Failure(format!("{} is not running", binary.display())))
}
