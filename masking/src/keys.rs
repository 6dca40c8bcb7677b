//! The names of fields that hold a secret.
//!
//! A name is split into words, and its last words decide. Words before them only say whose
//! secret it is (`dbPassword`); words after them make it something else (`passwordResetUrl`,
//! `tokenCount`, `secretName`). There are four refinements:
//! - Last words that only describe the encoding of the secret are ignored: `passwordHash`,
//!   `tokenValue`, `password2`.
//! - A first word that asks a question makes the field a yes or no: `hasPassword`.
//! - A token that pages through a list or that a language model counts is not a secret:
//!   `nextToken`, `maxToken`.
//! - `key` is a secret only after some words (`apiKey`). `sessionId` is not a secret, because
//!   in most histories it shows which rows belong together.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use crate::words::Words;

/// Last words that are a secret, independent of the words before them.
const SECRETS: &[&str] = &[
    "authorization",
    "bearer",
    "cookie",
    "cookies",
    "credential",
    "credentials",
    "csc",
    "cvc",
    "cvv",
    "jsessionid",
    "jwt",
    "mnemonic",
    "otp",
    "passcode",
    "passphrase",
    "passphrases",
    "passwd",
    "password",
    "passwords",
    "phpsessid",
    "pwd",
    "secret",
    "secrets",
    "ssn",
    "totp",
];

/// Last words that are a secret together, joined without separators: `apikey` matches
/// `apiKey`, `api_key` and `APIKEY`.
const PHRASES: &[&str] = &[
    "accesskey",
    "accesskeys",
    "accesstoken",
    "accesstokens",
    "accountkey",
    "adminpass",
    "adminpw",
    "amzsignature",
    "apikey",
    "apikeys",
    "apitoken",
    "apitokens",
    "atmpin",
    "authkey",
    "authpass",
    "authpw",
    "authtoken",
    "authtokens",
    "backupcode",
    "backupcodes",
    "basicauth",
    "bearertoken",
    "bearertokens",
    "bottoken",
    "cardnumber",
    "cardpin",
    "cardsecuritycode",
    "clientkey",
    "clientsecret",
    "connectionstring",
    "creditcard",
    "creditcardnumber",
    "csrftoken",
    "databasepass",
    "databasepw",
    "databaseurl",
    "dbpass",
    "dbpw",
    "decryptionkey",
    "deploykey",
    "devicetoken",
    "encryptionkey",
    "encryptionkeys",
    "ftppass",
    "ftppw",
    "functionkey",
    "githubtoken",
    "googsignature",
    "hmackey",
    "idtoken",
    "imappass",
    "imappw",
    "jwttoken",
    "ldappass",
    "ldappw",
    "licensekey",
    "loginpass",
    "loginpw",
    "mailpass",
    "mailpw",
    "masterkey",
    "mfacode",
    "mqttpass",
    "mqttpw",
    "mysqlpass",
    "mysqlpw",
    "newpin",
    "oauthtoken",
    "oldpin",
    "otpcode",
    "passportnumber",
    "pgpass",
    "pgpw",
    "pincode",
    "postgrespass",
    "postgrespw",
    "privatekey",
    "privatekeys",
    "rabbitpass",
    "rabbitpw",
    "recoverycode",
    "recoverycodes",
    "recoveryphrase",
    "redispass",
    "redispw",
    "refreshtoken",
    "refreshtokens",
    "rootpass",
    "rootpw",
    "saslpass",
    "saslpw",
    "secretaccesskey",
    "secretkey",
    "secretkeys",
    "securitycode",
    "securitytoken",
    "seedphrase",
    "servicekey",
    "sessionkey",
    "sessiontoken",
    "sharedaccesskey",
    "sharedkey",
    "signingkey",
    "signingsecret",
    "simpin",
    "smscode",
    "smtppass",
    "smtppw",
    "socialsecuritynumber",
    "sqlpass",
    "sqlpw",
    "sshkey",
    "storagekey",
    "subscriptionkey",
    "userpass",
    "userpin",
    "userpw",
    "verificationcode",
];

/// Words before `token` that make it harmless.
const HARMLESS_TOKENS: &[&str] = &[
    "best",
    "bos",
    "cancel",
    "cancellation",
    "completion",
    "concurrency",
    "continuation",
    "cursor",
    "end",
    "eos",
    "idempotency",
    "input",
    "last",
    "max",
    "next",
    "output",
    "pad",
    "page",
    "pagination",
    "paging",
    "per",
    "previous",
    "prompt",
    "request",
    "resume",
    "skip",
    "start",
    "stop",
    "sync",
    "total",
    "unexpected",
];

/// First words that make a name a question or an action.
const QUESTIONS: &[&str] = &[
    "allow", "can", "change", "enable", "forgot", "has", "hide", "is", "missing", "needs", "no",
    "require", "required", "requires", "should", "show", "use", "uses",
];

/// Last words that only describe the encoding of the secret, or which of two it is.
const ENCODINGS: &[&str] = &[
    "again",
    "base",
    "confirm",
    "confirmation",
    "current",
    "encoded",
    "encrypted",
    "hash",
    "hashed",
    "header",
    "new",
    "old",
    "plain",
    "plaintext",
    "raw",
    "string",
    "text",
    "value",
];

