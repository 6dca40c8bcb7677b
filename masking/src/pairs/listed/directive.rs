//! Directives: a name and a space precede the value, as in `password hunter2` in `.netrc` and in the
//! configurations of servers and network devices.

use super::words::{
    ASSIGNMENTS, DIRECTIVES, FORMATS, LINE_DIRECTIVES, LISTS, NO_PASSWORDS, PARTICIPLES, SETTINGS,
    STATEMENTS,
};
use crate::names::{Certainty, Name};
use crate::pairs::context::{is_space, line_before, line_end, line_of, skip_spaces, slice};
use crate::pairs::judgement::{
    is_compound, is_duration, is_go_type, is_message, is_password, is_placeholder, is_random,
    is_sentence, is_state, names_password,
};
use crate::pairs::{Values, quoted};
use crate::text::Text;

/// A name, and the word after it.
struct Directive<'t> {
    text: Text<'t>,
    name: Name,
    /// The name in lower case.
    lower: String,
    /// Where the word begins and ends.
    start: usize,
    end: usize,
    word: &'t str,
    /// The end of the spaces after the word.
    rest: usize,
    /// Whether the name begins its line.
    is_start: bool,
    /// Whether the word ends its line.
    ends_line: bool,
}

/// Adds the value after a name and a space.
pub(super) fn find_directive(text: Text<'_>, name: Name, values: &mut Values) {
    let written_name = name.written(text);
    let start = skip_spaces(text, name.end);
    if read_quoted_directive(text, name, start, values) {
        return;
    }
    // Words and quotes are read as a sentence.
    if name.certainty != Certainty::Certain
        || text.byte_before(name.start) == b'-'
        || written_name.eq_ignore_ascii_case("bearer")
        // `reason=bad_password user=418`: the name is itself a value.
        || text.byte_before(name.start) == b'='
        || quoted::quote_length(text, start) > 0
    {
        return;
    }
    let is_netrc = is_netrc(text, name);
    let end = if is_netrc {
        netrc_end(text, start)
    } else {
        word_end(text, start)
    };
    let word = slice(text, start, end);
    if word.is_empty()
        || is_placeholder(word)
        || is_duration(word)
        || text.byte(end) == b'='
        || is_assignment(word) && !follows_login(text, name)
    {
        return;
    }
    if FORMATS.contains(&word) || word.len() == 1 && is_digits(word) {
        return read_formatted(text, name, end, values);
    }
    let rest = text.run_near(end, is_space);
    let before = line_before(text, name.start, 24).trim();
    let directive = Directive {
        text,
        name,
        lower: written_name.to_ascii_lowercase(),
        start,
        end,
        word,
        rest,
        is_start: line_of(text, name.start).is_start
            || matches!(before, "enable" | "set" | "username" | "ip ftp")
            || follows_set(text, name),
        ends_line: matches!(text.byte(rest), 0 | b'\n' | b'\r' | b'#') || text.byte(end) == b';',
    };
    directive.read(values);
}

/// Whether the command `set` stands before a name, perhaps with options and the path of the name:
/// `npm config set //host/:_authToken x`, `set psk x`.
fn follows_set(text: Text<'_>, name: Name) -> bool {
    let before = line_before(text, name.start, LONGEST_SET);
    let command = before.rsplit_once("set ").unwrap_or_default();
    let is_command = command.0.is_empty() || command.0.ends_with([' ', '$']);
    is_command
        && before.contains("set ")
        && command
            .1
            .split(' ')
            .all(|word| word.is_empty() || word.starts_with('-') || word.contains(['/', '.']))
}

/// How many bytes before a name the command `set` is searched.
const LONGEST_SET: usize = 96;

/// Adds a text in quotes that is all of a line after a directive: `masterauth "two words"`. Returns
/// whether there was one.
fn read_quoted_directive(text: Text<'_>, name: Name, start: usize, values: &mut Values) -> bool {
    let is_certain = || {
        name.certainty == Certainty::Certain
            && (follows_set(text, name) || line_before(text, name.start, 16).trim() == "option")
    };
    let is_directive = start > name.end
        && (DIRECTIVES.contains(&name.written(text)) || is_certain())
        && (line_of(text, name.start).is_start || is_netrc(text, name) || follows_set(text, name))
        && quoted::quote_length(text, start) == 1
        && text.byte(start) != b'`';
    let value = quoted::read(text, start).filter(|value| is_directive && value.is_closed);
    let Some(value) = value else {
        return false;
    };
    let written = value.written(text);
    let is_last = matches!(text.byte(value.next), 0 | b'\n' | b'\r' | b';');
    let is_value = is_netrc(text, name) || is_last && !is_message(written, name.written(text));
    if is_value {
        values.push(value.start, value.end);
    }
    is_value
}

