//! Values in the lines below a name: the answers of debuggers and consoles, the differences that
//! tests report, lists of codes, and values to which an arrow of a traceback points.

use super::context::{is_quote, next_line, slice};
use super::judgement::{is_message, is_password, is_placeholder, is_secret, names_password};
use super::{Values, quoted};
use crate::names::{Certainty, Name};
use crate::text::Text;

/// How many lines below a name are read.
const MOST_LINES: usize = 12;

/// The longest line below a name that is read.
const LONGEST_LINE: usize = 400;

/// Adds the values in the lines below a name.
pub(super) fn find(text: Text<'_>, name: Name, values: &mut Values) {
    if name.certainty < Certainty::Likely {
        return;
    }
    let end = text.run_within(name.end, LONGEST_LINE, |byte| {
        !matches!(byte, b'\n' | b'\r')
    });
    if text.byte(end) != b'\n' && text.byte(end) != b'\r' {
        return;
    }
    let line_start = text.run_back(name.start, LONGEST_LINE, |byte| byte != b'\n');
    let line = Line {
        text,
        name,
        before: slice(text, line_start, name.start),
        after: slice(text, name.end, end),
        next: next_line(text, end),
    };
    line.read_answer(values);
    line.read_codes(values);
    line.read_alone(values);
    line.read_pointed(values);
    if name.certainty == Certainty::Certain || line.is_identifier() {
        line.read_difference(values);
    }
}

/// A name, the rest of its line, and where the next line begins.
struct Line<'t> {
    text: Text<'t>,
    name: Name,
    before: &'t str,
    after: &'t str,
    next: usize,
}

/// What stands before the expression in a debugger or a console.
#[rustfmt::skip]
const PROMPTS: &[&str] = &[
    "(Pdb)", "(Pdb++)", "ipdb>", "(gdb)", "(lldb)", "(dlv)", "(byebug)", "(rdb:1)", ">>>", "In [", "irb(", "irb>", "pry(", "pry>", "$", "iex(", "jshell>", "scala>", "DB<", "> ",
];

/// What stands before the value in the answer of a debugger or a console.
const ANSWERS: &[&str] = &[
    "[1] ", "=> ", "$", "Out[", "(std::", "(const ", "(String)", "res", "< ",
];

impl<'t> Line<'t> {
    /// The lines below the name: where each begins, and its text.
    fn below(&self) -> impl Iterator<Item = (usize, &'t str)> {
        let text = self.text;
        let mut at = self.next;
        std::iter::from_fn(move || {
            let end = text.run_within(at, LONGEST_LINE, |byte| byte != b'\n');
            let line = text.text.get(at..text.text.floor_char_boundary(end))?;
            let start = at;
            // A longer line is no value, and ends what is read.
            let is_whole = end >= text.text.len() || text.byte(end) == b'\n';
            at = end + 1;
            (start < text.text.len() && is_whole).then_some((start, line))
        })
        .take(MOST_LINES)
    }

    /// Whether the name is an identifier, and not a word of a sentence.
    fn is_identifier(&self) -> bool {
        let name = self.name.written(self.text);
        name.contains('_')
            || name
                .as_bytes()
                .windows(2)
                .any(|pair| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase())
    }

    /// Adds the answer of a debugger or a console: `(Pdb) p password` and `'x'`.
    fn read_answer(&self, values: &mut Values) {
        // R's variables begin with the sign.
        let is_variable = self.name.written(self.text).starts_with('$');
        let before = if is_variable {
            "$"
        } else {
            self.before.trim_start()
        };
        let is_expression = self
            .after
            .trim()
            .trim_matches([')', ']', '"', '\''])
            .is_empty();
        if !is_expression || !PROMPTS.iter().any(|prompt| before.starts_with(prompt)) {
            return;
        }
        let Some((start, line)) = self.below().next() else {
            return;
        };
        let is_answer = line.starts_with(['"', '\'', '`'])
            || ANSWERS.iter().any(|answer| line.starts_with(answer));
        if let Some(place) = line.find(['"', '\'', '`']).filter(|_| is_answer) {
            self.push_quoted(start + place, values);
        }
    }

    /// Adds the value in quotes at a position.
    fn push_quoted(&self, at: usize, values: &mut Values) -> usize {
        let Some(value) = quoted::read(self.text, at).filter(|value| value.is_closed) else {
            return at + 1;
        };
        if !is_placeholder(value.written(self.text)) {
            values.push(value.start, value.end);
        }
        value.next
    }

    /// Adds a list of codes, one in each line: `Your recovery codes are:`. And the value alone in the
    /// line below `Password for the user bob:`.
    fn read_codes(&self, values: &mut Values) {
        let lower = self.name.written(self.text).to_lowercase();
        let is_list = lower.ends_with("codes");
        let is_prompt = names_password(&lower)
            && !self.after.trim_end_matches(':').trim().is_empty()
            && !self
                .before
                .contains(|character: char| character.is_alphanumeric() && character != 'ℹ');
        if names_password(&lower) {
            self.read_new_value(values);
        }
        if self.name.certainty != Certainty::Certain
            || !self.after.trim_end().ends_with(':')
            || !(is_list || is_prompt)
        {
            return;
        }
        for (start, line) in self.below() {
            let code = line.trim().trim_start_matches(['-', '*', '•', ' ']);
            let is_code =
                code.len() >= 4 && code.bytes().all(|byte| byte > b' ') && has_digit(code);
            let is_value = if is_list {
                is_code
            } else {
                is_password(code) && is_code
            };
            if !is_value || is_placeholder(code) {
                break;
            }
            let offset = start + (code.as_ptr() as usize - line.as_ptr() as usize);
            values.push(offset, offset + code.len());
            if !is_list {
                break;
            }
        }
    }

