//! What each function does to the table while the tests run, for
//! `template::each_policy_grants_what_its_function_has_done`.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::sync::{Mutex, OnceLock};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use functions::route::ROUTES;
use serde_json::Value;

/// The variable with the file of the actions. Without it none is recorded.
const FILE_VARIABLE: &str = "FLOWTRAIL_TEST_ACTIONS";

/// The function that authenticates, whatever it does so for.
pub const AUTHORIZE: &str = "authorize";

tokio::task_local! {
    /// The function whose work a task does.
    static FUNCTION: &'static str;
}

/// The file of the actions.
pub fn file() -> Option<PathBuf> {
    std::env::var_os(FILE_VARIABLE).map(PathBuf::from)
}

/// Does the work of a function.
pub async fn as_function<T>(function: &'static str, work: impl Future<Output = T>) -> T {
    FUNCTION.scope(function, work).await
}

/// The name of the route that answers a request; of none, a name that no function has.
pub fn route_of(method: &str, path: &str) -> &'static str {
    let parts = |path: &'_ str| path.split('/').map(str::to_owned).collect::<Vec<_>>();
    let path = parts(path);
    let literals = |template: &str| {
        let template = parts(template);
        let is_match = |(part, asked): (&String, &String)| part.starts_with('{') || part == asked;
        let fits = template.len() == path.len() && template.iter().zip(&path).all(is_match);
        fits.then(|| {
            template
                .iter()
                .filter(|part| !part.starts_with('{'))
                .count()
        })
    };
    // A HEAD is a GET whose answer has no body.
    let method = if method == "HEAD" { "GET" } else { method };
    let routes = ROUTES.iter().filter(|route| route.method == method);
    let fitting = routes.filter_map(|route| Some((literals(route.path)?, route.name)));
    fitting.max().map_or("none", |(_, name)| name)
}

/// Records what a client does.
#[derive(Debug)]
pub struct Recorder {
    /// For which function; `None` for that of the task.
    function: Option<&'static str>,
}

impl Recorder {
    /// A client like another, which records what it does for the function of the task.
    pub fn of_tasks(client: &Client) -> Client {
        Self { function: None }.over(client)
    }

    /// The same, for one function whatever the task does.
    pub fn of(function: &'static str, client: &Client) -> Client {
        let function = Some(function);
        Self { function }.over(client)
    }

    fn over(self, client: &Client) -> Client {
        if file().is_none() {
            return client.clone();
        }
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
        let request = context.request();
        let target = request.headers().get("x-amz-target").expect("an operation");
        let operation = target.rsplit('.').next().expect("an operation");
        let body = request.body().bytes().expect("a body in hand");
        let body: Value = serde_json::from_slice(body).expect("JSON");
        for (action, place) in actions(operation, &body) {
            record(format!("{function} dynamodb:{action} {place}"));
        }
        Ok(())
    }
}

/// The actions of an operation as IAM names them, each with its place: an index, or of
/// the table the kind of partition.
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
        _ => panic!("a function has no use for {operation}"),
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

/// Writes a line that is not there yet.
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
