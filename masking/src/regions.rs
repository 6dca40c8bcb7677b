//! The regions of a text that are read again: those that change when escapes are decoded, when
//! the prefixes of lines are removed, or when values are masked.
//!
//! Most of a text stays the same, and it would take long to read all of it again.

use std::ops::Range;

use crate::layers;
use crate::prefixes;

/// How many bytes before a change are read again.
const BEFORE: usize = 160;

/// How many bytes after a change are read again.
const AFTER: usize = 256;

/// How far the start of a region is moved to the start of its line.
const TO_LINE_START: usize = 1_024;

/// How far the end of a region is moved to the end of its line, so that the values in a long line
/// are read as a whole.
const TO_LINE_END: usize = 16 * 1_024;

/// How far lines with prefixes are read after a name.
const LONGEST_BLOCK: usize = 64 * 1_024;

/// The regions around changes, which are sorted.
pub(crate) fn around(
    text: &str,
    changes: impl IntoIterator<Item = Range<usize>>,
) -> Vec<Range<usize>> {
    let mut regions: Vec<Range<usize>> = Vec::new();
    for change in changes {
        let is_covered = |last: &Range<usize>| change.end + AFTER <= last.end;
        if !regions.last().is_some_and(is_covered) {
            push(&mut regions, region_around(text, &change));
        }
    }
    regions
}

/// The regions around the escapes of a text.
pub(crate) fn around_escapes(text: &str) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let is_escape = |at: &usize| layers::begins_escape(text, *at);
    let place = |at: usize| at..at + 1;
    let colours = memchr::memchr_iter(0x1B, bytes).filter(is_escape);
    let others = memchr::memchr3_iter(b'&', b'%', b'\\', bytes).filter(is_escape);
    let mut regions = around(text, others.map(place));
    let coloured = around(text, colours.map(place));
    if !coloured.is_empty() {
        regions.extend(coloured);
        regions = unite(regions);
    }
    regions
}

/// The blocks of lines with prefixes in which some places are. The places are sorted.
pub(crate) fn around_prefixes(text: &str, places: &[usize]) -> Vec<Range<usize>> {
    let mut blocks: Vec<Range<usize>> = Vec::new();
    for &place in places {
        if blocks.last().is_some_and(|last| place < last.end) {
            continue;
        }
        let mut block = region_around(text, &(place..place));
        let limit = text.floor_char_boundary(text.len().min(place + LONGEST_BLOCK));
        block.end = prefixes::block_end(&text[..limit.max(block.end)], block.end);
        push(&mut blocks, block);
    }
    blocks.retain(|block| prefixes::has_any(&text[block.clone()]));
    blocks
}

/// Adds a region, or joins it with the last one.
fn push(regions: &mut Vec<Range<usize>>, region: Range<usize>) {
    match regions.last_mut() {
        Some(last) if region.start <= last.end => last.end = last.end.max(region.end),
        _ => regions.push(region),
    }
}

/// Sorts regions, and joins those that overlap.
fn unite(mut regions: Vec<Range<usize>>) -> Vec<Range<usize>> {
    regions.sort_unstable_by_key(|region| region.start);
    let mut united = Vec::with_capacity(regions.len());
    for region in regions {
        push(&mut united, region);
    }
    united
}

/// The region around a change: whole lines, unless they are very long.
fn region_around(text: &str, change: &Range<usize>) -> Range<usize> {
    let bytes = text.as_bytes();
    let start = change.start.saturating_sub(BEFORE);
    let first = start.saturating_sub(TO_LINE_START);
    let start = match memchr::memrchr(b'\n', &bytes[first..start]) {
        Some(line_end) => first + line_end + 1,
        None if first == 0 => 0,
        None => start,
    };
    let end = bytes.len().min(change.end + AFTER);
    let last = bytes.len().min(end + TO_LINE_END);
    let end = memchr::memchr(b'\n', &bytes[end..last]).map_or(last, |length| end + length + 1);
    text.floor_char_boundary(start)..text.ceil_char_boundary(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_lines_around_a_change_are_read_again() {
        let line = "A harmless line of text.\n";
        let text = [&line.repeat(100), "a%20b\n", &line.repeat(100)].concat();
        let regions = around_escapes(&text);
        assert_eq!(regions.len(), 1);
        let region = &text[regions[0].clone()];
        assert!(region.contains("a%20b\n") && region.len() < 1_000);
        assert!(region.starts_with("A") && region.ends_with("text.\n"));
        assert!(around_escapes("50 % of a & b").is_empty());
    }

    #[test]
    fn a_block_of_lines_with_prefixes_is_read_as_a_whole() {
        let text = [
            "web-1  | password: |\n",
            &"web-1  | abcdef\n".repeat(100),
            "end",
        ]
        .concat();
        let block = 0..text.len() - "end".len();
        assert_eq!(around_prefixes(&text, &[9]).first(), Some(&block));
        assert!(around_prefixes("password: x", &[0]).is_empty());
    }
}
