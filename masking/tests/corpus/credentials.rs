//! Credentials in the formats of their providers.

use rand::rngs::StdRng;

use super::Sample;
use super::scenes::*;

pub fn samples(rng: &mut StdRng) -> Vec<Sample> {
    let mut samples = Vec::new();
    for _ in 0..230 {
        for (kind, value) in prefixed(rng) {
            let text = pick(
                rng,
                &[
                    "",
                    "export KEY=",
                    "curl -H 'X-Key: ",
                    "found ",
                    "https://host/cb?k=",
                ],
            );
            let text = if text.is_empty() {
                placed(rng, &value)
            } else {
                format!("{text}{value}")
            };
            samples.push(sample(kind, text, value));
        }
    }
    for _ in 0..500 {
        by_key_name(rng, &mut samples);
        others(rng, &mut samples);
    }
    samples
}

fn sample(kind: &'static str, text: String, secret: String) -> Sample {
    Sample {
        kind,
        text,
        secret: Some(secret),
    }
}

#[rustfmt::skip]
fn prefixed(rng: &mut StdRng) -> Vec<(&'static str, String)> {
    let mut of = |prefix: &str, alphabet: &str, length: usize| format!("{prefix}{}", random(rng, alphabet, length));
    let base32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    vec![
        ("Flowtrail", of("sdk_", HEX, 20) + &of("_", BASE64URL, 43)),
        ("AWS access key id", of("AKIA", base32, 16)),
        ("AWS access key id", of("ASIA", base32, 16)),
        ("AWS session token", of("IQoJb3JpZ2luX2VjE", BASE64, 300)),
        ("Google API key", of("AIza", BASE64URL, 35)),
        ("Google OAuth", of("ya29.a0", BASE64URL, 120)),
        ("Google OAuth", of("GOCSPX-", BASE64URL, 28)),
        ("GitHub", of("ghp_", ALPHANUMERIC, 36)),
        ("GitHub", of("gho_", ALPHANUMERIC, 36)),
        ("GitHub", of("ghs_", ALPHANUMERIC, 36)),
        ("GitHub", of("github_pat_", ALPHANUMERIC, 22) + &of("_", ALPHANUMERIC, 59)),
        ("GitLab", of("glpat-", BASE64URL, 20)),
        ("GitLab", of("gldt-", BASE64URL, 20)),
        ("Slack token", of("xoxb-", DIGITS, 12) + &of("-", DIGITS, 12) + &of("-", ALPHANUMERIC, 24)),
        ("Slack token", of("xoxp-", DIGITS, 12) + &of("-", DIGITS, 12) + &of("-", HEX, 32)),
        ("Slack token", of("xapp-1-A", DIGITS, 10) + &of("-", DIGITS, 13) + &of("-", HEX, 64)),
        ("Slack webhook", of("https://hooks.slack.com/services/T", UPPER, 8) + &of("/B", UPPER, 8) + &of("/", ALPHANUMERIC, 24)),
        ("Discord webhook", of("https://discord.com/api/webhooks/", DIGITS, 18) + &of("/", BASE64URL, 68)),
        ("Stripe", of("sk_live_", ALPHANUMERIC, 24)),
        ("Stripe", of("rk_test_51", ALPHANUMERIC, 97)),
        ("Stripe", of("whsec_", ALPHANUMERIC, 32)),
        ("Twilio", of("SK", HEX, 32)),
        ("SendGrid", of("SG.", BASE64URL, 22) + &of(".", BASE64URL, 43)),
        ("Mailgun", of("key-", HEX, 32)),
        ("Mailchimp", of("", HEX, 32) + "-us14"),
        ("Brevo", of("xkeysib-", HEX, 64) + &of("-", ALPHANUMERIC, 16)),
        ("npm", of("npm_", ALPHANUMERIC, 36)),
        ("PyPI", of("pypi-AgEIcHlwaS5vcmc", BASE64URL, 120)),
        ("RubyGems", of("rubygems_", HEX, 48)),
        ("crates.io", of("cio", ALPHANUMERIC, 32)),
        ("Docker", of("dckr_pat_", BASE64URL, 27)),
        ("DigitalOcean", of("dop_v1_", HEX, 64)),
        ("Shopify", of("shpat_", HEX, 32)),
        ("OpenAI", of("sk-", ALPHANUMERIC, 20) + &of("T3BlbkFJ", ALPHANUMERIC, 20)),
        ("OpenAI", of("sk-proj-", BASE64URL, 74) + &of("T3BlbkFJ", BASE64URL, 74)),
        ("Anthropic", of("sk-ant-api03-", BASE64URL, 93) + "AA"),
        ("OpenRouter", of("sk-or-v1-", HEX, 64)),
        ("Groq", of("gsk_", ALPHANUMERIC, 52)),
        ("Perplexity", of("pplx-", ALPHANUMERIC, 48)),
        ("xAI", of("xai-", ALPHANUMERIC, 80)),
        ("Replicate", of("r8_", ALPHANUMERIC, 37)),
        ("Hugging Face", of("hf_", ALPHANUMERIC, 34)),
        ("Telegram", of("", "123456789", 10) + &of(":AA", BASE64URL, 33)),
        ("Discord token", of("MT", ALPHANUMERIC, 24) + &of(".", BASE64URL, 6) + &of(".", BASE64URL, 38)),
        ("New Relic", of("NRAK-", "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", 27)),
        ("Heroku", of("HRKU-AA", BASE64URL, 58)),
        ("Vault", of("hvs.", BASE64URL, 95)),
        ("Databricks", of("dapi", HEX, 32)),
        ("Atlassian", of("ATATT3xFfGF0", BASE64URL, 180)),
        ("Linear", of("lin_api_", ALPHANUMERIC, 40)),
        ("Notion", of("ntn_", DIGITS, 11) + &of("", ALPHANUMERIC, 35)),
        ("Square", of("sq0atp-", BASE64URL, 22)),
        ("PayPal", of("access_token$production$", "abcdefghijklmnopqrstuvwxyz0123456789", 16) + &of("$", HEX, 32)),
        ("Facebook", of("EAAG", ALPHANUMERIC, 150)),
        ("Sentry", of("sntrys_eyJpYXQiOjE", BASE64, 120) + &of("_", BASE64, 43)),
        ("Grafana", of("glsa_", ALPHANUMERIC, 32) + &of("_", HEX, 8)),
        ("Doppler", of("dp.pt.", ALPHANUMERIC, 43)),
        ("Postman", of("PMAK-", HEX, 24) + &of("-", HEX, 34)),
        ("PlanetScale", of("pscale_tkn_", BASE64URL, 43)),
        ("Pulumi", of("pul-", HEX, 40)),
        ("Supabase", of("sbp_", HEX, 40)),
        ("Tailscale", of("tskey-auth-k", ALPHANUMERIC, 12) + &of("-", ALPHANUMERIC, 32)),
        ("Figma", of("figd_", BASE64URL, 40)),
        ("Dynatrace", of("dt0c01.", base32, 24) + &of(".", base32, 64)),
        ("Age", of("AGE-SECRET-KEY-1", "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", 58)),
    ]
}

