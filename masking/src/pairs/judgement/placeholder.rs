//! Texts that stand where a value could stand: placeholders, variables and references.

use super::words::{INVITATIONS, PLACEHOLDERS, SQL_TYPES, STORES, VARIABLES};
use crate::names::{self, Certainty};
use crate::text::MARK;

/// Whether a text is a placeholder instead of a value: a mark, a variable, stars, `null`.
pub(in crate::pairs) fn is_placeholder(value: &str) -> bool {
    let value = value.trim();
    let bare = value.trim_matches([
        ',', '.', ';', '!', '?', '(', ')', '<', '>', '[', ']', '*', '"', '\'', '`', ':', '{', '}',
    ]);
    let has_character = value.chars().any(char::is_alphanumeric) || value.chars().count() >= 4;
    let lower = bare.to_lowercase();
    value.starts_with(MARK)
        || value.chars().all(is_filler)
        || !has_character
        || PLACEHOLDERS.contains(&lower)
        || is_variable(value)
        || is_invitation(&lower)
        || is_version(value)
        || is_colour(value)
        || is_sql_type(&lower)
        || is_constant(value)
        || is_reference(&lower)
        || is_object(value)
        || is_escaped(value)
        || is_address(value)
        || has_no_password(value)
        || value.len() <= 8 && (value.ends_with("...") || value.ends_with('…'))
}

/// Whether a value is a connection string without a password: `Server=db;Integrated Security=True`.
fn has_no_password(value: &str) -> bool {
    let mut pairs = value
        .trim_end_matches(';')
        .split(';')
        .map(|pair| pair.split_once('='));
    let is_harmless = |pair: Option<(&str, &str)>| {
        pair.is_some_and(|(key, _)| {
            let is_words = key
                .bytes()
                .all(|byte| byte.is_ascii_alphabetic() || byte == b' ');
            !key.is_empty() && is_words && names::judge(key.trim()).is_none()
        })
    };
    value.contains(';') && value.len() <= 512 && pairs.all(is_harmless)
}

/// Whether a value is an address whose password is a variable: `postgres://app:$DB_PASSWORD@db/shop`.
fn is_address(value: &str) -> bool {
    value
        .split_once("://")
        .and_then(|(_, rest)| rest.rsplit_once('@'))
        .and_then(|(account, _)| account.split_once(':'))
        .is_some_and(|(_, password)| is_variable(password) || password.chars().all(is_filler))
}

/// Whether a value is an object as Java prints it: the name of its class and its hash,
/// `android.os.BinderProxy@2bd79ce`; or the name of a package: `com.apple.xpc.activity`.
fn is_object(value: &str) -> bool {
    let (class, hash) = value.split_once('@').unwrap_or((value, ""));
    let is_class = class.chars().all(|character| {
        character.is_ascii_alphanumeric() || matches!(character, '.' | '$' | '_' | '/' | '-')
    });
    let is_hash =
        !hash.is_empty() && hash.len() <= 8 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_package = ["com.", "org.", "net.", "io.", "java.", "javax.", "android."]
        .iter()
        .any(|start| class.starts_with(start))
        && class.matches('.').count() >= 2
        && class
            .split('.')
            .take(3)
            .all(|part| part.bytes().all(|byte| byte.is_ascii_alphabetic()));
    is_class && (is_hash && class.contains('.') || hash.is_empty() && is_package)
}

/// Whether a text has only escapes of letters outside ASCII, as labels in the files of Java have:
/// `\u30d1\u30b9`.
fn is_escaped(value: &str) -> bool {
    value.starts_with("\\u")
        && value.split(' ').all(|word| {
            word.split("\\u").skip(1).all(|code| {
                code.get(..4)
                    .and_then(|digits| u32::from_str_radix(digits, 16).ok())
                    .is_some_and(|code| code >= 0x80)
                    && code.len() <= 5
            }) && (word.is_empty() || word.starts_with("\\u"))
        })
}

/// Whether a character stands for the hidden characters of a value.
fn is_filler(character: char) -> bool {
    matches!(
        character,
        '*' | '•'
            | '.'
            | '-'
            | '_'
            | 'x'
            | 'X'
            | '…'
            | '?'
            | '#'
            | '●'
            | '·'
            | '='
            | '~'
            | ' '
            | '█'
            | '■'
    )
}

/// Whether a value in lower case refers to a secret store.
fn is_reference(lower: &str) -> bool {
    STORES.begins(lower)
}

/// Whether a value is the name of a constant, as in `VALUE_SPECIFIED_IN_NO_LOG_PARAMETER`.
fn is_constant(value: &str) -> bool {
    let is_capital = value
        .bytes()
        .all(|byte| byte.is_ascii_uppercase() || byte == b'_' || byte.is_ascii_digit());
    let names_secret = || names::judge(value) >= Some(Certainty::Likely);
    is_capital
        && (value.matches('_').count() >= 2 && !value.bytes().any(|byte| byte.is_ascii_digit())
            || value.contains('_') && names_secret())
}

/// Whether a value is a version or a range of versions: `^2.1.0`.
fn is_version(value: &str) -> bool {
    let digits = value.trim_start_matches(['^', '~', 'v', '>', '<', '=', ' ']);
    let mut parts = digits.split('.');
    let is_number = |part: Option<&str>| {
        part.is_some_and(|part| {
            !part.is_empty() && part.len() <= 4 && part.bytes().all(|byte| byte.is_ascii_digit())
        })
    };
    is_number(parts.next())
        && is_number(parts.next())
        && parts.clone().count() <= 2
        && parts.all(|part| is_number(Some(part)) || part == "*" || part == "x")
}

