//! Harmless strings that are common in a history. They have the formats of real systems, and
//! were written without looking at the rules.

use fake::Fake;
use fake::faker::company::raw::CompanyName;
use fake::faker::lorem::raw::Sentence;
use fake::locales::EN;
use rand::RngExt;
use rand::rngs::StdRng;

use super::Sample;
use super::scenes::*;

pub fn samples(rng: &mut StdRng) -> Vec<Sample> {
    let mut samples = Vec::new();
    for _ in 0..400 {
        for (kind, value) in ids(rng)
            .into_iter()
            .chain(times(rng))
            .chain(technical(rng))
            .chain(commercial(rng))
        {
            samples.push(sample(kind, placed(rng, &value)));
        }
        for (kind, text) in whole_texts(rng) {
            samples.push(sample(kind, text));
        }
    }
    samples
}

fn sample(kind: &'static str, text: String) -> Sample {
    Sample {
        kind,
        text,
        secret: None,
    }
}

fn uuid(rng: &mut StdRng) -> String {
    format!(
        "{}-{}-4{}-{}{}-{}",
        hex(rng, 8),
        hex(rng, 4),
        hex(rng, 3),
        pick(rng, &["8", "9", "a", "b"]),
        hex(rng, 3),
        hex(rng, 12)
    )
}

fn some(rng: &mut StdRng, patterns: &[&str]) -> String {
    let pattern = pick(rng, patterns);
    filled(rng, pattern)
}

#[rustfmt::skip]
fn ids(rng: &mut StdRng) -> Vec<(&'static str, String)> {
    let crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    vec![
        ("UUID", uuid(rng)),
        ("UUID without dashes", hex(rng, 32)),
        ("ULID", format!("01H{}", random(rng, crockford, 23))),
        ("nanoid", random(rng, BASE64URL, 21)),
        ("KSUID", format!("2{}", random(rng, ALPHANUMERIC, 26))),
        ("object id", format!("66{}", hex(rng, 22))),
        ("snowflake", format!("1{}", digits(rng, 18))),
        ("order number, short", some(rng, &["^######", "ORD-2024-######", "SO-^########", "#^####", "PO^#######", "W########"])),
        ("order number, 9 to 12 digits", some(rng, &["^########", "^#########", "^##########", "^###########"])),
        ("order number, 14 digits", some(rng, &["^#############"])),
        ("order number, 15 digits", some(rng, &["^##############"])),
        ("order number, 16 digits", some(rng, &["^###############"])),
        ("order number, 18 digits", some(rng, &["^#################"])),
        ("order number with a name", some(rng, &["ORD-^###############", "order #^###########", "INV-^##########", "REF^#############"])),
        ("Flowtrail id", some(rng, &["wf-order-######", "exec_^###########", "step-##", "retry-#"]) + &hex(rng, 6)),
        ("Flowtrail key", format!("EXEC#{}", uuid(rng))),
        ("Flowtrail step key", format!("STEP#2024-05-17T09:12:44.{}Z#{}", digits(rng, 3), uuid(rng))),
        ("ARN", format!("arn:aws:states:eu-central-1:{}:execution:order-flow:{}", digits(rng, 12), uuid(rng))),
        ("ARN of a function", format!("arn:aws:lambda:us-east-1:{}:function:validate-order:{}", digits(rng, 12), between(rng, 1, 99))),
        ("trace id", format!("00-{}-{}-01", hex(rng, 32), hex(rng, 16))),
        ("X-Ray id", format!("Root=1-{}-{};Parent={};Sampled=1", hex(rng, 8), hex(rng, 24), hex(rng, 16))),
        ("page cursor", format!("eyJ{}", random(rng, ALPHANUMERIC, 60))),
    ]
}

