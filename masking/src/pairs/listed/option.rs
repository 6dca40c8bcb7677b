//! Options of commands: `--password hunter2`, `-token "…"`.

use crate::names::{self, Name};
use crate::pairs::context::{
    enclosing_bracket, is_quote, is_space, line_before, line_end, skip_blanks, skip_spaces, slice,
};
use crate::pairs::judgement::{
    is_compound, is_object_name, is_password, is_placeholder, is_secret, is_sentence, names_itself,
    names_password,
};
use crate::pairs::{Values, quoted, scheme};
use crate::text::Text;

/// Adds the value after `--password `: in the same line, in the next line of a list, or in the next
/// element.
pub(super) fn find_option(text: Text<'_>, name: Name, values: &mut Values) {
    let next = text.byte(name.end);
    if matches!(next, b'\n' | b'\r') {
        return read_next_line(text, name, values);
    }
    if is_space(next) || next == b'\\' && matches!(text.byte(name.end + 1), b'\n' | b' ') {
        let start = skip_spaces(text, name.end);
        let start = match text.rest(start) {
            [b'\\', b'\n', ..] => skip_blanks(text, start + 1),
            _ => start,
        };
        read_argument(text, start, name, false, values);
    }
}

/// Options that are followed by a name.
const NAME_OPTIONS: &[&str] = &["-Name", "/v", "--name", "-n"];

/// Options that are followed by the value of that name.
const VALUE_OPTIONS: &[&str] = &[" -Value ", " /d ", " --value ", " --secret-string ", " -v "];

/// Adds the value of a name that is the argument of another option: `reg add x /v Password /d x`,
/// `Set-ItemProperty -Name Password -Value x`.
pub(super) fn find_named_option(text: Text<'_>, name: Name, values: &mut Values) {
    let before = line_before(text, name.start, LONGEST_OPTION).trim_end_matches([' ', '"', '\'']);
    if !NAME_OPTIONS.iter().any(|option| before.ends_with(option)) {
        return;
    }
    let end = line_end(text, name.end).min(name.end + LONGEST_PREVIEW);
    let line = text.text.get(name.end..end).unwrap_or_default();
    let found = VALUE_OPTIONS
        .iter()
        .find_map(|option| Some(line.find(option)? + option.len()));
    if let Some(place) = found {
        read_argument(text, name.end + place, name, false, values);
    }
}

/// The longest option before a name.
const LONGEST_OPTION: usize = 24;

/// Adds the argument in the line after an option: `- --token` and `- x`, or a word of its own.
fn read_next_line(text: Text<'_>, name: Name, values: &mut Values) {
    let start = skip_blanks(text, name.end);
    if text.rest(start).starts_with(b"- ") {
        let start = skip_spaces(text, start + 2);
        return read_argument(text, start, name, true, values);
    }
    if let Some(start) = skip_index(text, start) {
        return read_item(text, start, values);
    }
    let end = text.run_near(start, |byte| byte > b' ');
    let written = slice(text, start, end);
    if matches!(text.byte(end), 0 | b'\n' | b'\r')
        && is_password(written)
        && !written.starts_with('-')
    {
        values.push(start, end);
    }
}

/// Skips the index of an element in a dump of PHP: `[3] => `.
fn skip_index(text: Text<'_>, at: usize) -> Option<usize> {
    let end = text.run_within(at + 1, 4, |byte| byte.is_ascii_digit());
    let is_index = text.byte(at) == b'[' && text.rest(end).starts_with(b"] => ");
    is_index.then_some(end + 5)
}

/// Adds an element that is the rest of its line.
fn read_item(text: Text<'_>, start: usize, values: &mut Values) {
    let end = line_end(text, start);
    let written = slice(text, start, end);
    if !is_placeholder(written) && !written.starts_with('-') {
        values.push(start, end);
    }
}

/// Adds the argument of an option. `is_item` says whether it is an item of a list in YAML.
fn read_argument(text: Text<'_>, at: usize, name: Name, is_item: bool, values: &mut Values) {
    let at = at + quoted::prefix_length(text, at, b"$@");
    if let Some(value) = quoted::read(text, at) {
        return read_quoted(text, value, name, values);
    }
    if is_other_option(text, at) {
        return;
    }
    let end = argument_end(text, at, LONGEST_PREVIEW, name, is_item);
    let written = slice(text, at, end);
    let is_word =
        !is_item && at > name.end + 1 && written.bytes().all(|byte| byte.is_ascii_alphabetic());
    if !written.is_empty()
        && !is_word
        && !is_placeholder(written)
        && !is_usage(text, end, written, name)
        && !is_mount(written, name.written(text))
        && !is_key_file(written)
        && (is_secret(written, name.certainty)
            || is_compound(written)
                && names_password(name.written(text))
                && names::judge_known(name.written(text)).is_some())
        && !is_prose(written)
    {
        let is_whole = end < at + LONGEST_PREVIEW / 2;
        let end = if is_whole {
            end
        } else {
            argument_end(text, at, usize::MAX, name, is_item)
        };
        let end = if is_item || !names_password(name.written(text)) {
            end
        } else {
            words_end(text, end)
        };
        values.push(at, end);
    }
}

/// The most further words of an argument whose quotes are lost.
const MOST_WORDS: usize = 4;

