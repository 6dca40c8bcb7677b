//! Credentials in dialogues of protocols, and in files of passwords that have a fixed form.

use super::Found;

/// How far after a prompt its answer is searched.
const LONGEST_ANSWER: usize = 400;

/// The shortest and the longest password in base64.
const ANSWER: std::ops::RangeInclusive<usize> = 4..=256;

impl Found<'_, '_> {
    /// Reads the answer to SMTP's prompt `334 UGFzc3dvcmQ6`, which is base64 at the end of the next
    /// line, or in quotes there.
    pub(super) fn read_answer(&mut self, prompt_end: usize) {
        let text = self.text;
        let next = text.run_within(prompt_end, LONGEST_ANSWER, |byte| byte != b'\n') + 1;
        let end = text.run_within(next, LONGEST_ANSWER, |byte| !matches!(byte, b'\n' | b'\r'));
        let Some(line) = text.text.get(next..end) else {
            return;
        };
        let line = line.trim_end_matches(['"', '\'', ' ']);
        let line = line.strip_suffix("\\r\\n").unwrap_or(line);
        let is_base64 =
            |character: char| character.is_ascii_alphanumeric() || "+/=".contains(character);
        let answer = &line[line.trim_end_matches(is_base64).len()..];
        if ANSWER.contains(&answer.len()) && answer.len() % 4 == 0 {
            self.push(next + line.len() - answer.len(), next + line.len());
        }
    }

    /// Reads the passwords in a rule of Redis' `ACL SETUSER`: `>x` and `#hash`.
    pub(super) fn read_access_rules(&mut self, at: usize) {
        let text = self.text;
        let end = text.run_within(at, LONGEST_ANSWER, |byte| byte != 0);
        let Some(rules) = text.text.get(at..text.text.floor_char_boundary(end)) else {
            return;
        };
        let is_gap = |character: char| character.is_whitespace() || "\"',".contains(character);
        for word in rules.split(is_gap) {
            if let Some(password) = word.strip_prefix(['>', '#']).filter(|word| word.len() >= 3) {
                let start = password.as_ptr() as usize - text.text.as_ptr() as usize;
                self.push(start, start + password.len());
            }
        }
    }

    /// Reads a line of Postfix's passwords: `[smtp.example]:587 user:x`.
    pub(super) fn read_relay(&mut self, at: usize, before: &str) {
        let text = self.text;
        let end = text.run_within(at, LONGEST_ANSWER, |byte| !matches!(byte, b'\n' | b'\r'));
        let Some(pair) = text.text.get(at..end) else {
            return;
        };
        let start = pair.len() - pair.trim_start().len();
        if let Some((user, password)) = pair.trim_start().split_once(':')
            && is_host(before)
            && !user.contains(' ')
            && !password.starts_with(' ')
        {
            self.push(at + start + user.len() + 1, end);
        }
    }

    /// Reads a value up to the end of its line, or to one of a few signs.
    pub(super) fn read_until(&mut self, start: usize, signs: &[u8]) {
        let end = self.text.run_within(start, LONGEST_ANSWER, |byte| {
            !matches!(byte, b'\n' | b'\r') && !signs.contains(&byte)
        });
        self.push(start, self.text.text.floor_char_boundary(end));
    }

    /// Reads what a script sends after it expected the prompt of a password: `send "x\r"`.
    pub(super) fn read_sent(&mut self, at: usize) {
        let text = self.text;
        let start = at + usize::from(matches!(text.byte(at), b'"' | b'\''));
        let end = text.run_within(start, LONGEST_ANSWER, |byte| {
            !matches!(byte, b'\n' | b'\r' | b'"' | b'\'' | b'\\')
        });
        if matches!(text.byte_before(start), b'"' | b'\'') && !text.rest(start).starts_with(b"$") {
            self.push(start, text.text.floor_char_boundary(end));
        }
    }

    /// Reads the seed in a file of one-time passwords: `HOTP/T30/6 bob - 8e4e18…`.
    pub(super) fn read_seed(&mut self, at: usize) {
        let text = self.text;
        let end = text.run_within(at, LONGEST_ANSWER, |byte| !matches!(byte, b'\n' | b'\r'));
        let line = text.text.get(at..end).unwrap_or_default();
        let is_seed =
            |word: &&str| word.len() >= 16 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
        if let Some(seed) = line.split_whitespace().take(6).find(is_seed) {
            let start = seed.as_ptr() as usize - text.text.as_ptr() as usize;
            self.push(start, start + seed.len());
        }
    }
}

/// Whether the text before a port is a host, perhaps in brackets: `[smtp.example`, `smtp.example`.
fn is_host(before: &str) -> bool {
    before.starts_with('[')
        || before.contains('.')
            && before.chars().all(|character| {
                character.is_ascii_alphanumeric() || matches!(character, '.' | '-')
            })
}
