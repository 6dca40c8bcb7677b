//! Credentials that are recognised by a text inside them, and tokens with a checksum that are
//! glued to other words.

use std::sync::LazyLock;

use super::prefix::{CHECKED, find_checked};
use super::{Format, Run, formats};
use crate::finding::{Choice, Finding};
use crate::needles::Needles;
use crate::text::Text;

/// A format with the name of its rule.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Infix {
        rule: &'static str,
        before: Run,
        after: Run,
    },
    Checked,
}

/// The texts to search for, and the formats that have them.
#[derive(Debug)]
struct Search {
    texts: Needles,
    kinds: Vec<Kind>,
}

static SEARCH: LazyLock<Search> = LazyLock::new(|| {
    let mut texts = Vec::new();
    let mut kinds = Vec::new();
    for (rule, format) in formats() {
        if let &Format::Infix {
            infix,
            before,
            after,
        } = format
        {
            texts.push(infix.to_owned());
            kinds.push(Kind::Infix {
                rule,
                before,
                after,
            });
        }
    }
    for prefix in CHECKED {
        texts.push(prefix.to_owned());
        kinds.push(Kind::Checked);
    }
    let texts = Needles::new(texts, false);
    Search { texts, kinds }
});

/// The shortest credential with a text inside it, and the shortest token with a checksum.
const SHORTEST: usize = 36;

/// Adds the credentials that are recognised by a text inside them, in the part of a text between
/// two blanks. Only long parts are searched, because few parts of a log are long.
pub(crate) fn find(
    text: Text<'_>,
    start: usize,
    end: usize,
    choice: &dyn Choice,
    findings: &mut Vec<Finding<'static>>,
) {
    if end - start < SHORTEST {
        return;
    }
    let mut text = text;
    let mut from = start;
    let part = &text.text[..end];
    while let Some(place) = SEARCH.texts.next(part, from) {
        // Two texts can overlap.
        from = place + 1;
        for (index, text_end) in SEARCH.texts.at(part, place) {
            if let Some(finding) = check(text, place, text_end, SEARCH.kinds[index])
                && choice.is_on(finding.rule)
            {
                from = finding.end;
                text.floor = finding.end;
                findings.push(finding);
                break;
            }
        }
    }
}

/// Reads the runs before and after a text.
fn check(text: Text<'_>, start: usize, end: usize, kind: Kind) -> Option<Finding<'static>> {
    match kind {
        Kind::Infix {
            rule,
            before,
            after,
        } => {
            let start = before.find_start(text, start)?;
            let end = after.find_end(text, end)?;
            let run = &text.rest(start)[..end - start];
            let is_random = run.iter().any(u8::is_ascii_digit);
            let is_whole = !text.byte(end).is_ascii_alphanumeric();
            (is_random && is_whole).then_some(Finding { start, end, rule })
        }
        Kind::Checked => {
            let rule = match &text.text[start..end] {
                "npm_" => "npm-token",
                _ => "github-token",
            };
            let end = find_checked(text, end)?;
            Some(Finding { start, end, rule })
        }
    }
}
