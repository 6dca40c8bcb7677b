//! Values in quotes after a sign.

use super::change::read_others;
use super::names_header;
use super::other::{is_metric_label, is_weak_password};
use crate::names::{Certainty, Name};
use crate::pairs::bare::Scene;
use crate::pairs::context::{Sign, ahead, skip_spaces};
use crate::pairs::judgement::{
    begins_with_report, is_cjk_report, is_encoded_pair, is_message, is_object_name, is_placeholder,
    is_secret, is_unmistakable, names_itself, names_licence, names_password,
};
use crate::pairs::quoted::Quoted;
use crate::pairs::{Values, account, quoted, scheme};
use crate::text::Text;

/// Adds a value in quotes, and the values that follow it.
pub(super) fn read_quoted(
    text: Text<'_>,
    value: Quoted,
    name: Name,
    scene: Scene<'_>,
    values: &mut Values,
) {
    let lower = scene.name.to_ascii_lowercase();
    if names_header(&lower)
        && let Some(credential) = scheme::find(text, value.start, Some(value.end))
    {
        return credential.check(text, values);
    }
    let value = skip_algorithm(text, value);
    let whole = quoted::join(text, value);
    let written = value.written(text);
    let is_object_name = names_object(&lower) && is_object_name(written);
    let is_analysis = lower == "token" && is_analysis(text, whole.next);
    // `"T"."TOKEN"="S"."TOKEN"`: the column of a table.
    let is_column = matches!(
        text.rest(value.next),
        [b'.', b'"', b'A'..=b'Z' | b'a'..=b'z', ..]
    ) && written
        .bytes()
        .all(|byte| byte.is_ascii_uppercase() || byte == b'_');
    if is_analysis || is_object_name || is_column || is_command(text, value, scene) {
        return;
    }
    let is_other = is_no_secret(text, written, name, scene);
    let is_directory = lower.ends_with("pwd") && written.starts_with('/') || is_path(written);
    let is_other = (is_other || is_metric_label(text, written, name, scene))
        && !is_weak_password(written, name, scene);
    if !is_other && is_quoted_secret(written, &lower, name.certainty) && !is_directory {
        values.push(whole.start, whole.end);
        read_others(text, whole.next, values);
    } else {
        read_others(text, value.next, values);
    }
}

/// Whether a text is the path of an entry in a store of secrets: `/parameters/shop/db_password`.
fn is_path(written: &str) -> bool {
    let is_part = |part: &str| {
        part.len() > 1
            && part
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'_' | b'-'))
    };
    let path = written.strip_prefix('/').unwrap_or_default();
    path.split('/').count() >= 3 && path.split('/').all(is_part)
}

/// The argument after the name of a hash function: `HASHBYTES('SHA2_512', 'x')`.
fn skip_algorithm(text: Text<'_>, value: Quoted) -> Quoted {
    if text.byte(value.next) != b',' || !is_algorithm(value.written(text)) {
        return value;
    }
    quoted::read(text, skip_spaces(text, value.next + 1)).unwrap_or(value)
}

/// Whether a text is the name of a hash function.
fn is_algorithm(written: &str) -> bool {
    let lower = written.to_ascii_lowercase();
    let digits = lower.strip_prefix("sha").or(lower.strip_prefix("md"));
    digits.is_some_and(|digits| {
        digits.len() <= 5
            && digits
                .bytes()
                .all(|byte| byte.is_ascii_digit() || matches!(byte, b'_' | b'-'))
    })
}

