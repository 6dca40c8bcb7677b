//! The error of a failed span.

use serde_json::Value;

use crate::otlp::Span;

/// The error of a failed span on one line: type and message of its last exception, or else the
/// message of its status. Lists and statistics show it; the stack trace remains in the
/// exception's event.
pub(super) fn find_error(span: &Span) -> Option<String> {
    let exception = span.events().rev().find_map(describe_exception);
    let message = || find_first_line(span.failure.as_deref()?);
    exception.or_else(message)
}

/// The type and the message of an exception's event: one of them, or both.
fn describe_exception(event: &Value) -> Option<String> {
    if event.get("name")?.as_str()? != "exception" {
        return None;
    }
    let attributes = event.get("attributes")?;
    let text = |name: &str| find_first_line(attributes.get(name)?.as_str()?);
    let parts = [text("exception.type"), text("exception.message")];
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(": "))
}

/// The first line of a text that is not empty, up to a Python stack trace in the same line.
fn find_first_line(text: &str) -> Option<String> {
    const STACK_TRACE: &str = "Traceback (most recent call last)";
    let text = text.split(STACK_TRACE).next().unwrap_or_default();
    let line = text.lines().map(str::trim).find(|line| !line.is_empty())?;
    Some(line.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_first_line_ends_before_a_stack_trace() {
        let line = |text| find_first_line(text);
        let text = "ValueError('no carrier')Traceback (most recent call last):\n  File";
        assert_eq!(line(text).as_deref(), Some("ValueError('no carrier')"));
        assert_eq!(line("\n\r\n  boom \nat x").as_deref(), Some("boom"));
        assert_eq!(line("Traceback (most recent call last):\nx"), None);
        assert_eq!(line(" \n"), None);
    }

    #[test]
    fn an_exception_has_a_type_a_message_or_both() {
        let exception = |name: &str, attributes: Value| {
            describe_exception(&json!({"name": name, "attributes": attributes}))
        };
        let both = json!({"exception.type": "E", "exception.message": "boom\nat x"});
        assert_eq!(
            exception("exception", both.clone()).as_deref(),
            Some("E: boom")
        );
        assert_eq!(exception("retry", both), None);
        let message = json!({"exception.message": "boom", "exception.type": ""});
        assert_eq!(exception("exception", message).as_deref(), Some("boom"));
        assert_eq!(exception("exception", json!({})), None);
        assert_eq!(describe_exception(&json!("exception")), None);
    }
}
