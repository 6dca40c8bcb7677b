//! Logins: an account and the password after it, which one heading or two names announce:
//! `ID/PW: bob / X`, `credentials: bob / X`, `user bob and password X`.

use super::Values;
use super::context::{ahead, is_quote, skip_spaces};
use super::judgement::{is_compound, is_password, is_placeholder, is_state, names_password};
use super::sentence::ends_clause;
use crate::lists::{Edges, WordSet};
use crate::names::{Certainty, Name};
use crate::text::Text;

/// How many bytes before a name its account is searched, and after a heading its login.
const REACH: usize = 96;

/// How many bytes after a heading its sign can stand: `credentials for the staging system: …`.
const LONGEST_GAP: usize = 48;

/// The longest account.
const LONGEST_ACCOUNT: usize = 64;

/// The shortest password of a login.
const SHORTEST: usize = 3;

/// Words for an account, and for a network that has a password, in lower case.
#[rustfmt::skip]
static ACCOUNTS: WordSet = WordSet::new(&[
    "account", "authuser", "email", "e-mail", "id", "login", "logon", "mail", "ssid", "uid", "user", "userid", "username", "usr", "wifi", "wi-fi", "wlan",
    "benutzer", "benutzername", "nutzer", "nutzername", "anmeldename", "konto",
    "identifiant", "utilisateur", "compte", "usuario", "cuenta", "usuário", "conta", "utente", "nome utente", "gebruiker", "gebruikersnaam", "inlognaam",
    "użytkownik", "użytkownika", "uživatel", "användare", "användarnamn", "bruger", "bruker", "kullanıcı", "логин", "пользователь", "пользователя", "имя",
    "账号", "账户", "帐号", "帳號", "用户名", "ユーザー名", "ユーザー", "아이디", "계정",
]);

/// Headings of an account and its password, in lower case.
#[rustfmt::skip]
static HEADINGS: WordSet = WordSet::new(&[
    "creds", "credentials", "login", "logins", "zugangsdaten", "anmeldedaten", "identifiants", "credenciales", "credenciais", "credenziali", "inloggegevens",
]);

/// Words between an account and the name of its password.
#[rustfmt::skip]
static JOINTS: WordSet = WordSet::new(&[
    "and", "with", "und", "mit", "et", "avec", "y", "con", "e", "com", "en", "met", "i", "oraz", "och", "med", "og", "ve", "и", "с",
]);

/// Articles and possessives before the name of a password.
#[rustfmt::skip]
static ARTICLES: WordSet = WordSet::new(&[
    "the", "its", "my", "your", "das", "dem", "le", "la", "el", "il", "a", "o", "het",
]);

/// Verbs between a heading or an account and what it announces.
#[rustfmt::skip]
static VERBS: Edges = Edges::new(&[
    "is ", "are ", "ist ", "sind ", "lauten ", "est ", "sont ", "es ", "son ", "é ", "são ", "è ", "sono ", "zijn ", "to ", "är ", "— ",
]);

/// Whether the value of an account stands directly before the name of a password in the same line:
/// `user bob and password …`, `Login: bob, Pass: …`, `account: bob (pw: …`.
pub(super) fn follows_account(text: Text<'_>, start: usize) -> bool {
    let before = text.before(start, REACH);
    let line = before.rsplit('\n').next().unwrap_or_default();
    // `User: bob`, and the password on the next line.
    let is_next = line.trim().is_empty();
    let line = if is_next {
        before.trim_end().rsplit('\n').next().unwrap_or_default()
    } else {
        line
    };
    let (rest, is_joined) = without_joint(line);
    let (rest, account) = split_last_word(rest);
    let account = account.trim_matches(is_enclosing);
    let (rest, is_signed) = without_sign(rest);
    let (_, name) = split_last_word(rest);
    let name = name
        .rsplit(['(', '[', '-', '_', '"', '\''])
        .next()
        .unwrap_or_default();
    let has_digit = account.bytes().any(|byte| byte.is_ascii_digit());
    account.chars().any(char::is_alphanumeric)
        && !is_state(account)
        && (is_signed || is_joined || has_digit || account.contains('@'))
        && is_account(name)
}

/// Whether a word is one for an account, or ends with one: `dbuser`.
fn is_account(word: &str) -> bool {
    let lower = word.to_lowercase();
    ACCOUNTS.contains(&lower) || lower.ends_with("user") || lower.ends_with("username")
}

