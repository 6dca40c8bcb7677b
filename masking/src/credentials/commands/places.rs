//! Credentials in the arguments of a command.

use super::Found;
use super::arguments::{Argument, arguments};
use super::programs::{ANY, FORMATS, LAST, Place, Program};

impl Found<'_, '_> {
    /// Reads the arguments of a command. Returns where it ends.
    pub(super) fn read_command(&mut self, program: &Program, name_end: usize) -> usize {
        // `kinit: Password incorrect` is a message of the program.
        if matches!(
            self.text.rest(name_end),
            [b':', b' ', b'A'..=b'Z' | b'(', ..]
        ) {
            return name_end;
        }
        let arguments = arguments(self.text, name_end);
        for place in program.places {
            for index in 0..arguments.len() {
                self.read_place(*place, &arguments, index);
            }
        }
        arguments.last().map_or(name_end, |argument| argument.end)
    }

    /// Reads the credential that an argument holds, or that follows it.
    fn read_place(&mut self, place: Place, arguments: &[Argument<'_>], index: usize) {
        let argument = arguments[index];
        match place {
            Place::After(option) => self.read_next(option, arguments, index),
            Place::AfterLogin(option) => {
                let is_login = || arguments[..index].iter().any(|known| known.text == "login");
                if argument.text == option && is_login() {
                    self.read_next(option, arguments, index);
                }
            }
            Place::Attached(option) => {
                if let Some(value) = argument.text.strip_prefix(option)
                    && !value.starts_with('-')
                {
                    self.push(argument.end - value.len(), argument.end);
                }
            }
            Place::AfterColon(option) => self.read_pair(option, ':', arguments, index),
            Place::AfterSign(option, sign) => self.read_pair(option, sign, arguments, index),
            Place::Prefix(prefix) => {
                if let Some(value) = argument.text.strip_prefix(prefix) {
                    self.push(argument.end - value.len(), argument.end);
                }
            }
            Place::Positional(command, position) => {
                self.read_positional(command, position, arguments, index);
            }
            Place::Device if index == 0 => self.read_device(arguments),
            Place::Device => {}
            Place::Oracle => self.read_oracle(argument),
            Place::Login => self.read_short_login(argument),
            Place::AfterUser(option) => {
                let is_user = arguments[0].text.eq_ignore_ascii_case("to")
                    && index == 4
                    && arguments[2].text.eq_ignore_ascii_case("user");
                if is_user {
                    self.read_next(option, arguments, index);
                }
            }
            Place::Pair if index + 1 == arguments.len() => {
                if let Some((user, _)) = argument.text.split_once(':')
                    && !argument.text.contains("://")
                {
                    self.push(argument.start + user.len() + 1, argument.end);
                }
            }
            Place::Pair => {}
        }
    }

    /// Reads the argument after an option, unless it is another option.
    fn read_next(&mut self, option: &str, arguments: &[Argument<'_>], index: usize) {
        if let Some(next) = arguments.get(index + 1)
            && arguments[index].text == option
            && !next.text.starts_with('-')
        {
            self.push_argument(next);
        }
    }

    /// Reads an argument after a subcommand, counted from 0 without options. `wpa_passphrase` is a
    /// program and has no subcommand.
    fn read_positional(
        &mut self,
        command: &str,
        position: usize,
        arguments: &[Argument<'_>],
        index: usize,
    ) {
        let is_program = (command == "wpa_passphrase" || command == ANY) && index == 0;
        let is_subcommand = arguments[index].text == command
            || command.ends_with('.') && arguments[index].text.starts_with(command);
        if !is_subcommand && !is_program {
            return;
        }
        let rest = &arguments[index + usize::from(!is_program)..];
        // An option of Windows has one slash, and a path has more.
        let is_option = |argument: &&Argument<'_>| {
            let text = argument.text;
            text.starts_with(['-', '/']) && text.len() <= 16 && !text[1..].contains('/')
        };
        let mut plain = rest.iter().filter(|argument| !is_option(argument));
        let found = if position == LAST {
            plain.next_back()
        } else {
            plain.nth(position)
        };
        // `net use Z: \\host\share`: a share or a drive, and no password.
        let is_share = |argument: &&Argument<'_>| {
            let text = argument.text;
            command == "use" && (text.starts_with('\\') || text.ends_with(':') || text == "*")
        };
        if let Some(argument) = found.filter(|argument| !is_share(argument)) {
            self.push_argument(argument);
        }
    }

    /// Reads `user:X` in the argument of an option, which may be attached to it.
    fn read_pair(&mut self, option: &str, sign: char, arguments: &[Argument<'_>], index: usize) {
        if let Some(value) = find_argument(option, arguments, index)
            && let Some((user, _)) = value.text.split_once(sign)
            && !value.text.contains("://")
        {
            self.push(value.start + user.len() + sign.len_utf8(), value.end);
        }
    }

    /// Reads the value in a line of a network device, if it is not a word of a sentence.
    fn read_device(&mut self, arguments: &[Argument<'_>]) {
        let is_format = |argument: &&Argument<'_>| {
            let text = argument.text;
            FORMATS.contains(&text)
                || text == "key"
                || text == "address"
                || text.len() <= 3 && text.bytes().all(|byte| byte.is_ascii_digit())
                || text.parse::<std::net::IpAddr>().is_ok()
        };
        let Some(value) = arguments
            .iter()
            .take(6)
            .find(|argument| !is_format(argument))
        else {
            return;
        };
        let is_quoted = matches!(self.text.byte_before(value.start), b'"' | b'\'');
        let is_word = |byte: u8| byte.is_ascii_alphabetic() || matches!(byte, b'-' | b',' | b'.');
        let mut later = value.text.bytes().skip(1);
        let has_capital = later.any(|byte| byte.is_ascii_uppercase());
        if is_quoted || value.text.len() >= 4 && (has_capital || !value.text.bytes().all(is_word)) {
            self.push_argument(value);
        }
    }

    /// Reads `scott/X@db`, `scott/"X"@db` and `scott/X`.
    pub(super) fn read_oracle(&mut self, argument: Argument<'_>) {
        let prefix = if argument.text.starts_with("userid=") {
            "userid=".len()
        } else {
            0
        };
        let argument = argument.after(prefix);
        let Some((user, rest)) = argument.text.split_once('/') else {
            return;
        };
        let is_user = !user.is_empty()
            && user.len() <= 30
            && user.bytes().all(|byte| {
                byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b'#' | b'"')
            });
        let Some((password, _)) = rest.rsplit_once('@') else {
            return;
        };
        if is_user && !password.is_empty() && !password.contains('/') {
            let quotes = password.len() - password.trim_start_matches('"').len();
            let start = argument.start + user.len() + 1 + quotes;
            self.push(start, start + password.trim_matches('"').len());
        }
    }
}

/// The argument of an option: the next one, or the rest of the option's own. An equals sign must
/// separate a long option from its argument.
fn find_argument<'t>(
    option: &str,
    arguments: &[Argument<'t>],
    index: usize,
) -> Option<Argument<'t>> {
    let argument = arguments[index];
    if argument.text == option {
        return arguments.get(index + 1).copied();
    }
    let rest = argument.text.strip_prefix(option)?;
    match rest.strip_prefix('=') {
        Some(_) => Some(argument.after(option.len() + 1)),
        None if option.len() == 2 => Some(argument.after(option.len())),
        None => None,
    }
}
