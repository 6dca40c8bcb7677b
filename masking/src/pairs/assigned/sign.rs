//! The sign between a name and its value.

use super::words::CLOSERS;
use crate::names::Name;
use crate::pairs::context::{
    MOST_SPACES, Sign, ahead, is_quote, is_space, line_before, read_sign, skip_blanks, skip_spaces,
};
use crate::pairs::judgement::names_password;
use crate::pairs::quoted;
use crate::text::Text;

/// The longest note in brackets between a name and its sign: `password (optional): …`.
const LONGEST_NOTE: usize = 48;

/// The longest type between a name and its sign.
const LONGEST_TYPE: usize = 48;

/// Verbs between a name and the colon of a prompt.
#[rustfmt::skip]
const PROMPT_VERBS: &[&str] = &[
    "eingeben", "wiederholen", "bestätigen", "again", "ingeven", "invoeren", "herhalen", "ein", "in", "girin", "giriniz", "दर्ज करें",
];

/// Finds the sign after a name, its closing quotes and brackets, and notes about it. Returns it and
/// its end.
pub(super) fn find_sign(text: Text<'_>, name: Name) -> Option<(Sign, usize)> {
    // `${DBSecret}:…`: the name of a variable.
    let before = text.before(name.start, 96);
    let is_resolved =
        || memchr::memchr(b'{', before.as_bytes()).is_some() && before.contains("{{resolve:");
    if before.ends_with("${") || is_resolved() {
        return None;
    }
    if let Some(found) = find_dump_sign(text, name.end) {
        return Some(found);
    }
    let at = skip_closers(text, name.end);
    let gap = skip_spaces(text, at);
    // JSON: the colon can stand on the next line.
    let colon = skip_blanks(text, gap);
    if colon > gap && text.byte(colon) == b':' && is_quote(text.byte_before(at)) {
        return Some((Sign::Colon, skip_blanks(text, colon + 1)));
    }
    // Lisp: `(password . "x")`.
    if text.rest(gap).starts_with(b". \"") && text.byte_before(name.start) == b'(' {
        return Some((Sign::Colon, gap + 1));
    }
    // LDIF: `userPassword:: base64`.
    if text.rest(gap).starts_with(b":: ") && !is_quote(text.byte(name.end)) {
        return Some((Sign::Colon, gap + 2));
    }
    // A variable of psql: `PASSWORD :'name'`.
    if gap > at && text.rest(gap).starts_with(b":'") {
        return None;
    }
    // R: `password <- "x"`.
    if matches!(text.rest(gap), [b'<', b'-', b' ', b'"' | b'\'', ..]) {
        return Some((Sign::Equals, gap + 2));
    }
    if let Some(end) = member_end(text, at) {
        return read_sign(text, skip_spaces(text, end)).or(Some((Sign::Equals, end)));
    }
    if let Some((sign, end)) = read_sign(text, gap) {
        if continues_path(text, name, sign, end) {
            return None;
        }
        return find_sign_of_type(text, sign, end).or(Some((sign, end)));
    }
    if let Some(verb) = PROMPT_VERBS
        .iter()
        .find(|verb| gap > at && text.rest(gap).starts_with(verb.as_bytes()))
        && text.byte(gap + verb.len()) == b':'
    {
        return read_sign(text, gap + verb.len());
    }
    if let Some(found) = find_sign_after_verb(text, name, gap) {
        return found;
    }
    if let Some(found) = find_sign_after_leaders(text, name, gap) {
        return Some(found);
    }
    if matches!(text.byte(gap), b'(' | b'[') && gap > at
        || text.rest(gap).starts_with("（".as_bytes())
    {
        return find_sign_after_note(text, gap);
    }
    if gap > at {
        return find_sign_after_type(text, gap);
    }
    None
}

/// The end of what stands between a name and its sign in Delphi and COBOL: `('pwd').AsString := 'x'`,
/// `WS-PWD PIC X(8) VALUE 'X'`.
fn member_end(text: Text<'_>, at: usize) -> Option<usize> {
    let rest = text.rest(at);
    if rest.starts_with(b".") && text.byte_before(at) == b')' {
        let end = text.run_within(at + 1, LONGEST_TYPE, |byte| byte.is_ascii_alphabetic());
        return text.rest(end).starts_with(b" := ").then_some(end);
    }
    let clause = ahead(text, at, LONGEST_TYPE).filter(|rest| rest.starts_with(" PIC "))?;
    let place = clause.find(" VALUE ")?;
    Some(at + place + " VALUE".len())
}

