//! Each combination of a notation, a name and a value is hidden, and masking masked text changes
//! nothing.

use masking::Masker;

/// How a notation writes a value. `None` if it cannot contain it.
type Write = fn(&str) -> Option<String>;

/// A notation: `{n}` stands for the name and `{v}` for the value.
struct Notation {
    text: &'static str,
    write: Write,
}

const fn notation(text: &'static str, write: Write) -> Notation {
    Notation { text, write }
}

fn json(value: &str) -> Option<String> {
    let quoted = serde_json::to_string(value).ok()?;
    Some(quoted[1..quoted.len() - 1].to_owned())
}

fn json_twice(value: &str) -> Option<String> {
    json(&json(value)?)
}

fn single(value: &str) -> Option<String> {
    Some(value.replace('\\', "\\\\").replace('\'', "\\'"))
}

fn doubled(value: &str) -> Option<String> {
    Some(value.replace('\'', "''"))
}

fn csv(value: &str) -> Option<String> {
    Some(value.replace('"', "\"\""))
}

fn xml(value: &str) -> Option<String> {
    Some(
        value
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('"', "&quot;"),
    )
}

fn html(value: &str) -> Option<String> {
    xml(value).map(|value| value.replace('\'', "&#39;"))
}

fn cdata(value: &str) -> Option<String> {
    Some(value.to_owned())
}

fn percent(value: &str) -> Option<String> {
    let encode = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
            char::from(byte).to_string()
        }
        byte => format!("%{byte:02X}"),
    };
    Some(value.bytes().map(encode).collect())
}

fn unicode(value: &str) -> Option<String> {
    Some(
        value
            .encode_utf16()
            .map(|unit| format!("\\u{unit:04x}"))
            .collect(),
    )
}

/// A value of one word without signs that end it.
fn word(value: &str) -> Option<String> {
    let is_part =
        |character: char| !character.is_whitespace() && !"\"'`,;&<>()[]{}|\\#:".contains(character);
    value.chars().all(is_part).then(|| value.to_owned())
}

/// A value of a line of its own.
fn line(value: &str) -> Option<String> {
    let is_plain = !value.contains(" #")
        && !value.starts_with([
            '"', '\'', '[', '{', '&', '*', '!', '|', '>', '%', '@', '`', '#',
        ])
        && !value.contains(": ");
    is_plain.then(|| value.to_owned())
}

