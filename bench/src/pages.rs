//! The bars about reading: lists, details, branches, pages far behind the first, and
//! statistics, each in turns with what it is compared with.

use aws_sdk_dynamodb::operation::query::{QueryInput, QueryOutput};
use aws_sdk_dynamodb::types::AttributeValue;
use local::terminal::Failure;
use serde_json::{Value, json};
use shared::model::{Item, Timestamp};

use crate::load::{self, TEAM};
use crate::measure::{Api, in_turns};
use crate::report::{Figure, Line, Times, Unit};
use crate::table::{OpenTable, Place, Table};

/// The executions of the small table.
const SMALL: u64 = 10_000;

/// The run whose details are asked for, and how many steps it has.
const DETAILED: &str = "run-with-20-steps";
const DETAILED_STEPS: u64 = 20;

/// The run with a fork: how many branches that has, of how many steps, of about how many
/// bytes each.
const FORKED: &str = "run-with-50-branches";
const BRANCHES: u64 = 50;
const BRANCH_STEPS: u64 = 10;
const BRANCH_STEP_BYTES: usize = 5_000;

/// DynamoDB ends a Query at so many bytes.
const QUERY_BYTES: f64 = 1024.0 * 1024.0;

const LIST: &str = "/flow-executions?flowDefinitionId=flow-07&limit=50";
const LIST_500: &str = "/flow-executions?flowDefinitionId=flow-07&limit=500";
const FIRST_PAGE: &str = "/api/executions/team/default?size=50";
const STATISTICS: &str = "/api/history/execution-stats?days=30";

/// A small table and a large one, each behind its API.
pub struct Pages {
    rounds: u32,
    executions: u64,
    closed: [Table; 2],
    small: Api,
    large: Api,
    /// Locked as long as they are asked.
    _open: [OpenTable; 2],
}

