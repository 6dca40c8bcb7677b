//! The surroundings of a value after a sign.

use super::words::{INSTRUCTIONS, PROBLEMS};
use crate::names::Name;
use crate::pairs::bare::Scene;
use crate::pairs::context::{
    Sign, enclosing_bracket, is_quote, is_space, line_before, line_of, skip_spaces,
};
use crate::pairs::judgement::names_password;
use crate::pairs::{account, login, quoted};
use crate::text::Text;

/// The most bytes of the line before a name that are read to find out whether a quote is open.
const LONGEST_PROMPT: usize = 200;

/// Describes the surroundings of a value: its name, the sign before it, and what encloses both.
pub(super) fn scene_of<'t>(text: Text<'t>, name: Name, sign: Sign, sign_end: usize) -> Scene<'t> {
    let is_spaced = skip_spaces(text, sign_end) > sign_end;
    let bracket = enclosing_bracket(text, name.start);
    let is_column = sign == Sign::Equals
        && is_space(text.byte_before(sign_end - 1))
        && is_space(text.byte(sign_end));
    Scene {
        name: name.written(text),
        sign,
        is_spaced,
        // Documentation writes names in backticks, also in sentences.
        is_quoted: quoted::quote_length(text, name.end) > 0
            && text.byte(name.end) != b'`'
            && is_quote(text.byte_before(name.start)),
        line: line_of(text, name.start),
        bracket,
        is_parameter: matches!(text.byte_before(name.start), b'?' | b'&') && sign == Sign::Equals,
        quote: enclosing_quote(text, name),
        delimiter: delimiter_before(text, name.start),
        is_prompt: is_prompt(text, name, sign, sign_end),
        is_column,
        is_data: sign == Sign::Equals && !is_spaced && is_data(text, name, bracket),
        is_beside: names_password(name.written(text))
            && (login::follows_account(text, name.start) || account::precedes(text, name)),
        is_record: bracket == b'{' && is_column && is_in_record(text, name),
    }
}

/// How many bytes before a name the setting before it is searched.
const LONGEST_SETTING: usize = 64;

/// Whether a name names an option, or another setting stands directly before it:
/// `--password=x`, `level=info secret=x`, `username=bob,password=x`.
fn is_data(text: Text<'_>, name: Name, bracket: u8) -> bool {
    let before = text.before(name.start, LONGEST_SETTING);
    let is_option = before.ends_with('-')
        && !before
            .trim_end_matches('-')
            .ends_with(|last: char| last.is_alphanumeric());
    // `--from-literal=password=x`
    let is_argument = before.strip_suffix('=').is_some_and(|before| {
        before
            .rsplit(' ')
            .next()
            .is_some_and(|word| word.starts_with("--"))
    });
    // The arguments of a call are separated by commas.
    let separator = before.trim_end_matches([' ', ',']);
    let is_list = before[separator.len()..].contains(',');
    let previous = (separator.len() < before.len())
        .then(|| separator.rsplit([' ', ',', '\n', '\'', '"', '(']).next())
        .flatten();
    let is_setting = |word: &str| {
        let (key, value) = word.split_once('=').unwrap_or_default();
        let is_key =
            |character: char| character.is_ascii_alphanumeric() || "_.-".contains(character);
        !key.is_empty() && key.chars().all(is_key) && !value.is_empty()
    };
    let is_setting = previous.is_some_and(is_setting);
    (bracket == 0 || is_setting && !is_list) && (is_option || is_argument || is_setting)
}

/// How many bytes before a name the start of its object is searched.
const LONGEST_RECORD: usize = 400;

/// Whether a name names a property in a printed object, whose type precedes its brace, and not
/// in the initialiser of an object: `Login { User = bob, Password = x }`.
fn is_in_record(text: Text<'_>, name: Name) -> bool {
    let begins_with_capital =
        |word: &str| word.starts_with(|first: char| first.is_ascii_uppercase());
    let before = line_before(text, name.start, LONGEST_RECORD);
    let Some((head, properties)) = before.rsplit_once("{ ") else {
        return false;
    };
    let mut words = head.trim_end().rsplit([' ', '(']);
    let kind = words.next().unwrap_or_default();
    let is_initialiser = words.next() == Some("new");
    begins_with_capital(name.written(text))
        && (begins_with_capital(kind) || matches!(kind, "=" | "") || kind.ends_with(':'))
        && !is_initialiser
        && !properties.contains(['"', '('])
}

/// Whether a name and a colon end a prompt or an instruction of a few words: `New password: x`,
/// `log in with password: x`.
fn is_prompt(text: Text<'_>, name: Name, sign: Sign, sign_end: usize) -> bool {
    let is_separate = is_space(text.byte(sign_end)) || !text.byte(sign_end - 1).is_ascii();
    if sign != Sign::Colon
        || !is_separate
        || !names_password(name.written(text))
        || is_quote(text.byte(name.end))
    {
        return false;
    }
    let before = text.before(name.start, 64);
    let is_whole = before.contains('\n') || before.len() == name.start;
    let line = before.rsplit('\n').next().unwrap_or_default();
    let words = line
        .split_whitespace()
        .filter(|word| !word.starts_with('[') && *word != "|" && *word != "$");
    let last = words.clone().next_back().unwrap_or_default().to_lowercase();
    let is_short = is_whole
        && words.clone().all(is_plain_word)
        && words.count() <= 5
        && !PROBLEMS.contains(&last.trim_end_matches(':'));
    is_short || INSTRUCTIONS.contains(&last.as_str())
}

/// Whether a word has only letters, apostrophes and hyphens.
fn is_plain_word(word: &str) -> bool {
    // The account of SSH's prompt: `bob@host's password: x`.
    if word.contains('@') && word.ends_with("'s") {
        return true;
    }
    // The name of a program precedes its prompt: `vncpasswd: Password: x`.
    word.strip_suffix(':')
        .unwrap_or(word)
        .chars()
        .all(|character| character.is_alphabetic() || matches!(character, '\'' | '’' | '-'))
}

/// The sign before the field of a name, if there is a field before it.
fn delimiter_before(text: Text<'_>, start: usize) -> u8 {
    let gap = text.run_back(start, 4, |byte| is_space(byte) || is_quote(byte));
    match text.byte_before(gap) {
        byte @ (b';' | b',') => byte,
        // Fields in columns: `login: root   password: x`.
        byte if start > gap + 1 && byte > b' ' => b'\t',
        _ => 0,
    }
}

/// The quote that encloses name and value, as in `"--password=two words"`. Zero if there is none.
fn enclosing_quote(text: Text<'_>, name: Name) -> u8 {
    let dashes = text.run_back(name.start, 2, |byte| byte == b'-');
    let quote = text.byte_before(dashes);
    if is_quote(quote) && !is_quote(text.byte(name.end)) {
        quote
    } else {
        0
    }
}

/// Whether a quote after a name closes the text in which the name stands, as in
/// `input("Password: ")`.
pub(in crate::pairs) fn closes_prompt(text: Text<'_>, name: Name, quote: u8) -> bool {
    // The quotes of a key are closed: `"vars[host].password": "x"`.
    if is_quote(text.byte(name.end)) {
        return false;
    }
    let line = line_before(text, name.start, LONGEST_PROMPT);
    let count = line.bytes().filter(|&byte| byte == quote).count();
    let is_inside = line
        .rsplit(char::from(quote))
        .next()
        .is_some_and(|inside| !inside.contains(['=', '{', '}', '<', ',', ';', '&']));
    count % 2 == 1 && is_inside
}
