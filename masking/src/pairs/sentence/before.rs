//! Values before their names: `'hunter2' is the password`.

use super::words::BEFORE;
use crate::names::{Certainty, Name};
use crate::pairs::Values;
use crate::pairs::context::{is_quote, is_space, slice};
use crate::pairs::judgement::{is_password, is_placeholder};
use crate::text::Text;

/// The longest value before a name.
const LONGEST_VALUE: usize = 128;

/// Reads a value before its name.
pub(super) fn find_before(text: Text<'_>, name: Name, values: &mut Values) {
    if name.certainty != Certainty::Certain {
        return;
    }
    let Some(end) = skip_words_back(text, name.start) else {
        return;
    };
    let quote = text.byte_before(end);
    if is_quote(quote) {
        let end = end - 1;
        let start = text.run_back(end, LONGEST_VALUE, |byte| byte != quote && byte != b'\n');
        let written = slice(text, start, end);
        if text.byte_before(start) == quote && is_password(written) && !is_placeholder(written) {
            values.push(start, end);
        }
        return;
    }
    let start = text.run_back(end, LONGEST_VALUE, |byte| byte > b' ' && !is_quote(byte));
    let written = slice(text, start, end);
    if written.bytes().any(|byte| byte.is_ascii_digit())
        && written.bytes().any(|byte| byte.is_ascii_alphabetic())
        && is_password(written)
        && !is_placeholder(written)
        && !written.contains(['=', '/'])
    {
        values.push(start, end);
    }
}

/// The end of the text before the words that connect it with a name.
fn skip_words_back(text: Text<'_>, name_start: usize) -> Option<usize> {
    let before = text.before(name_start, 24);
    let trimmed = before.trim_end();
    if trimmed.len() == before.len() {
        return None;
    }
    let lower = trimmed.to_lowercase();
    let word = BEFORE
        .iter()
        .filter(|word| lower.ends_with(**word))
        .max_by_key(|word| word.len())?;
    let end = name_start - (before.len() - trimmed.len()) - word.len();
    is_space(text.byte_before(end)).then(|| text.run_back(end, 4, is_space))
}
