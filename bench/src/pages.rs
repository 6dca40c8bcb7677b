//! The bars for reading: lists, details, branches, pages in the middle and statistics, each in
//! turns with its baseline.

use aws_sdk_dynamodb::operation::query::{QueryInput, QueryOutput};
use aws_sdk_dynamodb::types::AttributeValue;
use local::terminal::Failure;
use serde_json::{Value, json};
use shared::model::{Item, Timestamp};

use crate::load::{self, TEAM};
use crate::measure::{Api, measure_in_turns};
use crate::report::{Figure, Line, Times, Unit};
use crate::table::{OpenTable, Table, TableLocation};

/// The number of executions of the small table.
const SMALL: u64 = 10_000;

/// The run whose details are requested, and its number of steps.
const DETAILED: &str = "run-with-20-steps";
const DETAILED_STEPS: u64 = 20;

/// The run with a fork: its number of branches, their number of steps, and the approximate size
/// of each step in bytes.
const FORKED: &str = "run-with-50-branches";
const BRANCHES: u64 = 50;
const BRANCH_STEPS: u64 = 10;
const BRANCH_STEP_BYTES: usize = 5_000;

/// The limit of DynamoDB for the result of a Query, in bytes.
const QUERY_BYTES: f64 = 1024.0 * 1024.0;

const LIST: &str = "/flow-executions?flowDefinitionId=flow-07&limit=50";
const LIST_500: &str = "/flow-executions?flowDefinitionId=flow-07&limit=500";
const FIRST_PAGE: &str = "/api/executions/team/default?size=50";
const STATISTICS: &str = "/api/history/execution-stats?days=30";

/// A small and a large table, each with its API.
pub struct Pages {
    rounds: u32,
    executions: u64,
    closed: [Table; 2],
    small: Api,
    large: Api,
    /// Keeps the tables open and locked during the measurements.
    _open: [OpenTable; 2],
}

impl Pages {
    /// Creates and fills both tables.
    ///
    /// # Errors
    /// Returns an error if a request of a table fails.
    pub async fn load(
        place: &TableLocation,
        executions: u64,
        rounds: u32,
    ) -> Result<Self, Failure> {
        let (small, open_small, api_small) = create_loaded(place, "small", SMALL).await?;
        let (large, open_large, api_large) = create_loaded(place, "large", executions).await?;
        Ok(Self {
            rounds,
            executions,
            closed: [small, large],
            small: api_small,
            large: api_large,
            _open: [open_small, open_large],
        })
    }

    /// Removes the tables.
    ///
    /// # Errors
    /// Returns an error if a request of DynamoDB fails.
    pub async fn remove(self) -> Result<(), Failure> {
        for table in &self.closed {
            table.remove().await?;
        }
        Ok(())
    }

    /// Measures a flow's list, compared with the bare Query and with the small table.
    ///
    /// # Errors
    /// Returns an error if a request fails.
    pub async fn list(&self) -> Result<Vec<Line>, Failure> {
        let name = "list";
        let queries = self.large.queries(LIST).await?;
        let bare = self
            .compare_with_bare(name, "list of a flow, 50", LIST, &queries)
            .await?;
        // A long list, because DynamoDB rounds up to half a unit.
        let many = self.large.ask(LIST_500).await?;
        let answers = self
            .large
            .replay(&self.large.queries(LIST_500).await?)
            .await?;
        let [small, large] = self.compare_with_small(LIST).await?;
        Ok(vec![
            bare,
            requests_line(name, "its requests", queries.len() as u64, 1),
            Line::times(
                name,
                format!("the same at {} runs", self.executions),
                &large,
            )
            .compared_with_times(format!("{SMALL} runs"), &small)
            .at_most(1.1),
            Line::new(
                name,
                "the capacity of a list of 500",
                Figure::new(many.capacity_units, Unit::ReadUnits),
            )
            .compared_with(
                "bytes returned / 8 KB",
                Figure::new(sum_bytes(&answers) as f64 / 8192.0, Unit::ReadUnits),
            )
            .at_most(1.1),
        ])
    }

    /// Measures an execution's details, compared with the bare Query.
    ///
    /// # Errors
    /// Returns an error if a request fails.
    pub async fn details(&self) -> Result<Vec<Line>, Failure> {
        let name = "details";
        let path = format!("/flow-executions/{DETAILED}");
        let queries = self.large.queries(&path).await?;
        let work = format!("details of a run with {DETAILED_STEPS} steps");
        Ok(vec![
            self.compare_with_bare(name, &work, &path, &queries).await?,
            requests_line(name, "their requests", queries.len() as u64, 1),
        ])
    }

    /// Measures the steps of a fork's branches, compared with the bare Queries.
    ///
    /// # Errors
    /// Returns an error if a request fails.
    pub async fn branch_steps(&self) -> Result<Vec<Line>, Failure> {
        let name = "branch-steps";
        let path = format!(
            "/flow-executions/{FORKED}/branch-steps?parentStepInstanceId=fork\
             &parentStepStartTime={}",
            fork_start()
        );
        let queries = self.large.queries(&path).await?;
        let answers = self.large.replay(&queries).await?;
        let megabytes = sum_bytes(&answers) as f64 / QUERY_BYTES;
        let work = format!(
            "{BRANCHES} branches of {BRANCH_STEPS} steps, {:.1} MB",
            megabytes * QUERY_BYTES / 1e6
        );
        // One more request reads the run, whose team decides who can see the steps.
        let most = megabytes.ceil() as u64 + 1;
        let asked = "their requests: one per MB, and one for the run";
        Ok(vec![
            self.compare_with_bare(name, &work, &path, &queries).await?,
            requests_line(name, asked, queries.len() as u64, most),
        ])
    }

