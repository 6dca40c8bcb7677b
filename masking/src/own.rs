//! A team's own patterns, and their search at a cost that is linear in the text's length.
//!
//! One search of the `regex` crate is linear in the bytes that it reads. But it can read to
//! the end of the text to find a short match: `.*x|a` does so at each `a` of a line without
//! an `x`. So a search for all matches can be quadratic. The crate does not report how far it
//! has read. Therefore each search is first charged with the most that it can have read, and
//! most patterns stay within this first budget. If a pattern exceeds it, the same automaton is
//! run byte by byte, and charged with the bytes that it really reads. If the pattern exceeds
//! this second budget too, the result is [`Exhausted`], and the rest of the text is not shown.

use std::ops::Range;
use std::sync::OnceLock;

use regex::Regex;
use regex_automata::hybrid::dfa::DFA;
use regex_automata::hybrid::regex::{Cache, Regex as LazyRegex};
use regex_automata::hybrid::{LazyStateID, dfa};
use regex_automata::nfa::thompson;
use regex_automata::{Anchored, Input};

/// The first budget of a pattern: how many times a text may be read, in addition to
/// [`FREE_BYTES`].
const CHARGED_READINGS: usize = 8;

/// The second budget, in the same unit. A pattern that looks ahead this far at each match is
/// still searched in texts of any length.
const COUNTED_READINGS: usize = 64;

/// The first budget of a pattern whose reads cannot be counted: a pattern with `\b` in a text
/// with characters outside ASCII.
const UNCOUNTED_READINGS: usize = 512;

/// How many bytes the searches may always read, so that short texts are searched completely.
const FREE_BYTES: usize = 64 * 1024;

/// How often an automaton may clear its full cache. An automaton that exceeds this needs a new
/// state for most bytes, which is a thousand times slower.
const MAX_CLEARS: usize = 8;

/// The fewest bytes per new state. With fewer, the automaton counts as too slow.
const MIN_BYTES_PER_STATE: usize = 10;

/// The search for a pattern in a text would take too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Exhausted;

/// A compiled pattern.
#[derive(Debug)]
pub(crate) struct OwnPattern {
    pub(crate) name: String,
    source: String,
    regex: Regex,
    /// How many bytes after the start of a match its search can read.
    reach: usize,
    /// The automaton that counts its reads, created when it is first needed. `None` if it
    /// cannot be created.
    counted: OnceLock<Option<LazyRegex>>,
}

impl OwnPattern {
    /// Creates a pattern whose matches have at most `longest` bytes.
    pub(crate) fn new(name: String, source: String, regex: Regex, longest: Option<usize>) -> Self {
        Self {
            name,
            source,
            regex,
            // The search may also have followed another match, which began earlier and ends
            // after the match that was found.
            reach: longest.map_or(usize::MAX, |longest| longest.saturating_mul(2)),
            counted: OnceLock::new(),
        }
    }

    fn counted(&self) -> Option<&LazyRegex> {
        let build = || {
            let automaton = dfa::Config::new()
                .unicode_word_boundary(true)
                .minimum_cache_clear_count(Some(MAX_CLEARS))
                .minimum_bytes_per_state(Some(MIN_BYTES_PER_STATE));
            let nfa =
                thompson::Config::new().nfa_size_limit(Some(crate::settings::MAX_COMPILED_BYTES));
            LazyRegex::builder()
                .dfa(automaton)
                .thompson(nfa)
                .build(&self.source)
                .ok()
        };
        self.counted.get_or_init(build).as_ref()
    }
}

/// The searches for a pattern in a text, and their budget.
pub(crate) struct Searches<'s> {
    pub(crate) pattern: &'s OwnPattern,
    /// The most bytes that the searches can have read.
    charged: usize,
    /// The bytes that they have read since the first budget was exceeded.
    counted: usize,
    cache: Option<Cache>,
    is_countable: bool,
}

impl<'s> Searches<'s> {
    /// Creates the searches of a text, before any byte is read.
    pub(crate) fn new(pattern: &'s OwnPattern) -> Self {
        Self {
            pattern,
            charged: 0,
            counted: 0,
            cache: None,
            is_countable: true,
        }
    }

    /// Finds the first match at or after a position.
    ///
    /// # Errors
    /// Returns [`Exhausted`] if the budget is used up. All later calls return it too.
    pub(crate) fn find_at(
        &mut self,
        text: &str,
        from: usize,
    ) -> Result<Option<Range<usize>>, Exhausted> {
        if self.charged <= budget(text, CHARGED_READINGS) {
            return Ok(self.find_charged(text, from));
        }
        if self.is_countable {
            match self.find_counted(text, from) {
                Ok(found) => return Ok(found),
                Err(Stopped::Spent) => {
                    self.counted = usize::MAX;
                    return Err(Exhausted);
                }
                Err(Stopped::Uncountable) => self.is_countable = false,
            }
        }
        if self.charged <= budget(text, UNCOUNTED_READINGS) {
            return Ok(self.find_charged(text, from));
        }
        Err(Exhausted)
    }

    fn find_charged(&mut self, text: &str, from: usize) -> Option<Range<usize>> {
        let found = self
            .pattern
            .regex
            .find_at(text, from)
            .map(|found| found.range());
        let read = found.as_ref().map_or(text.len(), |found| {
            let reach = found.start.saturating_add(self.pattern.reach);
            reach.max(found.end).min(text.len())
        });
        self.charged = self.charged.saturating_add(read - from);
        found
    }