/// The number of words of the longest phrase.
const MOST_WORDS: usize = 4;

/// The last three letters of all names that can hold a secret.
static ENDS: LazyLock<BTreeSet<[u8; 3]>> = LazyLock::new(|| {
    let lists = SECRETS.iter().chain(PHRASES).chain(ENCODINGS);
    let ends = lists.chain(&["pass", "pin", "token"]);
    ends.filter_map(|end| last_letters(end)).collect()
});

fn last_letters(name: &str) -> Option<[u8; 3]> {
    let mut letters = name
        .bytes()
        .rev()
        .skip_while(|byte| !byte.is_ascii_alphabetic());
    let mut next = || letters.next().map(|byte| byte.to_ascii_lowercase());
    Some([next()?, next()?, next()?])
}

/// Whether a name can hold a secret. This quick check avoids splitting most names of a text
/// into words.
pub(crate) fn can_hold_secret(name: &str) -> bool {
    let is_end = last_letters(name).is_some_and(|letters| ENDS.contains(&letters));
    is_end || ends_with_pw(name.as_bytes())
}

/// Whether a name ends with the word `pw`, which is too short for [`ENDS`].
fn ends_with_pw(name: &[u8]) -> bool {
    let Some((before, end)) = name.split_last_chunk::<2>() else {
        return false;
    };
    end.eq_ignore_ascii_case(b"pw") && !before.last().is_some_and(u8::is_ascii_alphabetic)
}

/// Whether a field with these words as its name holds a secret.
pub(crate) fn holds_secret(mut words: Words) -> bool {
    let asks = words.get(0).is_some_and(|first| contains(QUESTIONS, first));
    if asks && words.count() > 1 {
        return false;
    }
    if words.endings(MOST_WORDS).any(|end| contains(PHRASES, end)) {
        return true;
    }
    while words.count() > 1 && words.last().is_some_and(is_encoding) {
        words.pop();
    }
    match words.last() {
        None => false,
        Some("token") => !words
            .count()
            .checked_sub(2)
            .and_then(|index| words.get(index))
            .is_some_and(|before| contains(HARMLESS_TOKENS, before)),
        Some("pass" | "pin" | "pw") => words.count() == 1,
        Some(last) => {
            contains(SECRETS, last)
                || last.ends_with("password")
                || last.ends_with("passwd")
                || words.endings(MOST_WORDS).any(|end| contains(PHRASES, end))
        }
    }
}

fn is_encoding(word: &str) -> bool {
    contains(ENCODINGS, word) || word.bytes().all(|byte| byte.is_ascii_digit())
}

fn contains(sorted: &[&str], word: &str) -> bool {
    sorted.binary_search(&word).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_secret(name: &str) -> bool {
        can_hold_secret(name) && holds_secret(Words::split(name))
    }

    #[test]
    fn names_that_end_with_a_secret_hold_a_secret() {
        for name in [
            "password",
            "Password",
            "dbPassword",
            "PGPASSWORD",
            "password2",
            "passwordHash",
            "new_password_confirmation",
            "passwd",
            "pwd",
            "passphrase",
            "authorization",
            "Proxy-Authorization",
            "apiKey",
            "api_key",
            "APIKEY",
            "X-Api-Key",
            "x-api-key",
            "token",
            "accessToken",
            "access_tokens",
            "refresh_token",
            "taskToken",
            "secret",
            "clientSecret",
            "STRIPE_SECRET_KEY",
            "AWS_SECRET_ACCESS_KEY",
            "aws.secretAccessKey",
            "privateKey",
            "Cookie",
            "set-cookie",
            "credential",
            "credentials",
            "otp",
            "pin",
            "cvv",
            "cvv2",
            "ssn",
            "socialSecurityNumber",
            "connectionString",
            "Ocp-Apim-Subscription-Key",
            "PHPSESSID",
            "pass",
            "pw",
            "dbPass",
            "DB_PASS",
            "smtp_pass",
            "user-pw",
        ] {
            assert!(is_secret(name), "{name}");
        }
    }

    #[test]
    fn names_that_only_mention_a_secret_hold_none() {
        for name in [
            "",
            "-",
            "tokenCount",
            "tokens",
            "max_tokens",
            "promptTokens",
            "total_tokens",
            "nextToken",
            "nextPageToken",
            "pageToken",
            "continuation_token",
            "clientRequestToken",
            "passwordless",
            "secretary",
            "tokenizer",
            "keyboard",
            "pinned",
            "mappin",
            "passwordResetUrl",
            "password_expires_at",
            "hasPassword",
            "isSecret",
            "secretName",
            "secretArn",
            "tokenType",
            "token_expiry",
            "expires_in",
            "monkey",
            "author",
            "authorId",
            "authorizationStatus",
            "publicKey",
            "primaryKey",
            "partition_key",
            "key",
            "keyId",
            "accessKeyId",
            "sessionId",
            "cookieConsent",
            "otpLength",
            "spinner",
            "bypass",
            "testsPass",
            "passed",
            "passCount",
        ] {
            assert!(!is_secret(name), "{name}");
        }
    }

    #[test]
    fn the_lists_are_sorted() {
        for list in [SECRETS, PHRASES, HARMLESS_TOKENS, QUESTIONS, ENCODINGS] {
            assert!(list.is_sorted(), "{list:?}");
        }
    }
}
