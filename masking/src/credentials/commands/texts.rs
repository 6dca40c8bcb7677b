//! The texts of protocols, scripts and files before a credential, and how each credential is read.

use super::Found;
use super::arguments::{Argument, arguments, first_arguments};
use super::password_file;
use crate::text::Text;

/// Where a text of a protocol stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hit<'t> {
    pub(super) start: usize,
    pub(super) end: usize,
    /// The line before it.
    pub(super) before: &'t str,
}

/// How many bytes of the line before a text are read.
const LONGEST_LINE: usize = 200;

impl<'t> Hit<'t> {
    /// The text of a protocol between two positions.
    pub(super) fn new(text: Text<'t>, start: usize, end: usize) -> Self {
        let line_start = text.run_back(start, LONGEST_LINE, |byte| byte != b'\n');
        Self {
            start,
            end,
            before: text.text.get(line_start..start).unwrap_or_default(),
        }
    }

    /// Where the line begins.
    fn line_start(self) -> usize {
        self.start - self.before.len()
    }

    /// Whether the line before the text contains a word, in any case.
    fn follows(self, word: &str) -> bool {
        self.before.to_ascii_lowercase().contains(word)
    }
}

/// Reads the credential at a text.
pub(super) type Reader = for<'t, 'f> fn(&mut Found<'t, 'f>, Hit<'t>);

/// Texts, and how the credential after them or before them is read.
#[rustfmt::skip]
pub(super) const TEXTS: &[(&[&str], Reader)] = &[
    // Protocols.
    (&["AUTH ", "AUTH\r\n", "AUTH\\r\\n", "\"AUTH\" "], |found, hit| found.read_auth(hit.start, hit.end, hit.before)),
    (&["\"AUTH\",", "'AUTH',"], |found, hit| found.read_auth(hit.start, hit.end - 1, hit.before)),
    (&["AUTHENTICATE PLAIN "], |found, hit| found.read_until(hit.end, b" \"\\")),
    (&["AUTHENTICATE \"PLAIN\" \""], |found, hit| found.read_until(hit.end, b"\"")),
    (&["\nAUTHENTICATE "], |found, hit| found.read_encoded(hit.end)),
    (&["\tresp=", "PLAIN resp="], |found, hit| found.read_until(hit.end, b" ")),
    (&[" LOGIN "], |found, hit| found.read_imap(hit.end, hit.before)),
    (&[" login \""], |found, hit| found.read_imap(hit.end - 1, hit.before)),
    (&["PASS "], |found, hit| found.read_pass(hit.start, hit.end, hit.before)),
    (&["quote PASS "], |found, hit| found.read_until(hit.end, b"\"'")),
    (&["+CPIN="], |found, hit| found.read_pin(hit.end)),
    (&["response=\""], |found, hit| found.read_digest(hit.end)),
    (&["\"kty\""], |found, hit| found.read_web_key(hit.start)),
    (&["WIFI:"], |found, hit| found.read_network(hit.end)),
    (&["UGFzc3dvcmQ6"], |found, hit| found.read_answer(hit.end)),
    (&[" IDENTIFY ", " identify ", ":IDENTIFY "], |found, hit| if hit.follows("nickserv") { found.push_last(hit.end); }),
    // Redis and ZooKeeper.
    (&["etuser ", "etuser\"", "ETUSER "], |found, hit| found.read_access_rules(hit.end)),
    (&[" on >", " on #"], |found, hit| if hit.before.starts_with("user ") { found.read_access_rules(hit.end - 2); }),
    (&["requirepass\" "], |found, hit| found.push_first_word(hit.end)),
    (&["args beginning with: '", "args beginning with: `"], |found, hit| if hit.follows("auth") { found.read_until(hit.end, b"'`"); }),
    (&["redis->auth(", "-> auth(["], |found, hit| found.read_argument(hit.end, 0)),
    (&["addauth digest "], |found, hit| found.read_pair_after(hit.end)),
    // Oracle.
    (&["@(DESCRIPTION"], |found, hit| found.read_before_description(hit.start)),
    (&["cx_Oracle.connect(", "oracledb.connect("], |found, hit| {
        found.read_argument(hit.end, 1);
        found.read_oracle_after(hit.end);
    }),
    (&["oracle:thin:", "userid="], |found, hit| found.read_oracle_after(hit.end)),
    (&[":1521/", ":1521:"], |found, hit| found.read_before_port(hit.start)),
    (&["SQL> connect ", "SQL> conn ", "SQL> CONNECT ", "SQL> CONN "], |found, hit| {
        found.read_oracle_after(hit.end);
        found.read_short_login_after(hit.end);
    }),
    (&[" as sysdba", " AS SYSDBA"], |found, hit| found.read_short_login_before(hit.start)),
    // What a shell pipes or passes.
    (&["sudo -S", "| cryptsetup", "| kinit", "| openconnect", "| vncpasswd", "| smbpasswd"], |found, hit| {
        found.read_echoed(hit.line_start(), hit.start, false);
        found.read_here_string(hit.start);
    }),
    (&["chpasswd"], |found, hit| {
        found.read_echoed(hit.line_start(), hit.start, true);
        found.read_here_string(hit.start);
    }),
    (&["--password-stdin", "--passphrase-fd 0", "passwd --stdin", "| keepassxc-cli", "| gcloud secrets"], |found, hit| found.read_echoed(hit.line_start(), hit.start, false)),
    (&["| base64"], |found, hit| found.read_echoed(hit.line_start(), hit.start, true)),
    (&["<<< "], |found, hit| found.read_here_text(hit.end, hit.before)),
    (&["<(echo "], |found, hit| found.read_substituted(hit.end, hit.before)),
    (&["| ConvertTo-SecureString"], |found, hit| found.read_piped_text(hit.start)),
    (&["ConvertTo-SecureString "], |found, hit| found.push_first(&arguments(found.text, hit.end))),
    (&["send \"", "sendline("], |found, hit| if found.text.before(hit.start, LONGEST_LINE).contains("assword") { found.read_sent(hit.end); }),
    (&["(given: "], |found, hit| if hit.before.contains("assword") { found.read_until(hit.end, b")"); }),
    // Calls.
    (&["GetBytes(", "btoa(", "base64_encode(", "b64encode(", "encode64(", "Buffer.from("], |found, hit| found.read_encoded_pair(hit.start, hit.end)),
    (&[".toCharArray()"], |found, hit| found.read_characters(hit.start, hit.before)),
    // Options of a user and a password in one argument, or in two.
    (&["--user ", "--user=", "--auth ", "--auth=", "--creds ", "--creds=", "--credentials ", "--credentials=", "--login "], |found, hit| found.read_user_pair(hit.end)),
    (&[" -p ", "'-p', '", "\"-p\", \"", "\"-p\",\""], |found, hit| found.read_user_option(hit.end, hit.before)),
    (&[" pass \"", " pass '"], |found, hit| if hit.before.contains("user ") { found.read_until(hit.end, &[found.text.byte(hit.end - 1)]); }),
    // A login in a sentence: `log in with bob / X`.
    (&["og in with ", "ogin with ", "og in as ", "ogin as ", "ign in with ", "ign in as ", "nmelden mit ", "onnect with "], |found, hit| found.read_login(hit.end)),
    // Files of credentials.
    (&[":*:", ":5432:", ":5433:", ":6432:"], |found, hit| password_file::find(found.text, hit.start, found.findings)),
    (&[":25 ", ":465 ", ":587 "], |found, hit| found.read_relay(hit.end, hit.before)),
    (&["{PLAIN}", "{CLEARTEXT}", "{plain}"], |found, hit| found.read_until(hit.end, b": \"'")),
    (&["register => "], |found, hit| found.read_registration(hit.end)),
    (&["HOTP/"], |found, hit| found.read_seed(hit.end)),
    (&["\nuser ", "ftp> user "], |found, hit| found.read_ftp_user(hit.start, hit.end)),
    (&["lftp> user "], |found, hit| found.read_ftp_user(hit.start, hit.end)),
    (&[": RSA ", ": ECDSA ", ": PKCS8 ", ": P12 "], |found, hit| found.read_key_passphrase(hit.end)),
    (&[": PSK '"], |found, hit| found.read_until(hit.end, b"'")),
    (&[": PSK \"", ": EAP \"", ": XAUTH \""], |found, hit| found.read_until(hit.end, b"\"")),
    (&["\" * \""], |found, hit| if hit.before.trim_start().starts_with('"') { found.read_until(hit.end, b"\""); }),
    (&[" * ", "\t*\t"], |found, hit| found.read_chap(hit.end, hit.before)),
    (&["'Private Key' ", "'Auth' "], |found, hit| if hit.before.ends_with("password ") { found.read_until(hit.end, &[]); }),
    (&["\"Private Key\" \"", "\"Auth\" \""], |found, hit| if hit.before.ends_with("password ") { found.read_until(hit.end, b"\"'"); }),
    (&["BUNDLE_"], |found, hit| found.read_bundler(hit.end)),
    (&["<master>{"], |found, hit| found.read_until(hit.end - 1, b"<")),
    (&["<apikeys>"], |found, hit| found.read_api_key(hit.end)),
    (&["'simple': '"], |found, hit| found.read_until(hit.end, b"'")),
    (&[" account "], |found, hit| if hit.before.contains("machine ") && hit.before.contains(" login ") { found.push_first_word(hit.end); }),
    // SQL.
    (&["PRAGMA key", "pragma key"], |found, hit| found.push_quoted(hit.end)),
    (&[" KEY '"], |found, hit| if hit.before.trim_start().to_ascii_uppercase().starts_with("ATTACH") { found.read_until(hit.end, b"'"); }),
];

impl Found<'_, '_> {
    /// Reads the first argument after a position as a login of Oracle.
    fn read_oracle_after(&mut self, at: usize) {
        if let Some(&argument) = first_arguments(self.text, at, 1).first() {
            self.read_oracle(argument);
        }
    }

    /// Reads the first argument after a position as a login without a database.
    fn read_short_login_after(&mut self, at: usize) {
        if let Some(&argument) = first_arguments(self.text, at, 1).first() {
            self.read_short_login(argument);
        }
    }

    /// Reads the word before a position as a login without a database: `conn sys/X as sysdba`.
    fn read_short_login_before(&mut self, at: usize) {
        let text = self.text;
        let start = text.run_back(at, LONGEST_LINE, |byte| {
            byte > b' ' && !matches!(byte, b'"' | b'\'')
        });
        if let Some(written) = text.text.get(start..at) {
            self.read_short_login(Argument {
                start,
                end: at,
                text: written,
            });
        }
    }

    /// Adds the last argument after a position.
    fn push_last(&mut self, at: usize) {
        if let Some(argument) = arguments(self.text, at).last() {
            self.push_argument(argument);
        }
    }
}
