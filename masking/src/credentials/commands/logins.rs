//! Logins in scripts and files that have no names: `user bob X` of FTP, `connect scott/X` and
//! `scott/X@db:1521/x` of Oracle, the files of IPsec, PPP, Bundler and NuGet.

use super::Found;
use super::arguments::{Argument, first_arguments};

/// The most bytes of a connection of Oracle before its port.
const LONGEST_CONNECTION: usize = 160;

/// How far before a login of FTP the command is that opened the connection.
const LONGEST_SCRIPT: usize = 300;

/// The shortest response of a mechanism of authentication in base64.
const SHORTEST_ENCODED: usize = 12;

/// Options of a user before `-p`.
#[rustfmt::skip]
const USER_OPTIONS: &[&str] = &[
    " -u ", " -U ", " --user ", " --username ", " -user ", " -l ", "'-u', ", "\"-u\",", "'--user', ", "\"--user\",", "'--username', ", "\"--username\",",
];

impl Found<'_, '_> {
    /// Reads `scott/X@host:1521/service`, whose port is at a position.
    pub(super) fn read_before_port(&mut self, port: usize) {
        let text = self.text;
        let start = text.run_back(port, LONGEST_CONNECTION, |byte| {
            byte > b' ' && !b"\"'`=,;(<".contains(&byte)
        });
        let written = text.text.get(start..port).unwrap_or_default();
        if !written.contains(':') {
            let argument = Argument {
                start,
                end: port,
                text: written,
            };
            self.read_oracle(argument);
        }
    }

    /// Reads the arguments of `user bob X` in a script of FTP.
    pub(super) fn read_ftp_user(&mut self, start: usize, end: usize) {
        let script = self.text.before(start, LONGEST_SCRIPT);
        let is_open = |line: &str| {
            let line = line.trim_start_matches("ftp> ");
            ["open ", "ftp ", "connect "]
                .iter()
                .any(|command| line.starts_with(command))
                || line.contains("| ftp ")
        };
        let is_prompt = self.text.byte(start) != b'\n';
        if is_prompt || script.lines().any(is_open) {
            self.push_second_word(end);
        }
    }

    /// Reads the second word, or text in quotes, of the rest of a line.
    fn push_second_word(&mut self, at: usize) {
        let line_end = self.text.run_near(at, |byte| byte != b'\n');
        let arguments = first_arguments(self.text, at, 2);
        if let [_, password] = arguments.as_slice()
            && password.end <= line_end
        {
            self.push_argument(password);
        }
    }

    pub(super) fn push_first_word(&mut self, at: usize) {
        if let Some(argument) = first_arguments(self.text, at, 1).first() {
            self.push_argument(argument);
        }
    }

    /// Reads the secret of a client for all servers in the file of PPP: `bob * X *`.
    pub(super) fn read_chap(&mut self, at: usize, before: &str) {
        let text = self.text;
        let end = text.run_within(at, LONGEST_CONNECTION, |byte| {
            !matches!(byte, b'\n' | b'\r')
        });
        let mut fields = text
            .text
            .get(at..end)
            .unwrap_or_default()
            .split_whitespace();
        let is_client = !before.is_empty() && !before.contains([' ', '\t', '/', '*']);
        let is_address = |field: &str| field == "*" || field.parse::<std::net::IpAddr>().is_ok();
        if let (Some(secret), Some(address), None) = (fields.next(), fields.next(), fields.next())
            && is_client
            && is_address(address)
        {
            let start = secret.as_ptr() as usize - text.text.as_ptr() as usize;
            self.push(start, start + secret.len());
        }
    }

    /// Reads the argument of `-p` in a command that also has the option of a user: `-u bob -p X`.
    pub(super) fn read_user_option(&mut self, at: usize, before: &str) {
        let text = self.text;
        let has_user = USER_OPTIONS.iter().any(|option| before.contains(option));
        let quote = text.byte_before(at);
        let end = if matches!(quote, b'"' | b'\'') {
            text.run_near(at, |byte| byte != quote && byte != b'\n')
        } else {
            text.run_near(at, |byte| byte > b' ' && !b"\"'`|;".contains(&byte))
        };
        let written = text.text.get(at..end).unwrap_or_default();
        let is_other = written.bytes().all(|byte| byte.is_ascii_lowercase())
            || written
                .bytes()
                .all(|byte| byte.is_ascii_digit() || matches!(byte, b':' | b'.' | b'-'))
            || written.starts_with(['/', '.', '-', '~'])
            || written.contains(['=', '/']);
        if has_user && !is_other {
            self.push(at, end);
        }
    }

