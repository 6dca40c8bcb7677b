//! Credentials after `AUTH`.

use super::Found;
use super::arguments::{Argument, first_arguments};

/// The mechanisms of authentication: RFC 4422.
const MECHANISMS: &[&str] = &[
    "PLAIN",
    "LOGIN",
    "XOAUTH2",
    "CRAM-MD5",
    "OAUTHBEARER",
    "NTLM",
    "DIGEST-MD5",
];

/// The most arguments of `AUTH` in a line, after which it is a word of a sentence.
const MOST_ARGUMENTS: usize = 6;

/// Whether Redis answers the command in the next line.
fn answers(rest: &[u8]) -> bool {
    let near = &rest[..rest.len().min(256)];
    memchr::memchr(b'\n', near).is_some_and(|place| {
        let next = &near[place + 1..];
        [&b"+OK"[..], b"-WRONGPASS", b"-ERR", b"OK"]
            .iter()
            .any(|answer| next.starts_with(answer))
    })
}

impl Found<'_, '_> {
    /// Reads the credential after `AUTH`: of SMTP, FTP and Redis.
    pub(super) fn read_auth(&mut self, start: usize, end: usize, before: &str) {
        let text = self.text;
        let previous = text.byte_before(start);
        if previous.is_ascii_alphanumeric() || matches!(previous, b'_' | b'-') {
            return;
        }
        let command = &text.text[start..end];
        if text.byte(end) == b'$' {
            return self.read_counted(end, command.contains('\\'));
        }
        let arguments = first_arguments(text, end, MOST_ARGUMENTS + 1);
        let is_mechanism = arguments
            .first()
            .is_some_and(|first| MECHANISMS.contains(&first.text));
        if is_mechanism {
            return self.read_response(&arguments[1..]);
        }
        let said = before.trim_end();
        let is_redis = said.ends_with('>')
            || before.contains("HELLO")
            || command.starts_with(['"', '\''])
            || said.is_empty() && answers(text.rest(end))
            || said.ends_with("redis-cli");
        if is_redis && arguments.len() <= MOST_ARGUMENTS {
            // A user can precede the password.
            let password = arguments.get(1).or(arguments.first());
            if let Some(password) = password {
                self.push_argument(password);
            }
        }
    }

    /// Reads a value of Redis' protocol, whose length stands on the line before it: `$9`.
    fn read_counted(&mut self, at: usize, is_escaped: bool) {
        let text = self.text;
        let rest = text.rest(at);
        let gap: &[u8] = if is_escaped { b"\\r\\n" } else { b"\n" };
        if let Some(length) = memchr::memmem::find(&rest[..rest.len().min(16)], gap) {
            let start = at + length + gap.len();
            let end = text.run_near(start, |byte| byte > b' ' && byte != b'\\' && byte != b'"');
            // A user can precede the password.
            let next = end + gap.len() + usize::from(!is_escaped && text.byte(end) == b'\r');
            if text.byte(next) == b'$' && text.before(at, 24).contains("*3") {
                return self.read_counted_value(next, gap);
            }
            self.push(start, end);
        }
    }

    /// Reads a value whose length stands before it.
    fn read_counted_value(&mut self, at: usize, gap: &[u8]) {
        let text = self.text;
        let rest = text.rest(at);
        if let Some(length) = memchr::memmem::find(&rest[..rest.len().min(16)], gap) {
            let start = at + length + gap.len();
            let end = text.run_near(start, |byte| byte > b' ' && byte != b'\\' && byte != b'"');
            self.push(start, end);
        }
    }

    /// Reads the response after a mechanism, which is base64: `AUTH PLAIN X`, `AUTH PLAIN resp=X`.
    fn read_response(&mut self, arguments: &[Argument<'_>]) {
        let Some(argument) = arguments.iter().find(|argument| argument.text.len() >= 8) else {
            return;
        };
        let word = argument.text.trim_end_matches("\\r\\n");
        let is_base64 = word
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='));
        let value = word.strip_prefix("resp=").unwrap_or(word);
        if is_base64 || value.len() < word.len() {
            let end = argument.start + word.len();
            self.push(end - value.len(), end);
        }
    }
}