impl Pages {
    /// Makes and fills both.
    ///
    /// # Errors
    /// Those of the tables.
    pub async fn load(place: &Place, executions: u64, rounds: u32) -> Result<Self, Failure> {
        let (small, open_small, api_small) = loaded(place, "small", SMALL).await?;
        let (large, open_large, api_large) = loaded(place, "large", executions).await?;
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
    /// Those of DynamoDB.
    pub async fn remove(self) -> Result<(), Failure> {
        for table in &self.closed {
            table.remove().await?;
        }
        Ok(())
    }

    /// A flow's list beside the bare Query, and beside the same on the small table.
    ///
    /// # Errors
    /// Those of the requests.
    pub async fn list(&self) -> Result<Vec<Line>, Failure> {
        let name = "list";
        let queries = self.large.queries(LIST).await?;
        let beside_bare = self
            .beside_bare(name, "list of a flow, 50", LIST, &queries)
            .await?;
        // Of many, as DynamoDB rounds up to half a unit.
        let many = self.large.ask(LIST_500).await?;
        let answers = self
            .large
            .replay(&self.large.queries(LIST_500).await?)
            .await?;
        let [small, large] = self.beside_small(LIST).await?;
        Ok(vec![
            beside_bare,
            requests(name, "its requests", queries.len() as u64, 1),
            Line::times(
                name,
                format!("the same at {} runs", self.executions),
                &large,
            )
            .beside_times(format!("{SMALL} runs"), &small)
            .at_most(1.1),
            Line::new(
                name,
                "the capacity of a list of 500",
                Figure::new(many.capacity_units, Unit::ReadUnits),
            )
            .beside(
                "bytes returned / 8 KB",
                Figure::new(bytes_of(&answers) as f64 / 8192.0, Unit::ReadUnits),
            )
            .at_most(1.1),
        ])
    }

    /// An execution's details beside the bare Query.
    ///
    /// # Errors
    /// Those of the requests.
    pub async fn details(&self) -> Result<Vec<Line>, Failure> {
        let name = "details";
        let path = format!("/flow-executions/{DETAILED}");
        let queries = self.large.queries(&path).await?;
        let work = format!("details of a run with {DETAILED_STEPS} steps");
        Ok(vec![
            self.beside_bare(name, &work, &path, &queries).await?,
            requests(name, "their requests", queries.len() as u64, 1),
        ])
    }

    /// The steps of a fork's branches beside the bare Queries.
    ///
    /// # Errors
    /// Those of the requests.
    pub async fn branch_steps(&self) -> Result<Vec<Line>, Failure> {
        let name = "branch-steps";
        let path = format!(
            "/flow-executions/{FORKED}/branch-steps?parentStepInstanceId=fork\
             &parentStepStartTime={}",
            fork_start()
        );
        let queries = self.large.queries(&path).await?;
        let answers = self.large.replay(&queries).await?;
        let megabytes = bytes_of(&answers) as f64 / QUERY_BYTES;
        let work = format!(
            "{BRANCHES} branches of {BRANCH_STEPS} steps, {:.1} MB",
            megabytes * QUERY_BYTES / 1e6
        );
        // One more reads the run, whose team says who may see them.
        let most = megabytes.ceil() as u64 + 1;
        let asked = "their requests: one a MB, and the run itself";
        Ok(vec![
            self.beside_bare(name, &work, &path, &queries).await?,
            requests(name, asked, queries.len() as u64, most),
        ])
    }

    /// A page in the middle beside the first.
    ///
    /// # Errors
    /// Those of the requests.
    pub async fn middle_page(&self) -> Result<Vec<Line>, Failure> {
        let middle = format!("{FIRST_PAGE}&page={}", self.executions / 2 / 50);
        let usage = self.large.ask(&middle).await?;
        let [first, far] = in_turns(
            self.rounds,
            async || self.large.ask(FIRST_PAGE).await.map(drop),
            async || self.large.ask(&middle).await.map(drop),
        )
        .await?;
        let work = format!("page at {} of {}, 50", self.executions / 2, self.executions);
        Ok(vec![
            Line::times("middle-page", work, &far)
                .beside_times("first page", &first)
                .using(usage)
                .at_most(3.0),
        ])
    }

    /// Statistics of 30 days beside the same on the small table.
    ///
    /// # Errors
    /// Those of the requests.
    pub async fn statistics(&self) -> Result<Vec<Line>, Failure> {
        let name = "statistics";
        let usage = self.large.ask(STATISTICS).await?;
        let [small, large] = self.beside_small(STATISTICS).await?;
        let work = format!("statistics of 30 days, {} runs", self.executions);
        Ok(vec![
            Line::times(name, work, &large)
                .beside_times(format!("{SMALL} runs"), &small)
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

    async fn beside_bare(
        &self,
        name: &'static str,
        work: &str,
        path: &str,
        queries: &[QueryInput],
    ) -> Result<Line, Failure> {
        let usage = self.large.ask(path).await?;
        let [ours, bare] = in_turns(
            self.rounds,
            async || self.large.ask(path).await.map(drop),
            async || self.large.replay(queries).await.map(drop),
        )
        .await?;
        Ok(Line::times(name, work, &ours)
            .beside_times("bare Query", &bare)
            .using(usage)
            .at_most(1.25))
    }

    async fn beside_small(&self, path: &str) -> Result<[Times; 2], Failure> {
        in_turns(
            self.rounds,
            async || self.small.ask(path).await.map(drop),
            async || self.large.ask(path).await.map(drop),
        )
        .await
    }
}

fn requests(name: &'static str, work: &str, requests: u64, most: u64) -> Line {
    let figure = Figure::new(requests as f64, Unit::Requests);
    Line::new(name, work, figure).at_most(most as f64)
}

async fn loaded(
    place: &Place,
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

/// When the fork began, and all that is not part of the 30 days.
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

/// The bytes of what was returned.
fn bytes_of(answers: &[QueryOutput]) -> usize {
    let items = answers.iter().flat_map(QueryOutput::items);
    items.map(item_bytes).sum()
}

/// The bytes of an item, as DynamoDB's developer guide counts them: the names and the
/// values, in UTF-8.
fn item_bytes(item: &Item) -> usize {
    item.iter()
        .map(|(name, value)| name.len() + value_bytes(value))
        .sum()
}

fn value_bytes(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) => text.len(),
        // About two digits a byte, and one more.
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
