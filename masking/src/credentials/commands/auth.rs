//! Credentials after `AUTH`.

use super::Found;
use super::arguments::{Argument, arguments};

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
        let arguments = arguments(text, end);
        let is_mechanism = arguments
            .first()
            .is_some_and(|first| MECHANISMS.contains(&first.text));
        if is_mechanism {
            return self.read_response(&arguments[1..]);
        }
        let said = before.trim_end();
        let is_redis = said.ends_with('>')
            || before.contains("HELLO")
            || command.starts_with('"')
            || said.ends_with("redis-cli");
        if is_redis && arguments.len() <= 6 {
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
