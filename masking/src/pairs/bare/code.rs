//! Parts of code where a value could stand.

use super::Scene;
use super::words::{CMDLETS, KEYWORDS, REFERENCES, TYPE_ENDINGS, TYPE_STARTS, TYPES, UNITS};
use crate::names;
use crate::pairs::context::Sign;
use crate::pairs::judgement::names_itself;
use crate::text::Text;

/// Whether a value, which ends at a position, is part of code: a call, a member, a type.
pub(super) fn is_code(text: Text<'_>, end: usize, value: &str, scene: Scene<'_>) -> bool {
    let path_length = value.bytes().take_while(|&byte| is_path(byte)).count();
    let (path, rest) = value.split_at(path_length);
    let is_setting_line = scene.line.is_start && scene.sign == Sign::Colon;
    let is_record = scene.is_record
        || scene.bracket == b'{'
            && scene
                .name
                .starts_with(|first: char| first.is_ascii_uppercase());
    let is_dump = scene.bracket == b'[' && scene.sign == Sign::Arrow;
    let can_be_identifier =
        rest.is_empty() && scene.is_spaced && value.contains('_') && !value.contains('-');
    // `wrong password: my_word` ends a message.
    let is_message = scene.sign == Sign::Colon
        && scene.bracket == 0
        && !matches!(text.byte(end), b',' | b';' | b')' | b'}');
    let is_data = is_setting_line
        || is_record
        || is_dump
        || is_message
        || scene.is_beside && scene.bracket == 0;
    let is_setting = || scene.line.is_start && in_section(text, end);
    let is_identifier = can_be_identifier && !is_data && !is_setting();
    is_call(value, path, rest, scene)
        || scene.is_column && text.byte(end) == b';' && is_variable_of_php(value)
        || scene.is_spaced && is_method_call(value)
        || rest.is_empty() && (text.byte(end) == b'<' || is_member(text.byte(end), value, scene))
        || REFERENCES.begins(value)
        || scene.is_spaced && TYPE_STARTS.begins(value)
        || is_identifier
        || scene.is_spaced && KEYWORDS.contains(&value)
        || is_directory(value, scene)
        || is_other_secret(text.byte(end), value, scene)
        || is_expression(path, rest, value, scene)
        || value.ends_with("::class")
        || is_type(value)
        || names_other(value, scene)
        || names_itself(value, scene.name)
}

/// How far the heading of a section is searched before a setting.
const SECTION_REACH: usize = 300;

/// Whether the heading of a section stands before a setting: `[database]`.
fn in_section(text: Text<'_>, at: usize) -> bool {
    let mut lines = text
        .before(at, SECTION_REACH)
        .rsplit('\n')
        .map(str::trim_end);
    lines.any(|line| line.starts_with('[') && line.ends_with(']'))
}

/// Whether a byte can belong to the path of a member: `user?.profile->password`.
fn is_path(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || b"_.:?&!$@>-".contains(&byte)
}

/// Whether a bracket follows a path, as in a call or an index. The value of a setting such as
/// `PASSWORD=x(y` can contain brackets.
fn is_call(value: &str, path: &str, rest: &str, scene: Scene<'_>) -> bool {
    let is_setting = scene.sign == Sign::Equals
        && !scene.is_spaced
        && !scene.name.bytes().any(|byte| byte.is_ascii_lowercase());
    let is_setting = is_setting || scene.is_data || scene.is_record;
    let begins = |opens: &[&str]| opens.iter().any(|open| rest.starts_with(open));
    let is_opened = begins(&["[\"", "['", "[:"]) || !scene.is_prompt && begins(&["(", "<"]);
    !is_setting
        && path.len() > 1
        && value.bytes().any(|byte| byte.is_ascii_alphabetic())
        && is_opened
}

/// Whether a value is the name of a variable: `$input`.
fn is_variable_of_php(value: &str) -> bool {
    value.strip_prefix('$').is_some_and(|name| {
        name.bytes()
            .all(|byte| byte.is_ascii_alphabetic() || byte == b'_')
    })
}

/// Whether a value begins with a call of an object's method, `client.kv.v2.read("x")`, or with the
/// fields of an object of Perl: `$cfg->{api}{token}`.
fn is_method_call(value: &str) -> bool {
    let is_part = |character: char| character.is_ascii_alphanumeric() || "_.".contains(character);
    let path = value.trim_start_matches(is_part);
    let path = &value[..value.len() - path.len()];
    let is_word = |part: &str| part.starts_with(|first: char| first.is_ascii_alphabetic());
    let rest = &value[path.len()..];
    let is_call = rest.starts_with('(')
        && rest[1..].starts_with(|next: char| next.is_ascii_alphabetic() || "\"')".contains(next));
    let is_fields = value.starts_with('$') && value.contains("->{") && value.contains('}');
    is_call && path.contains('.') && path.split('.').all(is_word) || is_fields
}

