//! Names that are secrets only because of the text around them: `"answer"` after a question,
//! `community` in a setting of SNMP, `/pass:` of Windows, `…ssword` in a shortened dump.

use super::context::{is_quote, is_space, skip_blanks, skip_spaces};
use super::judgement::is_secret;
use super::quoted;
use crate::names::{self, Certainty};
use crate::text::Text;

/// How many bytes before a name are searched for what gives it its meaning.
const REACH: usize = 200;

/// The keys of a question, in lower case, whose answer is a secret.
#[rustfmt::skip]
const QUESTIONS: &[&str] = &[
    "recovery_question", "recoveryquestion", "security_question", "securityquestion", "secret_question", "secretquestion", "security question",
];

/// How certain it is that a word between two positions names a secret because of the text around it.
pub(super) fn known_in_context(text: Text<'_>, start: usize, end: usize) -> Option<Certainty> {
    let word = text.text.get(start..end)?;
    let lower = word.to_ascii_lowercase();
    let is_secret = match lower.as_str() {
        "answer" => follows(text, start, QUESTIONS),
        "pass" | "pw" => text.byte_before(start) == b'/' && text.byte(end) == b':',
        "community" => follows(
            text,
            start,
            &["snmp", "version: 1", "version: 2", "version 2c"],
        ),
        "key" => is_device_key(text, start),
        "tokens" | "keys" => holds_random(text, end),
        _ => {
            is_shortened(text, start, word)
                || is_setter(text, end, word)
                || is_salt_variable(text, end, word)
        }
    };
    is_secret.then_some(Certainty::Certain)
}

/// Whether the first value of the object after a name in quotes is random: `"tokens": {"access": "9f8…"}`.
fn holds_random(text: Text<'_>, end: usize) -> bool {
    if !is_quote(text.byte(end)) {
        return false;
    }
    let colon = skip_spaces(text, end + 1);
    let open = skip_blanks(text, colon + 1);
    let key = quoted::read(text, skip_blanks(text, open + 1));
    let value = key.and_then(|key| {
        let colon = skip_spaces(text, key.next);
        (text.byte(colon) == b':').then(|| quoted::read(text, skip_blanks(text, colon + 1)))?
    });
    text.byte(colon) == b':'
        && text.byte(open) == b'{'
        && value.is_some_and(|value| is_secret(value.written(text), Certainty::Long))
}

/// Whether one of a few words, in lower case, stands shortly before a position.
fn follows(text: Text<'_>, at: usize, words: &[&str]) -> bool {
    let before = text.before(at, REACH).to_ascii_lowercase();
    words.iter().any(|word| before.contains(word))
}

/// Lines of network devices in which `key` precedes a secret.
#[rustfmt::skip]
const DEVICE_LINES: &[&str] = &[
    "tacacs", "radius", "crypto isakmp", "ntp authentication-key", "key-chain", "wireless.", "uci set wireless.", "server-private",
];

/// Whether a line of a network device or of a wireless network makes `key` the name of a secret.
fn is_device_key(text: Text<'_>, start: usize) -> bool {
    let before = text.before(start, REACH);
    let line = before.rsplit('\n').next().unwrap_or_default();
    // The prompt of a device: `router(config)# tacacs-server …`.
    let line = line.rsplit("# ").next().unwrap_or(line).trim_start();
    let is_wireless = line.starts_with("option")
        && (before.contains("wifi-iface") || text.rest(start).starts_with(b"key '"));
    let is_alone = line.is_empty() && is_space(text.byte_before(start));
    let previous = before.trim_end().rsplit('\n').take(3);
    is_wireless
        || DEVICE_LINES.iter().any(|word| line.starts_with(word))
        || is_alone
            && previous
                .map(str::trim_start)
                .any(|line| line.starts_with("radius server") || line.starts_with("tacacs server"))
}

/// Names of which a shortened dump shows the end: `...ssword='x'`.
const SHORTENED: &[&str] = &["password", "passphrase", "passwd", "secret", "api_key"];

/// Whether a word is the end of a name whose beginning was replaced by dots.
fn is_shortened(text: Text<'_>, start: usize, word: &str) -> bool {
    let is_cut = text.before(start, 3) == "..." || text.before(start, 3) == "…";
    is_cut && word.len() >= 4 && SHORTENED.iter().any(|name| name.ends_with(word))
}

/// Whether a word is a variable of the environment for a salt: `HASHIDS_SALT=x`.
fn is_salt_variable(text: Text<'_>, end: usize, word: &str) -> bool {
    text.byte(end) == b'=' && (word.ends_with("_SALT") || word.ends_with("_PEPPER"))
}

/// Whether a word is the setter of a secret in a builder: `withPassword("x")`.
fn is_setter(text: Text<'_>, end: usize, word: &str) -> bool {
    let Some(name) = word
        .rsplit('.')
        .next()
        .and_then(|word| word.strip_prefix("with"))
    else {
        return false;
    };
    name.starts_with(|first: char| first.is_ascii_uppercase())
        && text.byte(end) == b'('
        && names::judge(name) == Some(Certainty::Certain)
}
