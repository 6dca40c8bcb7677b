//! Flowtrail's functions compared with a handler for Node.js that a team would otherwise write,
//! with the same Runtime API and the same table: starts, answers, memory, and answers per
//! processor.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use local::terminal::Failure;
use serde_json::json;

use crate::lambda::{build, release_folder};
use crate::load;
use crate::measure::{failure, memory_kb, processor_time};
use crate::report::{Figure, Line, Times, Unit};
use crate::runtime_api::{Function, sample_event};
use crate::table::{TableLocation, serve_wire};

const NAME: &str = "node";

/// The number of executions of the table.
const EXECUTIONS: u64 = 1_000;

/// How often each program is started.
const STARTS: u32 = 11;

/// The number of events in a round of warm answers.
const EVENTS_PER_ROUND: u32 = 100;

/// A function and its event.
struct Work {
    name: &'static str,
    function: &'static str,
    event: String,
}

/// The measurements of one of the compared programs.
struct Side {
    starts: Times,
    first: Times,
    warm: Times,
    /// Answers per second of processor time.
    throughput: f64,
    peak_mb: f64,
}

/// Measures the list and the details.
///
/// # Errors
/// Returns an error if Node.js is missing, or a function or a request fails.
pub async fn run(place: &TableLocation, rounds: u32) -> Result<Vec<Line>, Failure> {
    let works = prepare_works()?;
    let names: Vec<_> = works.iter().map(|work| work.function).collect();
    build(&names)?;
    let baseline = install()?;
    let table = place.create(NAME).await?;
    let open = table.open().await?;
    load::load_with_steps(&open, EXECUTIONS, None).await?;
    let Some(embedded) = open.embedded() else {
        return Err(Failure(
            "the comparison needs an embedded table: omit --endpoint-url".to_owned(),
        ));
    };
    let url = serve_wire(embedded.clone()).await?;
    let mut lines = Vec::new();
    for work in &works {
        let binary = release_folder()?.join(work.function);
        let bootstrap = baseline.join("bootstrap.mjs");
        let programs = [
            vec![binary],
            vec![
                "node".into(),
                bootstrap.clone(),
                baseline.join("handler.mjs"),
            ],
            vec!["node".into(), bootstrap, baseline.join("bundle.cjs")],
        ];
        let programs = programs.map(|program| {
            let parts = program
                .iter()
                .map(|part| part.to_string_lossy().into_owned());
            parts.collect::<Vec<_>>()
        });
        let [ours, plain, bundled] = measure(&programs, work, &url, rounds).await?;
        lines.extend(lines_of(work.name, &ours, "Node.js", &plain));
        lines.extend(lines_of(work.name, &ours, "Node.js, bundled", &bundled));
    }
    Ok(lines)
}

fn prepare_works() -> Result<[Work; 2], Failure> {
    let mut list = sample_event("list_flow_executions")?;
    list["queryStringParameters"] = json!({"flowDefinitionId": "flow-07", "limit": "50"});
    list["multiValueQueryStringParameters"] =
        json!({"flowDefinitionId": ["flow-07"], "limit": ["50"]});
    let mut details = sample_event("get_flow_execution")?;
    details["pathParameters"] = json!({"flowExecutionId": "run-000000000042"});
    Ok([
        Work {
            name: "list of a flow, 50",
            function: "list_flow_executions",
            event: list.to_string(),
        },
        Work {
            name: "details of a run with 8 steps",
            function: "get_flow_execution",
            event: details.to_string(),
        },
    ])
}

/// Installs the dependencies of the handler for Node.js, and bundles it.
fn install() -> Result<PathBuf, Failure> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("node-baseline");
    for line in ["npm ci --silent", "npm run --silent bundle"] {
        let done = Command::new("sh")
            .args(["-c", line])
            .current_dir(&folder)
            .status();
        if !done.map_err(failure)?.success() {
            return Err(Failure(format!(
                "`{line}` failed: the comparison needs Node.js 20 or later"
            )));
        }
    }
    Ok(folder)
}

