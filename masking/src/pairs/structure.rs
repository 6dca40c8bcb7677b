//! Lists and objects that are the value of a name.

use super::Values;
use super::bare::{self, Scene};
use super::context::{Line, is_quote, name_end, skip_blanks, skip_spaces, slice};
use super::judgement::{is_message, is_password, is_secret};
use super::{quoted, scheme};
use crate::names::Certainty;
use crate::text::Text;

/// How many bytes of a structure are read.
const LONGEST: usize = 2 * 1024;

/// The most elements that are read.
const MOST_ELEMENTS: usize = 100;

/// The longest value without quotes in an object.
const LONGEST_PLAIN: usize = 512;

/// Keys of an object that hold the value itself.
#[rustfmt::skip]
const VALUE_KEYS: &[&str] = &[
    "value", "val", "v", "data", "content", "text", "string", "stringvalue", "string_value", "plain", "plaintext", "secret", "secretvalue", "secretstring", "current", "s", "ss", "n", "_", "$", "$t", "#text", "_text", "$value", "__value", "default", "raw", "bytes", "b64", "base64", "input", "clear", "cleartext", "token", "password", "old", "new", "before", "after", "from", "to", "previous",
];

/// Names whose objects hold only secrets.
const PLURALS: &[&str] = &[
    "cookies",
    "cookie",
    "secrets",
    "passwords",
    "tokens",
    "apikeys",
    "api_keys",
    "credentials_map",
    "stringdata",
];

/// Adds the values of the list or object that begins at a position.
pub(super) fn read(text: Text<'_>, at: usize, scene: Scene<'_>, values: &mut Values) {
    let is_object = text.byte(at) == b'{';
    if !is_object && begins_rules(text, at) || read_parts(text, at, values) {
        return;
    }
    let name = scene.name.rsplit(['.', '_']).next().unwrap_or_default();
    let mut reader = Reader {
        text,
        scene,
        name: name.to_ascii_lowercase(),
        is_object,
        limit: text.text.len().min(at + LONGEST),
        at: at + 1,
        depth: 1,
        objects: 0,
        key: String::new(),
    };
    for _ in 0..MOST_ELEMENTS {
        if !reader.read_next(values) {
            return;
        }
    }
}

/// Whether a list of the rules of a validator is at a position: `['required', 'string', 'min:8']`.
fn begins_rules(text: Text<'_>, at: usize) -> bool {
    quoted::read(text, skip_blanks(text, at + 1)).is_some_and(|first| {
        matches!(
            first.written(text),
            "required" | "nullable" | "sometimes" | "bail" | "optional" | "confirmed"
        )
    })
}

/// Reads the elements of a list or object one after the other.
struct Reader<'t> {
    text: Text<'t>,
    scene: Scene<'t>,
    /// The last word of the name, in lower case.
    name: String,
    is_object: bool,
    /// How far the structure is read.
    limit: usize,
    at: usize,
    /// How many brackets are open.
    depth: usize,
    /// How many of the open brackets are objects inside a list.
    objects: usize,
    /// The key that was read last, in lower case.
    key: String,
}

