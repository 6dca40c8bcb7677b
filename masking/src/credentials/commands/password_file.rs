//! The lines of PostgreSQL's password file.

use crate::finding::Finding;
use crate::rules::SECRET;
use crate::text::Text;

/// How far the line of a password goes on after the host.
const LONGEST_REST: usize = 600;

/// Adds the password in the line of PostgreSQL's password file in which a port or a star stands at a
/// position: `host:port:database:user:password`.
pub(super) fn find(text: Text<'_>, place: usize, findings: &mut Vec<Finding<'static>>) {
    let line_start = text.line_start(place, 200);
    // Only the host stands before the port.
    let is_colon = |&at: &usize| text.byte(at) == b':' && text.byte_before(at) != b'\\';
    if (line_start..place).any(|at| is_colon(&at)) {
        return;
    }
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
    // `nobody:*:-2:-2:…` is a line of the users' file, with the numbers of the user and the group.
    let is_number = |field: &&str| {
        let digits = field.strip_prefix('-').unwrap_or(field);
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    };
    let is_user = fields.len() == 4 && fields[1] == "*" && fields[2..].iter().all(is_number);
    let is_line = fields.len() == 4
        && !is_user
        && fields.iter().all(is_word)
        && is_port(fields[1])
        && !password.is_empty()
        && !password.starts_with([' ', ':']);
    is_line.then_some(from)
}
