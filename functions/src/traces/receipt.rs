//! What arrived in a request with traces: for the log, and for people who set up an exporter.

use std::collections::BTreeSet;
use std::sync::Arc;

use http::HeaderMap;
use lambda_http::Request;
use shared::model::ExecutionId;
use shared::otlp::{Attributes, Span};
use shared::record::shortened;

use super::form::Form;
use super::grpc::Message;
use super::spans::ReadSpans;

/// How many services, scopes and runs are listed. Programs have a few; a Collector may send those
/// of many programs at once.
const MAX_LISTED: usize = 10;

/// The most bytes of the name of a service or a scope.
const MAX_NAME_BYTES: usize = 100;

/// The most bytes of the explanation.
const MAX_MESSAGE_BYTES: usize = 2_000;

/// The service name of a program that does not name its service.
const UNKNOWN_SERVICE: &str = "unknown_service";

/// How a request with traces is transported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP, in an unknown encoding.
    Http,
    /// HTTP with JSON.
    HttpJson,
    /// HTTP with protobuf.
    HttpProtobuf,
    /// gRPC.
    Grpc,
}

impl Protocol {
    /// The protocol of a request whose body has this encoding.
    pub(super) fn of(request: &Request, form: Form) -> Self {
        match request.extensions().get() {
            Some(Message) => Self::Grpc,
            None => Self::of_form(Some(form)),
        }
    }

    /// The protocol of a request over HTTP, as far as its headers state it.
    pub fn stated_in(headers: &HeaderMap) -> Self {
        Self::of_form(Form::parse(headers).ok().flatten())
    }

    fn of_form(form: Option<Form>) -> Self {
        match form {
            Some(Form::Json) => Self::HttpJson,
            Some(Form::Protobuf) => Self::HttpProtobuf,
            None => Self::Http,
        }
    }

    /// The name, for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "HTTP",
            Self::HttpJson => "HTTP JSON",
            Self::HttpProtobuf => "HTTP protobuf",
            Self::Grpc => "gRPC",
        }
    }
}

/// The first different values of a list, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listed {
    /// The values.
    pub values: Vec<String>,
    /// Whether there are more.
    pub has_more: bool,
}

impl Listed {
    /// Adds a value, unless it is there already.
    fn add(&mut self, value: String) {
        match self.values.len() {
            _ if self.values.contains(&value) => {}
            MAX_LISTED => self.has_more = true,
            _ => self.values.push(value),
        }
    }

    /// Formats the values as one line of the log.
    pub(crate) fn line(&self) -> String {
        let more = if self.has_more { ", …" } else { "" };
        format!("{}{more}", self.values.join(", "))
    }
}

/// The services and scopes of the spans of a body, also of those that are rejected.
#[derive(Debug, Default)]
pub(super) struct Sources {
    services: Listed,
    scopes: Listed,
    /// The source of the last span, which is most often that of the next one too.
    last: Option<(Arc<Attributes>, Arc<Attributes>)>,
}

impl Sources {
    /// Adds the source of a span.
    pub(super) fn add(&mut self, resource: &Arc<Attributes>, scope: &Arc<Attributes>) {
        let is_last = self
            .last
            .as_ref()
            .is_some_and(|(last_resource, last_scope)| {
                Arc::ptr_eq(last_resource, resource) && Arc::ptr_eq(last_scope, scope)
            });
        if is_last {
            return;
        }
        let text = |attributes: &Attributes, name: &str| {
            let value = attributes.get(name)?.as_str()?;
            Some(shortened(value, MAX_NAME_BYTES))
        };
        let service = text(resource, "service.name");
        let service = service.unwrap_or_else(|| UNKNOWN_SERVICE.to_owned());
        self.services.add(service);
        if let Some(name) = text(scope, "name") {
            self.scopes.add(match text(scope, "version") {
                Some(version) => format!("{name} {version}"),
                None => name,
            });
        }
        self.last = Some((resource.clone(), scope.clone()));
    }
}