impl Reader<'_> {
    /// Reads the next sign, key or value. Returns whether the structure goes on after it.
    fn read_next(&mut self, values: &mut Values) -> bool {
        let text = self.text;
        let at = skip_blanks(text, self.at);
        self.at = at;
        if at >= self.limit {
            return false;
        }
        match text.byte(at) {
            b'[' if self.has_value_key() && read_parts(text, at, values) => {
                let rest = text.rest(at).iter().take(self.limit - at);
                self.at = at + rest.take_while(|&&byte| byte != b']').count();
            }
            b'{' | b'[' | b'(' if text.mark_end(at).is_none() => {
                self.objects += usize::from(text.byte(at) == b'{' || self.objects > 0);
                self.depth += 1;
                self.at += 1;
            }
            b'[' => self.at = text.mark_end(at).unwrap_or(at + 1),
            b'}' | b']' | b')' => {
                self.depth -= 1;
                self.objects = self.objects.saturating_sub(1);
                self.at += 1;
                return self.depth > 0;
            }
            b',' | b';' | b':' | b'=' | b'>' | b'\\' | b'&' | b'-' => self.at += 1,
            byte if quoted::quote_length(text, at) > 0 && byte != b'`' => {
                return self.read_quoted(values);
            }
            _ => self.read_plain(values),
        }
        true
    }

    /// Whether the last key is that of the value itself.
    fn has_value_key(&self) -> bool {
        VALUE_KEYS.contains(&self.key.as_str())
    }

    /// Whether all elements count, and not only those with some keys.
    fn counts_all(&self) -> bool {
        !self.is_object || PLURALS.contains(&self.name.as_str())
    }

    /// Reads a key or a value in quotes. Returns whether there was one.
    fn read_quoted(&mut self, values: &mut Values) -> bool {
        let text = self.text;
        let Some(value) = quoted::read(text, self.at) else {
            return false;
        };
        let after = skip_blanks(text, value.next);
        if (self.is_object || self.objects > 0) && matches!(text.byte(after), b':' | b'=') {
            self.key = value.written(text).to_ascii_lowercase();
            self.at = after + 1;
            return true;
        }
        if self.name.ends_with("authorization")
            && let Some(credential) = scheme::find(text, value.start, Some(value.end))
        {
            credential.check(text, values);
            self.at = value.next.max(self.at + 1);
            return true;
        }
        let value = quoted::join(text, value);
        // A set: `{"x"}`.
        let is_set = self.is_object && self.key.is_empty();
        let is_attribute = matches!(
            self.key.as_str(),
            "path" | "domain" | "samesite" | "expires" | "priority"
        );
        let counts = (self.counts_all() && !is_attribute || is_set) && self.objects == 0
            || self.has_value_key();
        // `"bearer": {"host": "9f8…"}`: a random value in the object of a secret.
        let counts = counts || self.is_of_host() || self.holds_random(value.written(text));
        if counts && !is_message(value.written(text), self.scene.name) {
            values.push(value.start, value.end);
        }
        self.at = value.next.max(self.at + 1);
        true
    }

    /// Whether the key of the object itself is the name of a host, as in Composer's
    /// `"gitlab-token": {"gitlab.example": "x"}`.
    fn is_of_host(&self) -> bool {
        let is_part = |part: &str| {
            part.len() > 1
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b':'))
        };
        self.is_object
            && self.depth == 1
            && self.key.contains('.')
            && self.key.split('.').all(is_part)
    }

    /// Whether a value of the object itself is random, and its key does not say that it is an id.
    fn holds_random(&self, written: &str) -> bool {
        let is_id = [
            "id", "name", "hash", "arn", "url", "sha", "digest", "key_id",
        ]
        .iter()
        .any(|ending| self.key.ends_with(ending));
        self.is_object && self.depth == 1 && !is_id && is_secret(written, Certainty::Long)
    }

    /// Reads a key or a value without quotes.
    fn read_plain(&mut self, values: &mut Values) {
        let text = self.text;
        let at = self.at;
        let key_end = name_end(text, at);
        let sign = skip_spaces(text, key_end);
        if self.is_object && key_end > at && matches!(text.byte(sign), b':' | b'=') {
            self.key = slice(text, at, key_end).to_ascii_lowercase();
            self.at = sign + 1;
            return;
        }
        let written = slice(text, at, self.plain_end()).trim_end();
        let end = text.text.ceil_char_boundary(at + written.len().max(1));
        if self.is_plain_secret(written) {
            values.push(at, end);
        }
        self.at = if is_quote(text.byte(end)) {
            end + usize::from(text.byte(end) == b'`')
        } else {
            end.max(at + 1)
        };
    }

    /// Where a value without quotes ends.
    fn plain_end(&self) -> usize {
        let scene = Scene {
            is_parameter: false,
            line: Line {
                is_start: false,
                ..self.scene.line
            },
            bracket: 0,
            ..self.scene
        };
        let end = if self.is_object {
            bare::find_end(self.text, self.at, LONGEST_PLAIN, scene)
        } else {
            element_end(self.text, self.at, self.limit)
        };
        self.text.text.ceil_char_boundary(end.max(self.at + 1))
    }

    /// Whether a value without quotes is a secret. A tight list such as `[x,y]` can hold any texts.
    fn is_plain_secret(&self, written: &str) -> bool {
        let counts = if self.is_object || self.objects > 0 {
            self.counts_all() && self.objects == 0 || self.has_value_key()
        } else {
            true
        };
        let looks = if !self.scene.is_spaced && !self.is_object {
            !is_class(written) && !written.is_empty()
        } else {
            is_listed_password(written)
        };
        // `secrets:` lists the names of secrets.
        let is_name = self.name == "secrets"
            && written
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'_' | b'-'));
        let is_call = written.contains('(') && written.ends_with(')');
        counts && looks && !is_name && !is_call && !is_message(written, self.scene.name)
    }
}

/// The end of an element without quotes: the next comma or closing bracket.
fn element_end(text: Text<'_>, at: usize, limit: usize) -> usize {
    let mut open = 0;
    let mut end = at;
    while end < limit {
        match text.byte(end) {
            b'[' if text.mark_end(end).is_some() => break,
            b'[' | b'(' | b'{' => open += 1,
            b']' | b')' | b'}' if open == 0 => break,
            b']' | b')' | b'}' => open -= 1,
            b',' if open == 0 && text.byte(end + 1).is_ascii_whitespace() => break,
            b'\n' => break,
            byte if is_quote(byte) && end > at => break,
            _ => {}
        }
        end += 1;
    }
    end
}

/// Adds a list of bytes or of single characters, which is one value: `[98, 121, 0]`, `[g, e, h]`.
fn read_parts(text: Text<'_>, at: usize, values: &mut Values) -> bool {
    let rest = text.rest(at + 1);
    let rest = &rest[..rest.len().min(LONGEST)];
    let Some(length) = memchr::memchr3(b']', b'}', b')', rest) else {
        return false;
    };
    let Some(inside) = text.text.get(at + 1..at + 1 + length) else {
        return false;
    };
    let parts = inside
        .split(',')
        .map(|part| part.trim().trim_matches(['\'', '"']));
    let is_byte = |part: &str| {
        let digits = part.strip_prefix("0x").or(part.strip_prefix("0X"));
        let number = match digits {
            Some(digits) => i16::from_str_radix(digits, 16),
            None => part.parse::<i16>(),
        };
        number.is_ok_and(|number| (-128..256).contains(&number))
    };
    let is_list = text.byte(at) == b'[';
    let is_part = |part: &str| is_byte(part) || is_list && part.chars().count() == 1;
    let count = inside.split(',').count();
    let is_value = count >= 3 && parts.clone().all(is_part);
    if is_value {
        let start = at + 1 + (inside.len() - inside.trim_start().len());
        values.push(start, start + inside.trim().len());
    }
    is_value
}

/// Whether a text is a class of characters such as `[a-z0-9]`, or a name in capitals.
fn is_class(value: &str) -> bool {
    ["a-z", "A-Z", "0-9"]
        .iter()
        .any(|range| value.contains(range))
        || value
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte == b'_')
            && value.len() > 2
}

/// Whether an unquoted element of a list is a password, and not a character class such as
/// `[a-z0-9]`.
fn is_listed_password(value: &str) -> bool {
    is_password(value) && !is_class(value)
}
