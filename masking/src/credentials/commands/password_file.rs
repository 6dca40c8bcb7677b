//! The lines of PostgreSQL's password file.

use std::sync::LazyLock;

use crate::finding::Finding;
use crate::rules::SECRET;
use crate::text::Text;

/// How far the line of a password goes on after the host.
const LONGEST_REST: usize = 600;

/// What stands after the host in PostgreSQL's password file.
static PORTS: LazyLock<[memchr::memmem::Finder<'static>; 4]> =
    LazyLock::new(|| [":*:", ":5432:", ":5433:", ":6432:"].map(memchr::memmem::Finder::new));

/// Adds the passwords of PostgreSQL's password file: `host:port:database:user:password`.
pub(super) fn find_password_files(text: Text<'_>, findings: &mut Vec<Finding<'static>>) {
    let bytes = text.text.as_bytes();
    if memchr::memchr(b':', bytes).is_none() {
        return;
    }
    let places = PORTS.iter().flat_map(|port| port.find_iter(bytes));
    for place in places {
        let line_start = text.run_back(place, 200, |byte| byte != b'\n');
        let rest = text.rest(place).iter().take(LONGEST_REST);
        let is_inside = |byte: &&u8| !matches!(byte, b'\n' | b'\r');
        let end = place + rest.take_while(is_inside).count();
        if let Some(line) = text.text.get(line_start..end)
            && let Some(start) = find_password(line)
        {
            findings.push(Finding {
                start: line_start + start,
                end,
                rule: SECRET,
            });
        }
    }
}

/// Where the password begins in a line of a password file.
fn find_password(line: &str) -> Option<usize> {
    let mut fields = Vec::new();
    let mut from = 0;
    for (place, _) in line.match_indices(':') {
        let is_escaped = line[..place].ends_with('\\');
        if !is_escaped && fields.len() < 4 {
            fields.push(&line[from..place]);
            from = place + 1;
        }
    }
    let is_word = |field: &&str| !field.is_empty() && !field.contains([' ', '"', '/', '=', '{']);
    let is_port = |field: &str| {
        field == "*"
            || (4..=5).contains(&field.len()) && field.bytes().all(|byte| byte.is_ascii_digit())
    };
    let password = &line[from..];
    let is_line = fields.len() == 4
        && fields.iter().all(is_word)
        && is_port(fields[1])
        && !password.is_empty()
        && !password.starts_with([' ', ':']);
    is_line.then_some(from)
}