/// Passwords and keys that are recognised only by their names.
fn value(rng: &mut StdRng) -> String {
    let length = between(rng, 8, 40) as usize;
    match between(rng, 0, 4) {
        0 => random(rng, BASE64, length),
        1 => hex(rng, 32),
        2 => random(rng, BASE64URL, length),
        3 => format!(
            "{}{}!",
            pick(
                rng,
                &["Summer", "hunter", "Passw0rd", "letmein", "Tr0ub4dor"]
            ),
            between(rng, 10, 9999)
        ),
        _ => {
            format!(
                "{}{}",
                random(rng, ALPHANUMERIC, length),
                random(rng, "!#%*-_.~^@$", 2)
            ) + "7"
        }
    }
}

fn by_key_name(rng: &mut StdRng, samples: &mut Vec<Sample>) {
    let key = pick(
        rng,
        &[
            "password",
            "passwd",
            "pwd",
            "apiKey",
            "api_key",
            "x-api-key",
            "token",
            "accessToken",
            "refresh_token",
            "secret",
            "clientSecret",
            "client_secret",
            "private_key",
            "DB_PASSWORD",
            "STRIPE_SECRET_KEY",
            "AWS_SECRET_ACCESS_KEY",
            "authToken",
            "sessionToken",
            "passphrase",
            "dbPassword",
            "spring.datasource.password",
        ],
    );
    let forms: [(&'static str, &str); 13] = [
        ("key=value", "user=anna {k}={v} host=db1"),
        ("key=value, alone", "{k}={v}"),
        ("key: value", "user: anna\n{k}: {v}\nhost: db1"),
        (
            "key: \"value\"",
            "{\"user\":\"anna\",\"{k}\":\"{v}\",\"n\":1}",
        ),
        ("JSON with spaces", "{ \"{k}\" : \"{v}\" }"),
        (
            "JSON in JSON",
            "{\"body\":\"{\\\"{k}\\\":\\\"{v}\\\",\\\"n\\\":1}\"}",
        ),
        (
            "JSON in JSON in JSON",
            "{\"a\":\"{\\\"b\\\":\\\"{\\\\\\\"{k}\\\\\\\":\\\\\\\"{v}\\\\\\\"}\\\"}\"}",
        ),
        ("Python dict", "{'user': 'anna', '{k}': '{v}'}"),
        (
            "query string",
            "GET /login?user=anna&{k}={v}&page=2 HTTP/1.1",
        ),
        ("XML element", "<login><{k}>{v}</{k}></login>"),
        ("option", "tool --{k} {v} --verbose"),
        ("option with =", "tool --{k}={v} --verbose"),
        (
            "connection string",
            "Server=db;Database=x;{k}={v};Timeout=30",
        ),
    ];
    let (kind, form) = pick(rng, &forms);
    let value = value(rng);
    samples.push(sample(
        kind,
        form.replace("{k}", key).replace("{v}", &value),
        value,
    ));
}

fn others(rng: &mut StdRng, samples: &mut Vec<Sample>) {
    let mut add = |kind, text: String, secret: String| samples.push(sample(kind, text, secret));

    let token = random(rng, BASE64URL, 40);
    let text = pick(
        rng,
        &[
            "Authorization: Bearer {}",
            "curl -H \"Authorization: Bearer {}\" https://api",
            "{\"authorization\":\"Bearer {}\"}",
            "sent Bearer {} to the API",
            "authorization=Bearer {}",
            "headers: { Authorization: 'Bearer {}' }",
            "{\\\"Authorization\\\":\\\"Bearer {}\\\"}",
        ],
    );
    add("bearer", text.replace("{}", &token), token);

    let password = random(rng, ALPHANUMERIC, 12);
    let encoded = base64_of(&format!("anna:{password}"));
    let text = pick(
        rng,
        &[
            "Authorization: Basic {}",
            "{\"Authorization\": \"Basic {}\"}",
            "request with Basic {} failed",
        ],
    );
    add("basic", text.replace("{}", &encoded), encoded);

    let password = format!(
        "{}{}",
        random(rng, ALPHANUMERIC, 10),
        pick(rng, &["", "!", "%40", "$x", "-_~"])
    );
    let text = pick(
        rng,
        &[
            "postgres://app:{}@db.internal:5432/orders",
            "https://anna:{}@example.com/path?x=1",
            "amqp://guest:{}@mq/vhost",
            "redis://:{}@cache:6379/0",
            "mongodb+srv://u:{}@cluster0.abc.mongodb.net/test",
            "git clone https://ci:{}@git.example.com/a/b.git",
            "could not connect to mysql://root:{}@10.0.0.5/db",
        ],
    );
    add("password in a URL", text.replace("{}", &password), password);

    let header = format!("eyJ{}", random(rng, BASE64URL, 33));
    let jwt = format!(
        "{header}.eyJ{}.{}",
        random(rng, BASE64URL, 120),
        random(rng, BASE64URL, 43)
    );
    let text = pick(
        rng,
        &[
            "{}",
            "token {} is expired",
            "{\"t\":\"{}\"}",
            "https://app/cb#id={}&state=1",
            "got\\n{}\\nback",
        ],
    );
    add("JWT", text.replace("{}", &jwt), jwt);

    let lines: Vec<String> = (0..12).map(|_| random(rng, BASE64, 64)).collect();
    let label = pick(
        rng,
        &[
            "RSA PRIVATE KEY",
            "PRIVATE KEY",
            "EC PRIVATE KEY",
            "OPENSSH PRIVATE KEY",
            "ENCRYPTED PRIVATE KEY",
        ],
    );
    let newline = pick(rng, &["\n", "\\n", "\r\n", "\\\\n", " "]);
    let body = lines.join(newline);
    let whole = format!("-----BEGIN {label}-----{newline}{body}{newline}-----END {label}-----");
    let middle = lines[6].clone();
    add("private key", placed(rng, &whole), middle);
    let cut = whole[..whole.len() * 2 / 3].to_owned();
    add("private key, cut off", cut, lines[3].clone());

    let secret = format!(
        "{}aB3{}",
        random(rng, BASE64, 20),
        random(rng, ALPHANUMERIC, 17)
    );
    let id = format!(
        "AKIA{}",
        random(rng, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16)
    );
    let text = pick(
        rng,
        &[
            "{i} {s}",
            "keys {i}:{s}",
            "{i},{s}",
            "{\"id\":\"{i}\",\"value\":\"{s}\"}",
            "credentials {i} / {s} refused",
        ],
    );
    add(
        "AWS secret key",
        text.replace("{i}", &id).replace("{s}", &secret),
        secret,
    );

    let key = format!("{}==", random(rng, BASE64, 86));
    add(
        "Azure account key",
        format!(
            "DefaultEndpointsProtocol=https;AccountName=acme;AccountKey={key};EndpointSuffix=core.windows.net"
        ),
        key,
    );
    let signature = format!("{}%3D", random(rng, ALPHANUMERIC, 43));
    add(
        "Azure SAS",
        format!(
            "https://acme.blob.core.windows.net/c/b?sv=2022-11-02&se=2024-05-18&sr=b&sp=r&sig={signature}"
        ),
        signature,
    );

    let cookie = random(rng, ALPHANUMERIC, 26);
    let text = pick(
        rng,
        &[
            "Cookie: theme=dark; session={}",
            "Set-Cookie: sid={}; Path=/; HttpOnly",
            "{\"cookie\":\"sid={}\"}",
        ],
    );
    add("cookie", text.replace("{}", &cookie), cookie);

    let key = random(rng, HEX, 40);
    let text = pick(
        rng,
        &[
            "Invalid API key: {}",
            "the secret access key: {} was refused",
            "wrong password: {}9",
            "Your token: {}",
        ],
    );
    add("in prose", text.replace("{}", &key), key);
}

fn base64_of(text: &str) -> String {
    let alphabet = BASE64.as_bytes();
    let mut encoded = String::new();
    for chunk in text.as_bytes().chunks(3) {
        let bits = chunk
            .iter()
            .fold(0u32, |bits, &byte| bits << 8 | u32::from(byte))
            << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let index = bits >> (18 - 6 * place) & 63;
            encoded.push(if place <= chunk.len() {
                char::from(alphabet[index as usize])
            } else {
                '='
            });
        }
    }
    encoded
}
