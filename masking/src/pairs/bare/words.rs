//! The words by which code is recognised.

use crate::lists::{Edges, WordSet};

/// Keywords after which code continues.
#[rustfmt::skip]
pub(super) const KEYWORDS: &[&str] = &[
    "async", "await", "fn", "func", "function", "lambda", "new", "typeof", "yield", "return", "if", "in", "not", "range", "nil", "null", "throw", "move", "unsafe", "sizeof", "match", "case", "mut", "try", "try?", "try!", "raise",
];

/// How references to a variable, a secret store or a file begin.
#[rustfmt::skip]
pub(super) static REFERENCES: Edges = Edges::new(&[
    "process.env", "os.environ", "os.getenv", "env.", "ENV[", "System.getenv", "var.", "local.", "module.", "data.", "secrets.", "vars.", "self.", "this.", "config.", "settings.", "options.", "args.", "params.", "req.", "request.", "ctx.", "context.", "props.", "state.", "vault:", "ssm:", "arn:", "projects/", "sm://", "secretKeyRef", "secretRef", "valueFrom", "op://", "file:", "input.", "event.", "cfg.", "conf.", "opts.", "random_", "secret/", "secrets/", "z.", "yup.", "joi.", "t.", "types.", "aws_secretsmanager", "google_secret", "azurerm_", "steps.", "github.", "inputs.", "matrix.",
]);

/// How types and expressions of Rust, C and Go begin that have several words or signs.
#[rustfmt::skip]
pub(super) static TYPE_STARTS: Edges = Edges::new(&[
    "*const ", "*mut ", "impl ", "dyn ", "&mut ", "&dyn ", "&[", "[u8", "crate::", "::std", "::core", "Some(", "Ok(", "fn(", "unsafe ", "typing.", "Box<", "Arc<", "Rc<", "Token![", "std::", "Zeroizing",
]);

/// Names of types in lower case.
#[rustfmt::skip]
pub(super) static TYPES: WordSet = WordSet::new(&[
    "c_int", "c_uint", "c_long", "c_ulong", "c_char", "size_t", "uint8_t", "uint32_t", "uint64_t", "u8", "u16", "u32", "u64", "i32", "i64", "usize", "isize", "string", "str", "&str", "text", "varchar", "char", "bytes", "blob", "bytea", "optional", "option", "secretstr", "securestring", "id", "binary", "double", "long", "timestamp", "float", "secretbytes", "chararray", "bytearray", "character varying", "nvarchar", "int", "integer", "bool", "boolean", "number", "any", "unknown", "uuid", "object", "array", "list", "map", "buffer", "uint8array", "charsequence", "credential", "longtext", "jsonb", "json", "annotated", "union", "literal", "classvar", "vec", "cow", "promise",
]);

/// How the names of types end that are written with a capital.
#[rustfmt::skip]
pub(super) const TYPE_ENDINGS: &[&str] = &[
    "String", "Str", "Type", "Secret", "Token", "Credential", "Bytes", "Array", "Field",
];

/// The units of durations in Ruby.
#[rustfmt::skip]
pub(super) const UNITS: &[&str] = &[
    "second", "minute", "hour", "day", "week", "month", "year",
];

/// How the names of PowerShell's commands begin.
#[rustfmt::skip]
pub(super) const CMDLETS: &[&str] = &[
    "Read-Host", "Get-", "New-", "ConvertTo-", "Import-",
];
