//! Credentials in the commands of protocols, and in texts and calls that have a fixed form.

use super::arguments::{Argument, first_arguments};
use super::programs::LAST;
use super::{Found, LONGEST_COMMAND};

/// The most arguments of a protocol's command that are read.
const MOST_ARGUMENTS: usize = 8;

/// The private members of a JSON Web Key, in quotes.
const PRIVATE_MEMBERS: [&str; 7] = [
    "\"d\"", "\"k\"", "\"p\"", "\"q\"", "\"dp\"", "\"dq\"", "\"qi\"",
];

impl Found<'_, '_> {
    /// Reads the password after IMAP's `LOGIN`, which a tag precedes: `a1 LOGIN bob X`.
    pub(super) fn read_imap(&mut self, end: usize, before: &str) {
        let tag = before.rsplit([' ', '\'', '"']).next().unwrap_or_default();
        let is_tag = !tag.is_empty()
            && tag.len() <= 12
            && tag.bytes().all(|byte| byte.is_ascii_alphanumeric())
            && tag.bytes().any(|byte| byte.is_ascii_digit());
        if !is_tag {
            return;
        }
        match first_arguments(self.text, end, MOST_ARGUMENTS).as_slice() {
            [user, password, ..] if !user.text.starts_with('{') => {
                self.push_argument(password);
            }
            _ => self.read_literals(end),
        }
    }

    /// Reads the literals of IMAP's `LOGIN {5}`: each is on a line of its own.
    fn read_literals(&mut self, at: usize) {
        let text = self.text;
        let limit = text.text.floor_char_boundary(text.text.len().min(at + 400));
        let lines: Vec<&str> = text.text[at..limit].lines().collect();
        for pair in lines.windows(4).take(8) {
            // The client's second literal follows the server's second continuation.
            let is_second = pair[0].trim_end().ends_with('}')
                && pair[1].contains("+ ")
                && !pair[2].trim_end().ends_with('}');
            if is_second {
                let written = pair[2].trim_start_matches("C: ").trim_end();
                let start = written.as_ptr() as usize - text.text.as_ptr() as usize;
                self.push(start, start + written.len());
            }
        }
    }

    /// Reads the password after `PASS` of FTP and POP3, if `USER` precedes it.
    pub(super) fn read_pass(&mut self, start: usize, end: usize, before: &str) {
        let text = self.text;
        let said = before.trim_end_matches([' ', '\t']);
        let is_command = said.is_empty() || said.ends_with([':', '>', '"', '\'', '<', ']', '-']);
        let is_quoted = said.ends_with('\'');
        let stop = text.run_near(end, |byte| {
            !(matches!(byte, b'\n' | b'\r' | b'"' | b'\\') || is_quoted && byte == b'\'')
        });
        let dialogue = text.before(start, 600);
        // The server accepts or refuses the login after it.
        let reply = text.text.get(stop..).unwrap_or_default();
        let reply = &reply[..reply.floor_char_boundary(reply.len().min(64))];
        // FileZilla's server writes the address of the client before its commands.
        let is_answered = reply.contains("230 ")
            || reply.contains("530 ")
            || said.ends_with(")>")
            || said.ends_with("Command:")
            || said == "C:";
        let has_user = dialogue.contains("USER ") || is_answered;
        // A logger of FTP can write other words before the command.
        let is_ftp = dialogue.to_ascii_lowercase().contains("ftp")
            && (said.ends_with('"') || !text.text.get(end..stop).unwrap_or_default().contains(' '));
        if is_command && has_user || is_ftp && (has_user || said.is_empty() || is_command) {
            self.push(end, stop);
        }
    }

    /// Reads the login before a long description of Oracle: `scott/X@(DESCRIPTION=…`.
    pub(super) fn read_before_description(&mut self, sign: usize) {
        let text = self.text;
        let start = text.run_back(sign, 80, |byte| byte > b' ' && !b"=\"',;".contains(&byte));
        let written = text.text.get(start..sign + 1).unwrap_or_default();
        self.read_oracle(Argument {
            start,
            end: sign + 1,
            text: written,
        });
    }

