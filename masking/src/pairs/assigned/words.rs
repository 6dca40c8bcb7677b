//! The words and signs around values after a sign.

/// Words before a name in reports of problems: `Invalid password: …`.
#[rustfmt::skip]
pub(super) const PROBLEMS: &[&str] = &[
    "invalid", "wrong", "bad", "incorrect", "missing", "empty", "weak", "unknown", "unexpected", "expired", "no", "ungültiges", "falsches", "ongeldig", "неверный", "неправильный", "invalide", "incorrecte",
];

/// Words before a name in instructions: `log in with password: …`.
#[rustfmt::skip]
pub(super) const INSTRUCTIONS: &[&str] = &[
    "with", "using", "mit", "avec", "con", "com", "met", "med", "och",
];

/// Typographic brackets and tags of emphasis that close a name.
#[rustfmt::skip]
pub(super) const CLOSERS: &[&str] = &[
    "”", "’", "“", "»", "」", "』", "】", "</b>", "</strong>", "</code>", "</em>", "</i>", "</span>", "</label>",
];

/// What languages write before the quote of a text.
#[rustfmt::skip]
pub(super) const PREFIXES: &[&str] = &[
    "b", "u", "r", "f", "br", "rb", "L", "N", "E", "B", "@", "$", "&", "*", "<<", "chr", "str", "string", "String", "(string)", "bytes", "(str)", "text", "Just", "Some", "s", "a", "!", "~", "(", "#", "x", "X", "!!str", "text:", "std::string", "const", "!!binary", "!vault", "old value", "value", "old", "previous value",
];

/// How types with the length of their text begin: `string(8) "…"`.
#[rustfmt::skip]
pub(super) const LENGTHS: &[&str] = &[
    "string(", "(string)", "([]uint8)", "str(", "(*string)",
];

/// Parts of the names of functions that read a value from elsewhere, so that their argument is a name or
/// a prompt.
#[rustfmt::skip]
pub(super) const READERS: &[&str] = &[
    "credentials", "getenv", "get", "env", "read", "input", "prompt", "lookup", "config", "require", "field", "load", "fetch", "find", "getpass", "ask", "label", "translate", "param", "file", "open", "from_env", "resolve", "property", "argument", "option(", "options", "query", "setting", "secretref", "regex", "matches", "test", "validate", "format", "sprintf", "concat", "var(", "column", "textfield", "contains", "hasrole", "ref(", "startswith", "endswith", "includes", "indexof", "split(", "client(",
];

/// Collections that dumps of JavaScript write with their size.
#[rustfmt::skip]
pub(super) const COLLECTIONS: &[&str] = &[
    "Set(", "Map(", "List(", "Array(", "Vector(", "Buffer(", "Uint8Array(", "Int8Array(", "Uint8ClampedArray(", "ByteArray(",
];

/// Parts of the tags of YAML that refer to a secret store: `!vault-ref kv/shop`.
#[rustfmt::skip]
pub(super) const STORES: &[&str] = &[
    "ref", "lookup", "secret", "getatt", "vault", "env",
];

/// The attributes of cookies, in lower case.
#[rustfmt::skip]
pub(super) const ATTRIBUTES: &[&str] = &[
    "path", "domain", "expires", "max-age", "secure", "httponly", "samesite", "priority", "partitioned",
];

/// Words of screens and names of programs that are also weak passwords.
#[rustfmt::skip]
pub(super) const WEAK_PASSWORDS: &[&str] = &[
    "show", "hide", "copy", "edit", "download", "secure", "hashed", "mysql", "postgresql", "mongodb", "javascript", "typescript", "powershell", "openssl", "protected", "private", "locked", "unlocked",
];

/// Keys of the settings beside a password in a file.
#[rustfmt::skip]
pub(super) const USERS: &[&str] = &[
    "user", "login", "host", "username",
];

/// What stands between a value and another one: `input or "…"`.
#[rustfmt::skip]
pub(super) const ALTERNATIVES: &[&str] = &[
    "or ", "|| ", "?? ", "?: ", "REPLACE ", "replace ", "want ", "new value ", "new ",
];