#[rustfmt::skip]
fn times(rng: &mut StdRng) -> Vec<(&'static str, String)> {
    let (y, mo, d, h, mi, s, ms) = (between(rng, 2015, 2030), between(rng, 1, 12), between(rng, 1, 28), between(rng, 0, 23), between(rng, 0, 59), between(rng, 0, 59), between(rng, 0, 999));
    let epoch = between(rng, 1_500_000_000, 1_900_000_000);
    vec![
        ("RFC 3339", one_of([format!("{y}-{mo:02}-{d:02}T{h:02}:{mi:02}:{s:02}Z"), format!("{y}-{mo:02}-{d:02}T{h:02}:{mi:02}:{s:02}.{ms:03}+02:00"), format!("{y}-{mo:02}-{d:02} {h:02}:{mi:02}:{s:02}.{ms:03}")], rng)),
        ("epoch, s", epoch.to_string()),
        ("epoch, ms", format!("{epoch}{ms:03}")),
        ("epoch, µs", format!("{epoch}{ms:03}{}", digits(rng, 3))),
        ("epoch, ns", format!("{epoch}{ms:03}{}", digits(rng, 6))),
        ("date", one_of([format!("{d:02}.{mo:02}.{y}"), format!("{mo}/{d}/{y}"), format!("{d:02}-{mo:02}-{y}"), format!("{d} May {y}"), format!("{y}/{mo:02}/{d:02}"), format!("{y}{mo:02}{d:02}")], rng)),
        ("date and time", one_of([format!("{d:02}.{mo:02}.{y} {h:02}:{mi:02}"), format!("{d:02}/May/{y}:{h:02}:{mi:02}:{s:02} +0000"), format!("{y}{mo:02}{d:02}{h:02}{mi:02}{s:02}"), format!("{d:02}-{mo:02}-{y} {h:02}:{mi:02}:{s:02}"), format!("{y}{mo:02}{d:02}T{h:02}{mi:02}{s:02}Z")], rng)),
        ("time", format!("{h:02}:{mi:02}:{s:02}")),
        ("duration", one_of([format!("{ms} ms"), format!("PT{h}H{mi}M"), format!("{h}h{mi}m{s}s"), format!("{s}.{ms:03}s")], rng)),
        ("cron", pick(rng, &["0 5 * * *", "*/15 * * * *", "0 0 12 1/1 * ? *", "30 2 1-7 * 1", "cron(0 18 ? * MON-FRI *)"]).to_owned()),
    ]
}

#[rustfmt::skip]
fn technical(rng: &mut StdRng) -> Vec<(&'static str, String)> {
    let (a, b, c, n) = (between(rng, 0, 30), between(rng, 0, 60), between(rng, 0, 200), between(rng, 0, 9999));
    vec![
        ("semantic version", one_of([format!("{a}.{b}.{c}"), format!("v{a}.{b}.{c}-beta.1"), format!("{a}.{b}.{c}-SNAPSHOT"), format!("^{a}.{b}.{c}")], rng)),
        ("version of four parts", one_of([format!("v{a}.{b}.{c}.{n}"), format!("version {a}.{b}.{c}.{b}"), format!("Version={a}.0.0.0, Culture=neutral"), format!("app-{a}.{b}.{c}.{b}.tar.gz"), format!("Chrome/{c}.0.0.{b} Safari/537.36"), format!("pkg=={a}.{b}.{c}.{b}"), format!("release {a}.{b}.{c}.{b}"), format!("{a}.{b}.{c}.{}", n + 256)], rng)),
        ("MD5", hex(rng, 32)),
        ("SHA-1", hex(rng, 40)),
        ("SHA-256", one_of([hex(rng, 64), format!("sha256:{}", hex(rng, 64))], rng)),
        ("hash in base64", one_of([format!("sha512-{}==", random(rng, BASE64, 86)), format!("{}=", random(rng, BASE64, 43))], rng)),
        ("git commit", { let length = pick(rng, &[7, 8, 40]); hex(rng, length) }),
        ("package@version", one_of([format!("lodash@{a}.{b}.{c}"), format!("@types/node@{a}.{b}.{c}"), format!("react@{a}.{b}.{c}-beta.rc"), format!("actions/checkout@v{a}"), format!("foo@npm:{a}.{b}.{c}")], rng)),
        ("decorator or handle", pick(rng, &["@Component", "@app.route('/x')", "@Override", "@acme_dev", "@media (max-width: 600px)", "@types/node", "@Value(\"x\")"]).to_owned()),
        ("file", one_of([format!("/var/log/app/{a}.log"), "logo@2x.png".to_owned(), format!("C:\\data\\in_{n}.csv"), format!("src/main/java/com/acme/Order.java:{n}"), format!("report-2024-05-{:02}.pdf", a.max(1)), format!("backup_2024051{}.tar.gz", digits(rng, 7))], rng)),
        ("docker image", one_of([format!("nginx:{a}.{b}-alpine"), format!("{}.dkr.ecr.eu-central-1.amazonaws.com/app:{}", digits(rng, 12), hex(rng, 7)), format!("ghcr.io/acme/app@sha256:{}", hex(rng, 64))], rng)),
        ("k8s name", format!("order-service-{}-{}", random(rng, "bcdfghjklmnpqrstvwxz2456789", 10), random(rng, "bcdfghjklmnpqrstvwxz2456789", 5))),
        ("S3 URI", format!("s3://acme-data/year=2024/month=05/part-{}.parquet", digits(rng, 5))),
        ("URL", one_of([format!("https://example.com/orders/{n}?page=2&sort=desc"), "http://localhost:8080/health".to_owned(), format!("https://api.acme.io/v2/items/{}", uuid(rng)), format!("https://example.com/a_(b)#c{n}"), "https://example.com/x".to_owned()], rng)),
        ("query string", one_of([format!("?id={n}&limit=50&nextToken=eyJ{}", random(rng, ALPHANUMERIC, 30)), format!("a={a}&b={b}&tokens={c}&max_tokens=4096")], rng)),
        ("metrics", one_of([format!("http_requests_total{{code=\"200\",method=\"GET\"}} {n}"), format!("cpu={a}.{b}% mem={c}MiB"), format!("p50={a}ms p99={c}ms count={n}"), format!("promptTokens: {n}, completionTokens: {c}, totalTokens={n}")], rng)),
        ("coordinates", format!("{}.{}, -{}.{}", between(rng, 0, 89), digits(rng, 6), between(rng, 0, 179), digits(rng, 7))),
        ("decimal", one_of([format!("0.{}", digits(rng, 16)), format!("{a}.{}", digits(rng, 15)), format!("{a}.{}e-{a}", digits(rng, 9))], rng)),
        ("colour", format!("#{}", hex(rng, 6))),
        ("port or size", one_of([format!(":{}", between(rng, 1024, 65535)), format!("{n} bytes"), format!("{c} MiB of {n} MiB"), format!("0x{}", hex(rng, 8))], rng)),
        ("local address", pick(rng, &["127.0.0.1", "0.0.0.0", "::1", "255.255.255.0", "localhost", "[::]:8080", "127.0.0.1:5432"]).to_owned()),
        ("code path", pick(rng, &["std::net::IpAddr", "a::b::c", "f64::add", "crate::de::Error", "Foo::Bar->baz()", "std::collections::BTreeMap<u8, u16>"]).to_owned()),
        ("range", one_of([format!("{n}-{}", n + 50), format!("{}-{}", digits(rng, 5), digits(rng, 5)), format!("{a}..{c}"), format!("bytes {n}-{}/{}", n + 1000, n + 90000), "pages 120-130".to_owned(), format!("rows {n} to {}", n + 999)], rng)),
    ]
}

