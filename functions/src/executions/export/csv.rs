//! The rows of a CSV export, as defined by RFC 4180: they end with CRLF, and cells have quotes if
//! they need them.
//!
//! A byte order mark is written only on request, because readers that do not expect one, such as
//! Python's, take it for a part of the first column's name. Without it, Excel assumes an older
//! encoding if the file is opened with a double click.

use std::borrow::Cow;

use csv::{Terminator, Writer, WriterBuilder};
use shared::model::{Execution, ModelUsage, Step};
use shared::{Error, Result};

use super::CHUNK_BYTES;
use crate::executions::views::{node_status_word, status_word};

/// The columns of a run, in the order of the API's document.
const EXECUTION_COLUMNS: [&str; 8] = [
    "execution_id",
    "workflow_id",
    "workflow_name",
    "status",
    "trigger",
    "started_at",
    "completed_at",
    "duration_ms",
];

/// The columns of a node, in the order of the API's document.
const NODE_COLUMNS: [&str; 8] = [
    "node_id",
    "node_type",
    "node_name",
    "node_status",
    "node_started_at",
    "node_completed_at",
    "node_duration_ms",
    "node_error",
];

/// The columns of a run that the API's document does not have. They are the last ones, so that all
/// other columns keep their positions.
const ADDED_COLUMNS: [&str; 3] = ["input_tokens", "output_tokens", "dropped_steps"];

/// The only cell of the last row in a file that was cut off.
const CUT_OFF: &str = "EXPORT CUT OFF: rows are missing";

/// The characters at the beginning of a cell that make it a formula in some spreadsheet: OWASP's
/// list, and their full-width forms, which Asian editions treat like the plain ones.
const FORMULA_PREFIXES: &[char] = &['=', '+', '-', '@', '＝', '＋', '－', '＠'];

/// The mark by which spreadsheets recognize UTF-8.
const BYTE_ORDER_MARK: &str = "\u{FEFF}";

/// The rendered rows that are not sent yet.
pub(super) struct CsvRows {
    writer: Writer<Vec<u8>>,
    /// The cells of the current run.
    execution: Option<[String; 8]>,
    /// Its cells in the last columns.
    added: [String; 3],
    /// Whether the current run has no row yet.
    needs_row: bool,
    /// Whether the file begins with a byte order mark.
    has_mark: bool,
}

impl CsvRows {
    pub(super) fn new(has_mark: bool) -> Self {
        Self {
            writer: writer(),
            execution: None,
            added: Default::default(),
            needs_row: false,
            has_mark,
        }
    }

    pub(super) fn begin(&mut self) -> Result<()> {
        if self.has_mark {
            let mut start = Vec::with_capacity(CHUNK_BYTES);
            start.extend_from_slice(BYTE_ORDER_MARK.as_bytes());
            self.writer = writer_after(start);
        }
        let columns = EXECUTION_COLUMNS.iter().chain(&NODE_COLUMNS);
        let columns = columns.chain(&ADDED_COLUMNS);
        self.writer.write_record(columns).map_err(Error::internal)
    }

    pub(super) fn execution(&mut self, execution: &Execution) -> Result<()> {
        self.end()?;
        let own = |text: &Option<String>| plain(text.as_deref()).into_owned();
        self.execution = Some([
            cell(&execution.execution_id).into_owned(),
            own(&execution.flow_id),
            own(&execution.flow_name),
            execution.status.map_or("", status_word).to_owned(),
            own(&execution.trigger),
            shown(execution.start_time),
            shown(execution.end_time),
            shown(execution.duration_ms()),
        ]);
        let (input_tokens, output_tokens) = ModelUsage::totals(&execution.usage);
        self.added = [input_tokens, output_tokens, execution.dropped_steps].map(shown);
        self.needs_row = true;
        Ok(())
    }

    pub(super) fn step(&mut self, step: &Step) -> Result<()> {
        let cells = [
            plain(step.step_id.as_deref()),
            plain(step.step_type.as_deref()),
            plain(step.step_name.as_deref()),
            step.status.map_or("", node_status_word).into(),
            shown(step.start_time()).into(),
            shown(step.end_time).into(),
            shown(step.duration_ms()).into(),
            plain(step.error_message.as_deref()),
        ];
        self.row(&cells)
    }

    /// Ends the current run.
    pub(super) fn end(&mut self) -> Result<()> {
        if self.needs_row {
            self.row(&[const { Cow::Borrowed("") }; 8])?;
        }
        Ok(())
    }

    /// Adds a row that says that rows are missing.
    pub(super) fn cut_off(&mut self) -> Result<()> {
        self.writer.write_record([CUT_OFF]).map_err(Error::internal)
    }