    /// Reads the secret of a registration in the settings of Asterisk: `register => bob:X@host`.
    pub(super) fn read_registration(&mut self, at: usize) {
        let text = self.text;
        let end = text.run_within(at, LONGEST_CONNECTION, |byte| byte > b' ');
        let written = text.text.get(at..end).unwrap_or_default();
        if let Some((account, _)) = written.rsplit_once('@')
            && let Some((user, secret)) = account.split_once(':')
        {
            self.push(at + user.len() + 1, at + user.len() + 1 + secret.len());
        }
    }

    /// Reads the text in quotes after an equals sign.
    pub(super) fn push_quoted(&mut self, at: usize) {
        let start = self
            .text
            .run_within(at, 4, |byte| matches!(byte, b' ' | b'='));
        let quote = self.text.byte(start);
        if matches!(quote, b'"' | b'\'') {
            self.read_until(start + 1, &[quote]);
        }
    }

    /// Reads the password of a user that is encoded in base64: `btoa("bob:X")`.
    pub(super) fn read_encoded_pair(&mut self, start: usize, end: usize) {
        let text = self.text;
        let open = text.run_within(end, 2, |byte| matches!(byte, b'b' | b'"' | b'\''));
        if open == end || !matches!(text.byte(open - 1), b'"' | b'\'') {
            return;
        }
        let close = text.run_near(open, |byte| byte > b' ' && !matches!(byte, b'"' | b'\''));
        let pair = text.text.get(open..close).unwrap_or_default();
        let around = [text.before(start, 64), text.before(close + 48, 48)].concat();
        let is_encoded = text.rest(start).starts_with(b"b") || around.to_lowercase().contains("64");
        let colon = pair
            .find(':')
            .filter(|_| is_encoded && !pair.contains("//"));
        if let Some(place) = colon
            && matches!(text.byte(close), b'"' | b'\'')
            && !pair.contains(['{', '$'])
        {
            self.push(open + place + 1, close);
        }
    }

    /// Reads the text whose characters unlock a key store: `load(file, "X".toCharArray())`.
    pub(super) fn read_characters(&mut self, end: usize, before: &str) {
        let text = self.text;
        let quote = text.byte_before(end);
        let lower = before.to_ascii_lowercase();
        let unlocks = [
            "keystore",
            "load(",
            "getkey(",
            "password",
            "pbekeyspec",
            "setkey",
        ]
        .iter()
        .any(|word| lower.contains(word));
        if unlocks && quote == b'"' {
            let start = text.run_back(end - 1, LONGEST_CONNECTION, |byte| byte != b'"');
            self.push(start, end - 1);
        }
    }

    /// Reads the passphrase after the file of a key: `: RSA key.pem "X"`.
    pub(super) fn read_key_passphrase(&mut self, at: usize) {
        if let [_, passphrase] = first_arguments(self.text, at, 2).as_slice()
            && self.text.byte_before(passphrase.start) == b'"'
        {
            self.push_argument(passphrase);
        }
    }

    /// Reads the credential of a host in Bundler's settings: `BUNDLE_GEMS__EXAMPLE: "bob:X"`.
    pub(super) fn read_bundler(&mut self, at: usize) {
        let text = self.text;
        let end = text.run_within(at, 96, |byte| {
            byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_'
        });
        let names_host = text.text[at..end].contains("__");
        let start = text.run_within(end, 4, |byte| {
            matches!(byte, b':' | b'=' | b' ' | b'"' | b'\'')
        });
        let stop = text.run_near(start, |byte| !matches!(byte, b'\n' | b'\r' | b'"' | b'\''));
        let pair = text.text.get(start..stop).unwrap_or_default();
        let colon = pair
            .find(':')
            .filter(|_| names_host && start > end && !pair.contains("//"));
        if let Some(place) = colon {
            self.push(start + place + 1, stop);
        }
    }

