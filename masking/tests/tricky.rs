//! Texts made by hand to mislead the rules, in both directions.

use masking::Masker;

/// What must not stay readable, and the text around it.
const SECRETS: &[(&str, &str)] = &[
    ("hunter2", "mysql://root:hunter2@localhost"),
    ("p@ss:word", "https://user:p@ss:word@example.com/x"),
    ("s3cr3t", "{\"db\":{\"password\":\"s3cr3t\"}}"),
    ("s3cr3t", "password => 's3cr3t'"),
    ("s3cr3t", "password := \"s3cr3t\""),
    ("s3cr3t", "config[\"password\"] = \"s3cr3t\""),
    ("s3cr3t", "user[password]=s3cr3t&commit=1"),
    ("s3cr3t", "PASSWORD : s3cr3t"),
    ("s3cr3t", "password:s3cr3t"),
    ("s3cr3t", "export DB_PASSWORD='s3cr3t'"),
    ("s3cr3t", "password=s3cr3t, user=anna"),
    ("s3cr3t", "Login(user=anna, password=s3cr3t)"),
    (
        "s3cr3t",
        "<Password xml:space=\"preserve\">s3cr3t</Password>",
    ),
    ("s3cr3t", "{\\\"token\\\": \\\"s3cr3t\\\"}"),
    ("s3c,r3t", "{\"token\":\"s3c,r3t\"}"),
    ("s3c}r3t", "token=s3c}r3t&x=1"),
    ("two words", "{\"passphrase\":\"two words\"}"),
    ("correcthorse", "password: correcthorse\nuser: anna"),
    ("s3cr3t", "x-api-key: s3cr3t\r\nhost: a"),
    ("s3cr3t", "--api-key s3cr3t --verbose"),
    ("s3cr3t", "--api-key=\"s3cr3t\""),
    ("4821", "{\"otp\": \"4821\"}"),
    ("4821", "{\"pin\":4821}"),
    ("123", "cvv=123"),
    ("a1b2c3d4e5", "authorization: token a1b2c3d4e5"),
    (
        "0a1b2c",
        "Authorization: Digest username=\"a\", response=\"0a1b2c\"",
    ),
    (
        "fe5f80f77d5fa3be",
        "Authorization: AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, Signature=fe5f80f77d5fa3be",
    ),
    (
        "ghp_0123456789abcdefABCDEF0123456789abcd",
        "https://ghp_0123456789abcdefABCDEF0123456789abcd@github.com/a/b",
    ),
    (
        "ghp_0123456789abcdefABCDEF0123456789abcd",
        "token_ghp_0123456789abcdefABCDEF0123456789abcd",
    ),
    ("AKIAIOSFODNN7EXAMPLE", "key\\nAKIAIOSFODNN7EXAMPLE\\n"),
    ("hunter2", "my password is hunter2"),
    ("482913", "Your verification code is 482913."),
    ("s3cr3t", "{\"name\":\"DB_PASSWORD\",\"value\":\"s3cr3t\"}"),
    (
        "s3cr3t",
        "[{ \"Key\": \"password\", \"Value\": \"s3cr3t\" }]",
    ),
    (
        "S3cr3tPw",
        "env:\n  - name: DB_PASSWORD\n    value: S3cr3tPw\n",
    ),
    (
        "S3cr3tPw",
        "- name: \"DB_PASSWORD\"\r\n  value: \"S3cr3tPw\"\r\n",
    ),
    ("S3cr3tPw", "<add key=\"DbPassword\" value=\"S3cr3tPw\" />"),
    (
        "S3cr3tPw",
        "<property name='password'\n    value='S3cr3tPw'/>",
    ),
    (
        "S3cr3tPw",
        "  ~ password             = \"S3cr3tPw\" -> \"S3cr3tPw2\"",
    ),
    ("S3cr3tPw", "DB_PASS=S3cr3tPw"),
    ("S3cr3tPw", "smtp_pass: S3cr3tPw"),
    ("S3cr3tPw", "dbPass = 'S3cr3tPw'"),
    ("S3cr3tPw", "auth: { user: 'x', pass: 'S3cr3tPw' }"),
    ("S3cr3tPw", "pw: S3cr3tPw"),
    ("S3cr3tPw", "DB_PW=S3cr3tPw"),
    ("4539578763621486", "\"cardId\":\"4539578763621486\""),
    ("anna@example.com", "mailto:anna@example.com?subject=x"),
    ("anna@example.com", "<anna@example.com>"),
    ("anna@example.com", "email=anna@example.com;x=1"),
    ("anna@example.com", "to:anna@example.com,bob"),
    ("anna%40example.com", "?email=anna%40example.com&x=1"),
    ("anna.o'neill@example.com", "From anna.o'neill@example.com"),
    ("anna@example.com", "\\nanna@example.com\\n"),
    ("@example.com", "see_anna-marie+x@example.com."),
    ("+4930901820", "tel:+4930901820"),
    ("%2B4930901820", "?phone=%2B4930901820"),
    ("+1 (212) 555-0100", "Call +1 (212) 555-0100 now"),
    ("(212) 555-0100", "(212) 555-0100"),
    ("01 23 45 67 89", "Tél. 01 23 45 67 89."),
    ("13812345678", "手机13812345678"),
    ("13812345678", "{\"mobile\":13812345678}"),
    ("4539578763621486", "card=4539578763621486;exp=12/27"),
    ("4539-5787-6362-1486", "4539-5787-6362-1486"),
    ("4539 5787 6362 1486", "paid with 4539 5787 6362 1486."),
    (
        "DE89 3704 0044 0532 0130 00",
        "IBAN: DE89 3704 0044 0532 0130 00, BIC",
    ),
    ("DE89370400440532013000", "iban=DE89370400440532013000"),
    ("078-05-1120", "the number (078-05-1120) of"),
    ("s3cr3t", "<wsse:Password>s3cr3t</wsse:Password>"),
    ("10.20.30.40", "from 10.20.30.40:8080"),
    ("10.20.30.40", "http://10.20.30.40/x"),
    ("10.20.30.40", "10.20.30.40."),
    ("2001:db8::8a2e:370:7334", "[2001:db8::8a2e:370:7334]:443"),
    ("fe80::1ff:fe23:4567:890a", "fe80::1ff:fe23:4567:890a%eth0"),
];