/// Whether a text in quotes is a placeholder, a label or a message.
fn is_no_secret(text: Text<'_>, written: &str, name: Name, scene: Scene<'_>) -> bool {
    let is_setting = scene.sign == Sign::Equals && !scene.is_spaced
        || scene.name.contains(['_', '.'])
        || scene.sign == Sign::Equals && scene.name.contains('-');
    let is_other = if is_setting {
        // `"API_KEY is not set"` is a message.
        let is_message =
            written.contains(' ') && scene.name.contains('_') && written.contains(scene.name);
        is_placeholder(written)
            || names_itself(written, scene.name)
            || is_message
            || is_error(scene.name) && begins_with_report(written)
            || names_header_of_secret(written)
    } else {
        is_message(written, scene.name)
    };
    // Beside an account and after an option there are no labels and no messages.
    is_other
        && (is_placeholder(written)
            || names_itself(written, scene.name)
            || is_settled(text, written, name, scene))
}

/// Whether a name is that of a message about a field: `errors.password`.
fn is_error(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    lower.starts_with("error") || lower.contains("errors.")
}

/// Whether a text in quotes can be a label or a message: no account stands before its name, which is no
/// option, or the text begins as reports do.
fn is_settled(text: Text<'_>, written: &str, name: Name, scene: Scene<'_>) -> bool {
    let is_option =
        matches!(text.byte_before(name.start), b'-' | b'/') && name.certainty == Certainty::Certain;
    let is_beside = names_password(scene.name) && (is_option || account::precedes(text, name));
    !is_beside || begins_with_report(written) || is_cjk_report(written)
}

/// Whether a value is the output of a command of a shell: "TOKEN=`cat token`".
fn is_command(text: Text<'_>, value: Quoted, scene: Scene<'_>) -> bool {
    text.byte_before(value.start) == b'`'
        && scene.sign == Sign::Equals
        && !scene.is_spaced
        && value.written(text).contains(' ')
}

/// Whether a value is the name of a header that has a secret: `TOKEN_HEADER = "X-Auth-Token"`.
fn names_header_of_secret(written: &str) -> bool {
    let begins_with_capital =
        |part: &str| part.starts_with(|first: char| first.is_ascii_uppercase());
    written.starts_with("X-")
        && written.split('-').all(begins_with_capital)
        && written
            .bytes()
            .all(|byte| byte.is_ascii_alphabetic() || byte == b'-')
}

/// Whether the token of a search engine's analysis ends at a position.
fn is_analysis(text: Text<'_>, at: usize) -> bool {
    ahead(text, at, 40).is_some_and(|after| after.contains("start_offset"))
}

/// Whether a value in quotes after a name is a secret. `lower` is the name in lower case.
fn is_quoted_secret(written: &str, lower: &str, certainty: Certainty) -> bool {
    let is_pin = lower.ends_with("pin");
    let is_long_pin =
        is_pin && written.chars().count() >= 4 && written.bytes().any(|byte| byte.is_ascii_digit());
    let is_pair = lower.ends_with("auth")
        && (written.contains(':') && !written.contains("://") && !written.contains(' ')
            || is_encoded_pair(written));
    // No other field has this name: `"pw": "a b"`.
    let is_name =
        written.starts_with(char::is_uppercase) && written.chars().all(char::is_alphabetic);
    let is_pw = lower.ends_with("pw") && written.chars().count() >= 3 && !is_name;
    is_pw
        || names_licence(lower) && is_unmistakable(written)
        || is_long_pin && !written.contains([' ', '.', '='])
        || is_secret(written.trim_matches(['\'', '"']), certainty)
            && (!is_pin || can_be_pin(written))
        || certainty == Certainty::Likely && written.chars().count() >= 6 && !is_pin
        || is_pair
        || lower.ends_with("authident")
}

/// Whether a value can be a PIN, and not a part of code that handles pins of a device.
fn can_be_pin(written: &str) -> bool {
    written.chars().all(char::is_alphanumeric)
        || written.chars().all(|character| {
            !character.is_alphabetic() && !matches!(character, '=' | '<' | '>' | '.')
        })
}

/// Whether a field with this name can contain the name of a Kubernetes secret.
fn names_object(lower: &str) -> bool {
    lower == "secret"
        || lower == "existingsecret"
        || lower.ends_with("pullsecret")
        || lower == "tlssecret"
}