    /// Reads the key of a source of packages: `<apikeys><add key="https://x" value="X" />`.
    pub(super) fn read_api_key(&mut self, at: usize) {
        let text = self.text;
        let rest = text.rest(at);
        let near = &rest[..rest.len().min(LONGEST_SCRIPT)];
        if let Some(place) = memchr::memmem::find(near, b"value=\"") {
            self.read_until(at + place + "value=\"".len(), b"\"");
        }
    }

    /// Reads a login without a database: `scott/X`.
    pub(super) fn read_short_login(&mut self, argument: Argument<'_>) {
        let Some((user, password)) = argument.text.split_once('/') else {
            return;
        };
        let is_user = user.starts_with(|first: char| first.is_ascii_alphabetic())
            && user.len() <= 30
            && user
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let is_password = password.len() >= 3 && !password.contains(['/', '@']);
        if is_user && is_password {
            let quotes = password.len() - password.trim_start_matches('"').len();
            let start = argument.start + user.len() + 1 + quotes;
            self.push(start, start + password.trim_matches('"').len());
        }
    }

    /// Reads the secret of a pair in the argument of an option: `--user bob:X`. Not a user and a group, as
    /// in `docker run --user app:app`.
    pub(super) fn read_user_pair(&mut self, at: usize) {
        let text = self.text;
        let Some(&argument) = first_arguments(text, at, 1).first() else {
            return;
        };
        let Some((user, secret)) = argument.text.split_once(':') else {
            return;
        };
        let is_group = secret
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() && user == secret)
            || secret.bytes().all(|byte| byte.is_ascii_digit());
        let is_pair = !user.is_empty()
            && !user.contains(['/', '{', '$', '<'])
            && secret.len() >= 3
            && !secret.starts_with("//")
            && !is_group;
        if is_pair {
            self.push(argument.start + user.len() + 1, argument.end);
        }
    }

    /// Reads the secret after the colon of the first argument: `addauth digest bob:X`.
    pub(super) fn read_pair_after(&mut self, at: usize) {
        if let Some(argument) = first_arguments(self.text, at, 1).first()
            && let Some((user, _)) = argument.text.split_once(':')
        {
            self.push(argument.start + user.len() + 1, argument.end);
        }
    }

    /// Reads a login in a sentence: `log in with bob / X`, `log in as bob/X`.
    pub(super) fn read_login(&mut self, at: usize) {
        let text = self.text;
        let end = text.run_within(at, LONGEST_CONNECTION, |byte| {
            !matches!(byte, b'\n' | b'\r')
        });
        let Some(line) = text.text.get(at..text.text.floor_char_boundary(end)) else {
            return;
        };
        let is_quote = |character: char| matches!(character, '`' | '"' | '\'' | '*');
        let login = line.trim_start_matches(is_quote);
        let is_account =
            |character: char| character.is_alphanumeric() || "._-@".contains(character);
        let account = &login[..login
            .find(|character| !is_account(character))
            .unwrap_or(login.len())];
        let rest = &login[account.len()..];
        let gap = rest.trim_start_matches(|character| {
            is_quote(character) || matches!(character, ' ' | '/' | ':')
        });
        let separator = &rest[..rest.len() - gap.len()];
        let is_end =
            |character: char| character.is_whitespace() || is_quote(character) || character == '<';
        let password = &gap[..gap.find(is_end).unwrap_or(gap.len())];
        let password = password.trim_end_matches(['.', ',', ';', ':', '!', '?', ')']);
        let has_sign = separator.contains(['/', ':']) && separator.len() <= 5 && separator != ": ";
        let looks = password.chars().any(char::is_alphabetic)
            && password
                .chars()
                .any(|character| !character.is_alphabetic() && character != '-')
            && !password.contains('/');
        if has_sign && !account.is_empty() && password.len() >= 4 && looks {
            let start = password.as_ptr() as usize - text.text.as_ptr() as usize;
            self.push(start, start + password.len());
        }
    }

    /// Reads a word in base64 that is the rest of its line: `AUTHENTICATE X`.
    pub(super) fn read_encoded(&mut self, at: usize) {
        let text = self.text;
        let end = text.run_near(at, |byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
        });
        if end >= at + SHORTEST_ENCODED && matches!(text.byte(end), 0 | b'\n' | b'\r') {
            self.push(at, end);
        }
    }
}
