//! Credentials with a known prefix.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::LazyLock;

use super::{Body, Format, Run, checksum, formats, is_random};
use crate::filter::Filter;
use crate::lists::WordHash;
use crate::text::Text;

/// How many bytes of a run are read to check whether it is random. Only random runs are read to
/// their end, so that no text is read again and again.
const PREVIEW: usize = 128;

/// A format with the name of its rule.
#[derive(Debug, Clone, Copy)]
struct Prefix {
    rule: &'static str,
    prefix: &'static str,
    stays: bool,
    run: Run,
}

/// The prefixes in groups that begin with the same three bytes. Within a group the longest prefix
/// comes first, so that `sk-ant-` is not taken for another `sk-`.
#[derive(Debug)]
struct Index {
    /// The first three bytes of all prefixes. Most words are rejected here.
    starts: Filter<FILTER_WORDS>,
    groups: HashMap<u32, Vec<Prefix>, WordHash>,
}

const FILTER_WORDS: usize = 1 << 10;

static INDEX: LazyLock<Index> = LazyLock::new(|| {
    let mut index = Index {
        starts: Filter::new(),
        groups: HashMap::default(),
    };
    for (rule, format) in formats() {
        if let &Format::Prefix { prefix, stays, run } = format {
            index.add(Prefix {
                rule,
                prefix,
                stays,
                run,
            });
        }
    }
    for group in index.groups.values_mut() {
        group.sort_by_key(|format| Reverse(format.prefix.len()));
    }
    index
});

impl Index {
    /// Adds a prefix. One of two bytes belongs to the groups of all third bytes that its run can
    /// begin with.
    fn add(&mut self, format: Prefix) {
        let prefix = format.prefix.as_bytes();
        for third in 0..128 {
            let fits = match prefix.get(2) {
                Some(&byte) => byte == third,
                None => format.run.body.contains(third),
            };
            if fits {
                let start = key(&[prefix[0], prefix[1], third]);
                self.starts.add(u64::from(start));
                self.groups.entry(start).or_default().push(format);
            }
        }
    }

    /// The formats whose prefix can begin with these bytes.
    fn group(&self, rest: &[u8]) -> &[Prefix] {
        let Some(start) = rest.first_chunk().map(key) else {
            return &[];
        };
        if !self.starts.contains(u64::from(start)) {
            return &[];
        }
        self.groups.get(&start).map_or(&[], Vec::as_slice)
    }
}

/// Whether a prefix can begin at a position.
pub(super) fn can_begin(text: Text<'_>, at: usize) -> bool {
    let start = text.rest(at).first_chunk().map(key);
    start.is_some_and(|start| INDEX.starts.contains(u64::from(start)))
}

/// The first three bytes as a number.
fn key(start: &[u8; 3]) -> u32 {
    u32::from_be_bytes([0, start[0], start[1], start[2]])
}

/// Finds a credential whose prefix begins at a position.
pub(super) fn find(
    text: Text<'_>,
    at: usize,
    is_on: impl Fn(&str) -> bool,
) -> Option<(usize, usize, &'static str)> {
    let rest = text.rest(at);
    INDEX
        .group(rest)
        .iter()
        .filter(|format| rest.starts_with(format.prefix.as_bytes()) && is_on(format.rule))
        .find_map(|format| {
            let start = at + format.prefix.len();
            let end = find_end(text, start, format.run)?;
            Some((if format.stays { start } else { at }, end, format.rule))
        })
}

fn find_end(text: Text<'_>, start: usize, format: Run) -> Option<usize> {
    let run = |most: usize| {
        let bytes = text.rest(start).iter().take(most);
        let length = bytes
            .take_while(|&&byte| format.body.contains(byte))
            .count();
        trim_end(text, start, start + length)
    };
    let preview_end = run(PREVIEW.max(format.least));
    let preview = &text.rest(start)[..preview_end - start];
    if preview.len() < format.least || !is_random(preview, format.body) {
        return None;
    }
    // `s.populateModelFromConfig`: the members of objects in code.
    let is_member = text.before(start, 2) == "s." && !preview.iter().any(u8::is_ascii_digit);
    if is_member {
        return None;
    }
    let end = run(format.most.saturating_add(1));
    if format.most == usize::MAX {
        return Some(extend(text, end));
    }
    let is_whole = end - start <= format.most && !text.byte(end).is_ascii_alphanumeric();
    is_whole.then_some(end)
}

/// Extends a token to the end of the word that it stands in, because a token of a newer form must
/// not be shown in part.
fn extend(text: Text<'_>, end: usize) -> usize {
    match text.byte(end) {
        b'-' | b'_' => text.run(end, |byte| Body::Base64Url.contains(byte)),
        _ => text.run(end, |byte| byte.is_ascii_alphanumeric()),
    }
}

/// Removes signs at the end that belong to the sentence or the URL.
fn trim_end(text: Text<'_>, start: usize, end: usize) -> usize {
    let mut end = end;
    while end > start && matches!(text.byte(end - 1), b'.' | b'/' | b'?' | b':' | b',' | b'&') {
        end -= 1;
    }
    end
}

/// The prefixes of tokens that end with a checksum, by which they are recognised inside other
/// words.
pub(super) const CHECKED: [&str; 6] = ["ghp_", "gho_", "ghu_", "ghs_", "ghr_", "npm_"];

/// The length of a token with a checksum, without its prefix.
const CHECKED_LENGTH: usize = 36;

/// Finds the end of a token whose checked prefix ends at a position.
pub(super) fn find_checked(text: Text<'_>, start: usize) -> Option<usize> {
    let body = text.rest(start).get(..CHECKED_LENGTH)?;
    let is_token = body.iter().all(|&byte| Body::Alphanumeric.contains(byte));
    (is_token && checksum::is_valid(body)).then_some(start + CHECKED_LENGTH)
}