#[rustfmt::skip]
const NOTATIONS: &[Notation] = &[
    notation(r#"{"user":"bob","{n}":"{v}","port":1}"#, json),
    notation(r#"{ "{n}" : "{v}" }"#, json),
    notation(r#"{"a":{"{n}":"{v}"}}"#, json),
    notation(r#"{"body":"{\"user\":\"bob\",\"{n}\":\"{v}\"}"}"#, json_twice),
    notation(r#"{"name":"{n}","value":"{v}"}"#, json),
    notation(r#"{"value":"{v}","name":"{n}"}"#, json),
    notation(r#"[{"key":"{n}","type":"string","value":"{v}"}]"#, json),
    notation(r#"{"{n}":["{v}"]}"#, json),
    notation(r#"{"{n}":{"value":"{v}"}}"#, json),
    notation("{'user': 'bob', '{n}': '{v}'}", single),
    notation("[('user', 'bob'), ('{n}', '{v}')]", single),
    notation("connect(host='db', {n}='{v}', port=1)", single),
    notation("V1EnvVar(name='{n}', value='{v}')", single),
    notation("{:user=>\"bob\", :{n}=>\"{v}\"}", json),
    notation("{\"{n}\"=>\"{v}\", \"a\"=>1}", json),
    notation("'{n}' => '{v}',", single),
    notation("[\"{n}\"]=>\n  string(9) \"{v}\"", json),
    notation("Config { user: \"bob\", {n}: \"{v}\", port: 1 }", json),
    notation("Config { {n}: Some(\"{v}\") }", json),
    notation("&{User:bob {n}:{v} Port:1}", word),
    notation("map[{n}:{v} user:bob]", word),
    notation("User(name=bob, {n}={v}, age=4)", word),
    notation("{user=bob, {n}={v}}", word),
    notation("User { Name = bob, {n} = {v}, Age = 4 }", word),
    notation("{n}: {v}", line),
    notation("db:\n  user: bob\n  {n}: \"{v}\"\n  port: 1", json),
    notation("db:\n  {n}: '{v}'\n  port: 1", doubled),
    notation("db:\n  {n}: {v}\n  port: 1", line),
    notation("db:\n  {n}: |\n    {v}\n  port: 1", cdata),
    notation("db:\n  {n}: >-\n    {v}\n  port: 1", cdata),
    notation("- name: {n}\n  value: \"{v}\"\n- name: X\n  value: y", json),
    notation("{n}={v}\nuser=bob", line),
    notation("user = bob\n{n} = {v}\n", line),
    notation("export {n}=\"{v}\"", json),
    notation("export {n}='{v}'\nexport A=b", cdata_single),
    notation("ENV {n}={v}", word),
    notation("{n} = \"{v}\"", json),
    notation("level=info {n}={v} user=bob", word),
    notation("level=info {n}=\"{v}\" user=bob", json),
    notation("2024-05-17T09:12:44Z INFO login {n}={v}", word),
    notation("web-1  | {n}: \"{v}\"\nweb-1  | a: b", json),
    notation("tool --user bob --{n} {v} --port 1", word),
    notation("tool --{n}={v} --port 1", word),
    notation("tool --{n} '{v}' --port 1", cdata_single),
    notation("tool --{n}=\"{v}\"", json),
    notation("[\"tool\", \"--{n}\", \"{v}\", \"--port\"]", json),
    notation("['tool', '--{n}={v}']", single),
    notation("java -D{n}={v} -jar a.jar", word),
    notation("GET /list?user=bob&{n}={v}&page=2 HTTP/1.1", percent),
    notation("https://api.example.com/x?{n}={v}", percent),
    notation("user=bob&{n}={v}&a=b", percent),
    notation("{n}%3D{v}%26a%3Db", percent),
    notation("<config><user>bob</user><{n}>{v}</{n}></config>", xml),
    notation("<{n}><![CDATA[{v}]]></{n}>", cdata),
    notation("<add key=\"{n}\" value=\"{v}\" />", html),
    notation("<property value=\"{v}\" name=\"{n}\"/>", html),
    notation("<db user=\"bob\" {n}=\"{v}\"/>", html),
    notation("<key>{n}</key>\n<string>{v}</string>", xml),
    notation("<tr><td>{n}</td><td>{v}</td></tr>", html),
    notation("&quot;{n}&quot;:&quot;{v}&quot;", html),
    notation("\\u0022{n}\\u0022:\\u0022{v}\\u0022", unicode),
    notation("\u{1b}[36m{n}\u{1b}[0m=\u{1b}[33m{v}\u{1b}[0m a=b", word),
    notation("user,{n},note\nbob,\"{v}\",x\n", csv),
    notation("user;{n}\nbob;\"{v}\"\n", csv),
    notation("| user | {n} |\n|---|---|\n| bob | {v} |\n", table_cell),
    notation("| {n} | {v} |", table_cell),
    notation("INSERT INTO users (name, {n}) VALUES ('bob', '{v}')", doubled),
    notation("UPDATE users SET {n} = '{v}' WHERE id = 1", doubled),
    notation("Server=db;User=sa;{n}={v};Database=x", word),
    notation("$config['{n}'] = '{v}';", single),
    notation("config[\"{n}\"] = \"{v}\"", json),
    notation("self.{n} = '{v}'", single),
    notation("a:1:{s:8:\"{n}\";s:5:\"{v}\";}", cdata_quotes),
    notation("fields { key: \"{n}\" value: \"{v}\" }", json),
    notation("variable \"{n}\" {\n  default = \"{v}\"\n}", json),
    notation("  + {n} = \"{v}\"", json),
    notation("  ~ {n} = \"{v}\" -> \"other-2\"", json),
    notation("Content-Disposition: form-data; name=\"{n}\"\r\n\r\n{v}\r\n--b--", cdata),
    notation("(:user \"bob\" :{n} \"{v}\")", json),
    notation("{<<\"{n}\">>, <<\"{v}\">>}", json),
    notation("Map.Entry{key={n}, value={v}}", word),
    notation("{n}%3A%20{v}", percent),
];

fn cdata_single(value: &str) -> Option<String> {
    (!value.contains('\'')).then(|| value.to_owned())
}

fn cdata_quotes(value: &str) -> Option<String> {
    (!value.contains('"')).then(|| value.to_owned())
}

fn table_cell(value: &str) -> Option<String> {
    (!value.contains(['|', '`', '*'])).then(|| value.to_owned())
}

const NAMES: &[&str] = &[
    "password",
    "Password",
    "PASSWORD",
    "db_password",
    "dbPassword",
    "DB_PASSWORD",
    "spring.datasource.password",
    "passwd",
    "passphrase",
    "secret",
    "client_secret",
    "clientSecret",
    "CLIENT-SECRET",
    "apiKey",
    "api_key",
    "API_KEY",
    "x-api-key",
    "API_KEY_PROD",
    "token",
    "access_token",
    "accessToken",
    "refreshToken",
    "auth_token",
    "secretKey",
    "AWS_SECRET_ACCESS_KEY",
    "private_key",
    "ansible_become_pass",
    "keystorePass",
    "contrasena",
    "motDePasse",
    "passwort",
    "senha",
    "wachtwoord",
    "encryption_key",
    "signingSecret",
    "webhook_secret",
    "pwd",
];

const VALUES: &[&str] = &[
    "hunter2",
    "S3cr3t!",
    "correcthorse",
    "two words",
    "p@ss:word",
    "a=b&c",
    "semi;colon",
    "comma,value",
    "quo\"te",
    "apo'strophe",
    "back\\slash",
    "sw0rdfish#1",
    "äöü-ß",
    "пароль1",
    "密码123",
    "$ecret",
    "100%sure",
    "<tag>x",
    "brace{y}",
    "9f8a7b6c5d4e3f2a1b0c",
    "QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
    "f47ac10b-58cc-4372-a567-0e02b2c3d479",
    "12345678",
    "x7",
    "correct horse battery staple",
];

/// Whether a part of a value of some length is left in a masked text.
fn is_left(value: &str, masked: &str) -> bool {
    let masked = masked.replace("[REDACTED:secret]", "\u{0}");
    let characters: Vec<char> = value.chars().collect();
    let width = characters.len().min(5);
    characters.windows(width).any(|window| {
        let window: String = window.iter().collect();
        masked.contains(&window)
    })
}

#[test]
fn each_combination_of_notation_name_and_value_is_hidden() {
    let masker = Masker::builtin();
    let mut left = Vec::new();
    let mut count = 0;
    for notation in NOTATIONS {
        for name in NAMES {
            let frame = notation.text.replace("{n}", name);
            for value in VALUES {
                let Some(written) = (notation.write)(value) else {
                    continue;
                };
                let text = frame.replace("{v}", &written);
                let masked = masker.mask(&text);
                count += 1;
                let is_frame = is_left(&written, &frame);
                if is_left(&written, &masked) && !is_frame {
                    left.push(format!("{text:?} -> {masked:?}"));
                }
                assert_eq!(
                    masker.mask(&masked),
                    masked,
                    "masking again changes {text:?}"
                );
            }
        }
    }
    println!("{} of {count} combinations are left", left.len());
    let shown = left.iter().step_by((left.len() / 60).max(1));
    for text in shown {
        println!("{text}");
    }
    assert!(left.is_empty(), "{} of {count}", left.len());
}
