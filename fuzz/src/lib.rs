//! Shared code of the fuzz targets: a table that is read but never written.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Region};
use aws_sdk_dynamodb::types::AttributeValue;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use functions::problem::Problem;
use functions::reply::Reply;
use functions::route::Route;
use http_body_util::BodyExt;
use lambda_http::{Request, RequestExt};
use serde_json::{Map, Value, json};
use shared::attributes::{CREATED_AT, PARTITION_KEY, SORT_KEY};
use shared::auth::{Caller, Permission};
use shared::config::local_credentials;
use shared::model::{Item, TeamId};
use shared::store::Store;
use shared::table::INDEXES;
use tokio::runtime::Runtime;

/// The team of all callers.
pub const TEAM: &str = "team-a";

/// An item in DynamoDB's JSON.
type JsonItem = Map<String, Value>;

/// The result of writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writes {
    /// They report success and change nothing.
    Forgotten,
    /// They are refused, as for a client without the permission.
    Refused,
}

/// A table whose items are set by the target and never change through requests.
#[derive(Debug, Clone)]
pub struct Table {
    items: Arc<Mutex<Vec<JsonItem>>>,
    writes: Writes,
}

impl Table {
    /// Creates an empty table.
    pub fn new(writes: Writes) -> Self {
        Self {
            items: Arc::default(),
            writes,
        }
    }

    /// Replaces all items.
    pub fn hold(&self, items: &[Item]) {
        *self.items.lock().expect("a lock") = items.iter().map(json_item).collect();
    }

    /// Creates a store for the table, without any cached data.
    pub fn store(&self) -> Store {
        let config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static("local"))
            .credentials_provider(local_credentials())
            .retry_config(RetryConfig::disabled())
            .http_client(self.clone())
            .build();
        Store::new(Client::from_conf(config), "flowtrail")
    }

    fn answer(&self, operation: &str, request: &Value) -> (u16, Value) {
        let items = self.items.lock().expect("a lock");
        match operation {
            "Query" => {
                let found: Vec<_> = items.iter().filter(|item| matches(item, request)).collect();
                let count = found.len();
                let answer = json!({"Items": found, "Count": count, "ScannedCount": count});
                (200, answer)
            }
            "GetItem" => {
                let has_key =
                    |name| move |item: &&JsonItem| item.get(name) == request["Key"].get(name);
                let mut found = items
                    .iter()
                    .filter(has_key(PARTITION_KEY))
                    .filter(has_key(SORT_KEY));
                let answer = found.next().map(|item| json!({"Item": item}));
                (200, answer.unwrap_or_else(|| json!({})))
            }
            _ if self.writes == Writes::Refused => {
                (400, json!({"__type": "AccessDeniedException"}))
            }
            _ => (200, json!({})),
        }
    }
}

fn json_item(item: &Item) -> JsonItem {
    let attributes = item.iter();
    attributes
        .map(|(name, value)| (name.clone(), json_value(value)))
        .collect()
}

fn json_value(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::S(text) => json!({"S": text}),
        AttributeValue::N(number) => json!({"N": number}),
        AttributeValue::B(bytes) => json!({"B": BASE64.encode(bytes)}),
        AttributeValue::Bool(value) => json!({"BOOL": value}),
        AttributeValue::Ss(texts) => json!({"SS": texts}),
        AttributeValue::L(values) => {
            json!({"L": values.iter().map(json_value).collect::<Vec<_>>()})
        }
        AttributeValue::M(members) => json!({"M": json_item(members)}),
        _ => json!({"NULL": true}),
    }
}

/// Whether a Query reads an item: in the table, items with its partition key and between its
/// bounds; in an index, all items of the index.
fn matches(item: &JsonItem, request: &Value) -> bool {
    let text = |name: &str| item.get(name)?["S"].as_str();
    if let Some(index) = request["IndexName"].as_str() {
        let index = INDEXES.iter().find(|known| known.name == index);
        let mut names = index.expect("a known index").partition.iter();
        return names.all(|name| text(name).is_some()) && text(CREATED_AT).is_some();
    }
    let values = request["ExpressionAttributeValues"].as_object();
    let values: Vec<_> = values.into_iter().flatten().collect();
    let value = |name: &str| {
        let mut named = values.iter().filter(|(known, _)| *known == name);
        named.next().and_then(|(_, value)| value["S"].as_str())
    };
    let partition = text(PARTITION_KEY);
    let is_in_partition = values
        .iter()
        .any(|(_, value)| value["S"].as_str() == partition);
    let sort = text(SORT_KEY).unwrap_or_default();
    is_in_partition
        && value(":from").is_none_or(|from| from <= sort)
        && value(":to").is_none_or(|to| sort <= to)
}

impl HttpClient for Table {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Table {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let operation = target.rsplit('.').next().unwrap_or_default();
        let body = request.body().bytes().expect("a body in memory");
        let body = serde_json::from_slice(body).expect("a DynamoDB request");
        let (status, answer) = self.answer(operation, &body);
        let status = status.try_into().expect("a status");
        let answer = HttpResponse::new(status, SdkBody::from(answer.to_string()));
        HttpConnectorFuture::ready(Ok(answer))
    }
}

/// A caller with all permissions except seeing secrets.
pub fn caller() -> Caller {
    let team_id: TeamId = TEAM.parse().expect("an id");
    Caller::operator(team_id, "token:fuzz").without(Permission::ExecutionsReveal)
}

/// Creates the runtime of the targets.
pub fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
}

/// Adds the parameters of a route's path, in their order, and a query to a request.
pub fn with_parameters(request: Request, route: &Route, path: &[&str], query: &str) -> Request {
    let names = route.path.split('{').skip(1);
    let names = names.filter_map(|rest| rest.split('}').next());
    let path: HashMap<_, _> = names
        .zip(path)
        .map(|(name, value)| (name.to_owned(), vec![(*value).to_owned()]))
        .collect();
    let mut parameters: HashMap<String, Vec<String>> = HashMap::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let values = parameters.entry(name.into_owned()).or_default();
        values.push(value.into_owned());
    }
    request
        .with_path_parameters(path)
        .with_query_string_parameters(parameters)
}

/// Calls a route's handler. Returns the whole body of the answer, and checks that it is JSON if
/// its content type is.
///
/// # Errors
/// Returns the problem of the handler.
///
/// # Panics
/// Panics if the body is incomplete or not valid JSON.
pub fn answer(
    runtime: &Runtime,
    store: &Store,
    route: &Route,
    request: &Request,
) -> Result<Vec<u8>, Problem> {
    runtime.block_on(async {
        let reply: Reply = (route.handler)(store, &caller(), request).await?;
        let content_type = reply.headers().get("content-type").cloned();
        let body = reply.into_body().collect().await.expect("a whole body");
        let body = body.to_bytes().to_vec();
        if content_type.is_some_and(|content_type| content_type == "application/json") {
            serde_json::from_slice::<serde::de::IgnoredAny>(&body).expect("JSON");
        }
        Ok(body)
    })
}