fn is_enclosing(character: char) -> bool {
    matches!(
        character,
        '"' | '\'' | '`' | '*' | '“' | '”' | '„' | '«' | '»'
    )
}

/// A text without the separator, the conjunction and the article at its end. Returns it, and whether there
/// was more than spaces.
fn without_joint(before: &str) -> (&str, bool) {
    let mut rest = before.trim_end_matches(is_enclosing);
    let mut is_joined = false;
    for words in [&ARTICLES, &JOINTS] {
        let (shorter, word) = split_last_word(rest);
        if words.contains(&word.to_lowercase()) && shorter.len() < rest.len() {
            is_joined = is_joined || JOINTS.contains(&word.to_lowercase());
            rest = shorter;
        }
    }
    let shorter = rest.trim_end_matches([' ', ',', ';', '/', '(', '-', '|', '&', '+']);
    let is_separated = rest[shorter.len()..].contains([',', ';', '/', '(', '|', '&', '+']);
    (shorter, is_joined || is_separated)
}

/// A text without the sign or the verb at its end. Returns it, and whether there was one.
fn without_sign(before: &str) -> (&str, bool) {
    let rest = before.trim_end_matches([' ', '"', '\'', '`', '*']);
    let shorter = rest.trim_end_matches([':', '=', '：', '-', ' ']);
    if shorter.len() < rest.len() {
        return (shorter, true);
    }
    let (shorter, word) = split_last_word(rest);
    match VERBS.that_begin(word).any(|verb| verb.trim_end() == word) {
        true => (shorter, true),
        false => (rest, false),
    }
}

/// Splits the last word from a text. Returns the text before it, and the word.
fn split_last_word(text: &str) -> (&str, &str) {
    let text = text.trim_end();
    let start = text
        .rfind([' ', '\t', ',', ':', '=', '：'])
        .map_or(0, |place| {
            place + text[place..].chars().next().map_or(1, char::len_utf8)
        });
    (&text[..start], &text[start..])
}

/// A name such as `pass`, which certainly names a password if its account stands before it.
pub(super) fn judge_beside_account(text: Text<'_>, name: Name) -> Name {
    let is_beside = name.certainty == Certainty::Likely
        && names_password(name.written(text))
        && follows_account(text, name.start);
    Name {
        certainty: if is_beside {
            Certainty::Certain
        } else {
            name.certainty
        },
        ..name
    }
}

/// Adds the password of a login.
pub(super) fn find(text: Text<'_>, name: Name, values: &mut Values) {
    let is_password = name.certainty == Certainty::Certain && names_password(name.written(text));
    match heading(text, name, is_password) {
        Some(heading) => read_login(text, name, heading, values),
        None if is_password => read_beside(text, name, values),
        None => {}
    }
}

/// What announces a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Heading {
    /// The names of an account and a password: `user/password`.
    Names,
    /// A word for both: `credentials`.
    Word,
}

/// The heading that a name is, or ends.
fn heading(text: Text<'_>, name: Name, is_password: bool) -> Option<Heading> {
    if HEADINGS.contains(&name.written(text).to_lowercase()) {
        return Some(Heading::Word);
    }
    let before = text.before(name.start, LONGEST_GAP);
    let (rest, is_joined) = without_joint(before);
    let joint = &before[rest.len()..];
    // `(ID)/(PW)`, `ID／PW`, `user and password`
    let rest = rest.trim_end_matches([')', '／', '"', '\'', '`']);
    let joins =
        is_joined && !joint.contains([',', ';', '+']) || rest.len() < before.len() - joint.len();
    let (_, account) = split_last_word(rest);
    let account = account
        .rsplit(['(', '/', '"', '\'', '`', '|'])
        .next()
        .unwrap_or_default();
    // `user name and password`
    let is_name =
        || account.eq_ignore_ascii_case("name") && rest.to_ascii_lowercase().ends_with("user name");
    (is_password && joins && (is_account(account) || is_name())).then_some(Heading::Names)
}

