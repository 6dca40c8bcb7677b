//! The cookies in a file of Netscape's format, which curl and browsers write: domain, whether
//! subdomains count, path, whether it is secure, expiry, name, value; separated by tabs.

use crate::finding::{Choice, Finding};
use crate::names;
use crate::rules::SECRET;
use crate::text::Text;

/// The longest line that is read.
const LONGEST_LINE: usize = 4 * 1024;

/// Values of cookies without a known name count if they have this length.
const SHORTEST_VALUE: usize = 16;

/// Adds the values of cookies to the findings of a text.
pub(crate) fn find(text: Text<'_>, choice: &dyn Choice, findings: &mut Vec<Finding<'static>>) {
    if !choice.is_on(SECRET) {
        return;
    }
    let mut read_until = 0;
    for place in memchr::memmem::find_iter(text.text.as_bytes(), b"E\t/") {
        if place < read_until {
            continue;
        }
        let start = text.run_back(place, 256, |byte| byte != b'\n');
        let end = text.run_within(place, LONGEST_LINE, |byte| !matches!(byte, b'\n' | b'\r'));
        read_until = end;
        let line = text.text.get(start..end).unwrap_or_default();
        if let Some(value) = find_value(line) {
            findings.push(Finding {
                start: end - value.len(),
                end,
                rule: SECRET,
            });
        }
    }
}

/// The value of the cookie in a line.
fn find_value(line: &str) -> Option<&str> {
    let fields: Vec<&str> = line.splitn(7, '\t').collect();
    let &[_, subdomains, _, secure, expiry, name, value] = fields.as_slice() else {
        return None;
    };
    let is_flag = |field: &str| matches!(field, "TRUE" | "FALSE");
    let is_cookie =
        is_flag(subdomains) && is_flag(secure) && expiry.bytes().all(|byte| byte.is_ascii_digit());
    let counts = names::judge(name).is_some() || value.len() >= SHORTEST_VALUE;
    (is_cookie && counts && !value.is_empty()).then_some(value)
}
