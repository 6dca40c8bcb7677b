//! What a test of a page types into the field of a secret: `getByLabel('Password').fill('x')`,
//! `fill in "Password" with "x"`, `Input Password    id=password    x`.

use crate::names::{Certainty, Name};
use crate::pairs::context::{is_quote, is_space, line_end, skip_spaces, slice};
use crate::pairs::judgement::is_placeholder;
use crate::pairs::{Values, quoted};
use crate::text::Text;

/// Calls that type a text into the field before them, and words between a field and its text.
#[rustfmt::skip]
const INPUTS: &[&str] = &[
    ")).sendKeys(", ")).send_keys(", ").type(", ").fill(", ").send_keys(", ").sendKeys(", ").setValue(", ").set(", ").val(", ").clear().type(", ").pressSequentially(", ").enterText(", ").typeText(", " with ", "]').fill(", "]').type(", " field with ", ", with: ",
];

/// How far after a name its text can begin.
const REACH: usize = 32;

/// Adds the text that is typed into the field with a name.
pub(super) fn find(text: Text<'_>, name: Name, values: &mut Values) {
    if name.certainty < Certainty::Likely {
        return;
    }
    find_keyword(text, name, values);
    if !is_quote(text.byte(name.end)) {
        return;
    }
    let close = text.run_within(name.end, 2, is_quote);
    let near = &text.rest(close)[..text.rest(close).len().min(REACH)];
    let input = INPUTS
        .iter()
        .find(|input| near.starts_with(input.as_bytes()));
    if let Some(input) = input
        && let Some(value) = quoted::read_real(text, close + input.len())
    {
        values.push(value.start, value.end);
    }
}

/// Adds the last cell of Robot Framework's `Input Password    id=password    x`.
fn find_keyword(text: Text<'_>, name: Name, values: &mut Values) {
    if !text.rest(name.end).starts_with(b"  ")
        || !matches!(text.before(name.start, 6), "Input " | "Input_")
            && !name.written(text).starts_with("Input ")
    {
        return;
    }
    let locator = skip_spaces(text, name.end);
    let gap = text.run_within(locator, 96, |byte| !is_space(byte) && byte != b'\n');
    let start = skip_spaces(text, gap);
    let value = slice(text, start, line_end(text, start)).trim_end();
    if start > gap + 1 && !is_placeholder(value) && !value.starts_with('$') {
        values.push(start, start + value.len());
    }
}