    /// Adds a code or a random value that stands alone below a line of a letter: `Your code is:`.
    fn read_alone(&self, values: &mut Values) {
        let after = self.after.trim();
        let is_announced = matches!(
            after,
            ":" | "is:" | "is" | "lautet:" | "est :" | "est:" | "es:" | "è:"
        );
        let Some((index, (start, line))) = self
            .below()
            .take(3)
            .enumerate()
            .find(|(_, (_, line))| !line.trim().is_empty())
        else {
            return;
        };
        let word = line.trim();
        // An empty line separates the password of a letter.
        let is_password = index > 0
            && names_password(self.name.written(self.text))
            && word.len() >= 4
            && !word.contains(' ')
            && !word.ends_with([',', '.', ':'])
            && !word.bytes().all(|byte| byte.is_ascii_alphabetic())
            && !is_placeholder(word);
        let is_code =
            (4..=8).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_digit());
        let is_letter = self.before.trim_start().contains(' ') || after != ":";
        if is_announced
            && is_letter
            && (is_code || is_password || word.len() >= 20 && is_secret(word, Certainty::Long))
        {
            let offset = start + (word.as_ptr() as usize - line.as_ptr() as usize);
            values.push(offset, offset + word.len());
        }
    }

    /// Adds the value in the line below a report: `New value: x`.
    fn read_new_value(&self, values: &mut Values) {
        let Some((start, line)) = self.below().next() else {
            return;
        };
        if let Some(value) = line.strip_prefix("New value: ").map(str::trim_end) {
            let at = start + "New value: ".len();
            values.push(at, at + value.len());
        }
    }

    /// Adds the value to which an arrow below the name points: `└ 'x'` in a traceback.
    fn read_pointed(&self, values: &mut Values) {
        let column = self.before.chars().count();
        // The arrow can point to the variable after an equals sign: `login(password=password)`.
        let argument = self
            .after
            .find([',', ')', ' '])
            .filter(|_| self.after.starts_with('='));
        let width = self.name.written(self.text).chars().count() + argument.unwrap_or(0);
        for (start, line) in self.below() {
            let is_arrow = |character: char| matches!(character, ' ' | '│' | '└' | '|');
            let arrows = line.len() - line.trim_start_matches(is_arrow).len();
            if !line[..arrows].contains(['│', '└']) {
                return;
            }
            let corner = line[..arrows].rfind('└').unwrap_or(0);
            let place = line[..corner].chars().count();
            if (column..column + width).contains(&place) && corner > 0 {
                let value = line[arrows..].trim_end();
                let is_text = value.starts_with(['"', '\'']);
                let inner = value.trim_matches(['"', '\'']);
                if is_text && !is_placeholder(inner) {
                    values.push(start + arrows + 1, start + arrows + 1 + inner.len());
                }
                return;
            }
        }
    }
}

/// Words of a line that compares the value of a name with another one.
#[rustfmt::skip]
const COMPARISONS: &[&str] = &[
    "assert", "expect", "Assert", "Failure", "failed", "ismatch", "iffer", "should", "]", "Expected",
];

/// Words before the values of a comparison.
#[rustfmt::skip]
const SIDES: &[&str] = &[
    "left:", "right:", "expected", "got", "actual", "received", "but was", "but: was", "but got", "want", "to equal", "found",
];

impl Line<'_> {
    /// Adds the values of a comparison that failed: `Expected: "x"`, `got: "y"`, `E - x`.
    fn read_difference(&self, values: &mut Values) {
        let is_comparison = COMPARISONS
            .iter()
            .any(|word| self.before.contains(word) || self.after.contains(word));
        if !is_comparison {
            return;
        }
        for (start, line) in self.below() {
            let content = line.strip_prefix('E').filter(|rest| rest.starts_with(' '));
            let content = content
                .unwrap_or(line)
                .trim_start_matches([' ', '\t', '>', '|']);
            let offset = start + line.len() - content.len();
            let lower = content.to_ascii_lowercase();
            let is_side = SIDES.iter().any(|side| lower.starts_with(side));
            if is_side || line.starts_with('E') && lower.contains("assert ") {
                self.push_all(offset, offset + content.len(), values);
            } else if line.starts_with("E ") && content.starts_with(['-', '+']) {
                let changed = content[1..].trim();
                if !changed.is_empty() && !changed.starts_with("where") {
                    let at = offset + (changed.as_ptr() as usize - content.as_ptr() as usize);
                    values.push(at, at + changed.len());
                }
            }
        }
    }

    /// Adds all texts in quotes between two positions, unless they are messages about a token.
    fn push_all(&self, start: usize, end: usize, values: &mut Values) {
        let mut at = start;
        let name = self.name.written(self.text);
        let is_message = |at: usize| {
            let value = quoted::read(self.text, at);
            !names_password(name)
                && value.is_some_and(|value| is_message(value.written(self.text), name))
        };
        while at < end {
            if is_quote(self.text.byte(at)) && !is_message(at) {
                at = self.push_quoted(at, values);
            } else {
                at += 1;
            }
        }
    }
}

/// Whether a text has a digit.
fn has_digit(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_digit())
}