    /// Reads the PIN of a SIM card: `AT+CPIN="…"`.
    pub(super) fn read_pin(&mut self, end: usize) {
        let start = end + usize::from(self.text.byte(end) == b'"');
        let stop = self
            .text
            .run_near(start, |byte| byte.is_ascii_alphanumeric());
        self.push(start, stop);
    }

    /// Reads the text in quotes that is piped to `ConvertTo-SecureString`.
    pub(super) fn read_piped_text(&mut self, start: usize) {
        let text = self.text;
        let end = text.run_back(start, 4, |byte| byte == b' ');
        let quote = text.byte_before(end);
        if matches!(quote, b'"' | b'\'') {
            let open = text.run_back(end - 1, 256, |byte| byte != quote && byte != b'\n');
            self.push(open, end - 1);
        }
    }

    /// Reads the response of HTTP's and SIP's digest authentication: RFC 7616.
    pub(super) fn read_digest(&mut self, start: usize) {
        let text = self.text;
        let end = text.run_near(start, |byte| byte.is_ascii_hexdigit());
        let before = text.before(start, 600);
        let is_digest = before.contains("nonce=") || before.contains("Digest");
        if text.byte(end) == b'"' && end - start >= 32 && is_digest {
            self.push(start, end);
        }
    }

    /// Reads the password in the text of a QR code: `WIFI:T:WPA;S:name;P:…;;`.
    pub(super) fn read_network(&mut self, at: usize) {
        let text = self.text;
        let rest = text.rest(at);
        let rest = &rest[..rest.len().min(256)];
        let Some(place) = memchr::memmem::find(rest, b";P:").map(|place| place + 3) else {
            return;
        };
        let mut end = place;
        while end < rest.len() && rest[end] != b';' && rest[end] != b'\n' {
            end += if rest[end] == b'\\' { 2 } else { 1 };
        }
        self.push(at + place, at + end.min(rest.len()));
    }

    /// Reads the password of a call. The first argument can belong to the text of the call.
    pub(super) fn read_call(&mut self, start: usize, end: usize, index: usize) {
        let call = &self.text.text[start..end];
        let open = call.find('(').map_or(end, |place| start + place + 1);
        self.read_argument(open.max(start + 1), index);
    }

    /// Reads an argument in quotes of a call, counted from 0.
    pub(super) fn read_argument(&mut self, at: usize, index: usize) {
        if index == LAST {
            let all = first_arguments(self.text, at, MOST_ARGUMENTS);
            let is_quoted = |argument: &&Argument<'_>| {
                matches!(self.text.byte_before(argument.start), b'"' | b'\'')
            };
            if let Some(argument) = all.iter().rfind(is_quoted) {
                self.push_argument(argument);
            }
            return;
        }
        if let Some(argument) = first_arguments(self.text, at, index + 1).get(index)
            && matches!(self.text.byte_before(argument.start), b'"' | b'\'')
        {
            self.push_argument(argument);
        }
    }

    /// Reads the private members of a JSON Web Key: RFC 7518, section 6.
    pub(super) fn read_web_key(&mut self, at: usize) {
        let text = self.text;
        let start = text.run_back(at, LONGEST_COMMAND, |byte| !matches!(byte, b'{' | b'\n'));
        let end = text
            .run_near(at, |byte| byte != b'}')
            .min(at + LONGEST_COMMAND);
        let Some(object) = text.text.get(start..end) else {
            return;
        };
        for member in PRIVATE_MEMBERS {
            let Some(place) = object.find(member) else {
                continue;
            };
            let rest = &object[place + member.len()..];
            let value = rest.trim_start_matches([':', ' ']);
            if let Some(value) = value.strip_prefix('"') {
                let offset = start + object.len() - value.len();
                let length = value.find('"').unwrap_or(value.len());
                self.push(offset, offset + length);
            }
        }
    }

    /// Adds the first argument that is not an option.
    pub(super) fn push_first(&mut self, arguments: &[Argument<'_>]) {
        let mut values = arguments
            .iter()
            .filter(|argument| !argument.text.starts_with('-'));
        if let Some(argument) = values.next() {
            self.push_argument(argument);
        }
    }
}
