//! The members of a message, by their names in OTLP.

use serde_json::{Map, Value};

use super::values;

/// Whether a member has a name in camel case: in any case, with or without underscores.
///
/// Go's general encoder and protobuf's definitions write `trace_id`, serializers of .NET write
/// `TraceId`, and converters from Jaeger's format write `traceID`.
pub(in crate::traces) fn is_named(member: &str, name: &str) -> bool {
    let mut letters = member.bytes().filter(|byte| *byte != b'_');
    let is_start = name.bytes().all(|byte| {
        letters
            .next()
            .is_some_and(|it| it.eq_ignore_ascii_case(&byte))
    });
    is_start && letters.next().is_none()
}

/// The members of a message.
#[derive(Debug, Default)]
pub(super) struct Members(Map<String, Value>);

impl From<Map<String, Value>> for Members {
    fn from(members: Map<String, Value>) -> Self {
        Self(members)
    }
}

impl Members {
    /// Removes a member. Returns null if it is missing.
    pub(super) fn take(&mut self, name: &str) -> Value {
        match self.0.remove(name) {
            Some(value) if !value.is_null() => value,
            _ => self.take_other_spelling(name),
        }
    }

    fn take_other_spelling(&mut self, name: &str) -> Value {
        let mut members = self.0.iter_mut();
        let found = members.find(|(member, value)| is_named(member, name) && !value.is_null());
        found.map(|(_, value)| value.take()).unwrap_or_default()
    }

    /// Removes a member that is a text. Returns an empty text if it is missing.
    pub(super) fn take_text(&mut self, name: &str) -> String {
        match values::to_text(self.take(name)) {
            Value::String(text) => text,
            _ => String::new(),
        }
    }

    /// Removes a member that is a list. A single value is a list of one.
    pub(super) fn take_list(&mut self, name: &str) -> Vec<Value> {
        match self.take(name) {
            Value::Null => Vec::new(),
            Value::Array(values) => values,
            value => vec![value],
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_are_compared_without_case_and_underscores() {
        for member in ["traceId", "trace_id", "TraceId", "traceID", "TRACE_ID"] {
            assert!(is_named(member, "traceId"), "{member}");
        }
        for member in ["", "trace", "traceIds", "trace-id", "xtraceId"] {
            assert!(!is_named(member, "traceId"), "{member}");
        }
    }

    #[test]
    fn a_missing_member_does_not_hide_another_spelling() {
        let members = json!({"name": null, "Name": "a", "NAME": null, "kind": 0});
        let Value::Object(members) = members else {
            panic!("an object");
        };
        let mut members = Members::from(members);
        assert_eq!(members.take_text("name"), "a");
        assert_eq!(members.take("kind"), 0);
        assert_eq!(members.take("kind"), Value::Null);
        assert_eq!(members.take_list("kind"), [] as [Value; 0]);
    }
}