/// Where the value of a `.netrc` file ends: at a space that no backslash precedes.
fn netrc_end(text: Text<'_>, start: usize) -> usize {
    let mut end = text.run_near(start, |byte| byte > b' ');
    while text.byte(end) == b' ' && text.byte_before(end) == b'\\' {
        end = text.run_near(end + 1, |byte| byte > b' ');
    }
    end
}

/// Whether a name names a password in a `.netrc` file.
fn is_netrc(text: Text<'_>, name: Name) -> bool {
    let is_entry = |line: &str| {
        line.contains("machine ")
            || ["login ", "default"]
                .iter()
                .any(|start| line.trim_start().starts_with(start))
    };
    let before = text.before(name.start, 200);
    name.written(text).eq_ignore_ascii_case("password")
        && before.rsplit('\n').take(4).any(is_entry)
        && !text.before(name.start, 60).contains("login with")
}

/// Where the word after a name ends.
fn word_end(text: Text<'_>, start: usize) -> usize {
    let end = text.run_near(start, |byte| {
        byte > b' ' && !b",\"'`<>)]}|\\".contains(&byte)
    });
    let mut end = text.text.floor_char_boundary(end);
    while end > start && matches!(text.byte(end - 1), b'.' | b':' | b';' | b'!' | b'?' | b'*') {
        end -= 1;
    }
    end
}

/// Whether a word assigns a value itself, or is an address.
fn is_assignment(word: &str) -> bool {
    word.contains('=') && !is_random(word) && !word.ends_with('=') || word.contains("://")
}

/// Whether a name follows the login of its account: `login eva password a=b`.
fn follows_login(text: Text<'_>, name: Name) -> bool {
    let before = text.before(name.start, 80);
    name.written(text) == "password" && (before.contains("login ") || before.contains("user "))
}

/// Adds the value after its type or format: `secret 5 $1$…`, `password 7 0822455D0A16`.
fn read_formatted(text: Text<'_>, name: Name, end: usize, values: &mut Values) {
    let mut end = end;
    let mut start = skip_spaces(text, end);
    let mut stop = text.run_near(start, |byte| byte > b' ');
    for _ in 0..2 {
        let word = slice(text, start, stop);
        if FORMATS.contains(&word) || word.len() <= 2 && !word.is_empty() && is_digits(word) {
            end = stop;
            start = skip_spaces(text, end);
            stop = text.run_near(start, |byte| byte > b' ');
        }
    }
    let value = slice(text, start, stop);
    let is_value = stop > start + 3 && is_space(text.byte(end));
    // `username eva password 0 x`, `enable password level 15 x`
    let before = line_before(text, name.start, 80).trim_start();
    let is_login = before.starts_with("username ") || before == "enable ";
    if is_value && (is_password(value) || value.starts_with('$') || is_login) {
        values.push(start, stop);
    }
}

