//! Which names of fields say that the field holds a secret.
//!
//! A name is compared by its words, and its last words decide: what stands
//! before them says whose secret it is (`dbPassword`), what stands behind them
//! makes it something else (`passwordResetUrl`, `tokenCount`, `secretName`).
//! Four refinements:
//! - Words that only say how the secret is written are left off at the end:
//!   `passwordHash`, `tokenValue`, `password2`.
//! - A first word that asks a question makes it a yes or no: `hasPassword`.
//! - A token that leads through a list or that a model counts is no secret:
//!   `nextToken`, `maxToken`.
//! - `key` is a secret with some words before it only (`apiKey`), and `sessionId`
//!   is none, because it says which rows belong together in most histories.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use crate::words::Words;

/// Words that are a secret whatever stands before them.
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

/// Ends of names that are a secret, without what stands between their words:
/// `apikey` is `apiKey`, `api_key` and `APIKEY`.
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

/// Words before `token` that make it one that is no secret.
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

/// First words that make a name a question, or the name of an action.
const QUESTIONS: &[&str] = &[
    "allow", "can", "change", "enable", "forgot", "has", "hide", "is", "missing", "needs", "no",
    "require", "required", "requires", "should", "show", "use", "uses",
];

/// Last words that only say how the secret is written, or which of two it is.
const WRITINGS: &[&str] = &[
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

/// How many words the longest phrase has.
const MOST_WORDS: usize = 4;

/// The last three letters of every name that can be a secret's.
static ENDS: LazyLock<BTreeSet<[u8; 3]>> = LazyLock::new(|| {
    let lists = SECRETS.iter().chain(PHRASES).chain(WRITINGS);
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

/// Whether a name can be one that holds a secret: a first look, which spares
/// most names of a text to be split into words.
pub(crate) fn can_hold_secret(name: &str) -> bool {
    let is_end = last_letters(name).is_some_and(|letters| ENDS.contains(&letters));
    is_end || ends_with_pw(name.as_bytes())
}

/// `pw` is shorter than the ends that are looked up.
fn ends_with_pw(name: &[u8]) -> bool {
    let Some((before, end)) = name.split_last_chunk::<2>() else {
        return false;
    };
    end.eq_ignore_ascii_case(b"pw") && !before.last().is_some_and(u8::is_ascii_alphabetic)
}

/// Whether a field whose name has these words holds a secret.
pub(crate) fn holds_secret(mut words: Words) -> bool {
    let asks = words.get(0).is_some_and(|first| listed(QUESTIONS, first));
    if asks && words.count() > 1 {
        return false;
    }
    if words.endings(MOST_WORDS).any(|end| listed(PHRASES, end)) {
        return true;
    }
    while words.count() > 1 && words.last().is_some_and(is_writing) {
        words.pop();
    }
    match words.last() {
        None => false,
        Some("token") => !words
            .count()
            .checked_sub(2)
            .and_then(|index| words.get(index))
            .is_some_and(|before| listed(HARMLESS_TOKENS, before)),
        Some("pass" | "pin" | "pw") => words.count() == 1,
        Some(last) => {
            listed(SECRETS, last)
                || last.ends_with("password")
                || last.ends_with("passwd")
                || words.endings(MOST_WORDS).any(|end| listed(PHRASES, end))
        }
    }
}

fn is_writing(word: &str) -> bool {
    listed(WRITINGS, word) || word.bytes().all(|byte| byte.is_ascii_digit())
}

fn listed(sorted: &[&str], word: &str) -> bool {
    sorted.binary_search(&word).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_secret(name: &str) -> bool {
        can_hold_secret(name) && holds_secret(Words::of(name))
    }

    #[test]
    fn names_whose_last_words_are_a_secret_hold_one() {
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
    fn names_that_only_speak_of_a_secret_hold_none() {
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
        for list in [SECRETS, PHRASES, HARMLESS_TOKENS, QUESTIONS, WRITINGS] {
            assert!(list.is_sorted(), "{list:?}");
        }
    }
}