/// Measures all programs, in turns in each round.
async fn measure<const SIDES: usize>(
    programs: &[Vec<String>; SIDES],
    work: &Work,
    url: &str,
    rounds: u32,
) -> Result<[Side; SIDES], Failure> {
    let [starts, first] = measure_starts(programs, work, url).await?;
    let mut functions = start_warm(programs, work, url).await?;
    let (warm, busy) = measure_warm::<SIDES>(&mut functions, work, rounds).await?;
    let mut sides = Vec::new();
    for (side, function) in functions.iter().enumerate() {
        let peak = memory_kb(function.process(), "VmHWM:");
        sides.push(Side {
            starts: starts[side].clone(),
            first: first[side].clone(),
            throughput: warm[side].count() as f64 / busy[side].as_secs_f64(),
            warm: warm[side].clone(),
            peak_mb: peak.unwrap_or_default() as f64 / 1024.0,
        });
    }
    sides
        .try_into()
        .map_err(|_| Failure("a program was not measured".to_owned()))
}

/// Measures the starts, and the starts with their first answers.
async fn measure_starts<const SIDES: usize>(
    programs: &[Vec<String>; SIDES],
    work: &Work,
    url: &str,
) -> Result<[[Times; SIDES]; 2], Failure> {
    let mut starts = [const { Times::none() }; SIDES];
    let mut first = starts.clone();
    for _ in 0..STARTS {
        for (side, program) in programs.iter().enumerate() {
            let mut function = start(program, url).await?;
            starts[side].push(function.start);
            let begin = Instant::now();
            invoke(&mut function, work).await?;
            first[side].push(function.start + begin.elapsed());
        }
    }
    Ok([starts, first])
}

/// Starts the programs and warms them up: Node.js compiles code during its first answers.
async fn start_warm(
    programs: &[Vec<String>],
    work: &Work,
    url: &str,
) -> Result<Vec<Function>, Failure> {
    let mut functions = Vec::new();
    for program in programs {
        let mut function = start(program, url).await?;
        for _ in 0..EVENTS_PER_ROUND {
            invoke(&mut function, work).await?;
        }
        functions.push(function);
    }
    Ok(functions)
}

/// Measures the warm answers, and the processor time of each function.
async fn measure_warm<const SIDES: usize>(
    functions: &mut [Function],
    work: &Work,
    rounds: u32,
) -> Result<([Times; SIDES], [Duration; SIDES]), Failure> {
    let mut warm = [const { Times::none() }; SIDES];
    let mut busy = [Duration::ZERO; SIDES];
    for _ in 0..rounds.div_ceil(5) {
        for (side, function) in functions.iter_mut().enumerate() {
            let before = read_processor_time(function)?;
            for _ in 0..EVENTS_PER_ROUND {
                let begin = Instant::now();
                invoke(function, work).await?;
                warm[side].push(begin.elapsed());
            }
            busy[side] += read_processor_time(function)?.saturating_sub(before);
        }
    }
    Ok((warm, busy))
}

async fn start(program: &[String], url: &str) -> Result<Function, Failure> {
    let program: Vec<_> = program.iter().map(String::as_str).collect();
    Function::start(&program, url).await
}

/// Invokes a function and checks its answer.
async fn invoke(function: &mut Function, work: &Work) -> Result<(), Failure> {
    let answer = function.invoke(&work.event).await?;
    let answer = String::from_utf8_lossy(&answer);
    match answer.contains("\"statusCode\":200") && answer.contains("COMPLETED") {
        true => Ok(()),
        false => Err(Failure(format!(
            "{} gave a wrong answer: {answer:.300}",
            work.function
        ))),
    }
}

fn read_processor_time(function: &Function) -> Result<Duration, Failure> {
    let busy = processor_time(function.process());
    busy.ok_or(Failure(
        "the system does not report the processor time of processes".to_owned(),
    ))
}

fn lines_of(work: &str, ours: &Side, name: &str, theirs: &Side) -> Vec<Line> {
    let mb = |value| Figure::new(value, Unit::Megabytes);
    let rate = |value| Figure::new(value, Unit::PerSecond);
    let part = |value: f64| 1.0 / value;
    vec![
        Line::times(NAME, format!("{work}: start"), &ours.starts)
            .compared_with_times(name, &theirs.starts)
            .at_most(part(8.0)),
        Line::times(NAME, format!("{work}: start and first answer"), &ours.first)
            .compared_with_times(name, &theirs.first),
        Line::times(NAME, format!("{work}: warm answer"), &ours.warm)
            .compared_with_times(name, &theirs.warm),
        Line::new(
            NAME,
            format!("{work}: answers per processor"),
            rate(ours.throughput),
        )
        .compared_with(name, rate(theirs.throughput))
        .at_least(2.0),
        Line::new(NAME, format!("{work}: peak memory"), mb(ours.peak_mb))
            .compared_with(name, mb(theirs.peak_mb))
            .at_most(part(4.0)),
    ]
}