impl Directive<'_> {
    /// Adds the word after the name, or the rest of the line.
    fn read(&self, values: &mut Values) {
        if self.is_number() {
            values.push(self.start, self.end);
        } else if self.has_line_value() {
            self.read_line(values);
        } else if self.is_setting()
            || self.is_identified()
            || self.is_community()
            || self.is_netrc()
            || self.follows_user()
            || self.is_device_key()
            || self.is_password()
        {
            values.push(self.start, self.end);
        }
    }

    /// Whether the word is a number that is a password or a code, and does not count anything.
    fn is_number(&self) -> bool {
        let lower = &self.lower;
        let is_code = (lower.ends_with("otp")
            || ["code", "код", "kod"]
                .iter()
                .any(|stem| lower.contains(stem)))
            && (4..=8).contains(&self.word.len());
        let is_long = self.word.len() >= 6 && names_password(self.name.written(self.text));
        let after = self
            .text
            .run_near(self.rest, |byte| byte.is_ascii_alphabetic());
        let counts = slice(self.text, self.rest, after).ends_with('s');
        (is_long || is_code) && is_digits(self.word) && !counts
    }

    /// Whether the value is the rest of the line.
    fn has_line_value(&self) -> bool {
        let name = self.name.written(self.text);
        let before = line_before(self.text, self.name.start, 24).trim();
        let is_set = before.to_ascii_lowercase().ends_with("config set");
        let is_known = (self.is_start || is_set) && LINE_DIRECTIVES.contains(&self.lower.as_str());
        // Apache's directives: `AuthLDAPBindPassword x`.
        let is_camel = starts_with_capital(name)
            && name.bytes().filter(u8::is_ascii_uppercase).count() >= 2
            && name.bytes().any(|byte| byte.is_ascii_lowercase());
        let is_whole = ["password", "passwd", "passphrase"]
            .iter()
            .any(|word| self.lower.ends_with(word));
        let is_apache = is_camel && self.is_start && !name.contains(' ') && is_whole;
        let command = before.rsplit(' ').next().unwrap_or_default();
        is_known
            || is_apache
            || self.is_line_of_words()
            || self.is_in_settings()
            || self.is_preseeded()
            || ASSIGNMENTS.contains(&command) && self.has_no_sign()
    }

    /// Whether the name is an identifier with which no sentence begins, and a few words follow that say
    /// nothing about a password: `remote_password blue moon rising`.
    fn is_line_of_words(&self) -> bool {
        let end = line_end(self.text, self.start);
        let value = slice(self.text, self.start, end).trim_end();
        let is_word = |word: &str| word.chars().all(char::is_alphanumeric) && !is_state(word);
        self.is_start
            && self.lower.contains('_')
            && names_password(self.name.written(self.text))
            && value.contains(' ')
            && value.split(' ').all(is_word)
    }

    /// Whether the line stands in a file of settings without signs, in which a user or a host is set
    /// before: `user eva`, `password two words`.
    fn is_in_settings(&self) -> bool {
        let before = self.text.before(self.name.start, 120);
        let mut lines = before.rsplit('\n').skip(1).take(3).map(str::trim_start);
        let is_setting = |line: &str| {
            line.split(' ').count() == 2 && SETTINGS.iter().any(|key| line.starts_with(key))
        };
        self.lower == "password" && self.is_start && lines.any(is_setting)
    }

    /// Whether the name is the type of an answer to an installer of Debian: `d-i
    /// passwd/root-password password x`.
    fn is_preseeded(&self) -> bool {
        let question = line_before(self.text, self.name.start, 96).trim_end();
        let question = question.rsplit([' ', '\t']).next().unwrap_or_default();
        self.lower == "password" && question.contains('/') && names_password(question)
    }

    /// Whether no equals sign follows in the line, so that the value is no assignment itself.
    fn has_no_sign(&self) -> bool {
        let end = self
            .text
            .run_near(self.start, |byte| byte != b'\n' && byte != b'=');
        self.text.byte(end) != b'='
    }

    /// Adds the rest of the line, unless it is a sentence or a variable.
    fn read_line(&self, values: &mut Values) {
        let end = line_end(self.text, self.start);
        let value = slice(self.text, self.start, end).trim_end();
        let value = value.strip_suffix(';').unwrap_or(value);
        if value.split(' ').count() <= 4 && !value.starts_with('$') {
            values.push(self.start, self.start + value.len());
        }
    }

    /// Whether the name is the path of a setting: `spring.datasource.password hunter2`.
    fn is_setting(&self) -> bool {
        self.is_start
            && self.lower.contains('.')
            && self.ends_line
            && !is_participle(self.word)
            && !starts_with_capital(self.word)
    }

    /// Whether the word follows `IDENTIFIED` in a statement of SQL.
    fn is_identified(&self) -> bool {
        let statement = line_before(self.text, self.name.start, 160).to_ascii_lowercase();
        self.lower.contains("identified")
            && STATEMENTS.iter().any(|word| statement.contains(word))
            && !NO_PASSWORDS
                .iter()
                .any(|word| self.word.eq_ignore_ascii_case(word))
    }

    /// Whether the word is a community string of SNMP.
    fn is_community(&self) -> bool {
        let name = self.lower.trim_end_matches('6');
        name.ends_with("community")
            && (line_before(self.text, self.name.start, 64).contains("snmp")
                || self.lower.starts_with("ro")
                || self.lower.starts_with("rw"))
    }

    /// Whether the name stands in a `.netrc` file, and its value is no word of a sentence.
    fn is_netrc(&self) -> bool {
        is_netrc(self.text, self.name) && !is_sentence(&format!("{} x", self.word))
    }

    /// Whether a user stands directly before the name, and the word is no part of a report: `poll h user
    /// bob password x-1`.
    fn follows_user(&self) -> bool {
        let mut before = line_before(self.text, self.name.start, 80)
            .trim_end()
            .rsplit(' ');
        let user = before.next().unwrap_or_default();
        let has_sign = self.word.bytes().any(|byte| !byte.is_ascii_alphabetic());
        self.lower == "password"
            && !user.is_empty()
            && matches!(before.next(), Some("user" | "username"))
            && has_sign
            && self.word.len() >= 4
            && !self.word.contains(['(', '=', ':'])
    }

    /// Whether the name is `key`, which is certain only in lines of network devices.
    fn is_device_key(&self) -> bool {
        self.lower == "key"
    }

    /// Whether the word looks like a password, or the name is a directive that needs one.
    fn is_password(&self) -> bool {
        let word = self.word;
        let name = self.name.written(self.text);
        let looks = word.chars().any(char::is_alphabetic)
            && is_password(word)
            && !is_go_type(word)
            && !word.contains(['/', '('])
            && !is_version_or_path(word);
        let is_directive = DIRECTIVES.contains(&self.lower.as_str()) && !starts_with_capital(name);
        // `remote_password x`: a sentence does not begin with such a name.
        let is_directive = is_directive || self.lower.contains('_') && names_password(name);
        let is_word = is_directive && word.len() >= 3 && !is_participle(word);
        if self.is_start && self.ends_line && (looks || is_word) {
            return true;
        }
        // `neighbor h password night.train`
        let is_last = self.ends_line && names_password(name) && is_compound(word);
        let before = line_before(self.text, self.name.start, LONGEST_SET);
        if is_last && !before.trim().is_empty() && !is_sentence(&format!("x {before} x")) {
            return true;
        }
        let shortest = if names_password(name) { 6 } else { 8 };
        let has_digit = word.chars().any(|character| character.is_ascii_digit());
        looks
            && (is_random(word) || word.len() >= shortest && has_digit)
            && !LISTS.iter().any(|ending| self.lower.ends_with(ending))
    }
}

