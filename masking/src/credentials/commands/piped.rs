//! Passwords that a shell writes into a command: `echo X | sudo -S`, `kinit <<< X`, `<(echo X)`.

use super::Found;
use super::arguments::{arguments, first_arguments};

/// Commands that read a password, and options that make them do so.
#[rustfmt::skip]
const READERS: &[&str] = &[
    "adcli ", "auth login", "secret create", "secret put", "secrets create", "systemd-creds", "cryptsetup ", "fscrypt ", "gpg ", "kinit ", "openconnect ", "pass insert", "passwd", "passphrase", "password", "realm join", "sudo -S",
];

/// Options whose argument is a file with a secret.
#[rustfmt::skip]
const FILE_OPTIONS: &[&str] = &[
    "key-file", "keyfile", "password-file", "passwordfile", "passphrase-file", "private-key", "preshared-key", "-y",
];

impl Found<'_, '_> {
    /// Reads the text that `echo X | sudo -S`, `printf '%s' X | sudo -S` and `echo user:X | chpasswd`
    /// pipe.
    pub(super) fn read_echoed(&mut self, line_start: usize, end: usize, has_user: bool) {
        let line = &self.text.text[line_start..end];
        let Some((place, command)) = ["echo ", "printf "]
            .into_iter()
            .filter_map(|command| Some((line.rfind(command)?, command)))
            .max()
        else {
            return;
        };
        let all = arguments(self.text, line_start + place + command.len());
        let is_format = |text: &str| command == "printf " && text.contains('%');
        let first = all
            .iter()
            .find(|argument| !argument.text.starts_with('-') && !is_format(argument.text));
        if let Some(argument) = first {
            let user = match argument.text.find(':') {
                Some(place) if has_user => place + 1,
                None if has_user => return,
                _ => 0,
            };
            self.push(argument.start + user, argument.end);
        }
    }

    /// Reads the text after a command that reads it: `sudo -S id <<< 'X'`.
    pub(super) fn read_here_string(&mut self, at: usize) {
        let text = self.text;
        let line_end = text.run_near(at, |byte| byte != b'\n');
        if let Some(place) = text
            .text
            .get(at..line_end)
            .and_then(|line| line.find("<<< "))
            && let Some(argument) = first_arguments(text, at + place + 4, 1).first()
        {
            self.push_argument(argument);
        }
    }

    /// Reads the text after `<<<` if the command before it reads a password.
    pub(super) fn read_here_text(&mut self, at: usize, before: &str) {
        let reads = READERS.iter().any(|reader| before.contains(reader));
        if let Some(argument) = first_arguments(self.text, at, 1).first().filter(|_| reads) {
            let user = argument
                .text
                .find(':')
                .filter(|_| before.contains("chpasswd"));
            self.push(
                argument.start + user.map_or(0, |place| place + 1),
                argument.end,
            );
        }
    }

    /// Reads the text that `<(echo X)` passes as a file of a key or a password.
    pub(super) fn read_substituted(&mut self, at: usize, before: &str) {
        let option = before.trim_end_matches([' ', '=']);
        let start = at
            + if self.text.rest(at).starts_with(b"-n ") {
                3
            } else {
                0
            };
        let quote = usize::from(matches!(self.text.byte(start), b'"' | b'\''));
        if FILE_OPTIONS.iter().any(|known| option.ends_with(known)) {
            self.read_until(start + quote, b")\"'");
        }
    }
}
