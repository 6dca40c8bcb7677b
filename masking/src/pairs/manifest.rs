//! Kubernetes' manifests of the kind `Secret`: all values of their `data` and `stringData` are secret,
//! whatever their keys are.

use super::context::{is_space, next_line, skip_blanks, skip_spaces};
use super::judgement::is_placeholder;
use super::{Values, quoted};
use crate::text::Text;

/// How far from its kind the values of a manifest are searched.
const REACH: usize = 16 * 1024;

/// The most values of a manifest.
const MOST_VALUES: usize = 200;

/// What stands before the kind in YAML and in JSON, and after it.
const KINDS: [(&str, &str); 3] = [
    ("kind: ", ""),
    ("\"kind\":\"", "\""),
    ("\"kind\": \"", "\""),
];

/// The kind of a manifest.
struct Kind {
    start: usize,
    end: usize,
    is_yaml: bool,
}

/// The kinds of all manifests of secrets in a text.
fn kinds(text: Text<'_>) -> impl Iterator<Item = Kind> {
    memchr::memmem::find_iter(text.text.as_bytes(), "Secret").filter_map(move |place| {
        let end = place + "Secret".len();
        let (before, after) = KINDS.iter().find(|(before, after)| {
            text.text.as_bytes()[..place].ends_with(before.as_bytes())
                && text.rest(end).starts_with(after.as_bytes())
        })?;
        Some(Kind {
            start: place - before.len(),
            end: end + after.len(),
            is_yaml: after.is_empty(),
        })
    })
}

/// Adds the values of all manifests of secrets in a text.
pub(super) fn find(text: Text<'_>, values: &mut Values) {
    let mut read_until = 0;
    let mut hits = kinds(text).peekable();
    while let Some(hit) = hits.next() {
        let is_whole = !text.byte(hit.end).is_ascii_alphabetic();
        if !is_whole {
            continue;
        }
        let from = read_until.max(hit.start.saturating_sub(REACH));
        let next = hits.peek().map_or(text.text.len(), |next| next.start);
        let until = next.min(hit.end + REACH);
        let from = text.text.ceil_char_boundary(from);
        let until = text.text.floor_char_boundary(until);
        let before = &text.text[from..hit.start];
        let start = before.rfind("\n---").map_or(from, |place| from + place);
        let after = &text.text[hit.end..until];
        let end = after.find("\n---").map_or(until, |place| hit.end + place);
        if hit.is_yaml {
            read_yaml(text, start, end, values);
        } else {
            read_json(text, start, end, values);
        }
        read_until = end;
    }
}

/// Adds the values under `data:` and `stringData:` between two positions.
fn read_yaml(text: Text<'_>, start: usize, end: usize, values: &mut Values) {
    let mut at = start;
    let mut section = None;
    let mut block: Option<usize> = None;
    while at < end {
        let next = next_line(text, at);
        let line = text.text[at..next.min(end)].trim_end();
        let indent = line.len() - line.trim_start().len();
        let content = line.trim_start();
        if block.is_some_and(|depth| indent > depth || content.is_empty()) {
            values.push(at + indent, at + line.len());
            at = next;
            continue;
        }
        block = None;
        if matches!(content, "data:" | "stringData:") {
            section = Some(indent);
        } else if section.is_some_and(|depth| indent <= depth && !content.is_empty()) {
            section = None;
        } else if section.is_some() {
            block = read_entry(at + indent, content, values).then_some(indent);
        }
        at = next;
    }
}

/// Adds the value of an entry, whose text begins at a position. Returns whether it is a block, whose
/// lines follow.
fn read_entry(at: usize, content: &str, values: &mut Values) -> bool {
    let Some((key, value)) = content.split_once(": ") else {
        return false;
    };
    let value = value.trim();
    if matches!(value.as_bytes(), [b'|' | b'>', rest @ ..] if rest.len() <= 2) {
        return true;
    }
    let is_public = key.ends_with(".crt") || key.ends_with(".pub");
    let inner = value.trim_matches(['"', '\'']);
    if !is_public && !is_placeholder(inner) {
        let start = at + (inner.as_ptr() as usize - content.as_ptr() as usize);
        values.push(start, start + inner.len());
    }
    false
}

/// Adds the values of the objects `"data"` and `"stringData"` between two positions.
fn read_json(text: Text<'_>, start: usize, end: usize, values: &mut Values) {
    for key in ["\"data\":", "\"stringData\":"] {
        let Some(place) = text.text[start..end].find(key) else {
            continue;
        };
        let open = skip_blanks(text, start + place + key.len());
        if text.byte(open) == b'{' {
            read_object(text, open + 1, end, values);
        }
    }
}

/// Adds the values of the object that opens before a position.
fn read_object(text: Text<'_>, at: usize, end: usize, values: &mut Values) {
    let mut at = at;
    for _ in 0..MOST_VALUES {
        let Some(key) = quoted::read(text, skip_blanks(text, at)).filter(|key| key.next < end)
        else {
            return;
        };
        let colon = skip_spaces(text, key.next);
        let Some(value) = quoted::read(text, skip_blanks(text, colon + 1)) else {
            return;
        };
        if text.byte(colon) != b':' {
            return;
        }
        if !key.written(text).ends_with(".crt") && !is_placeholder(value.written(text)) {
            values.push(value.start, value.end);
        }
        let comma = text.run_within(value.next, 64, |byte| is_space(byte) || byte == b'\n');
        if text.byte(comma) != b',' {
            return;
        }
        at = comma + 1;
    }
}
