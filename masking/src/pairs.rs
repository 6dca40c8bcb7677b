//! Values beside the name of a secret: `password=hunter2`, `"apiKey": "…"`, `--token …`,
//! `<password>…</password>`, `the password is …`, and tables, calls, dumps and forms.
//!
//! The search starts at names (`crate::names`), and each notation reads on from the name:
//! - `assigned`: a sign separates name and value.
//! - `sibling`: the name is itself a value, as in `{"name": "DB_PASSWORD", "value": "…"}`.
//! - `listed`: name and value are options or elements of a list.
//! - `markup`: the value is the text of an element, a table cell or a part of a form.
//! - `table`: the name is the heading of a column.
//! - `sentence`: words connect name and value.
//! - `login`: the value follows its account.
//!
//! If a text fits several notations, all their values are hidden.
//!
//! Each notation reads a bounded number of bytes, or values that are hidden and not read again.

use circumstances::known_in_context;
use table::Tables;

use crate::finding::{Choice, Finding};
use crate::names::{self, Certainty, Name};
use crate::rules::SECRET;
use crate::text::{MARK, Text};

mod account;
mod assigned;
mod bare;
mod below;
mod binds;
mod circumstances;
mod context;
mod expectation;
mod judgement;
mod listed;
mod login;
mod manifest;
mod markup;
mod parallel;
mod quoted;
mod scheme;
mod sentence;
mod sibling;
mod structure;
mod table;

