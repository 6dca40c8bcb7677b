//! The words of directives, and of calls that are no values.

/// Words between a name and its value that say how it is written: `password cipher x`.
#[rustfmt::skip]
pub(super) const FORMATS: &[&str] = &[
    "cipher", "simple", "plain", "encrypted", "irreversible-cipher", "md5", "ascii", "ascii-text", "plaintext", "hash", "sha256", "sha512", "clear", "hex", "plain-text", "level", "ENC",
];

/// Names of directives that can only have a value.
#[rustfmt::skip]
pub(super) const DIRECTIVES: &[&str] = &[
    "requirepass", "masterauth", "bindpw", "rootpw", "rootbindpw", "password", "passwd", "secret", "psk", "wpa-psk", "pre-shared-key", "passphrase", "wpa-passphrase", "enable", "community", "snmp-server", "authkey", "storepass", "keypass",
];

/// Names of directives whose value is the rest of the line.
#[rustfmt::skip]
pub(super) const LINE_DIRECTIVES: &[&str] = &[
    "requirepass", "masterauth", "bindpw", "rootpw", "rootbindpw",
];

/// Settings before a password in a file whose lines have a name and a value.
#[rustfmt::skip]
pub(super) const SETTINGS: &[&str] = &[
    "user ", "host ", "username ", "login ", "account ", "server ",
];

/// Words of the statements in which `IDENTIFIED BY` has a value.
#[rustfmt::skip]
pub(super) const STATEMENTS: &[&str] = &[
    "user", "grant", "alter", "create", "database", "role", "login",
];

/// Words after `IDENTIFIED` that are not a password.
#[rustfmt::skip]
pub(super) const NO_PASSWORDS: &[&str] = &[
    "as", "by", "with", "globally", "externally",
];

/// Commands and directives that set a variable: `ENV PASSWORD x`.
#[rustfmt::skip]
pub(super) const ASSIGNMENTS: &[&str] = &[
    "ENV", "ARG", "SetEnv", "fastcgi_param", "setenv", "PassEnv", "uwsgi_param", "proxy_set_header",
];

/// How names end that are followed by another name rather than by a value.
#[rustfmt::skip]
pub(super) const LISTS: &[&str] = &[
    "key", "tokens", "secrets", "cookies", "passwords", "credentials",
];

/// The endings of participles and adjectives.
#[rustfmt::skip]
pub(super) const PARTICIPLES: &[&str] = &[
    "ed", "en", "ing", "id", "al", "et", "ct",
];

/// Verbs with which the names of functions begin that read or check a secret.
#[rustfmt::skip]
pub(super) const READERS: &[&str] = &[
    "get", "read", "prompt", "ask", "input", "find", "load", "fetch", "is", "has", "check", "generate", "hash", "verify", "validate", "compare", "lookup", "decode", "parse", "require", "env", "enter",
];

/// Functions that refer to an entry of a store: `credentials('id')`.
#[rustfmt::skip]
pub(super) const REFERENCES: &[&str] = &[
    "credentials", "credential", "secret", "secrets", "token",
];
