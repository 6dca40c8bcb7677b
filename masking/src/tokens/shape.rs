//! Credentials with a shape of their own, but without any fixed text.

use std::sync::LazyLock;

use super::{Body, Format, Part, Run, formats};
use crate::text::{Text, Word};

/// A format with the name of its rule.
#[derive(Debug, Clone, Copy)]
struct Shape {
    rule: &'static str,
    first: Run,
    rest: &'static [Part],
}

/// The shapes with one sign after their first run.
#[derive(Debug, Clone, Default)]
struct Shapes {
    /// The lengths of the first runs, as bits. Most words are rejected here.
    lengths: u128,
    shapes: Vec<Shape>,
}

/// The shapes by the sign after their first run.
static BY_SIGN: LazyLock<Vec<Shapes>> = LazyLock::new(|| {
    let mut all = vec![Shapes::default(); 128];
    for (rule, format) in formats() {
        if let Format::Shape([Part::Run(first), rest @ ..]) = format
            && let [Part::Sign(sign), ..] = rest
        {
            let shapes = &mut all[usize::from(*sign)];
            shapes.lengths |= (first.least..=first.most).fold(0, |bits, length| bits | 1 << length);
            let first = *first;
            shapes.shapes.push(Shape { rule, first, rest });
        }
    }
    all
});

/// Finds a credential that begins with a word.
pub(super) fn find(
    text: Text<'_>,
    at: usize,
    word: Word,
    is_on: impl Fn(&str) -> bool,
) -> Option<(usize, usize, &'static str)> {
    let shapes = BY_SIGN.get(usize::from(word.next))?;
    let is_possible = word.length < 128 && shapes.lengths >> word.length & 1 == 1;
    if !is_possible || matches!(text.byte_before(at), b'-' | b'_' | b'.' | b'/') {
        return None;
    }
    shapes
        .shapes
        .iter()
        .filter(|shape| (shape.first.least..=shape.first.most).contains(&word.length))
        .find_map(|shape| Some((at, find_end(text, at, shape)?, shape.rule)))
        .filter(|(_, _, rule)| is_on(rule))
}

fn find_end(text: Text<'_>, at: usize, shape: &Shape) -> Option<usize> {
    let mut end = shape.first.find_end(text, at)?;
    for part in shape.rest {
        end = match part {
            Part::Run(run) => run.find_end(text, end)?,
            Part::Sign(sign) => (text.byte(end) == *sign).then_some(end + 1)?,
        };
    }
    let credential = &text.rest(at)[..end - at];
    let is_whole =
        !matches!(text.byte(end), b'-' | b'_') && !text.byte(end).is_ascii_alphanumeric();
    (is_whole && is_mixed(credential, shape)).then_some(end)
}

/// Whether a text has digits, and capitals and small letters if its shape allows both: words
/// have only one kind.
fn is_mixed(credential: &[u8], shape: &Shape) -> bool {
    let holds = |class: fn(&u8) -> bool| credential.iter().any(class);
    let is_cased = |body: Body| body.contains(b'g') && body.contains(b'G');
    let has_case = is_cased(shape.first.body)
        || shape
            .rest
            .iter()
            .any(|part| matches!(part, Part::Run(run) if is_cased(run.body)));
    let is_both = holds(u8::is_ascii_uppercase) && holds(u8::is_ascii_lowercase);
    holds(u8::is_ascii_digit) && (!has_case || is_both)
}