/// Reads the account and the password after a heading.
fn read_login(text: Text<'_>, name: Name, heading: Heading, values: &mut Values) {
    let closed = text.run_within(name.end, 4, |byte| {
        matches!(byte, b')' | b'*' | b'"' | b'\'' | b'`')
    });
    let Some(line) =
        ahead(text, closed, LONGEST_GAP + 2 * LONGEST_ACCOUNT).and_then(|rest| rest.lines().next())
    else {
        return;
    };
    let Some(start) = login_start(line, heading) else {
        return;
    };
    let Some((account, separator, password)) = split_login(&line[start..]) else {
        return;
    };
    let is_spaced = separator.starts_with(' ');
    // `user/password authentication (RFC 1929)`
    if is_spaced && separator.contains('(') {
        return;
    }
    let is_tight_colon = separator == ":";
    let looks = is_password(password) && !password.contains('/');
    let is_lower =
        account.starts_with(|first: char| first.is_ascii_lowercase() || first.is_ascii_digit());
    let counts = match heading {
        Heading::Names => true,
        Heading::Word if name.certainty == Certainty::Certain => {
            !is_tight_colon && (looks || is_spaced && is_lower && !is_state(password))
        }
        Heading::Word => is_spaced && looks,
    };
    if counts
        && password.chars().count() >= SHORTEST
        && !is_placeholder(account)
        && !is_placeholder(password)
        && !is_state(password)
    {
        let start = closed + (password.as_ptr() as usize - line.as_ptr() as usize);
        values.push(start, start + password.len());
    }
}

/// Where the login begins after a heading: after its sign or verb, or directly after the names.
fn login_start(line: &str, heading: Heading) -> Option<usize> {
    let gap = &line[..line.floor_char_boundary(line.len().min(LONGEST_GAP))];
    let sign = gap
        .char_indices()
        .find(|&(place, character)| match character {
            ':' | '：' | '=' => true,
            '-' => gap[place + 1..].starts_with([' ', '>']) || place == 0,
            _ => false,
        })
        .map(|(place, sign)| place + sign.len_utf8());
    let verb = || {
        let starts = gap.match_indices(' ').map(|(place, _)| place + 1);
        starts
            .filter_map(|place| {
                Some(
                    place
                        + VERBS
                            .that_begin(&gap[place..])
                            .find(|verb| gap[place..].starts_with(verb))?
                            .len(),
                )
            })
            .next()
    };
    let direct = (heading == Heading::Names && line.starts_with([' ', '('])).then_some(1);
    let start = sign.or_else(verb).or(direct)?;
    let rest = &line[start..];
    let shorter = rest.trim_start_matches([' ', '>', '"', '\'', '`', '*', '(']);
    Some(start + rest.len() - shorter.len())
}

/// Splits a login into the account, the separator and the password.
fn split_login(login: &str) -> Option<(&str, &str, &str)> {
    let is_separator = |character: char| matches!(character, '/' | '／' | ':' | '|' | '(');
    let is_end =
        |character: char| character == ' ' || is_enclosing(character) || is_separator(character);
    let account = &login[..login.find(is_end)?];
    let rest = &login[account.len()..];
    let password = rest.trim_start_matches(is_end);
    let separator = &rest[..rest.len() - password.len()];
    let count = separator
        .chars()
        .filter(|&character| is_separator(character))
        .count();
    let end = password
        .find(|character: char| {
            character.is_whitespace()
                || is_enclosing(character)
                || matches!(character, '<' | '|' | '(')
        })
        .unwrap_or(password.len());
    let password = password[..end].trim_end_matches(['.', ',', ';', ':', '!', '?', ')']);
    let is_account = !account.is_empty()
        && account.len() <= LONGEST_ACCOUNT
        && account.starts_with(char::is_alphanumeric);
    (is_account && matches!(count, 1 | 2) && !password.is_empty())
        .then_some((account, separator, password))
}

/// Reads the word after the name of a password that follows its account without a sign: `user bob
/// and password X`.
fn read_beside(text: Text<'_>, name: Name, values: &mut Values) {
    let start = skip_spaces(text, name.end);
    let start = match text.rest(start) {
        [b'-', b' ', ..] => skip_spaces(text, start + 1),
        _ => start,
    };
    let end = text.run_within(start, 2 * LONGEST_ACCOUNT, |byte| {
        byte > b' ' && !is_quote(byte)
    });
    let Some(word) = text.text.get(start..end) else {
        return;
    };
    let word = word.trim_end_matches(['.', ',', ';', ':', '!', '?', ')']);
    let begins = word.starts_with(|first: char| first.is_alphanumeric());
    if start == name.end
        || !begins
        || word.chars().count() < SHORTEST
        || word.contains("://")
        || is_placeholder(word)
        || is_state(word)
        || !(is_password(word) || is_compound(word) || ends_clause(text, start + word.len()))
        || !follows_account(text, name.start)
    {
        return;
    }
    values.push(start, start + word.len());
}