fn ean(body: &str) -> String {
    let sum: u32 = body
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, byte)| u32::from(byte - b'0') * if place % 2 == 0 { 3 } else { 1 })
        .sum();
    format!("{body}{}", (10 - sum % 10) % 10)
}

#[rustfmt::skip]
fn commercial(rng: &mut StdRng) -> Vec<(&'static str, String)> {
    let isbn = digits(rng, 9);
    let gtin = digits(rng, 11);
    vec![
        ("price", some(rng, &["€ ^##,##", "$^,###.##", "^.###.###,## EUR", "£^#.##", "¥^##,###", "CHF ^'###.##", "R$ ^##,##", "^ ### ###,## Kč", "USD ^####.##"])),
        ("percentage", some(rng, &["^#.## %", "^#%", "-#.#%"])),
        ("large number", some(rng, &["^,###,###", "^.###.###.###", "^ ### ### ###", "^,###,###,###.##"])),
        ("EAN-13", ean(&format!("{}{}", pick(rng, &["4", "40", "50", "30", "76", "87", "97"]), gtin).chars().take(12).collect::<String>())),
        ("GTIN-14", ean(&format!("1{}", ean(&format!("4{gtin}"))).chars().take(13).collect::<String>())),
        ("ISBN", one_of([format!("978-3-{}-{}-{}", &isbn[..3], &isbn[3..8], &isbn[8..]), format!("ISBN {}", isbn.clone() + "X"), format!("978{isbn}4"), format!("0-{}-{}-4", &isbn[..3], &isbn[3..8])], rng)),
        ("tracking number", some(rng, &["1Z999AA1^########", "^###########", "JD0146000^#########", "RR^########DE", "^### #### ####", "9400 1^## #### #### #### ##", "00340434^###########"])),
        ("invoice number", some(rng, &["INV-2024-^####", "RE2024^#####", "2024/^####", "F-^##-####", "KD-^######", "2024-05-^###"])),
        ("account or customer number", some(rng, &["K^#####", "CUST-^#######", "^##-^#####", "^#####-##", "C-^###.###"])),
        ("article number", some(rng, &["A^##-####-B", "SKU ^###.###.##", "^##.###.##", "MPN ^#-###-##", "BOLT M8x^# DIN 933"])),
        ("table of numbers", some(rng, &["12 34 56 78", "1 2 3 4 5 6 7 8 9 10 11 12", "^## ^## ^##", "^#### ^#### ^####", "100 200 300 400", "10, 20, 30, 40, 50", "^###\t^###\t^###"])),
        ("company", CompanyName(EN).fake_with_rng(rng)),
        ("sentence", Sentence(EN, 4..12).fake_with_rng(rng)),
    ]
}