/// Whether a text has only digits.
fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a text begins with a capital.
fn starts_with_capital(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_uppercase())
}

/// Whether a word is the name of a package and its version: `cryptography-43.0.3`.
fn is_release(word: &str) -> bool {
    word.rsplit_once('-').is_some_and(|(package, version)| {
        let is_number =
            |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        version.contains('.')
            && version.split('.').all(is_number)
            && package
                .bytes()
                .all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'-' | b'_'))
    })
}

/// Adds a word with letters and signs after `pw` or `key`: `pw kettle&fish`, `use key 9f8…`.
pub(super) fn find_word(text: Text<'_>, name: Name, values: &mut Values) {
    let start = skip_spaces(text, name.end);
    let end = text.run_near(start, |byte| {
        byte > b' ' && !matches!(byte, b',' | b';' | b'"' | b'\'' | b')' | b'`' | b'\\')
    });
    let written = slice(text, start, end).trim_end_matches('.');
    let has_sign = written.contains(['!', '@', '#', '$', '%', '^', '&']);
    let is_pw = name.written(text).eq_ignore_ascii_case("pw");
    let looks = is_pw && has_sign && is_password(written)
        || name.certainty <= Certainty::Long && written.len() >= 20 && is_random(written);
    if looks && !is_placeholder(written) && !written.contains("://") && !written.contains('=') {
        values.push(start, start + written.len());
    }
}

/// Whether a word is a participle or an adjective, as in `password changed`.
fn is_participle(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_lowercase())
        && PARTICIPLES.iter().any(|ending| word.ends_with(ending))
}

/// Whether a word is a version, a path or a call, and not a password.
fn is_version_or_path(word: &str) -> bool {
    let digits = word.trim_start_matches(['v', 'V']);
    digits
        .bytes()
        .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-'))
        || is_release(word)
        || word.contains("::")
        || word.ends_with(".py")
        || word.ends_with(".json")
        || word.ends_with(".txt")
        || word.ends_with("()")
}