/// Whether a value is a member of an object: `form.password`.
fn is_member(next: u8, value: &str, scene: Scene<'_>) -> bool {
    // Connection strings, parameters, texts in quotes and dumps of Java contain no code.
    let is_data = scene.is_parameter
        || scene.is_data
        || scene.is_record
        || scene.delimiter == b';'
        || scene.quote != 0
        || matches!(scene.bracket, b'{' | b'[') && scene.sign == Sign::Equals && !scene.is_spaced;
    // A constant is a variable of an environment, and no argument: `API_TOKEN=a.b`.
    let is_variable = scene.sign == Sign::Equals
        && !scene.is_spaced
        && !scene.name.bytes().any(|byte| byte.is_ascii_lowercase());
    // After a colon, code stands in brackets or before a separator.
    let is_code = if scene.sign == Sign::Colon {
        scene.is_spaced && (scene.bracket != 0 || matches!(next, b',' | b';' | b')' | b'}'))
    } else {
        scene.is_spaced
            || scene.sign == Sign::Equals
                && (scene.bracket == b'(' || matches!(next, b',' | b')' | b';'))
    };
    !is_data
        && !scene.is_beside
        && !is_variable
        && value.trim_matches(['.', '-', '!', '?']).contains('.')
        && is_code
        && !scene.line.is_start
        && value
            .bytes()
            .all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'.' | b'_' | b':'))
}

/// Whether a value is the member of an object that has the name of a secret, `old = user.password`,
/// or a duration: `6.hours`.
fn is_other_secret(next: u8, value: &str, scene: Scene<'_>) -> bool {
    let is_separated = matches!(next, b',' | b';' | b')');
    let is_spaced = scene.is_spaced && (scene.sign == Sign::Equals || is_separated);
    // `branchToken: currentBranchToken,`
    if is_spaced && is_separated && is_camel(value) && names::judge(value).is_some() {
        return true;
    }
    let Some((object, member)) = value.trim_end_matches(';').rsplit_once('.') else {
        return false;
    };
    let is_path = |text: &str| {
        text.bytes()
            .all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'.' | b'_'))
    };
    // `old = user.password`, `password = secret.Value;`
    let names_secret =
        names::judge(member).is_some() || is_separated && names::judge(object).is_some();
    let is_member = is_path(object) && is_path(member) && names_secret;
    let is_duration = object.bytes().all(|byte| byte.is_ascii_digit())
        && UNITS.contains(&member.trim_end_matches('s'));
    // `password_confirmation: user.password`
    let is_same = scene.is_spaced
        && is_path(object)
        && object.starts_with(|first: char| first.is_ascii_lowercase())
        && names::judge_known(member) == Some(names::Certainty::Certain);
    is_same || is_spaced && (is_member || is_duration)
}

/// Whether a text is a name of several words such as `currentBranchToken`.
fn is_camel(value: &str) -> bool {
    value.starts_with(|first: char| first.is_ascii_lowercase())
        && value.bytes().all(|byte| byte.is_ascii_alphabetic())
        && value.bytes().filter(u8::is_ascii_uppercase).count() >= 2
}

/// Whether a value is an expression of Go or C: `&Token{`, `(*Token)(nil)`, `<-tokens`, `values[0]`.
fn is_expression(path: &str, rest: &str, value: &str, scene: Scene<'_>) -> bool {
    let is_literal = rest.starts_with('{')
        && path
            .bytes()
            .any(|byte| byte == b'.' || byte.is_ascii_uppercase());
    let is_index = rest.starts_with('[')
        && rest.ends_with([']', ';'])
        && !path.is_empty()
        && rest
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"[];._+- ".contains(&byte));
    // `bin2hex(random_bytes(32));`
    let function = value.split('(').next().unwrap_or_default();
    let is_call = function.len() < value.len()
        && value.trim_end_matches(';').ends_with(')')
        && !value.contains(['"', '\''])
        && is_function_name(function);
    let is_start = ["(*", "<-", "&"]
        .iter()
        .any(|start| value.strip_prefix(start).is_some_and(is_word_start));
    // `Token:(*string)(0xc000044170)`
    let is_pointer = value.starts_with("(*") && value.contains(")(");
    is_pointer
        || scene.is_spaced
            && (is_literal || is_index || is_call || is_start && !value.contains(' '))
}

/// Whether a text can be the name of a function: `bin2hex`, `base64::encode`.
fn is_function_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_lowercase())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_.:".contains(&byte))
}

/// Whether a text begins with a letter and continues as a path or a call.
fn is_word_start(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"._(){}[]*:,".contains(&byte))
        && text.starts_with(|first: char| first.is_ascii_alphabetic())
}

/// Whether a value after `PWD` is a directory.
fn is_directory(value: &str, scene: Scene<'_>) -> bool {
    let is_path =
        value.starts_with('/') || value.starts_with("~/") || value.as_bytes().get(1) == Some(&b':');
    is_path && scene.name.to_ascii_lowercase().ends_with("pwd")
}

/// Whether an argument is the name of a variable that says something about a secret:
/// `get(SecretId=secret_name)`.
fn names_other(value: &str, scene: Scene<'_>) -> bool {
    scene.bracket == b'('
        && scene.sign == Sign::Equals
        && value.contains('_')
        && value
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
        && names::has_stem(value)
        && names::judge(value).is_none()
}

/// Whether a value is the name of a type: `password: Option<String>`, `VARCHAR(255)`.
fn is_type(value: &str) -> bool {
    let name = value
        .split(['(', '<', '[', '?', ';', '|', '{', '=', ',', ' ', '!'])
        .next()
        .unwrap_or_default();
    let is_named = name.starts_with(|first: char| first.is_ascii_uppercase())
        && name.bytes().all(|byte| byte.is_ascii_alphabetic())
        && TYPE_ENDINGS.iter().any(|ending| name.ends_with(ending));
    let is_cmdlet = CMDLETS.iter().any(|start| name.starts_with(start));
    is_named || is_cmdlet || TYPES.contains(&name.trim().to_ascii_lowercase())
}