#[rustfmt::skip]
fn whole_texts(rng: &mut StdRng) -> Vec<(&'static str, String)> {
    let n = between(rng, 1, 99_999);
    let code = pick(rng, &[
        "const token = await fetchToken(client);", "let password = request.getPassword();", "if (user.password == null) { throw new Error('x'); }", "def f(password: str, token: str) -> None:",
        "private String password;", "token := lexer.Next()", "self.token = token", "password = os.environ[\"DB_PASSWORD\"]", "export TOKEN=${TOKEN}", "secret: ${{ secrets.NPM }}",
        "interface A { apiKey: string; token?: string }", "fn parse(token: Token) -> Result<(), Error> {", "SELECT password FROM users WHERE id = 7", "password: { type: String, required: true }",
        "let x = map[key]; x += 1;", "for (int i = 0; i < 10; i++) {", "@Value(\"${db.password}\") String p;", "a ? b : c", "x = y == z", "std::string s = \"abc\";", "DB_PASSWORD=", "password = None", "api_key: null",
    ]);
    let prose = pick(rng, &[
        "Invalid token: expired", "Password: at least eight characters", "Unexpected token: }", "SyntaxError: Unexpected token < in JSON at position 0", "The password must not be empty", "Missing secret: not found",
        "Authorization: required for this resource", "Basic authentication is disabled", "Bearer of good news", "token count: 512", "Enter your password:", "credentials: none", "Unauthorized: token expired",
        "Cannot read property 'token' of undefined", "password reset requested", "Your API key is invalid.", "PIN entry was cancelled", "secret santa list: 14 people",
    ]);
    let names = pick(rng, &[
        "Validate Order", "Send Confirmation Mail", "Step 3 of 12", "Retry #4", "Q3 2024 Report", "Phase 2b", "Room 4.12", "Boeing 737-800", "ISO 9001:2015", "RFC 7519", "24/7 support", "COVID-19", "Windows Server 2019", "Route 66", "HTTP 404", "Section 4.2.1.3", "§ 12 Abs. 3", "Python 3.12.1",
    ]);
    vec![
        ("code", code.to_owned()),
        ("prose about secrets", prose.to_owned()),
        ("names of steps", names.to_owned()),
        ("log line", one_of([
            format!("2024-05-17 09:12:44,120 INFO  [main] c.a.App - Started in {n} ms (JVM running for 12.345)"),
            format!("[2024-05-17T09:12:44.120+0200][info][gc] GC({n}) Pause Young 24M->8M(256M) 3.456ms"),
            format!("I0517 09:12:44.120000   {n} controller.go:114] Reconciling \"default/order-{n}\""),
            format!("level=info ts=2024-05-17T09:12:44.120Z caller=main.go:{n} msg=\"ready\" port=9090"),
            format!("INSERT INTO orders (id, total) VALUES ({n}, 129.90)"),
            format!("{{\"level\":30,\"time\":17159{n:08},\"pid\":{n},\"msg\":\"done\"}}"),
        ], rng)),
        ("stack trace", format!("java.lang.NullPointerException: Cannot invoke \"Order.getId()\" because \"order\" is null\n\tat com.acme.Order.find(Order.java:{n})\n\tat java.base/java.lang.Thread.run(Thread.java:840)\nCaused by: java.io.IOException: Connection reset by peer (errno {n})")),
        ("JSON", format!("{{\"id\":{n},\"name\":\"Order\",\"tokenCount\":{n},\"keyId\":\"k-{n}\",\"nextToken\":\"{}\",\"author\":\"x\",\"price\":12.5,\"sessionId\":\"{}\"}}", random(rng, ALPHANUMERIC, 24), uuid(rng))),
        ("CSS or HTML", pick(rng, &["@media (min-width: 640px) { .a { margin: 0 4px 0 4px; color: #a1b2c3; } }", "<div class=\"x\" data-id=\"12\">Text</div>", "<input type=\"password\" name=\"password\">", "a:hover::before { content: \"\"; }"]).to_owned()),
        ("numbers in random places", format!("{} {} {}", rng.random_range(0..100_000u32), rng.random_range(0..100_000u32), rng.random_range(0..1000u32))),
    ]
}