/// The end of the words after an argument that belong to it, because the next option follows them, as
/// in a list of processes: `--password two words --port 1`.
fn words_end(text: Text<'_>, end: usize) -> usize {
    let mut at = end;
    for _ in 0..=MOST_WORDS {
        if text.byte(at) != b' ' {
            break;
        }
        if text.byte(at + 1) == b'-' && text.byte(at + 2).is_ascii_alphabetic()
            || text.rest(at).starts_with(b" --")
        {
            return at;
        }
        let next = text.run_within(at + 1, LONGEST_WORD, |byte| {
            byte > b' ' && !matches!(byte, b'/' | b'=' | b':' | b'"' | b'\'' | b'|' | b'>' | b'.')
        });
        if next == at + 1 {
            break;
        }
        at = next;
    }
    end
}

/// The longest word of such an argument.
const LONGEST_WORD: usize = 32;

/// Adds an argument in quotes, or the credential after its scheme.
fn read_quoted(text: Text<'_>, value: quoted::Quoted, name: Name, values: &mut Values) {
    let lower = name.written(text).to_ascii_lowercase();
    if (lower.ends_with("auth") || lower.ends_with("authorization"))
        && let Some(credential) = scheme::find(text, value.start, Some(value.end))
    {
        return credential.check(text, values);
    }
    let written = value.written(text);
    // `--pass "two words"`
    let is_words =
        names_password(&lower) && written.chars().count() >= 4 && written.parse::<u32>().is_err();
    if !is_placeholder(written) && (is_words || is_secret(written, name.certainty)) {
        values.push(value.start, value.end);
    }
}

/// Whether another option or a call of PowerShell follows, and not a value.
fn is_other_option(text: Text<'_>, at: usize) -> bool {
    let rest = text.rest(at);
    let is_call = rest.starts_with(b"(ConvertTo-SecureString")
        || rest.starts_with(b"$(ConvertTo-SecureString");
    let is_short = text.byte(at + 1).is_ascii_alphabetic()
        && matches!(text.byte(at + 2), b' ' | b'\n' | 0 | b'=');
    // PowerShell: `-AsSecureString -Prompt "Password"`.
    let is_word = text.byte(at + 1).is_ascii_uppercase() && text.byte(at + 2).is_ascii_lowercase();
    // Java: `-keypasswd -keypass x`.
    let end = text.run_within(at + 1, 24, |byte| byte.is_ascii_lowercase());
    let is_long =
        end > at + 3 && text.byte(end) == b' ' && names::judge(slice(text, at + 1, end)).is_some();
    is_call
        || text.byte(at) == b'-' && is_long
        || text.byte(at) == b'-' && (is_word || text.byte(at + 1) == b'-' || is_short)
}

/// How many bytes of an argument are read to judge it. Only confirmed values are read to their end.
const LONGEST_PREVIEW: usize = 1024;

/// Where an argument without quotes ends, of which at most `most` bytes are read.
fn argument_end(text: Text<'_>, at: usize, most: usize, name: Name, is_item: bool) -> usize {
    let mut end = at;
    while end - at < most && !ends_argument(text, end, at, name, is_item) {
        end += 1;
    }
    end = text.text.floor_char_boundary(end);
    while end > at && matches!(text.byte(end - 1), b' ' | b',') {
        end -= 1;
    }
    end
}

/// Whether the argument that begins at `start` ends at a position.
fn ends_argument(text: Text<'_>, at: usize, start: usize, name: Name, is_item: bool) -> bool {
    let next = text.byte(at + 1);
    match text.byte(at) {
        0 => at >= text.text.len(),
        b'\n' | b'\r' => true,
        b' ' | b'\t' => !is_item && (at == start || text.byte(at - 1) != b'\\'),
        b'"' | b'\'' | b'`' | b';' => !next.is_ascii_alphanumeric(),
        b'|' | b'>' => is_space(text.byte_before(at)),
        b',' => is_space(next),
        b'[' => text.mark_end(at).is_some(),
        b'<' => next == b'/',
        b')' | b']' | b'}' => {
            (next <= b' ' || is_quote(next) || matches!(next, b',' | b';' | b'.'))
                && enclosing_bracket(text, name.start) != 0
        }
        _ => false,
    }
}

/// Whether an argument is the name of a value in a usage message: `--cookie <data|file>`,
/// `[--otp CODE]`, `--password string   The password`.
fn is_usage(text: Text<'_>, end: usize, written: &str, name: Name) -> bool {
    let is_capital = |byte: u8| byte.is_ascii_uppercase() || byte == b'_';
    let has_name = written.len() > 2
        && written.bytes().all(|byte| is_capital(byte) || byte == b'-')
        && names_itself(written, name.written(text));
    let is_column =
        text.rest(end).starts_with(b"   ") && written.bytes().all(|byte| byte.is_ascii_lowercase());
    let is_metavariable = written.starts_with('<') && written.contains('>')
        || written.trim_end_matches([']', ')']).bytes().all(is_capital) && written.len() > 2;
    has_name || is_column || is_metavariable
}

/// Whether an argument names a secret of Docker that is mounted, or of a store: `--secret
/// id=npmrc,src=.npmrc`, `--secret my_secret`, `--secret-id prod/db`.
fn is_mount(written: &str, name: &str) -> bool {
    let is_setting = ["id=", "source=", "src=", "type="]
        .iter()
        .any(|key| written.starts_with(key));
    let is_path = name.starts_with("secret-") && written.contains('/') && is_object_name(written);
    is_path || name == "secret" && (is_setting || names_itself(written, name))
}

/// Whether an argument is the name of the file of a key: `-signkey ca.key`.
fn is_key_file(written: &str) -> bool {
    [".key", ".pem", ".crt", ".cer"]
        .iter()
        .any(|ending| written.ends_with(ending))
}

/// Whether a word belongs to prose about an option: `use --password to set it`.
fn is_prose(written: &str) -> bool {
    written.bytes().all(|byte| byte.is_ascii_lowercase()) && is_sentence(&format!("{written} x"))
}