    fn find_counted(&mut self, text: &str, from: usize) -> Result<Option<Range<usize>>, Stopped> {
        let regex = self.pattern.counted().ok_or(Stopped::Uncountable)?;
        let cache = self.cache.get_or_insert_with(|| regex.create_cache());
        let (forward, reverse) = cache.as_parts_mut();
        let budget = budget(text, COUNTED_READINGS);
        let left = budget.saturating_sub(self.counted);
        let (end, read) = find_match_end(regex.forward(), forward, text, from, left)?;
        self.counted += read;
        let Some(end) = end else {
            return Ok(None);
        };
        // The reverse search stops where the last search has ended. So all reverse searches
        // together read the text once.
        let input = Input::new(text).range(from..end).anchored(Anchored::Yes);
        let start = regex.reverse().try_search_rev(reverse, &input);
        let start = start.map_err(|_| Stopped::Uncountable)?;
        Ok(start.map(|start| start.offset()..end))
    }
}

/// How many bytes the searches of a text may read.
fn budget(text: &str, readings: usize) -> usize {
    text.len()
        .saturating_mul(readings)
        .saturating_add(FREE_BYTES)
}

/// Why a counted search has stopped without a result.
enum Stopped {
    /// The budget is used up, or the automaton is too slow.
    Spent,
    /// The automaton cannot be used for this text.
    Uncountable,
}

/// Finds the end of the first match, and counts the bytes that were read. This is
/// [`DFA::try_search_fwd`] with a counter, as shown in the documentation of
/// `regex_automata::hybrid::dfa`.
fn find_match_end(
    automaton: &DFA,
    cache: &mut dfa::Cache,
    text: &str,
    from: usize,
    most: usize,
) -> Result<(Option<usize>, usize), Stopped> {
    let input = Input::new(text).range(from..);
    let start = automaton.start_state_forward(cache, &input);
    let mut state: LazyStateID = start.map_err(|_| Stopped::Uncountable)?;
    let mut end = None;
    for (read, &byte) in text.as_bytes()[from..].iter().enumerate() {
        if read >= most {
            return Err(Stopped::Spent);
        }
        // An automaton that clears its cache too often is too slow.
        let next = automaton.next_state(cache, state, byte);
        state = next.map_err(|_| Stopped::Spent)?;
        if !state.is_tagged() {
            continue;
        }
        if state.is_match() {
            // The automaton reports a match one byte late.
            end = Some(from + read);
        } else if state.is_dead() {
            return Ok((end, read + 1));
        } else if state.is_quit() {
            return Err(Stopped::Uncountable);
        }
    }
    let last = automaton.next_eoi_state(cache, state);
    if last.map_err(|_| Stopped::Spent)?.is_match() {
        end = Some(text.len());
    }
    Ok((end, text.len() - from))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(source: &str) -> OwnPattern {
        let regex = Regex::new(source).unwrap();
        OwnPattern::new("own".to_owned(), source.to_owned(), regex, None)
    }

    /// Finds all matches with the second budget only.
    fn counted(pattern: &OwnPattern, text: &str) -> Option<Vec<Range<usize>>> {
        let mut searches = Searches::new(pattern);
        searches.charged = usize::MAX;
        let mut found = Vec::new();
        let mut from = 0;
        while let Some(next) = searches.find_at(text, from).ok()? {
            from = next.end;
            found.push(next);
        }
        Some(found)
    }

    #[test]
    fn counted_searches_match_the_regex_crate() {
        let texts = [
            "",
            "CUST-1 CUST-22 cust-3",
            "aab aaab\nab b x",
            "foo Foo food, foo\nfoo",
            "größe é 12 é 3",
        ];
        for source in [
            "a",
            r"CUST-\d+",
            "(a|aa)+b",
            "(?m)^foo$",
            r"(?i)fo\w*",
            "é ?[0-9]",
            "a*?b|x",
            r"(?-u:\b)foo(?-u:\b)",
            "(?s).+x|a",
        ] {
            let pattern = pattern(source);
            for text in texts {
                let expected: Vec<_> = pattern.regex.find_iter(text).map(|m| m.range()).collect();
                assert_eq!(
                    counted(&pattern, text),
                    Some(expected),
                    "{source} in {text}"
                );
            }
        }
    }

    #[test]
    fn word_boundaries_are_counted_in_ascii_only() {
        let pattern = pattern(r"\bfoo\w*\b");
        assert_eq!(counted(&pattern, "foo food"), Some(vec![0..3, 4..8]));
        assert_eq!(counted(&pattern, "foo é food"), None);
    }

    #[test]
    fn reads_are_linear_in_the_text() {
        for (source, filling) in [
            (".*x|a", "a"),
            ("(?s).+z|[0-9a-f]", "0123"),
            ("[^;]*;|a", "ab"),
        ] {
            let pattern = pattern(source);
            let text = filling.repeat(100_000 / filling.len());
            let mut searches = Searches::new(&pattern);
            let mut from = 0;
            let end = loop {
                match searches.find_at(&text, from) {
                    Ok(Some(found)) => from = found.end,
                    other => break other,
                }
            };
            assert_eq!(end, Err(Exhausted), "{source}");
            let most = |readings| budget(&text, readings) + text.len();
            assert!(searches.charged <= most(CHARGED_READINGS), "{source}");
            assert!(
                from <= 2 * (CHARGED_READINGS + COUNTED_READINGS + 2),
                "{from}"
            );
            assert_eq!(searches.find_at(&text, from), Err(Exhausted));
        }
    }

    #[test]
    fn a_pattern_without_lookahead_is_never_exhausted() {
        let text = "CUST-1 CUST-22 ".repeat(10_000);
        let pattern = pattern(r"CUST-\d+");
        let mut searches = Searches::new(&pattern);
        let mut from = 0;
        let mut count = 0;
        while let Some(found) = searches.find_at(&text, from).unwrap() {
            from = found.end;
            count += 1;
        }
        assert_eq!(count, 20_000);
        assert!(searches.counted <= text.len() * 2, "{}", searches.counted);
    }
}