/// Whether the sign after a name belongs to a path or an identifier that continues after the name:
/// `arn:aws:secretsmanager:…:secret:prod/db`, `/secret:x`, `/secret -> x`.
fn continues_path(text: Text<'_>, name: Name, sign: Sign, sign_end: usize) -> bool {
    let before = text.byte_before(name.start);
    let is_path = !is_quote(text.byte(name.end))
        && matches!(before, b':' | b'/')
        && text
            .byte_before(name.start.saturating_sub(1))
            .is_ascii_alphanumeric();
    let is_link = sign == Sign::Arrow && before == b'/';
    let is_part = before == b':' || !is_space(text.byte(sign_end));
    is_link || is_path && sign == Sign::Colon && is_part
}

/// Finds the sign after a verb of a script without spaces: `パスワードを入力してください：x`. Returns
/// `None` if there is no such verb.
fn find_sign_after_verb(text: Text<'_>, name: Name, gap: usize) -> Option<Option<(Sign, usize)>> {
    if name.written(text).is_ascii() {
        return None;
    }
    let words = text.run_near(gap, |byte| !byte.is_ascii()).min(gap + 60);
    let words = text.text.floor_char_boundary(words);
    let colon = text.text.get(gap..words).and_then(|words| words.find('：'));
    if let Some(place) = colon {
        return Some(read_sign(text, gap + place));
    }
    (words > gap && text.byte(words) == b':').then(|| read_sign(text, words))
}

/// Finds the sign after leaders, as in `Password ........: x`. After the name of a password the
/// leaders themselves are a sign.
fn find_sign_after_leaders(text: Text<'_>, name: Name, gap: usize) -> Option<(Sign, usize)> {
    if let Some(end) = prompt_sign(text, name, gap) {
        return Some((Sign::Colon, end));
    }
    let leaders = text
        .run_near(gap, |byte| matches!(byte, b'.' | b'-' | b'_' | b' '))
        .min(gap + MOST_SPACES);
    if leaders > gap + 2
        && let Some(found) = read_sign(text, leaders)
    {
        return Some(found);
    }
    let is_sign = leaders > gap + 4
        && names_password(name.written(text))
        && text.byte_before(leaders) == b' '
        && text.byte(gap) == b'.';
    is_sign.then(|| (Sign::Colon, leaders - 1))
}

/// The end of the sign after the question of a console: `? Password › x`, `✔ Password … x`,
/// `Password> x`.
fn prompt_sign(text: Text<'_>, name: Name, gap: usize) -> Option<usize> {
    let line = line_before(text, name.start, LONGEST_QUESTION);
    let is_question = line.starts_with(['?', '✔', '√', '◆', '◇', '│']);
    let sign = ["› ", "… ", "· "]
        .iter()
        .find(|sign| is_question && text.rest(gap).starts_with(sign.as_bytes()));
    let is_bare = line.is_empty() && name.start > 0 && text.rest(gap).starts_with(b"> ");
    match sign {
        Some(sign) => Some(gap + sign.len() - 1),
        None => is_bare.then_some(gap + 1),
    }
}

/// The longest question of a console before a name.
const LONGEST_QUESTION: usize = 64;

/// Finds the sign after a note: `Password (optional): x`, `Password [confirm]: x`.
fn find_sign_after_note(text: Text<'_>, open: usize) -> Option<(Sign, usize)> {
    let close = if text.byte(open).is_ascii() {
        let rest = text.rest(open).iter().take(LONGEST_NOTE);
        let is_inside = |byte: &&u8| !matches!(byte, b')' | b']' | b'\n' | b'"' | b'=');
        open + rest.take_while(is_inside).count() + 1
    } else {
        close_wide(text, open)?
    };
    read_sign(text, skip_spaces(text, close))
}

/// The position after the full-width bracket that closes a note.
fn close_wide(text: Text<'_>, at: usize) -> Option<usize> {
    let found = ahead(text, at, LONGEST_NOTE)?.find('）')?;
    Some(at + found + '）'.len_utf8())
}

