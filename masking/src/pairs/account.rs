//! The account beside a password: a setting or a property of the same object that names a user or a
//! host, as in `{"login": "bob", "password": "…"}`.

use super::context::{is_quote, skip_spaces};
use crate::names::Name;
use crate::text::Text;

/// How far before a name the account is searched.
const REACH: usize = 240;

/// The names of accounts, in lower case and without separators.
#[rustfmt::skip]
const ACCOUNTS: &[&str] = &[
    "user", "username", "name", "userid", "uid", "login", "loginname", "account", "accountname", "host", "hostname", "server", "email", "mail", "database", "dbname", "dbuser", "principal", "clientid", "benutzer", "utilisateur", "usuario", "usuário", "utente", "gebruiker",
];

/// Whether the value of an account stands before a name in the same object or in the lines above, so that
/// the value of the name is no label of a form and no message of a validator.
pub(super) fn precedes(text: Text<'_>, name: Name) -> bool {
    let before = text.before(name.start, REACH);
    let object = before.rsplit(['{', '}']).next().unwrap_or_default();
    let offset = name.start - object.len();
    object
        .match_indices([':', '='])
        .any(|(place, _)| is_account(&object[..place]) && has_value(text, offset + place + 1))
}

/// Whether a text ends with the name of an account.
fn is_account(before: &str) -> bool {
    let before =
        before.trim_end_matches(|character: char| character == ' ' || is_quote_sign(character));
    let is_part = |character: char| character.is_alphanumeric() || matches!(character, '_' | '-');
    let name = &before[before.trim_end_matches(is_part).len()..];
    let lower: String = name
        .chars()
        .filter(|character| character.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect();
    ACCOUNTS.iter().any(|account| lower.ends_with(account))
}

fn is_quote_sign(character: char) -> bool {
    u8::try_from(character).is_ok_and(is_quote)
}

/// Whether a value is at a position: one word that does not begin with a capital.
fn has_value(text: Text<'_>, at: usize) -> bool {
    let at = at + usize::from(text.byte(at) == b'>');
    let start = skip_spaces(text, at);
    let quote = text.byte(start);
    let start = start + usize::from(is_quote(quote));
    let end = text.run_within(start, REACH, |byte| {
        byte > b' ' && !is_quote(byte) && !matches!(byte, b',' | b';' | b'}' | b')')
    });
    let first = text.byte(start);
    let is_closed = !is_quote(quote) || text.byte(end) == quote;
    (first.is_ascii_lowercase() || first.is_ascii_digit()) && end > start && is_closed
}
