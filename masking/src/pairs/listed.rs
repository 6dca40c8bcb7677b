//! Options of commands and elements of lists: `--password hunter2`, `["--token", "…"]`,
//! `("password", "…")`, `setPassword("…")`, `password hunter2` in files such as `.netrc`.

use call::find_call;
use directive::{find_directive, find_word};
use element::{find_argument, find_element, find_plain_element, find_tuple};
use option::{find_named_option, find_option};

use super::context::{is_quote, is_space, skip_spaces};
use super::judgement::{is_message, is_secret};
use super::{Values, quoted};
use crate::names::Name;
use crate::text::Text;

mod call;
mod directive;
mod element;
mod input;
mod option;
mod words;

/// Adds the value that follows a name in a command, a list or a call.
pub(super) fn find(text: Text<'_>, name: Name, values: &mut Values) {
    let before = text.byte_before(name.start);
    let dashes = text.run_back(name.start, 2, |byte| byte == b'-');
    // `public-private key pair`: the dash is inside a word.
    let is_option = dashes < name.start && !text.byte_before(dashes).is_ascii_alphanumeric();
    if is_option || before == b'/' && is_windows_option(text, name) {
        find_option(text, name, values);
    }
    if is_in_quotes(text, name) {
        find_element(text, name, values);
    }
    input::find(text, name, values);
    find_named_option(text, name, values);
    if before == b':' {
        find_keyword(text, name, values);
    }
    match text.byte(name.end) {
        b'(' => find_call(text, name, values),
        b',' if matches!(before, b'{' | b'(' | b'[') => find_tuple(text, name, values),
        b',' if is_space(before) || before == b',' => find_argument(text, name, values),
        b',' if before == b'-' => find_plain_element(text, name, values),
        b' ' | b'\t' => {
            find_directive(text, name, values);
            find_word(text, name, values);
        }
        _ => {}
    }
}

/// Whether a name after a slash is an option, as in `net use /password x`.
fn is_windows_option(text: Text<'_>, name: Name) -> bool {
    is_space(text.byte_before(name.start - 1)) && is_space(text.byte(name.end))
}

/// Whether quotes enclose a name and the dashes before it.
fn is_in_quotes(text: Text<'_>, name: Name) -> bool {
    // A selector of a page begins with a hash, a parameter of SQL with an at: `fill('#password', 'x')`,
    // `AddWithValue("@password", "x")`.
    let dashes = text.run_back(name.start, 2, |byte| matches!(byte, b'-' | b'#' | b'@'));
    is_quote(text.byte(name.end)) && is_quote(text.byte(dashes.wrapping_sub(1)))
}

/// Adds the value after a keyword of Clojure and Lisp: `:password "x"`.
fn find_keyword(text: Text<'_>, name: Name, values: &mut Values) {
    if text.byte_before(name.start - 1).is_ascii_alphanumeric() || text.byte(name.end) != b' ' {
        return;
    }
    if let Some(value) = quoted::read(text, skip_spaces(text, name.end)) {
        let written = value.written(text);
        let looks = is_secret(written, name.certainty) || written.chars().count() >= 6;
        if !is_message(written, name.written(text)) && looks {
            values.push(value.start, value.end);
        }
    }
}
