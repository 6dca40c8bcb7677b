//! Values that are assigned to several names at once: `my ($user, $pass) = ('bob', 'x')`,
//! `user, password = "bob", "x"`, and Perl's dumps `$VAR1 = 'password'; $VAR2 = 'x';`.

use super::Values;
use super::context::{is_name, is_quote, line_before, skip_blanks, skip_spaces};
use super::judgement::is_message;
use super::quoted;
use crate::names::{Certainty, Name};
use crate::text::Text;

/// How many bytes of the names are read.
const LONGEST_NAMES: usize = 160;

/// Adds the value that belongs to a name in a list of names.
pub(super) fn find(text: Text<'_>, name: Name, values: &mut Values) {
    if name.certainty < Certainty::Likely {
        return;
    }
    match text.byte(name.end) {
        b'\'' | b'"' => read_dumped(text, name, values),
        b',' | b')' | b' ' => read_assigned(text, name, values),
        _ => {}
    }
}

/// Adds the value of the next variable in a dump of Perl: `$VAR1 = 'password';`, `$VAR2 = 'x';`.
fn read_dumped(text: Text<'_>, name: Name, values: &mut Values) {
    let line = line_before(text, name.start, LONGEST_NAMES);
    if !line.starts_with("$VAR") || !text.rest(name.end + 1).starts_with(b";\n$VAR") {
        return;
    }
    let start = text.run_within(name.end + 1, 32, |byte| !is_quote(byte));
    if let Some(value) = quoted::read_real(text, start).filter(|value| value.is_closed) {
        values.push(value.start, value.end);
    }
}

/// Adds the value at the place of a name: the name has as many commas before it as the value.
fn read_assigned(text: Text<'_>, name: Name, values: &mut Values) {
    let is_part =
        |byte: u8| is_name(byte) || matches!(byte, b'$' | b'@' | b',' | b' ' | b')' | b']');
    let equals = text.run_within(name.end, LONGEST_NAMES, is_part);
    let names = line_before(text, name.start, LONGEST_NAMES);
    let names = names.rsplit(['(', '[', ';']).next().unwrap_or_default();
    let index = names.matches(',').count();
    let later = &text.text.as_bytes()[name.end..equals];
    let is_list = index > 0 || later.contains(&b',');
    if text.byte(equals) != b'='
        || text.byte(equals + 1) != b' '
        || !is_list
        || names.contains(['=', ':', '"', '\''])
    {
        return;
    }
    let start = skip_blanks(text, equals + 1);
    let open = usize::from(matches!(text.byte(start), b'(' | b'['));
    let mut at = skip_blanks(text, start + open);
    for place in 0..=index {
        let Some(value) = quoted::read(text, at).filter(|value| value.is_closed) else {
            return;
        };
        if place == index {
            let is_value = !is_message(value.written(text), name.written(text));
            if is_value {
                values.push(value.start, value.end);
            }
            return;
        }
        let comma = skip_spaces(text, value.next);
        if text.byte(comma) != b',' {
            return;
        }
        at = skip_blanks(text, comma + 1);
    }
}
