//! Credentials in the commands of protocols, and in texts and calls that have a fixed form.

use super::arguments::{Argument, arguments};
use super::{Found, LONGEST_COMMAND};

/// The private members of a JSON Web Key, in quotes.
const PRIVATE_MEMBERS: [&str; 7] = [
    "\"d\"", "\"k\"", "\"p\"", "\"q\"", "\"dp\"", "\"dq\"", "\"qi\"",
];

impl Found<'_, '_> {
    /// Reads the credential after a text of a protocol.
    pub(super) fn read_protocol(&mut self, start: usize, end: usize) {
        let text = self.text;
        let line_start = text.run_back(start, 200, |byte| byte != b'\n');
        let before = text.text.get(line_start..start).unwrap_or_default();
        match &text.text[start..end] {
            " LOGIN " => self.read_imap(end, before),
            "PASS " => self.read_pass(start, end, before),
            "+CPIN=" => self.read_pin(end),
            "sudo -S" | "chpasswd" => {
                self.read_echoed(line_start, start);
                self.read_here_string(start);
            }
            "requirepass\" " => {
                if let Some(argument) = arguments(text, end).first() {
                    self.push_argument(argument);
                }
            }
            "oracle:thin:" => {
                if let Some(argument) = arguments(text, end).first() {
                    self.read_oracle(*argument);
                }
            }
            "response=\"" => self.read_digest(end),
            "\"kty\"" => self.read_web_key(start),
            "WIFI:" => self.read_network(end),
            "PDO->__construct(" | "mysqli->__construct(" => self.read_argument(end, 2),
            "simple_bind_s(" | "ldap_bind(" => self.read_argument(end, 1),
            "| ConvertTo-SecureString" => self.read_piped_text(start),
            "ConvertTo-SecureString " => {
                self.push_first(&arguments(text, end));
            }
            _ => self.read_auth(start, end, before),
        }
    }

    /// Reads the password after IMAP's `LOGIN`, which a tag precedes: `a1 LOGIN bob X`.
    fn read_imap(&mut self, end: usize, before: &str) {
        let tag = before.rsplit([' ', '\'', '"']).next().unwrap_or_default();
        let is_tag = !tag.is_empty()
            && tag.len() <= 12
            && tag.bytes().all(|byte| byte.is_ascii_alphanumeric())
            && tag.bytes().any(|byte| byte.is_ascii_digit());
        if !is_tag {
            return;
        }
        match arguments(self.text, end).as_slice() {
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
    fn read_pass(&mut self, start: usize, end: usize, before: &str) {
        let text = self.text;
        let said = before.trim_end_matches(' ');
        let is_command = said.is_empty() || said.ends_with([':', '>', '"', '\'', '<', ']', '-']);
        if is_command && text.before(start, 600).contains("USER ") {
            let stop = text.run_near(end, |byte| !matches!(byte, b'\n' | b'\r' | b'"' | b'\\'));
            self.push(end, stop);
        }
    }

    /// Reads the PIN of a SIM card: `AT+CPIN="…"`.
    fn read_pin(&mut self, end: usize) {
        let start = end + usize::from(self.text.byte(end) == b'"');
        let stop = self
            .text
            .run_near(start, |byte| byte.is_ascii_alphanumeric());
        self.push(start, stop);
    }

    /// Reads the text in quotes that is piped to `ConvertTo-SecureString`.
    fn read_piped_text(&mut self, start: usize) {
        let text = self.text;
        let end = text.run_back(start, 4, |byte| byte == b' ');
        let quote = text.byte_before(end);
        if matches!(quote, b'"' | b'\'') {
            let open = text.run_back(end - 1, 256, |byte| byte != quote && byte != b'\n');
            self.push(open, end - 1);
        }
    }

    /// Reads the text that `echo X | sudo -S` and `echo user:X | chpasswd` pipe.
    fn read_echoed(&mut self, line_start: usize, end: usize) {
        let line = &self.text.text[line_start..end];
        let Some(place) = line.rfind("echo ") else {
            return;
        };
        let all = arguments(self.text, line_start + place + 5);
        let first = all.iter().find(|argument| !argument.text.starts_with('-'));
        if let Some(argument) = first {
            let user = argument.text.find(':').map_or(0, |place| place + 1);
            self.push(argument.start + user, argument.end);
        }
    }

    /// Reads the text after a command that reads it: `sudo -S id <<< 'X'`.
    fn read_here_string(&mut self, at: usize) {
        let text = self.text;
        let line_end = text.run_near(at, |byte| byte != b'\n');
        if let Some(place) = text
            .text
            .get(at..line_end)
            .and_then(|line| line.find("<<< "))
            && let Some(argument) = arguments(text, at + place + 4).first()
        {
            self.push_argument(argument);
        }
    }

    /// Reads the response of HTTP's and SIP's digest authentication: RFC 7616.
    fn read_digest(&mut self, start: usize) {
        let text = self.text;
        let end = text.run_near(start, |byte| byte.is_ascii_hexdigit());
        let before = text.before(start, 600);
        let is_digest = before.contains("nonce=") || before.contains("Digest");
        if text.byte(end) == b'"' && end - start >= 32 && is_digest {
            self.push(start, end);
        }
    }

    /// Reads the password in the text of a QR code: `WIFI:T:WPA;S:name;P:…;;`.
    fn read_network(&mut self, at: usize) {
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

    /// Reads an argument in quotes of a call, counted from 0.
    fn read_argument(&mut self, at: usize, index: usize) {
        if let Some(argument) = arguments(self.text, at).get(index)
            && matches!(self.text.byte_before(argument.start), b'"' | b'\'')
        {
            self.push_argument(argument);
        }
    }

    /// Reads the private members of a JSON Web Key: RFC 7518, section 6.
    fn read_web_key(&mut self, at: usize) {
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
    fn push_first(&mut self, arguments: &[Argument<'_>]) {
        let mut values = arguments
            .iter()
            .filter(|argument| !argument.text.starts_with('-'));
        if let Some(argument) = values.next() {
            self.push_argument(argument);
        }
    }
}
