//! Credentials with a known prefix.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::LazyLock;

use super::{Body, Format, Run, checksum, formats, is_random};
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

/// The prefixes in groups that begin with the same two bytes. Within a group the longest prefix
/// comes first, so that `sk-ant-` is not taken for another `sk-`.
#[derive(Debug)]
struct Index {
    /// Which hashes of three bytes can begin a credential. Most words are rejected here, so the
    /// filter must stay in the processor's fastest cache.
    filter: Box<[u64; FILTER_WORDS]>,
    groups: HashMap<[u8; 2], Vec<Prefix>>,
}

const FILTER_WORDS: usize = 1 << 10;

static INDEX: LazyLock<Index> = LazyLock::new(|| {
    let mut index = Index {
        filter: Box::new([0; FILTER_WORDS]),
        groups: HashMap::new(),
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
    fn add(&mut self, format: Prefix) {
        let prefix = format.prefix.as_bytes();
        for third in 0..128 {
            let fits = match prefix.get(2) {
                Some(&byte) => byte == third,
                None => format.run.body.contains(third),
            };
            if fits {
                let (word, bit) = slot(&[prefix[0], prefix[1], third]);
                self.filter[word] |= bit;
            }
        }
        let group = self.groups.entry([prefix[0], prefix[1]]).or_default();
        group.push(format);
    }

    /// The formats whose prefix can begin with these bytes.
    fn group(&self, rest: &[u8]) -> &[Prefix] {
        let Some(start) = rest.first_chunk::<3>() else {
            return &[];
        };
        let (word, bit) = slot(start);
        if self.filter[word] & bit == 0 {
            return &[];
        }
        self.groups
            .get(&[start[0], start[1]])
            .map_or(&[], Vec::as_slice)
    }
}

/// The word and the bit of the filter for three bytes.
fn slot(start: &[u8; 3]) -> (usize, u64) {
    let value = u32::from_be_bytes([0, start[0], start[1], start[2]]);
    let hash = value.wrapping_mul(0x9E37_79B1) >> 16;
    ((hash >> 6) as usize, 1 << (hash & 63))
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