    fn row(&mut self, node: &[Cow<'_, str>; 8]) -> Result<()> {
        let execution = self.execution.iter().flatten().map(String::as_str);
        let cells = execution.chain(node.iter().map(AsRef::as_ref));
        let cells = cells.chain(self.added.iter().map(String::as_str));
        self.writer.write_record(cells).map_err(Error::internal)?;
        self.needs_row = false;
        Ok(())
    }

    /// The size of the rows in bytes, without the bytes in the writer's own buffer.
    pub(super) fn len(&self) -> usize {
        self.writer.get_ref().len()
    }

    pub(super) fn take(&mut self) -> Result<Vec<u8>> {
        let written = std::mem::replace(&mut self.writer, writer());
        written
            .into_inner()
            .map_err(|error| Error::internal(error.to_string()))
    }
}

fn writer() -> Writer<Vec<u8>> {
    writer_after(Vec::with_capacity(CHUNK_BYTES + CHUNK_BYTES / 4))
}

/// A writer that appends to these bytes.
fn writer_after(start: Vec<u8>) -> Writer<Vec<u8>> {
    WriterBuilder::new()
        .terminator(Terminator::CRLF)
        // The last row of a file that was cut off has only one cell.
        .flexible(true)
        .from_writer(start)
}

fn plain(text: Option<&str>) -> Cow<'_, str> {
    cell(text.unwrap_or_default())
}

fn shown(value: Option<impl ToString>) -> String {
    value.map_or(String::new(), |value| value.to_string())
}

/// Renders a text as a cell. A spreadsheet would run a text that begins like a formula, so it
/// gets an apostrophe in front, unless it is a plain number. Invisible characters before a
/// formula are skipped: they hide it from people and from some spreadsheets, but not from all.
/// Spreadsheets do not keep a NUL, so it becomes `␀` (U+2400).
fn cell(text: &str) -> Cow<'_, str> {
    let begins_with_control = text.starts_with(['\t', '\r', '\n']);
    let visible = text.trim_start_matches(is_invisible);
    let is_formula =
        (begins_with_control || visible.starts_with(FORMULA_PREFIXES)) && !is_plain_number(text);
    let text = match text.contains('\0') {
        true => Cow::Owned(text.replace('\0', "\u{2400}")),
        false => Cow::Borrowed(text),
    };
    match is_formula {
        true => Cow::Owned(format!("'{text}")),
        false => text,
    }
}

/// Whether a text is a plain number, for which no spreadsheet calculates anything: `-0.02`, `+5`,
/// `1e-3`.
fn is_plain_number(text: &str) -> bool {
    let unsigned = |text: &str| text.strip_prefix(['+', '-']).unwrap_or(text).to_owned();
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let text = unsigned(text);
    let (number, exponent) = match text.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, unsigned(exponent)),
        None => (text.as_str(), "0".to_owned()),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let lacks_digits = exponent.is_empty() || (whole.is_empty() && fraction.is_empty());
    !lacks_digits && [whole, fraction, &exponent].into_iter().all(is_digits)
}

/// Whether a character at the beginning of a text is invisible: blanks, control characters, and
/// the characters that Unicode calls default ignorable (zero width, directions, fillers,
/// selectors, tags).
fn is_invisible(letter: char) -> bool {
    letter.is_whitespace()
        || letter.is_control()
        || matches!(
            letter,
            '\u{AD}'
                | '\u{34F}'
                | '\u{61C}'
                | '\u{115F}'..='\u{1160}'
                | '\u{17B4}'..='\u{17B5}'
                | '\u{180B}'..='\u{180F}'
                | '\u{200B}'..='\u{200F}'
                | '\u{202A}'..='\u{202E}'
                | '\u{2060}'..='\u{206F}'
                | '\u{2800}'
                | '\u{3164}'
                | '\u{FE00}'..='\u{FE0F}'
                | '\u{FEFF}'
                | '\u{FFA0}'
                | '\u{FFF0}'..='\u{FFFB}'
                | '\u{1BCA0}'..='\u{1BCA3}'
                | '\u{1D173}'..='\u{1D17A}'
                | '\u{E0000}'..='\u{E0FFF}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_get_an_apostrophe_in_front() {
        for formula in [
            "=1+1",
            "+1+1",
            "-1+cmd|' /C calc'!A0",
            "-",
            "+",
            "-.",
            "-e5",
            "-1e",
            "-1e+",
            "-1.2.3",
            "-1,5",
            "- 1",
            "--1",
            "-0x1",
            "-١",
            "@SUM(A1)",
            "\t=1",
            "\ttext",
            "\r=1",
            "\n=1",
            "\r\ntext",
            "  =1+1",
            "\u{a0}=1",
            "\u{FEFF}=1",
            "\u{200B}=1",
            "\u{200D}\u{2060}+1+1",
            "\u{202E}@SUM(A1)",
            "\u{2066}-1-1",
            "\u{AD}=1",
            "\u{3164}=1",
            "\u{E0041}=1",
            "\u{FE0F}=1",
            "\u{85} \u{1b}=1",
            "\t-1",
            "\0=1",
            "＝1",
            "＋1",
            "－1",
            "＠1",
        ] {
            let expected = format!("'{}", formula.replace('\0', "␀"));
            assert_eq!(cell(formula), expected, "{formula:?}");
        }
        for text in [
            "",
            "-1",
            "+5",
            "-0.02",
            "-.5",
            "+1.",
            "1e-3",
            "-1E+3",
            "1-1",
            "a=b",
            " text",
            "'=1",
            "…=1",
            "é",
            "[REDACTED:email]",
        ] {
            assert_eq!(cell(text), text);
        }
        assert_eq!(cell("a\0b"), "a␀b");
    }
}
