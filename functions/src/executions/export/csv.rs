//! The rows of a CSV export, as RFC 4180 has them: CRLF at their ends, quotes
//! where a cell needs them.
//!
//! There is no byte order mark: the header would begin with it for every reader
//! that does not expect one, Python's among them. Excel reads UTF-8 without it
//! through "From Text/CSV".

use std::borrow::Cow;

use csv::{Terminator, Writer, WriterBuilder};
use masking::Masker;
use shared::model::{Execution, Step};
use shared::{Error, Result};

use super::CHUNK_BYTES;
use crate::executions::views::{node_status_word, status_word};

/// The columns of a run, as the API's document has them.
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

/// And those of a node.
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

/// The one cell of the last row of a file that was cut off.
const CUT_OFF: &str = "EXPORT CUT OFF: the rows above are not all";

/// What makes a formula of a cell, in one spreadsheet or another: with OWASP's
/// list the full-width forms, which Asian editions take for the plain ones.
const FORMULA_BEGINNINGS: &[char] = &['=', '+', '-', '@', '＝', '＋', '－', '＠'];

/// Rows that wait to leave.
pub(super) struct CsvRows {
    masker: Masker,
    writer: Writer<Vec<u8>>,
    /// The cells of the run that is being written, if there is one.
    execution: Option<[String; 8]>,
    /// Whether that run has no row yet.
    is_bare: bool,
}

impl CsvRows {
    pub(super) fn new(masker: Masker) -> Self {
        Self {
            masker,
            writer: writer(),
            execution: None,
            is_bare: false,
        }
    }

    pub(super) fn begin(&mut self) -> Result<()> {
        let columns = EXECUTION_COLUMNS.iter().chain(&NODE_COLUMNS);
        self.writer.write_record(columns).map_err(Error::internal)
    }

    pub(super) fn execution(&mut self, execution: &Execution) -> Result<()> {
        self.end()?;
        let masked = |text: Option<&str>| self.masked(text).into_owned();
        self.execution = Some([
            cell(&execution.execution_id).into_owned(),
            plain(execution.flow_id.as_deref()).into_owned(),
            masked(execution.flow_name.as_deref()),
            execution.status.map_or("", status_word).to_owned(),
            masked(execution.trigger.as_deref()),
            shown(execution.start_time),
            shown(execution.end_time),
            shown(execution.duration_ms()),
        ]);
        self.is_bare = true;
        Ok(())
    }

    pub(super) fn step(&mut self, step: &Step) -> Result<()> {
        let cells = [
            plain(step.step_id.as_deref()),
            self.masked(step.step_type.as_deref()),
            self.masked(step.step_name.as_deref()),
            step.status.map_or("", node_status_word).into(),
            shown(step.start_time()).into(),
            shown(step.end_time).into(),
            shown(step.duration_ms()).into(),
            self.masked(step.error_message.as_deref()),
        ];
        self.row(&cells)
    }

    /// Ends the run that is being written.
    pub(super) fn end(&mut self) -> Result<()> {
        if self.is_bare {
            self.row(&[const { Cow::Borrowed("") }; 8])?;
        }
        Ok(())
    }

    /// Says that the rows are not all of them.
    pub(super) fn cut_off(&mut self) -> Result<()> {
        self.writer.write_record([CUT_OFF]).map_err(Error::internal)
    }

    fn row(&mut self, node: &[Cow<'_, str>; 8]) -> Result<()> {
        let execution = self.execution.iter().flatten().map(String::as_str);
        let cells = execution.chain(node.iter().map(AsRef::as_ref));
        self.writer.write_record(cells).map_err(Error::internal)?;
        self.is_bare = false;
        Ok(())
    }

    fn masked<'t>(&self, text: Option<&'t str>) -> Cow<'t, str> {
        match self.masker.mask(text.unwrap_or_default()) {
            Cow::Borrowed(text) => cell(text),
            Cow::Owned(text) => Cow::Owned(cell(&text).into_owned()),
        }
    }

    /// How many bytes wait, less what the writer has in its own buffer.
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
    WriterBuilder::new()
        .terminator(Terminator::CRLF)
        // A file that was cut off has a last row of one cell.
        .flexible(true)
        .from_writer(Vec::with_capacity(CHUNK_BYTES + CHUNK_BYTES / 4))
}

fn plain(text: Option<&str>) -> Cow<'_, str> {
    cell(text.unwrap_or_default())
}

fn shown(value: Option<impl ToString>) -> String {
    value.map_or(String::new(), |value| value.to_string())
}

/// A text as a cell. A spreadsheet would run one that begins as a formula does,
/// so that has an apostrophe before it; blanks before the formula hide it from
/// people and from some spreadsheets, but not from all. No spreadsheet keeps a
/// NUL, so it is the picture of one.
fn cell(text: &str) -> Cow<'_, str> {
    let begins_with_control = text.starts_with(['\t', '\r', '\n']);
    let visible = text.trim_start_matches(|letter: char| {
        letter.is_whitespace() || letter.is_control() || letter == '\u{FEFF}'
    });
    let is_formula = begins_with_control || visible.starts_with(FORMULA_BEGINNINGS);
    let text = match text.contains('\0') {
        true => Cow::Owned(text.replace('\0', "\u{2400}")),
        false => Cow::Borrowed(text),
    };
    match is_formula {
        true => Cow::Owned(format!("'{text}")),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_spreadsheet_would_run_has_an_apostrophe_before_it() {
        for formula in [
            "=1+1",
            "+1",
            "-1",
            "@SUM(A1)",
            "\t=1",
            "\ttext",
            "\r=1",
            "\n=1",
            "\r\ntext",
            "  =1+1",
            "\u{a0}=1",
            "\u{FEFF}=1",
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