/// Finds the sign after a type: `var password string = "x"`, `password?: string = 'x'`.
fn find_sign_after_type(text: Text<'_>, gap: usize) -> Option<(Sign, usize)> {
    let end = text.run_near(gap, |byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'*' | b'.' | b'[' | b']')
    });
    let sign = skip_spaces(text, end);
    let is_type = end > gap && end < gap + LONGEST_TYPE && sign > end;
    let begins_text = matches!(
        text.rest(sign),
        [b'=', b' ', b'"' | b'\'' | b'`', ..] | [b':', b'=', b' ', b'"' | b'\'' | b'`', ..]
    );
    if is_type && begins_text {
        read_sign(text, sign)
    } else {
        None
    }
}

/// The signs of PHP's dumps: `["password":protected]=>`, and of its serialized texts:
/// `s:8:"password";s:7:"…"`, `password|s:7:"…"`.
fn find_dump_sign(text: Text<'_>, end: usize) -> Option<(Sign, usize)> {
    let quote = usize::from(is_quote(text.byte(end)));
    let at = end + quote;
    if text.byte(at) == b':' {
        let is_class =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'"' | b'\\' | b'_');
        let rest = text.rest(at).iter().take(LONGEST_NOTE);
        let close = at + rest.take_while(|&&byte| is_class(byte)).count();
        let arrow = skip_spaces(text, close + 1);
        if text.byte(close) == b']' && text.rest(arrow).starts_with(b"=>") {
            return Some((Sign::Arrow, arrow + 2));
        }
    }
    let is_serialized = |at: usize| {
        text.byte(at) == b's' && text.byte(at + 1) == b':' && text.byte(at + 2).is_ascii_digit()
    };
    let separates = text.byte(at) == b';' && quote == 1 || text.byte(at) == b'|' && quote == 0;
    (separates && is_serialized(at + 1)).then_some((Sign::Arrow, at + 1))
}

/// Finds the sign after the type in `password: str = "x"`, in which a colon ends at `end`.
fn find_sign_of_type(text: Text<'_>, sign: Sign, end: usize) -> Option<(Sign, usize)> {
    let start = skip_spaces(text, end);
    let is_type = |byte: u8| {
        byte.is_ascii_alphanumeric()
            || matches!(
                byte,
                b'_' | b'.' | b'[' | b']' | b'<' | b'>' | b'|' | b'&' | b'?' | b' '
            )
    };
    if sign != Sign::Colon || !text.byte(start).is_ascii_alphabetic() && text.byte(start) != b'&' {
        return None;
    }
    let rest = text.rest(start).iter().take(LONGEST_TYPE);
    let equals = start + rest.take_while(|&&byte| is_type(byte)).count();
    let is_assigned = text.byte(equals) == b'='
        && text.byte_before(equals) == b' '
        && text.byte(equals + 1) == b' ';
    (is_assigned && quoted::quote_length(text, equals + 2) > 0)
        .then_some((Sign::Equals, equals + 1))
}

/// Skips what closes a name: quotes, brackets, marks of emphasis, closing tags of emphasis.
fn skip_closers(text: Text<'_>, at: usize) -> usize {
    let mut at = at;
    for _ in 0..6 {
        match closer_length(text, at) {
            0 => break,
            length => at += length,
        }
    }
    at
}

/// The length of what closes a name at a position, or 0.
fn closer_length(text: Text<'_>, at: usize) -> usize {
    let byte = text.byte(at);
    // An index or a length: `['community'][0]`, `aes_key[16]`.
    let digits = text.run_within(at + 1, 4, |byte| byte.is_ascii_digit());
    if byte == b'[' && digits > at + 1 && text.byte(digits) == b']' {
        return digits + 1 - at;
    }
    // Erlang's binaries: `<<"password">> => <<"x">>`.
    if byte == b'>' && text.byte(at + 1) == b'>' && text.byte_before(at) == b'"' {
        return 2;
    }
    let is_comparison = byte == b'!' && text.byte(at + 1) == b'=';
    if is_quote(byte) || matches!(byte, b']' | b'}' | b')' | b'*' | b'?' | b'!') && !is_comparison {
        return 1;
    }
    if byte.is_ascii() && byte != b'<' {
        return 0;
    }
    CLOSERS
        .iter()
        .find(|close| text.rest(at).starts_with(close.as_bytes()))
        .map_or(0, |close| close.len())
}
