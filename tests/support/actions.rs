//! Records the actions of each function on the table during the tests. The tests of the
//! template compare them with the policies.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use functions::routes::ROUTES;
use serde_json::Value;
use shared::keys;

/// The variable with the file for the actions. Without it no action is recorded.
const FILE_VARIABLE: &str = "FLOWTRAIL_TEST_ACTIONS";

/// The function that authenticates callers for all others.
pub const AUTHORIZE: &str = "authorize";

tokio::task_local! {
    /// The function that a task works for.
    static FUNCTION: &'static str;
}

/// The file for the actions.
pub fn file() -> Option<PathBuf> {
    std::env::var_os(FILE_VARIABLE).map(PathBuf::from)
}

/// Runs the work of a function.
pub async fn as_function<T>(function: &'static str, work: impl Future<Output = T>) -> T {
    FUNCTION.scope(function, work).await
}

/// The name of the route for a request; without one, a name that no function has.
pub fn route_of(method: &str, path: &str) -> &'static str {
    let parts = |path: &'_ str| path.split('/').map(str::to_owned).collect::<Vec<_>>();
    let path = parts(path);
    let literals = |template: &str| {
        let template = parts(template);
        let is_match = |(part, value): (&String, &String)| part.starts_with('{') || part == value;
        let fits = template.len() == path.len() && template.iter().zip(&path).all(is_match);
        fits.then(|| {
            template
                .iter()
                .filter(|part| !part.starts_with('{'))
                .count()
        })
    };
    // A HEAD is a GET without a body in its answer.
    let method = if method == "HEAD" { "GET" } else { method };
    let routes = ROUTES.iter().filter(|route| route.method == method);
    let fitting = routes.filter_map(|route| Some((literals(route.path)?, route.name)));
    fitting.max().map_or("none", |(_, name)| name)
}

/// Records the actions of a client.
#[derive(Debug)]
pub struct Recorder {
    /// The function; `None` for the function of the task.
    function: Option<&'static str>,
}

impl Recorder {
    /// A copy of a client that records its actions for the function of the task.
    pub fn of_tasks(client: &Client) -> Client {
        Self { function: None }.over(client)
    }

    /// A copy of a client that records its actions for one function.
    pub fn of(function: &'static str, client: &Client) -> Client {
        let function = Some(function);
        Self { function }.over(client)
    }

    fn over(self, client: &Client) -> Client {
        let config = client.config().to_builder().interceptor(self);
        Client::from_conf(config.build())
    }
}

impl Intercept for Recorder {
    fn name(&self) -> &'static str {
        "Recorder"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let of_task = || FUNCTION.try_with(|function| *function).ok();
        let Some(function) = self.function.or_else(of_task) else {
            return Ok(());
        };
        let (operation, body) = operation_and_body(context);
        for condition in conditions_of_executions(&operation, &body) {
            let names_the_team =
                condition.contains("teamId = :") || condition == "attribute_not_exists(pk)";
            assert!(
                names_the_team,
                "{function} writes a run with {operation}: {condition:?}"
            );
        }
        if file().is_some() {
            for (action, place) in actions(&operation, &body) {
                record(format!("{function} dynamodb:{action} {place}"));
            }
        }
        Ok(())
    }
}

/// Collects the actions of a client in the form of the template's policies.
#[derive(Debug, Clone, Default)]
pub struct Collector(Arc<Mutex<BTreeSet<String>>>);

impl Collector {
    /// A copy of a client whose actions are collected.
    pub fn over(&self, client: &Client) -> Client {
        let config = client.config().to_builder().interceptor(self.clone());
        Client::from_conf(config.build())
    }

    /// The actions so far, such as `dynamodb:PutItem EXEC#*`.
    pub fn done(&self) -> BTreeSet<String> {
        self.0.lock().expect("a lock").clone()
    }
}

impl Intercept for Collector {
    fn name(&self) -> &'static str {
        "Collector"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let (operation, body) = operation_and_body(context);
        let actions = actions(&operation, &body).into_iter();
        let actions = actions.map(|(action, place)| format!("dynamodb:{action} {place}"));
        self.0.lock().expect("a lock").extend(actions);
        Ok(())
    }
}

/// The operation of a request, and its body.
fn operation_and_body(context: &BeforeTransmitInterceptorContextRef<'_>) -> (String, Value) {
    let request = context.request();
    let target = request.headers().get("x-amz-target").expect("an operation");
    let operation = target.rsplit('.').next().expect("an operation");
    let body = request.body().bytes().expect("a body in hand");
    let body = serde_json::from_slice(body).expect("JSON");
    (operation.to_owned(), body)
}

