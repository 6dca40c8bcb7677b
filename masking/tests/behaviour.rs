//! The behaviour of the public interface.

#![expect(clippy::unwrap_used, reason = "a panic is the failure of a test")]

use std::borrow::Cow;

use hostile::HOSTILE;
use masking::{Masker, Pattern, REDACTED_KEY, Settings, rules};
use proptest::prelude::*;

mod hostile;

fn mask(text: &str) -> String {
    Masker::builtin().mask(text).into_owned()
}

fn with(settings: Settings) -> Masker {
    Masker::new(&settings).unwrap()
}

#[test]
fn only_the_credential_itself_is_masked() {
    for (text, masked) in [
        (
            "https://user:pa55@host/path",
            "https://user:[REDACTED:url-password]@host/path",
        ),
        (
            "Authorization: Bearer xyz",
            "Authorization: Bearer [REDACTED:bearer-token]",
        ),
        (
            "Authorization: Basic xyz",
            "Authorization: Basic [REDACTED:basic-credentials]",
        ),
        ("password=hunter2", "password=[REDACTED:secret]"),
        (r#"{"apiKey": "abc"}"#, r#"{"apiKey": "[REDACTED:secret]"}"#),
        (
            "/list?token=a1b2&page=2",
            "/list?token=[REDACTED:secret]&page=2",
        ),
        (
            r#"{"body":"{\"password\":\"hun\\\"ter2\",\"a\":1}"}"#,
            r#"{"body":"{\"password\":\"[REDACTED:secret]\",\"a\":1}"}"#,
        ),
        (
            r#"{"password":"hun\"ter2","a":1}"#,
            r#"{"password":"[REDACTED:secret]","a":1}"#,
        ),
        (
            "<password>hunter2</password>",
            "<password>[REDACTED:secret]</password>",
        ),
        (
            "mysql --password hunter2 -u me",
            "mysql --password [REDACTED:secret] -u me",
        ),
        (
            "Server=db;Uid=sa;Pwd=p4ss;Database=x",
            "Server=db;Uid=sa;Pwd=[REDACTED:secret];Database=x",
        ),
        ("Cookie: a=b; session=c", "Cookie: [REDACTED:secret]"),
    ] {
        assert_eq!(mask(text), masked);
    }
}

#[test]
fn a_text_without_a_match_is_borrowed() {
    for text in ["", "Validate Order", "2024-01-15T10:30:00Z took 12 ms"] {
        assert!(matches!(Masker::builtin().mask(text), Cow::Borrowed(it) if it == text));
    }
}

#[test]
fn the_earlier_match_and_the_credential_rule_win() {
    assert_eq!(
        mask("password=anna@example.com"),
        "password=[REDACTED:secret]"
    );
    assert_eq!(mask("4539578763621486@example.com"), "[REDACTED:email]");
}

#[test]
fn settings_add_rules_and_allow_values() {
    let masker = with(Settings {
        patterns: vec![Pattern {
            name: "customer".to_owned(),
            pattern: r"CUST-\d+".to_owned(),
        }],
        key_names: vec!["kundennummer".to_owned()],
        allowed_patterns: vec![r".*@example\.com".to_owned()],
        allowed_key_names: vec!["token".to_owned()],
        allowed_rules: vec!["ip-address".to_owned()],
    });
    let text = "CUST-12 anna@example.com bob@example.org 10.0.0.1 token=abc12 kundennummer=77";
    assert_eq!(
        masker.mask(text),
        "[REDACTED:customer] anna@example.com [REDACTED:email] 10.0.0.1 token=abc12 kundennummer=[REDACTED:secret]"
    );
    assert!(masker.secret_key("kundenNummer"));
    assert!(!masker.secret_key("token"));
    assert!(masker.secret_key("accessToken"));
}

#[test]
fn secrets_after_a_truncated_private_key_are_masked() {
    let jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dBjftJeZ4CVPmB92K27uhbUJU1p1r";
    let cases = [
        (
            "ghp_0123456789abcdefghijklmnopqrstuvwxyz",
            "[REDACTED:github-token]",
        ),
        ("sk_live_0123456789abcdefABCDEF", "[REDACTED:stripe-key]"),
        ("4111 1111 1111 1111", "[REDACTED:payment-card]"),
        ("anna@example.com", "[REDACTED:email]"),
        // These are long enough to be part of the key.
        (jwt, ""),
        ("MIIEvQIBADANBgkqhkiG9w0B", ""),
        ("MIIE", ""),
    ];
    for (secret, shown) in cases {
        let text = format!("-----BEGIN PRIVATE KEY-----\n{secret}\nfailed, of course");
        let gap = if shown.is_empty() { "" } else { "\n" };
        // A `BEGIN` line without a key is not a secret.
        let begin = if shown.is_empty() {
            "[REDACTED:private-key]"
        } else {
            "-----BEGIN PRIVATE KEY-----"
        };
        let expected = format!("{begin}{gap}{shown}\nfailed, of course");
        assert_eq!(mask(&text), expected);
    }
}

#[test]
fn a_key_name_of_a_team_can_have_many_words() {
    let masker = with(Settings {
        key_names: vec!["number of the customer's passport".to_owned()],
        ..Settings::default()
    });
    assert!(masker.secret_key("numberOfTheCustomerSPassport"));
    assert!(masker.secret_key("old number_of_the_customer's-passport"));
    assert!(!masker.secret_key("customerSPassport"));
}

#[test]
fn invalid_settings_report_the_field_and_the_reason() {
    let pattern = |name: &str, pattern: &str| Settings {
        patterns: vec![Pattern {
            name: name.to_owned(),
            pattern: pattern.to_owned(),
        }],
        ..Settings::default()
    };
    let allowed = |rule: &str| Settings {
        allowed_rules: vec![rule.to_owned()],
        ..Settings::default()
    };
    let keys = |key: String| Settings {
        key_names: vec![key],
        ..Settings::default()
    };
    let many = Settings {
        key_names: vec!["key".to_owned(); 101],
        ..Settings::default()
    };
    for (settings, field, reason) in [
        (pattern("A", "a"), "patterns[0].name", "lower-case"),
        (pattern("", "a"), "patterns[0].name", "1 to 40"),
        (
            pattern("a", "a("),
            "patterns[0].pattern",
            "Line 1, column 2: unclosed group.",
        ),
        (
            pattern("a", r"a\Qb"),
            "patterns[0].pattern",
            "Line 1, column 2",
        ),
        (pattern("a", "(?=b)"), "patterns[0].pattern", "look-around"),
        (pattern("a", "a*"), "patterns[0].pattern", "empty text"),
        (pattern("a", r"\b"), "patterns[0].pattern", "empty text"),
        (
            pattern("a", &"a".repeat(1001)),
            "patterns[0].pattern",
            "1000 characters",
        ),
        (
            pattern("a", r"\w{900}"),
            "patterns[0].pattern",
            "larger than",
        ),
        (allowed("no-rule"), "allowedRules[0]", "No built-in rule"),
        (keys("-".to_owned()), "keyNames[0]", "letter"),
        (keys("k".repeat(129)), "keyNames[0]", "128"),
        (many, "keyNames", "101"),
    ] {
        let error = Masker::new(&settings).unwrap_err();
        assert_eq!(error.field, field, "{error}");
        assert!(error.reason.contains(reason), "{error}");
    }
}

#[test]
fn unknown_fields_of_settings_are_ignored() {
    let settings: Settings = serde_json::from_str(
        r#"{"patterns":[{"name":"a","pattern":"b"}],"keyNames":["c"],"allowedRules":["phone"]}"#,
    )
    .unwrap();
    assert_eq!(settings.key_names, ["c"]);
    let newer = serde_json::from_str::<Settings>(r#"{"keyNames":["c"],"later":{"a":[1]}}"#);
    assert_eq!(newer.unwrap().key_names, ["c"]);
}

#[test]
fn marks_are_never_masked_again() {
    assert_eq!(mask(REDACTED_KEY), REDACTED_KEY);
    for rule in rules() {
        let text = format!("password=[REDACTED:{}] x", rule.name);
        assert_eq!(mask(&text), text);
    }
}

#[test]
fn a_masker_can_be_shared_between_threads() {
    fn is_shared<T: Send + Sync + Clone + std::fmt::Debug>(_: &T) {}
    is_shared(&Masker::builtin());
}

/// Masks a megabyte of each text. With quadratic time, the test would not end.
#[test]
fn hostile_texts_are_read_in_linear_time() {
    for piece in HOSTILE {
        let text = piece.repeat((1 << 20) / piece.len());
        let masked = mask(&text);
        assert!(!masked.is_empty(), "{piece}");
    }
}

/// Parts of values that the rules find, so that random texts are similar to them.
fn piece() -> impl Strategy<Value = String> {
    let fixed = HOSTILE
        .iter()
        .map(|piece| (*piece).to_owned())
        .collect::<Vec<_>>();
    prop_oneof![
        prop::sample::select(fixed),
        "[0-9]{1,16}",
        "[-+ .:/=@\"'(){}\\[\\]\\\\&,;<>#%_]{1,2}",
        "[a-zA-Z0-9]{1,40}",
        prop::sample::select(vec![
            "anna@example.com",
            "+44 20 7946 0958",
            "0171 2345678",
            "212-555-0100",
            "4539578763621486",
            "DE89370400440532013000",
            "10.20.30.40",
            "fe80::1ff:fe23:4567:890a",
            "AKIAIOSFODNN7EXAMPLE",
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "phone",
            "ssn",
            "version",
            "order",
            "card",
            "078-05-1120",
            "Bearer a1b2c3d4e5",
            "https://u:p4ss@h/",
            "ghp_0123456789abcdefABCDEF0123456789abcd",
            "sig=aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeee1",
            " x12",
            "api key: ",
            "\"name\":\"",
            "\"value\":\"",
            "value",
            "password",
            "token",
            " is ",
            " was ",
            "secret",
            "</password>",
            "Authorization: ",
        ])
        .prop_map(str::to_owned),
        any::<char>().prop_map(String::from),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_causes_a_panic(text in any::<String>()) {
        mask(&text);
    }

    #[test]
    fn masking_masked_text_changes_nothing(pieces in prop::collection::vec(piece(), 0..12)) {
        let once = mask(&pieces.concat());
        prop_assert_eq!(mask(&once), once);
    }

    #[test]
    fn texts_of_words_stay_unchanged(text in "([A-Za-z]{1,9} ){0,9}[a-z]{1,9}") {
        prop_assume!(!text.to_lowercase().contains("bearer") && !text.to_lowercase().contains("basic"));
        prop_assert_eq!(mask(&text), text);
    }

    #[test]
    fn patterns_of_a_team_never_match_inside_a_mark(pieces in prop::collection::vec(piece(), 0..8)) {
        let masker = with(Settings {
            patterns: vec![
                Pattern { name: "letters".to_owned(), pattern: "[a-z]{2,}".to_owned() },
                Pattern { name: "ends".to_owned(), pattern: r"REDACT\w*|\]|\[".to_owned() },
            ],
            ..Settings::default()
        });
        let once = masker.mask(&pieces.concat()).into_owned();
        prop_assert_eq!(masker.mask(&once).into_owned(), once);
    }
}
