//! A search for many short texts at once.
//!
//! Almost all positions of a text are rejected by a filter of three bytes. Unlike in an automaton,
//! no step waits for the one before, so that several of them run at the same time.

use std::collections::HashMap;

use crate::filter::Filter;
use crate::lists::WordHash;

/// The bits of the filter are in so many words of 64 bits.
const WORDS: usize = 1 << 10;

/// The bit by which the cases of ASCII letters differ. The filter ignores it.
const CASE: u32 = 0x20_20_20;

/// The first three of four bytes.
const THREE: u32 = 0xFF_FF_FF;

/// The searched texts, and the filter for their first three bytes.
#[derive(Debug)]
pub(crate) struct Needles {
    needles: Vec<String>,
    ignores_case: bool,
    starts: Filter<WORDS>,
    /// The needles that begin with three bytes, the shortest first.
    groups: HashMap<u32, Vec<usize>, WordHash>,
}

impl Needles {
    /// Creates a search for texts of at least two bytes.
    pub(crate) fn new(needles: Vec<String>, ignores_case: bool) -> Self {
        let mut search = Self {
            needles,
            ignores_case,
            starts: Filter::new(),
            groups: HashMap::default(),
        };
        let mut order: Vec<usize> = (0..search.needles.len()).collect();
        order.sort_by_key(|&index| search.needles[index].len());
        for index in order {
            search.add(index);
        }
        search
    }

    fn add(&mut self, index: usize) {
        let needle = self.needles[index].as_bytes();
        let keys = match needle {
            [first, second] => (0..=u8::MAX)
                .map(|third| key([*first, *second, third]))
                .collect(),
            [first, second, third, ..] => vec![key([*first, *second, *third])],
            _ => Vec::new(),
        };
        for key in keys {
            self.starts.add(u64::from(key));
            let group = self.groups.entry(key).or_default();
            if group.last() != Some(&index) {
                group.push(index);
            }
        }
    }

    /// The first position, at or after another one, at which one of the texts can stand.
    pub(crate) fn next(&self, text: &str, from: usize) -> Option<usize> {
        let rest = text.as_bytes().get(from..)?;
        let can_begin = |bytes: &[u8]| {
            let start = key([bytes[0], bytes[1], bytes[2]]);
            self.starts.contains(u64::from(start))
        };
        // Eight bytes are read at once, in which six positions have three bytes.
        let mut read = 0;
        while let Some(&chunk) = rest.get(read..).and_then(<[u8]>::first_chunk) {
            let bytes = u64::from_le_bytes(chunk);
            let is_start = |place: &usize| {
                let start = (bytes >> (8 * place)) as u32 & THREE | CASE;
                self.starts.contains(u64::from(start))
            };
            if let Some(place) = (0..6).find(is_start) {
                return Some(from + read + place);
            }
            read += 6;
        }
        let place = rest[read..]
            .windows(3)
            .position(can_begin)
            .map(|place| read + place);
        // A text of two bytes can stand at the end.
        let is_short =
            || rest.len() >= 2 && can_begin(&[rest[rest.len() - 2], rest[rest.len() - 1], 0]);
        place
            .or_else(|| is_short().then(|| rest.len() - 2))
            .map(|place| from + place)
    }

    /// The indices and the ends of the texts that stand at a position, the shortest first.
    pub(crate) fn at<'t>(
        &'t self,
        text: &'t str,
        at: usize,
    ) -> impl Iterator<Item = (usize, usize)> + 't {
        let rest = &text.as_bytes()[at..];
        let byte = |place: usize| rest.get(place).copied().unwrap_or(0);
        let group = self.groups.get(&key([byte(0), byte(1), byte(2)]));
        let stands = move |index: &usize| {
            let needle = self.needles[*index].as_bytes();
            rest.get(..needle.len()).is_some_and(|found| {
                if self.ignores_case {
                    found.eq_ignore_ascii_case(needle)
                } else {
                    found == needle
                }
            })
        };
        let group = group.map_or(&[][..], Vec::as_slice).iter().copied();
        group
            .filter(stands)
            .map(move |index| (index, at + self.needles[index].len()))
    }

    /// Whether one of the texts stands anywhere in a text.
    pub(crate) fn are_in(&self, text: &str) -> bool {
        let mut from = 0;
        while let Some(at) = self.next(text, from) {
            if self.at(text, at).next().is_some() {
                return true;
            }
            from = at + 1;
        }
        false
    }
}

/// Three bytes without the case of their letters.
fn key(bytes: [u8; 3]) -> u32 {
    u32::from_le_bytes([bytes[0], bytes[1], bytes[2], 0]) | CASE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_texts_at_a_position_are_found() {
        let needles = ["pw", "pass", "passw", "ключ"].map(str::to_owned);
        let search = Needles::new(needles.to_vec(), true);
        let find = |text: &str| -> Vec<(usize, usize)> {
            let places = (0..text.len()).filter(|&at| search.next(text, at) == Some(at));
            places
                .flat_map(|at| search.at(text, at).collect::<Vec<_>>())
                .collect()
        };
        assert_eq!(find("a PASSWORD"), [(1, 6), (2, 7)]);
        assert_eq!(find("x pw"), [(0, 4)]);
        assert_eq!(find("pw:ключ"), [(0, 2), (3, 11)]);
        assert!(search.are_in("my pw") && !search.are_in("p") && !search.are_in("pas"));
    }
}