/// Whether a value is a colour of a style sheet.
fn is_colour(value: &str) -> bool {
    let digits = value.strip_prefix('#').unwrap_or("");
    matches!(digits.len(), 3 | 6 | 8) && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Whether a value in lower case is a type with its length: `VARCHAR(255)`,
/// `character varying(128)`.
fn is_sql_type(lower: &str) -> bool {
    let Some((name, length)) = lower.split_once('(') else {
        return false;
    };
    let has_length = length.starts_with(|first: char| first.is_ascii_digit());
    has_length && SQL_TYPES.contains(&name.trim()) || matches!(name, "varchar" | "nvarchar")
}

/// Whether a text is the name of a variable or a reference, which something replaces by the value.
pub(in crate::pairs) fn is_variable(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    VARIABLES.begins(&lower) || is_marked_variable(value) || is_enclosed_variable(value)
}

/// Whether a sign before a name makes it a variable: `$NAME`, `:name`, `@name`, `%s`.
fn is_marked_variable(value: &str) -> bool {
    let is_shell = value
        .strip_prefix("$$")
        .or(value.strip_prefix('$'))
        .is_some_and(is_variable_name);
    // `:name`, and `:B1` in the plans of Oracle.
    let is_bound = value.strip_prefix(':').is_some_and(|name| {
        let number = name.strip_prefix("SYS_B_").or(name.strip_prefix('B'));
        number.is_some_and(|number| {
            (1..=2).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit())
        }) || name.len() > 1
            && name
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
    });
    let is_parameter = value.strip_prefix('@').is_some_and(|name| {
        let is_word = (1..=24).contains(&name.len())
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphabetic() || byte == b'_');
        let is_numbered = name
            .strip_prefix('p')
            .is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
        is_word || is_numbered
    });
    let is_format = is_format(value);
    is_shell || is_bound || is_parameter || is_format
}

/// Whether a text is a verb of a format: `%s`, `%#v`, `%[5]s`, `%-20s`.
pub(super) fn is_format(value: &str) -> bool {
    value.strip_prefix('%').is_some_and(|verb| {
        let is_flag = |byte: u8| byte.is_ascii_digit() || b"[]#+-.".contains(&byte);
        let letter = verb.bytes().last().unwrap_or(0);
        verb.len() <= 5
            && (letter.is_ascii_alphabetic() || letter == b'@' || verb.len() == 1)
            && verb.bytes().take(verb.len().saturating_sub(1)).all(is_flag)
    })
}

/// Whether signs around a name make it a variable: `<name>`, `%NAME%`, `__NAME__`, `{0}`.
fn is_enclosed_variable(value: &str) -> bool {
    let is_bracketed = [('<', '>'), ('[', ']'), ('{', '}'), ('(', ')')]
        .into_iter()
        .any(|(open, close)| inside(value, open, close).is_some_and(is_template_name));
    let is_windows = inside(value, '%', '%').is_some_and(|name| {
        is_template_name(name)
            && name.bytes().all(|byte| {
                byte.is_ascii_uppercase() || matches!(byte, b'_' | b'-') || byte.is_ascii_digit()
            })
    });
    let is_doubled = ["__", "@@"]
        .iter()
        .any(|sign| value.starts_with(sign) && value.ends_with(sign));
    let is_short = value.starts_with('{') && value.ends_with('}') && value.len() <= 4;
    is_bracketed || is_windows || is_doubled || is_short
}

/// The text inside two signs.
fn inside(value: &str, open: char, close: char) -> Option<&str> {
    value.strip_prefix(open)?.strip_suffix(close)
}

/// Whether a text inside brackets is a name: words, or capitals and digits.
fn is_template_name(name: &str) -> bool {
    let is_word = |character: char| character.is_alphabetic() || "_-. ,:/'\"".contains(character);
    let is_capital = |character: char| {
        character.is_ascii_uppercase() || character == '_' || character.is_ascii_digit()
    };
    name.chars().all(is_word) || name.chars().all(is_capital)
}

/// Whether a text after `$` is the name of a variable: capitals, words joined by `_`, or one
/// character.
fn is_variable_name(name: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_uppercase() || matches!(byte, b'_' | b'0'..=b'9');
    let is_word = name
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
        && name.contains('_');
    !name.is_empty() && (name.bytes().all(is_part) || is_word || name.len() == 1)
}

/// Whether a text in lower case tells the reader to write a value: `your-api-key`, `REPLACE_ME`.
fn is_invitation(lower: &str) -> bool {
    INVITATIONS.begins(lower) || lower.ends_with("-here") || lower.ends_with("_here")
}

/// Whether a text begins with a type of Go: `[]byte`, `*rsa.PrivateKey`,
/// `credentials.TransportCredentials`.
pub(in crate::pairs) fn is_go_type(value: &str) -> bool {
    let is_exported = |(package, name): (&str, &str)| {
        package.bytes().all(|byte| byte.is_ascii_lowercase())
            && name.starts_with(|first: char| first.is_ascii_uppercase())
            && name.bytes().all(|byte| byte.is_ascii_alphabetic())
    };
    let word = value.split(' ').next().unwrap_or_default();
    let name = word.trim_start_matches(['*', '[', ']']);
    ["[]", "map[", "chan ", "func("]
        .iter()
        .any(|start| value.starts_with(start))
        || name.split_once('.').is_some_and(is_exported)
}
