//! Credentials in commands and protocols that do not name them: `mysql -pX`, `curl -u user:X`,
//! `sqlplus user/X@db`, `AUTH X`.
//!
//! Commands are found by the name of their program. Their arguments are read in the same way in
//! a command line and in a list of arguments.

use std::sync::LazyLock;

use arguments::Argument;
use programs::{CALLS, PROGRAMS, Program};
use texts::{Hit, Reader, TEXTS};

use crate::finding::{Choice, Finding};
use crate::needles::Needles;
use crate::rules::SECRET;
use crate::text::{MARK, Text};

mod arguments;
mod auth;
mod dialogue;
mod logins;
mod password_file;
mod piped;
mod places;
mod programs;
mod protocol;
mod texts;

/// How many bytes of a command are read.
const LONGEST_COMMAND: usize = 2_048;

/// Searches the names of all programs, and the texts before credentials.
struct Search {
    needles: Needles,
    /// For each needle: what it is.
    kinds: Vec<Kind>,
}

/// What a needle is.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Program(&'static Program),
    /// A call, and the index of the argument that is its password.
    Call(usize),
    /// A text of a protocol, a script or a file.
    Text(Reader),
}

static SEARCH: LazyLock<Search> = LazyLock::new(|| {
    let mut needles = Vec::new();
    let mut kinds = Vec::new();
    for program in PROGRAMS {
        for &name in program.names {
            needles.push(name.to_owned());
            kinds.push(Kind::Program(program));
        }
    }
    for &(call, index) in CALLS {
        needles.push(call.to_owned());
        kinds.push(Kind::Call(index));
    }
    for &(texts, reader) in TEXTS {
        for &text in texts {
            needles.push(text.to_owned());
            kinds.push(Kind::Text(reader));
        }
    }
    let needles = Needles::new(needles, false);
    Search { needles, kinds }
});

/// Whether a text can contain a command or a protocol with credentials.
pub(crate) fn can_contain(text: &str) -> bool {
    SEARCH.needles.are_in(text)
}

/// Adds the credentials in commands and protocols to the findings of a text.
pub(crate) fn find(text: Text<'_>, choice: &dyn Choice, findings: &mut Vec<Finding<'static>>) {
    if !choice.is_on(SECRET) {
        return;
    }
    let mut read_until = 0;
    let mut from = 0;
    while let Some(start) = SEARCH.needles.next(text.text, from) {
        from = start + 1;
        let Some((index, end)) = SEARCH.needles.at(text.text, start).last() else {
            continue;
        };
        from = end;
        let mut found = Found { text, findings };
        match SEARCH.kinds[index] {
            Kind::Program(program) if start >= read_until && is_program(text, start, end) => {
                read_until = found.read_command(program, end);
            }
            Kind::Program(_) => {}
            Kind::Call(index) => found.read_call(start, end, index),
            Kind::Text(read) => read(&mut found, Hit::new(text, start, end)),
        }
    }
}

/// Whether the name of a program is a word of its own, and arguments follow it.
fn is_program(text: Text<'_>, start: usize, end: usize) -> bool {
    let before = text.byte_before(start);
    let is_start = !before.is_ascii_alphanumeric() && !matches!(before, b'-' | b'_' | b'.' | b'@');
    let end = if text.rest(end).starts_with(b".exe") {
        end + 4
    } else {
        end
    };
    // `https://`: an address, and no program.
    is_start
        && !text.rest(end).starts_with(b"://")
        && matches!(
            text.byte(end),
            b' ' | b'"' | b'\'' | b',' | b'\n' | b'\t' | b';' | b':'
        )
}

/// The findings of a text, to which the readers add.
struct Found<'t, 'f> {
    text: Text<'t>,
    findings: &'f mut Vec<Finding<'static>>,
}

impl Found<'_, '_> {
    /// Adds a value, unless it is a placeholder.
    fn push(&mut self, start: usize, end: usize) {
        let written = self.text.text.get(start..end).unwrap_or_default();
        if !is_placeholder(written) {
            self.findings.push(Finding {
                start,
                end,
                rule: SECRET,
            });
        }
    }

    /// Adds an argument, unless it is a placeholder.
    fn push_argument(&mut self, argument: &Argument<'_>) {
        self.push(argument.start, argument.end);
    }
}

/// Whether an argument is empty, a mark, a variable, a template, or stars.
fn is_placeholder(written: &str) -> bool {
    let written = written.trim_matches(['"', '\'']);
    let is_variable = written.strip_prefix('$').is_some_and(|name| {
        name.chars().all(|character| {
            character.is_ascii_alphanumeric() || matches!(character, '_' | '{' | '}')
        })
    });
    let is_filler = written
        .chars()
        .all(|character| matches!(character, '*' | 'x' | 'X' | '.'));
    let is_template = ["${", "{{", "$(", "$$"]
        .iter()
        .any(|start| written.starts_with(start))
        || written.starts_with('<') && written.ends_with('>')
        || written.starts_with('%') && written.ends_with('%');
    is_variable || is_filler || is_template || written.starts_with(MARK)
}