/// The conditions of an operation that writes or removes executions; an empty text without a
/// condition. Ids are unique across all teams, so each condition must name the team.
fn conditions_of_executions(operation: &str, body: &Value) -> Vec<String> {
    let condition = |action: &Value| {
        let key = action.get("Item").or_else(|| action.get("Key"))?;
        let condition = action["ConditionExpression"].as_str().unwrap_or_default();
        let names = &action["ExpressionAttributeNames"];
        (key["sk"]["S"] == keys::EXECUTION).then(|| named(condition, names))
    };
    match operation {
        "PutItem" | "UpdateItem" | "DeleteItem" => condition(body).into_iter().collect(),
        "BatchWriteItem" => {
            let requests = tables(&body["RequestItems"]).flat_map(list);
            requests.flat_map(tables).filter_map(condition).collect()
        }
        "TransactWriteItems" => {
            let actions = list(&body["TransactItems"]).flat_map(tables);
            actions.filter_map(condition).collect()
        }
        _ => Vec::new(),
    }
}

/// An expression with the names of attributes instead of their placeholders.
fn named(expression: &str, names: &Value) -> String {
    let words = expression.split_inclusive([' ', '(', ')', ',']);
    let name_of = |word: &str| {
        let placeholder = word.trim_end_matches([' ', '(', ')', ',']);
        match names[placeholder].as_str() {
            Some(name) => word.replacen(placeholder, name, 1),
            None => word.to_owned(),
        }
    };
    words.map(name_of).collect()
}

/// The actions of an operation as IAM names them, each with its place: an index, or a kind of
/// partition of the table.
fn actions(operation: &str, body: &Value) -> Vec<(String, String)> {
    let kind = |item: &Value| {
        let pk = item["pk"]["S"].as_str();
        kind_of(pk.unwrap_or_else(|| panic!("{operation} has no key: {item}")))
    };
    let own = |place: String| vec![(operation.to_owned(), place)];
    match operation {
        "GetItem" | "DeleteItem" | "UpdateItem" => own(kind(&body["Key"])),
        "PutItem" => own(kind(&body["Item"])),
        "Query" => match body["IndexName"].as_str() {
            Some(index) => own(format!("index/{index}")),
            None => own(kind_of(
                body["ExpressionAttributeValues"][":p0"]["S"]
                    .as_str()
                    .expect("a partition"),
            )),
        },
        "BatchGetItem" => {
            let keys = tables(&body["RequestItems"]).flat_map(|table| list(&table["Keys"]));
            keys.map(|key| (operation.to_owned(), kind(key))).collect()
        }
        "BatchWriteItem" => {
            let requests = tables(&body["RequestItems"]).flat_map(list);
            let items = requests.flat_map(|request| {
                let put = request["PutRequest"].get("Item");
                put.or_else(|| request["DeleteRequest"].get("Key"))
            });
            items
                .map(|item| (operation.to_owned(), kind(item)))
                .collect()
        }
        "TransactWriteItems" => {
            let actions = list(&body["TransactItems"]).flat_map(tables_by_name);
            let actions = actions.map(|(name, action)| {
                let item = action.get("Item").or_else(|| action.get("Key"));
                let item = item.expect("an item or a key");
                let name = match name.as_str() {
                    "ConditionCheck" => "ConditionCheckItem".to_owned(),
                    name => format!("{name}Item"),
                };
                (name, kind(item))
            });
            actions.collect()
        }
        _ => panic!("no function may use {operation}"),
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn tables(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_object().into_iter().flat_map(|map| map.values())
}

fn tables_by_name(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

/// `EXEC#*` of `EXEC#run-1`.
fn kind_of(partition: &str) -> String {
    let prefix = partition.split_once('#').map(|(prefix, _)| prefix);
    prefix.map_or(partition.to_owned(), |prefix| format!("{prefix}#*"))
}

/// Writes a line, unless the file already has it.
fn record(line: String) {
    static RECORDED: OnceLock<Mutex<(BTreeSet<String>, File)>> = OnceLock::new();

    let recorded = RECORDED.get_or_init(|| {
        let file = OpenOptions::new()
            .append(true)
            .create(true)
            .open(file().expect("a file"));
        Mutex::new((BTreeSet::new(), file.expect("opened")))
    });
    let (lines, file) = &mut *recorded.lock().expect("a lock");
    if lines.insert(line.clone()) {
        writeln!(file, "{line}").expect("written");
    }
}