/// How many attributes, events and links of the spans were dropped: by the program, or because a
/// span has too many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Dropped {
    /// The number of attributes.
    pub attributes: u64,
    /// The number of events.
    pub events: u64,
    /// The number of links.
    pub links: u64,
}

impl Dropped {
    /// Counts what was dropped of a span.
    fn add(&mut self, span: &Span) {
        let count = |name: &str| span.details.get(name).and_then(serde_json::Value::as_u64);
        self.attributes += count("droppedAttributesCount").unwrap_or_default();
        self.events += count("droppedEventsCount").unwrap_or_default();
        self.links += count("droppedLinksCount").unwrap_or_default();
    }
}

/// What arrived in a request whose body was read. The response has it as an extension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// How it was transported.
    pub protocol: Protocol,
    /// The names of the services.
    pub services: Listed,
    /// The instrumentation scopes with their versions.
    pub scopes: Listed,
    /// The runs of the spans that were written.
    pub runs: Listed,
    /// The number of spans that were written.
    pub spans: usize,
    /// The number of spans that were not written.
    pub rejected_spans: usize,
    /// What is missing in the spans that were written.
    pub dropped: Dropped,
    /// Which spans were rejected, and what else was not read. Empty if there is nothing.
    pub message: String,
}

impl Receipt {
    /// Describes a body that was read, before its spans are written.
    pub(super) fn of_body(protocol: Protocol, read: &ReadSpans) -> Self {
        let mut receipt = Self {
            protocol,
            services: read.sources.services.clone(),
            scopes: read.sources.scopes.clone(),
            runs: Listed::default(),
            spans: 0,
            rejected_spans: read.rejections.spans(),
            dropped: Dropped::default(),
            message: shortened(&read.message(), MAX_MESSAGE_BYTES),
        };
        read.spans.iter().for_each(|span| receipt.dropped.add(span));
        receipt
    }

    /// Records that the valid spans were written into these runs, except for the rejected ones.
    pub(super) fn complete(
        &mut self,
        valid: usize,
        read: &ReadSpans,
        runs: &BTreeSet<ExecutionId>,
    ) {
        runs.iter().for_each(|run| self.runs.add(run.to_string()));
        let rejected_later = read.rejections.spans() - self.rejected_spans;
        self.spans = valid.saturating_sub(rejected_later);
        self.rejected_spans = read.rejections.spans();
        self.message = shortened(&read.message(), MAX_MESSAGE_BYTES);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn attributes(value: serde_json::Value) -> Arc<Attributes> {
        Arc::new(value.as_object().expect("an object").clone())
    }

    #[test]
    fn sources_are_listed_once_with_their_versions() {
        let mut sources = Sources::default();
        let shop = attributes(json!({"service.name": "shop"}));
        let scope = attributes(json!({"name": "orders", "version": "1.0"}));
        sources.add(&shop, &scope);
        sources.add(&shop, &scope);
        sources.add(
            &shop,
            &attributes(json!({"name": "orders", "version": "1.0"})),
        );
        sources.add(&shop, &attributes(json!({"name": "orders"})));
        sources.add(&attributes(json!({})), &attributes(json!({})));
        assert_eq!(sources.services.values, ["shop", "unknown_service"]);
        assert_eq!(sources.scopes.values, ["orders 1.0", "orders"]);
        assert!(!sources.scopes.has_more);
    }

    #[test]
    fn lists_are_short() {
        let mut listed = Listed::default();
        for number in 0..MAX_LISTED {
            listed.add(number.to_string());
        }
        listed.add("0".to_owned());
        assert!(!listed.has_more);
        listed.add("another".to_owned());
        assert_eq!(listed.line(), "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, …");
        let long = "x".repeat(1_000);
        let mut sources = Sources::default();
        let resource = attributes(json!({"service.name": long}));
        sources.add(&resource, &attributes(json!({})));
        assert_eq!(sources.services.values[0].len(), MAX_NAME_BYTES);
    }
}