/// What stays as it is.
const HARMLESS: &[&str] = &[
    "git@github.com:acme/app.git",
    "git clone ssh://git@github.com/acme/app",
    "npm install @acme/app@1.2.3",
    "user@localhost",
    "com.acme.Order@1b2c3d4e",
    "foo@bar",
    "a @ b.c",
    "max_tokens=4096, temperature=0.7",
    "{\"usage\":{\"prompt_tokens\":12,\"completion_tokens\":3,\"total_tokens\":15}}",
    "token_type=bearer&expires_in=3600",
    "{\"token_type\":\"Bearer\",\"scope\":\"read write\"}",
    "password=",
    "password=${DB_PASSWORD}",
    "password: '***'",
    "{\"password\":null,\"apiKey\":\"\"}",
    "{\"password\":{\"type\":\"string\"}}",
    "https://example.com:8443/a@b",
    "http://user@host/path",
    "12:34:56 07:00 2024:05",
    "ISO 8601: 2024-W20-5T09:12:44+02:00",
    "1234-5678-9012-3456",
    "550e8400-e29b-41d4-a716-446655440000",
    "12345678-1234-1234-1234-123456789012",
    "ORD-4539578763621486",
    "order 4539578763621487",
    "\"orderId\": \"4539578763621486\"",
    "ticket 123-456-7890",
    "The token is 2048 bytes long",
    "The token is expired",
    "State \"CheckToken\": succeeded",
    "token: approved",
    "Password: changed",
    "secret_arn: arn:aws:secretsmanager:eu-central-1:123456789012:secret:prod/db-AbCdEf",
    "{\"name\":\"GetToken\",\"value\":null}",
    "ParseError: token=EOF line=3",
    "Invalid token: expected ')' got ','",
    "- name: LOG_LEVEL\n  value: debug\n",
    "- name: DB_PASSWORD\n  valueFrom: db\n",
    "<property name=\"timeout\" value=\"30\"/>",
    "  ~ password             = null -> true",
    "  ~ size = 3 -> \"S3cr3tPw2\"",
    "pass: 12",
    "pass=true",
    "tests pass: 5",
    "{\"pass\": 12, \"fail\": 0}",
    "<pass>12</pass>",
    "bypass: on12345, passed: 12abcd",
    "date 010190 123",
    "kernel 10.20.30.40",
    "1715936564120",
    "1715936564120123",
    "20240517091244",
    "2024-05-17 09:12:44.120+02:00",
    "v1.2.3.4",
    "version: 10.20.30.40",
    "upgraded to version 10.20.30.40",
    "openssl-10.20.30.40.tar.gz",
    "1.2.3.4",
    "127.0.0.1:8080",
    "255.255.255.0",
    "Foo::bar::Baz",
    "dead::beef::cafe()",
    "00:1a:2b:3c:4d:5e",
    "SHA256:aa:bb:cc:dd:ee:ff:00:11:22:33",
    "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
    "-----BEGIN PUBLIC KEY-----",
    "the -----BEGIN PRIVATE KEY----- line is missing",
    "sk-learn-is-a-library-for-machine-learning-in-python",
    "npm_lifecycle_event=build",
    "eyJub3QiOiJhIHRva2VuIn0",
    "Basic plan, Bearer of bad news",
    "Invalid API key: missing",
    "password: must be at least 8 characters",
    "secretary: Anna",
    "const password = readPassword();",
    "token = parser.next_token()",
    "if (token == expected) return;",
    "+00:00 +0530 +1",
    "1+1=2, 3*4=12",
    "12 34 56 78 90",
    "48.858370, 2.294481",
    "978-3-16-148410-0",
    "4006381333931",
    "arn:aws:iam::123456789012:role/app",
    "EXEC#0b5f6a0e-1f7e-4f0e-9a55-2c1b0a6f7d11",
    "#123456 #fff",
    "1,234,567.89 EUR",
    "0x7ffeefbff5c8",
    "Retry in 30 s (attempt 2/5)",
];

#[test]
fn what_is_hidden_is_found() {
    let masker = Masker::builtin();
    let left: Vec<String> = SECRETS
        .iter()
        .map(|(secret, text)| (secret, masker.mask(text)))
        .filter(|(secret, masked)| masked.contains(**secret))
        .map(|(secret, masked)| format!("{secret}: {masked}"))
        .collect();
    assert!(left.is_empty(), "{left:#?}");
}

#[test]
fn what_only_looks_like_it_is_left_alone() {
    let masker = Masker::builtin();
    let touched: Vec<String> = HARMLESS
        .iter()
        .map(|text| (text, masker.mask(text)))
        .filter(|(text, masked)| *masked != **text)
        .map(|(text, masked)| format!("{text} -> {masked}"))
        .collect();
    assert!(touched.is_empty(), "{touched:#?}");
}
