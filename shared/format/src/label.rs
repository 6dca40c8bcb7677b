//! A label of a run, as a search condition.

use std::fmt;
use std::str::FromStr;

/// The most bytes of a label's name and value in total.
pub const MAX_LABEL_LENGTH: usize = 512;

/// A label with its value, as a search condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    name: String,
    value: String,
}

/// Why a text is not a label.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a label is a name, \"=\" and a value, with at most {MAX_LABEL_LENGTH} bytes in total")]
pub struct InvalidLabel;

impl Label {
    /// Creates a label. Returns `None` for a label by which runs cannot be found: it has no name or
    /// no value, is too long, or has a `=` in its name, which would be read as another label.
    pub fn new(name: &str, value: &str) -> Option<Self> {
        let is_searched = !name.is_empty()
            && !value.is_empty()
            && !name.contains('=')
            && name.len() + value.len() <= MAX_LABEL_LENGTH;
        is_searched.then(|| Self {
            name: name.to_owned(),
            value: value.to_owned(),
        })
    }
}

impl FromStr for Label {
    type Err = InvalidLabel;

    /// Parses `orderId=42`. The value starts after the first `=`.
    fn from_str(text: &str) -> Result<Self, InvalidLabel> {
        let (name, value) = text.split_once('=').ok_or(InvalidLabel)?;
        Self::new(name, value).ok_or(InvalidLabel)
    }
}

impl fmt::Display for Label {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}={}", self.name, self.value)
    }
}