    /// Measures a page in the middle, compared with the first page.
    ///
    /// # Errors
    /// Returns an error if a request fails.
    pub async fn middle_page(&self) -> Result<Vec<Line>, Failure> {
        let middle = format!("{FIRST_PAGE}&page={}", self.executions / 2 / 50);
        let usage = self.large.ask(&middle).await?;
        let [first, far] = measure_in_turns(
            self.rounds,
            async || self.large.ask(FIRST_PAGE).await.map(drop),
            async || self.large.ask(&middle).await.map(drop),
        )
        .await?;
        let work = format!("page at {} of {}, 50", self.executions / 2, self.executions);
        Ok(vec![
            Line::times("middle-page", work, &far)
                .compared_with_times("first page", &first)
                .using(usage)
                .at_most(3.0),
        ])
    }

    /// Measures statistics of 30 days, compared with the small table.
    ///
    /// # Errors
    /// Returns an error if a request fails.
    pub async fn statistics(&self) -> Result<Vec<Line>, Failure> {
        let name = "statistics";
        let usage = self.large.ask(STATISTICS).await?;
        let [small, large] = self.compare_with_small(STATISTICS).await?;
        let work = format!("statistics of 30 days, {} runs", self.executions);
        Ok(vec![
            Line::times(name, work, &large)
                .compared_with_times(format!("{SMALL} runs"), &small)
                .using(usage)
                .at_most(2.0),
            Line::new(
                name,
                "the items read",
                Figure::new(usage.items_read as f64, Unit::Items),
            )
            .at_most(35.0),
        ])
    }

    async fn compare_with_bare(
        &self,
        name: &'static str,
        work: &str,
        path: &str,
        queries: &[QueryInput],
    ) -> Result<Line, Failure> {
        let usage = self.large.ask(path).await?;
        let [ours, bare] = measure_in_turns(
            self.rounds,
            async || self.large.ask(path).await.map(drop),
            async || self.large.replay(queries).await.map(drop),
        )
        .await?;
        Ok(Line::times(name, work, &ours)
            .compared_with_times("bare Query", &bare)
            .using(usage)
            .at_most(1.25))
    }

    async fn compare_with_small(&self, path: &str) -> Result<[Times; 2], Failure> {
        measure_in_turns(
            self.rounds,
            async || self.small.ask(path).await.map(drop),
            async || self.large.ask(path).await.map(drop),
        )
        .await
    }
}

fn requests_line(name: &'static str, work: &str, requests: u64, most: u64) -> Line {
    let figure = Figure::new(requests as f64, Unit::Requests);
    Line::new(name, work, figure).at_most(most as f64)
}

async fn create_loaded(
    place: &TableLocation,
    purpose: &str,
    executions: u64,
) -> Result<(Table, OpenTable, Api), Failure> {
    let table = place.create(purpose).await?;
    let open = table.open().await?;
    load::load_and_count(&open, executions).await?;
    open.import(detailed_run(), true).await?;
    open.import(forked_run(), true).await?;
    let api = Api::new(open.client(), &table.name).await?;
    Ok((table, open, api))
}

/// The time of the fork and of the other special runs, before the measured 30 days.
fn fork_start() -> Timestamp {
    Timestamp::from_milliseconds(1_700_000_000_000).unwrap_or_else(Timestamp::now)
}

fn run(id: &str) -> Value {
    let start = fork_start().to_string();
    json!({
        "pk": format!("EXEC#{id}"),
        "sk": "EXECUTION",
        "executionId": id,
        "teamId": TEAM,
        "flowId": "measured-alone",
        "flowName": "Measured alone",
        "createdAt": start,
        "startTime": start,
        "endTime": start,
        "durationMs": 1_200,
        "status": "COMPLETED",
    })
}

fn detailed_run() -> Vec<Value> {
    let run = run(DETAILED);
    let steps = (0..DETAILED_STEPS).map(|step| load::step_of(&run, step));
    steps.chain([run.clone()]).collect()
}

fn forked_run() -> Vec<Value> {
    let run = run(FORKED);
    let start = fork_start();
    let branches = (0..BRANCHES).flat_map(|branch| {
        let run = &run;
        (0..BRANCH_STEPS).map(move |number| {
            let mut step = load::step_of(run, number);
            step["sk"] = json!(format!(
                "BRANCH#{start}#fork#branch-{branch:02}#{start}#step-{number:02}"
            ));
            step["branchExecutionId"] = json!(format!("branch-{branch:02}"));
            step["branchId"] = json!("each-parcel");
            step["parentStepInstanceId"] = json!("fork");
            step["parentStepStartTime"] = json!(start.to_string());
            step["output"] = json!({"text": "x".repeat(BRANCH_STEP_BYTES)});
            step
        })
    });
    branches.chain([run.clone()]).collect()
}

/// Sums the bytes of the returned items.
fn sum_bytes(answers: &[QueryOutput]) -> usize {
    let items = answers.iter().flat_map(QueryOutput::items);
    items.map(item_bytes).sum()
}

/// The bytes of an item according to DynamoDB's developer guide: its names and values, in
/// UTF-8.
fn item_bytes(item: &Item) -> usize {
    item.iter()
        .map(|(name, value)| name.len() + value_bytes(value))
        .sum()
}

fn value_bytes(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) => text.len(),
        // About one byte for two digits, and one more.
        AttributeValue::N(number) => number.len().div_ceil(2) + 1,
        AttributeValue::B(bytes) => bytes.as_ref().len(),
        AttributeValue::M(map) => 3 + item_bytes(map) + map.len(),
        AttributeValue::L(list) => {
            3 + list
                .iter()
                .map(|value| 1 + value_bytes(value))
                .sum::<usize>()
        }
        _ => 1,
    }
}