/// The start and the end of a secret value, and the name of its rule.
pub(crate) type Value = (usize, usize, &'static str);

/// Collects the values of one name.
#[derive(Debug, Default)]
pub(crate) struct Values {
    found: Vec<Value>,
}

impl Values {
    /// Adds a value, unless it is empty.
    pub(crate) fn push(&mut self, start: usize, end: usize) {
        self.push_as(start, end, SECRET);
    }

    /// Adds a value for another rule.
    pub(crate) fn push_as(&mut self, start: usize, end: usize, rule: &'static str) {
        if start < end {
            self.found.push((start, end, rule));
        }
    }

    /// Whether the name has no values yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }
}

/// Adds the values beside names to the findings of a text.
///
/// Returns where the names stand that can have a value.
pub(crate) fn find(
    text: Text<'_>,
    choice: &dyn Choice,
    findings: &mut Vec<Finding<'static>>,
) -> Vec<usize> {
    if !choice.is_on(SECRET) {
        return Vec::new();
    }
    let mut manifests = Values::default();
    manifest::find(text, &mut manifests);
    let of_manifests = manifests.found.into_iter();
    findings.extend(of_manifests.map(|(start, end, rule)| Finding { start, end, rule }));
    let mut reader = Reader {
        text,
        choice,
        findings,
        tables: Tables::default(),
        names: Vec::new(),
    };
    names::visit(
        text.text,
        choice.has_own_names(),
        &mut |start, end, is_anywhere| reader.read(start, end, is_anywhere),
    );
    reader.names
}

/// How far after a name its value can begin, and the search for names goes on after the value.
const NEAR: usize = 256;

/// Reads the values beside the names of a text.
struct Reader<'t, 'c> {
    text: Text<'t>,
    choice: &'c dyn Choice,
    findings: &'c mut Vec<Finding<'static>>,
    tables: Tables,
    /// Where the names stand that can have a value.
    names: Vec<usize>,
}

impl Reader<'_, '_> {
    /// Reads the values of a name. Returns from where on other names count.
    fn read(&mut self, start: usize, end: usize, is_anywhere: bool) -> usize {
        let text = self.text;
        // The name of a rule in a mark is not the name of a value.
        if text.before(start, MARK.len()) == MARK {
            return text.mark_end(start - MARK.len()).unwrap_or(end);
        }
        if is_parameter_of_closure(text, start, end) {
            return end;
        }
        let (start, certainty) = self.judge(start, end, is_anywhere);
        let Some(name) = complete(text, start, end, certainty, self.choice) else {
            return 0;
        };
        let values = self.collect(name);
        self.add(name, values)
    }

    /// Judges a name. Returns its start without the option of Java: `-Dprivate_key=…`.
    fn judge(&self, start: usize, end: usize, is_anywhere: bool) -> (usize, Option<Certainty>) {
        let text = self.text;
        let written = &text.text[start..end];
        let certainty = if is_anywhere {
            self.choice.judge_found(written)
        } else {
            self.choice.judge(written)
        };
        let certainty = certainty.max(known_in_context(text, start, end));
        let is_definition = text.byte_before(start) == b'-' && text.byte(start) == b'D';
        if is_definition && certainty < Some(Certainty::Certain) {
            let start = start + 1;
            (start, self.choice.judge(&text.text[start..end]))
        } else {
            (start, certainty)
        }
    }

    /// Collects the values of a name in all notations.
    fn collect(&mut self, name: Name) -> Values {
        let text = self.text;
        let name = login::judge_beside_account(text, name);
        let mut values = Values::default();
        login::find(text, name, &mut values);
        assigned::find(text, name, &mut values);
        listed::find(text, name, &mut values);
        if text.has_tags() {
            markup::find(text, name, &mut values);
        }
        sentence::find_random(text, name, &mut values);
        if name.certainty >= Certainty::Likely {
            self.names.push(name.start);
            sibling::find(text, name, &mut values);
            sentence::find(text, name, &mut values);
            markup::find_part(text, name, &mut values);
            binds::find_assigned(text, name, &mut values);
            self.tables.find(text, name, self.choice, &mut values);
            below::find(text, name, &mut values);
            expectation::find(text, name, &mut values);
            parallel::find(text, name, &mut values);
        }
        values
    }

    /// Adds the values of a name to the findings. Returns from where on other names count.
    fn add(&mut self, name: Name, values: Values) -> usize {
        let mut next = 0;
        for (start, end, rule) in values.found {
            // The values of a table are far from its heading, and other names stand between them.
            if start < name.end + NEAR {
                next = next.max(end.min(name.end + NEAR.max(end - start)));
            }
            if self.choice.is_on(rule) {
                self.findings.push(Finding { start, end, rule });
                let more = soft_break(self.text, end);
                self.findings
                    .extend(more.map(|(start, end)| Finding { start, end, rule }));
            }
        }
        next
    }
}

/// How far before a value the header of a quoted-printable text is searched.
const LONGEST_HEADER: usize = 1_024;

/// The next line, on which a value goes on that ends at a position: a line of a quoted-printable text
/// ends with `=`, as in RFC 2045, section 6.7.
fn soft_break(text: Text<'_>, end: usize) -> Option<(usize, usize)> {
    let sign = end - usize::from(text.byte_before(end) == b'=');
    let sign = text.run_within(sign, 2, |byte| byte == b' ');
    let is_break = matches!(
        text.rest(sign),
        [b'=', b'\n', ..] | [b'=', b'\r', b'\n', ..]
    );
    if !is_break
        || !text
            .before(end, LONGEST_HEADER)
            .contains("quoted-printable")
    {
        return None;
    }
    let start = context::next_line(text, sign);
    Some((start, context::line_end(text, start)))
}

/// Whether a name between two positions is the parameter of a closure of Rust or Ruby: `.map(|token|
/// token.len())`. The cells of a table end with a further sign.
fn is_parameter_of_closure(text: Text<'_>, start: usize, end: usize) -> bool {
    let sign = start - usize::from(matches!(text.byte_before(start), b'_' | b'&'));
    text.byte_before(sign) == b'|'
        && text.rest(end).starts_with(b"| ")
        && !text
            .rest(end + 1)
            .iter()
            .take(NEAR)
            .take_while(|&&byte| byte != b'\n')
            .any(|&byte| byte == b'|')
}

/// Completes a name with the words around it, as in `API key` and `clave de acceso`.
fn complete(
    text: Text<'_>,
    start: usize,
    end: usize,
    certainty: Option<Certainty>,
    choice: &dyn Choice,
) -> Option<Name> {
    let has_stem = || !choice.has_own_names() || names::has_stem(&text.text[start..end]);
    if certainty.is_none() && !has_stem() {
        return None;
    }
    let name = Name {
        start,
        word: start,
        end,
        certainty: certainty.unwrap_or(Certainty::Weak),
    };
    let (name, is_known) = complete_before(text, name, certainty.is_some(), choice)?;
    let has_verb_near = || {
        text.byte(end) == b' '
            && (follows_code(text, start)
                || names::words_after(text, end)
                    .take(2)
                    .any(|end| sentence::connects(text, end)))
    };
    if has_sign_after(text, end) || has_verb_near() {
        complete_after(text, name, is_known, choice)
    } else {
        is_known.then_some(name)
    }
}

/// Completes a name with the words before it. Returns it, and whether it names a secret. `None` if
/// the word before it makes it harmless.
fn complete_before(
    text: Text<'_>,
    name: Name,
    is_known: bool,
    choice: &dyn Choice,
) -> Option<(Name, bool)> {
    // The words before a certain name can only make it harmless, and only the nearest one does.
    let is_certain = is_known && name.certainty == Certainty::Certain;
    let most = match is_certain {
        true if names::can_be_harmless(name.written(text)) => 1,
        true => 0,
        false => usize::MAX,
    };
    // `{Host:db Pass:x}`: the word before is the value of another name.
    let is_word = |start: &usize| !matches!(text.byte_before(*start), b':' | b'=');
    for start in names::words_before(text, name.start)
        .take(most)
        .take_while(is_word)
    {
        match choice.judge(&text.text[start..name.end]) {
            Some(certainty) if !is_known || certainty > name.certainty => {
                let better = Name {
                    start,
                    certainty,
                    ..name
                };
                return Some((better, true));
            }
            None if is_known
                && names::is_harmless_before(&text.text[start..name.start], name.written(text)) =>
            {
                return None;
            }
            _ => {}
        }
    }
    Some((name, is_known))
}

/// Completes a name with the words after it. Returns it if it names a secret.
fn complete_after(
    text: Text<'_>,
    mut name: Name,
    mut is_known: bool,
    choice: &dyn Choice,
) -> Option<Name> {
    for end in names::words_after(text, name.end) {
        // `-password 4821`, `PASSWORD E'x'`: the next word is the value, or belongs to it.
        let is_option = text.byte_before(name.start) == b'-';
        let phrase = &text.text[name.start..end];
        if !is_option
            && (sentence::connects(text, end)
                || follows_code(text, name.start)
                || text.before(end, 3).eq_ignore_ascii_case(" by"))
            && let Some(better) = names::judge_known(phrase)
            && (!is_known || better >= name.certainty)
            && choice.judge(phrase).is_some()
        {
            name.end = end;
            name.certainty = better;
            is_known = true;
        }
    }
    is_known.then_some(name)
}

/// Whether a number such as `482913` stands a few words before a name: `482913 est votre code …`.
fn follows_code(text: Text<'_>, start: usize) -> bool {
    let mut words = text.before(start, 28).rsplit(' ');
    words
        .any(|word| (4..=8).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_digit()))
}

/// How far after its first word a name can end.
const LONGEST_PHRASE: usize = 64;

/// Whether a sign or a quote follows, so that the words before it can belong to the name.
fn has_sign_after(text: Text<'_>, at: usize) -> bool {
    let rest = text.rest(at).iter().take(LONGEST_PHRASE);
    let mut line = rest.take_while(|&&byte| byte != b'\n');
    matches!(text.byte(at), b' ' | b'-' | b'\'' | 0xE2)
        && line.any(|&byte| {
            matches!(byte, b':' | b'=' | b'"' | b'\'' | b'`' | b'|') || !byte.is_ascii()
        })
        || text
            .before(at, 10)
            .to_ascii_lowercase()
            .ends_with("identified")
}
