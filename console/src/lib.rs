//! The web console: its files, and how they are served.
//!
//! `build.rs` packs what lies in `assets` and `vendor`. The page is always asked for
//! anew; every other file has its hash in its name, and is kept for ever. There is no
//! build step but that: what the browser runs is what lies there.

use bytes::Bytes;
use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
    HeaderMap, HeaderName, HeaderValue, IF_NONE_MATCH, InvalidHeaderValue, REFERRER_POLICY, VARY,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{Response, StatusCode};

/// The paths of the console's files, as API Gateway writes them.
pub const PATHS: [&str; 4] = ["/", "/config.json", "/assets/{file+}", "/vendor/{file+}"];

/// A file, as it is and compressed.
struct File {
    /// Its path, without the first slash; empty for the page.
    path: &'static str,
    content_type: &'static str,
    plain: Form,
    gzip: Form,
}

/// One form of a file. Each has a tag of its own, as it has bytes of its own: a cache
/// must not take the one for the other.
struct Form {
    etag: &'static str,
    bytes: &'static [u8],
}

static PAGE: File = include!(concat!(env!("OUT_DIR"), "/page.rs"));
static FILES: &[File] = &include!(concat!(env!("OUT_DIR"), "/files.rs"));

/// The content security policy of a page that asks nobody but its own server.
const POLICY: &str = include!(concat!(env!("OUT_DIR"), "/policy.rs"));

/// What the page reads from `config.json` where nothing is configured.
const NOTHING: &str = "{}";

/// Where `config.json` is, without the first slash.
const CONFIG: &str = "config.json";

/// The console as it is served: its files, and what is configured.
#[derive(Debug, Clone)]
pub struct Console {
    policy: HeaderValue,
    config: Bytes,
}

impl Default for Console {
    /// A console that asks nobody but its own server.
    fn default() -> Self {
        Self {
            policy: HeaderValue::from_static(POLICY),
            config: Bytes::from_static(NOTHING.as_bytes()),
        }
    }
}

impl Console {
    /// A console that reads this JSON, and may ask these origins too.
    ///
    /// # Errors
    /// An origin that cannot stand in a header.
    pub fn configured(config: String, origins: &[String]) -> Result<Self, InvalidHeaderValue> {
        let origins = origins.join(" ");
        Ok(Self {
            policy: HeaderValue::try_from(format!("{POLICY} {origins}"))?,
            config: config.into(),
        })
    }

    /// The answer to a request for the page or one of its files; `None` where nothing is
    /// at this path.
    pub fn answer(&self, path: &str, request: &HeaderMap) -> Option<Response<Bytes>> {
        let path = path.strip_prefix('/').unwrap_or(path);
        let answer = match path {
            CONFIG => self.config(),
            "" => file(&PAGE, request),
            _ => file(FILES.iter().find(|file| file.path == path)?, request),
        };
        Some(self.guarded(answer))
    }

    fn config(&self) -> Response<Bytes> {
        let mut response = Response::new(self.config.clone());
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        let content_type = HeaderValue::from_static("application/json");
        headers.insert(CONTENT_TYPE, content_type);
        response
    }

    /// The same with what every answer says to keep the page to itself.
    fn guarded(&self, mut response: Response<Bytes>) -> Response<Bytes> {
        let headers = response.headers_mut();
        headers.insert(CONTENT_SECURITY_POLICY, self.policy.clone());
        for (name, value) in [
            (X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (REFERRER_POLICY, "no-referrer"),
            (
                HeaderName::from_static("cross-origin-opener-policy"),
                "same-origin",
            ),
            (
                HeaderName::from_static("cross-origin-resource-policy"),
                "same-origin",
            ),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        response
    }
}

fn file(file: &'static File, request: &HeaderMap) -> Response<Bytes> {
    let gzip = takes_gzip(request);
    let form = if gzip { &file.gzip } else { &file.plain };
    let mut response = Response::new(Bytes::new());
    let headers = response.headers_mut();
    head_of(file, form, headers);
    let known = request.get(IF_NONE_MATCH).map(HeaderValue::as_bytes);
    if known.is_some_and(|known| contains(known, form.etag.as_bytes())) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return response;
    }
    let content_type = HeaderValue::from_static(file.content_type);
    headers.insert(CONTENT_TYPE, content_type);
    if gzip {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    *response.body_mut() = Bytes::from_static(form.bytes);
    response
}

/// What every answer with a file says, also that nothing has changed.
fn head_of(file: &File, form: &Form, headers: &mut HeaderMap) {
    let kept = match file.path {
        "" => "no-cache",
        _ => "public, max-age=31536000, immutable",
    };
    for (name, value) in [
        (CACHE_CONTROL, kept),
        (ETAG, form.etag),
        (VARY, "Accept-Encoding"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

fn takes_gzip(request: &HeaderMap) -> bool {
    let mut accepted = request
        .get_all(ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    accepted.any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let is_gzip = parts
            .next()
            .is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
        is_gzip && !parts.any(|weight| matches!(weight, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
    })
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::io::Read;
    use std::path::Path;

    use flate2::read::GzDecoder;
    use serde_json::Value;
    use sha2::{Digest, Sha256};

    use super::*;

    fn asked(path: &str, headers: &[(HeaderName, &str)]) -> Option<Response<Bytes>> {
        let mut request = HeaderMap::new();
        for (name, value) in headers {
            request.insert(name, value.parse().expect("a value"));
        }
        Console::default().answer(path, &request)
    }

    fn unpacked(bytes: &[u8]) -> Vec<u8> {
        let mut plain = Vec::new();
        let read = GzDecoder::new(bytes).read_to_end(&mut plain);
        read.expect("gzip");
        plain
    }

    #[test]
    fn the_page_is_asked_for_anew_and_its_files_are_kept() {
        let page = asked("/", &[]).expect("a page");
        assert_eq!(page.headers()[CACHE_CONTROL], "no-cache");
        let text = str::from_utf8(page.body()).expect("a text");
        for file in FILES {
            let served = asked(&format!("/{}", file.path), &[]).expect("a file");
            let cached = served.headers()[CACHE_CONTROL].to_str().expect("a text");
            assert!(cached.contains("immutable"), "{}", file.path);
            // Either the page names it, or a module that the import map knows.
            assert!(text.contains(file.path), "{} is used nowhere", file.path);
        }
        let etag = page.headers()[ETAG].to_str().expect("a text");
        let again = asked("/", &[(IF_NONE_MATCH, etag)]).expect("an answer");
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        assert!(again.body().is_empty());
        assert!(asked("/assets/index.html", &[]).is_none());
        assert!(asked("/assets/../Cargo.toml", &[]).is_none());
    }

    #[test]
    fn what_takes_gzip_gets_the_same_in_less() {
        for path in [PAGE.path, FILES[0].path] {
            let plain = asked(path, &[]).expect("a file");
            assert!(!plain.headers().contains_key(CONTENT_ENCODING));
            for accepted in ["gzip, br", "br;q=1.0, GZIP;q=0.5"] {
                let packed = asked(path, &[(ACCEPT_ENCODING, accepted)]).expect("a file");
                assert_eq!(packed.headers()[CONTENT_ENCODING], "gzip");
                assert_eq!(*plain.body(), unpacked(packed.body()));
            }
            let refused = asked(path, &[(ACCEPT_ENCODING, "gzip;q=0, br")]).expect("a file");
            assert!(!refused.headers().contains_key(CONTENT_ENCODING));
        }
    }

    #[test]
    fn each_form_is_known_by_its_own_tag() {
        let gzip = (ACCEPT_ENCODING, "gzip");
        let plain = asked("/", &[]).expect("a page");
        let packed = asked("/", std::slice::from_ref(&gzip)).expect("a page");
        assert_ne!(plain.headers()[ETAG], packed.headers()[ETAG]);
        for answer in [&plain, &packed] {
            assert_eq!(answer.headers()[VARY], "Accept-Encoding");
        }
        let tag = packed.headers()[ETAG].to_str().expect("a text");
        let again = asked("/", &[gzip, (IF_NONE_MATCH, tag)]).expect("an answer");
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        assert_eq!(again.headers()[ETAG], tag);
        let other = asked("/", &[(IF_NONE_MATCH, tag)]).expect("an answer");
        assert_eq!(other.status(), StatusCode::OK);
    }

    /// What a library is, and that it is the one that was published.
    #[test]
    fn each_library_is_as_it_was_published() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("vendor");
        let read = |name: &str| std::fs::read(folder.join(name)).expect(name);
        let listed: Vec<Value> = serde_json::from_slice(&read("vendor.json")).expect("JSON");
        let mut names = BTreeSet::from(["vendor.json".to_owned()]);
        for library in &listed {
            let text = |member: &str| library[member].as_str().expect(member);
            let hash = Sha256::digest(read(text("file")));
            let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(hash, text("sha256"), "{}", text("file"));
            names.insert(text("file").to_owned());
            names.insert(format!("{}.LICENSE", text("package")));
        }
        let found = std::fs::read_dir(folder).expect("a folder");
        let found = found.map(|entry| entry.expect("an entry").file_name());
        let found: BTreeSet<_> = found
            .map(|name| name.into_string().expect("a name"))
            .collect();
        assert_eq!(found, names);
    }

    /// A file of `assets` or `vendor`, by its name there.
    fn packed_size(name: &str) -> usize {
        let (stem, extension) = name.rsplit_once('.').expect("an extension");
        let is_it = |file: &&File| {
            let hash = file.path.strip_prefix(&format!("{stem}."));
            let hash = hash.and_then(|rest| rest.strip_suffix(&format!(".{extension}")));
            hash.is_some_and(|hash| !hash.contains(['.', '/']))
        };
        let file = FILES.iter().find(is_it);
        file.unwrap_or_else(|| panic!("{name} is not served"))
            .gzip
            .bytes
            .len()
    }

    /// The modules that a module imports at once, as their names from the root.
    fn imports(name: &str) -> Vec<String> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
        let text = std::fs::read_to_string(path).expect(name);
        let lines = text
            .lines()
            .filter(|line| !line.trim_start().starts_with(['*', '/']));
        let specifiers = lines.filter_map(|line| {
            let (_, rest) = line.split_once(" from \"")?;
            rest.split_once('"').map(|(specifier, _)| specifier)
        });
        let library = |specifier: &str| match specifier {
            "preact/hooks" => "vendor/preact-hooks.mjs".to_owned(),
            library => format!("vendor/{library}.mjs"),
        };
        let found = specifiers.map(|specifier| match specifier.starts_with('.') {
            true => {
                let mut parts: Vec<_> = name.split('/').collect();
                parts.pop();
                for part in specifier.split('/') {
                    match part {
                        "." => {}
                        ".." => drop(parts.pop()),
                        part => parts.push(part),
                    }
                }
                parts.join("/")
            }
            false => library(specifier),
        });
        found.collect()
    }

    /// What a browser loads before it shows the runs with their chart.
    #[test]
    fn the_first_view_is_small() {
        let mut waiting = vec![
            "assets/app.js".to_owned(),
            "assets/pages/runs.js".to_owned(),
            "vendor/uplot.mjs".to_owned(),
        ];
        let mut loaded = BTreeSet::new();
        while let Some(name) = waiting.pop() {
            if loaded.insert(name.clone()) && name.starts_with("assets/") {
                waiting.extend(imports(&name));
            }
        }
        assert!(loaded.contains("vendor/preact.mjs"), "{loaded:?}");
        let modules: usize = loaded.iter().map(|name| packed_size(name)).sum();
        let styles = FILES.iter().filter(|file| file.path.ends_with(".css"));
        let styles: usize = styles.map(|file| file.gzip.bytes.len()).sum();
        let whole = PAGE.gzip.bytes.len() + modules + styles;
        assert!(whole < 150_000, "{whole} bytes");
    }

    #[test]
    fn nothing_in_line_runs_but_the_import_map() {
        let page = asked("/", &[]).expect("a page");
        let policy = page.headers()[CONTENT_SECURITY_POLICY]
            .to_str()
            .expect("a text");
        assert!(!policy.contains("unsafe"), "{policy}");
        let text = str::from_utf8(page.body()).expect("a text");
        let scripts: Vec<_> = text.split("<script").skip(1).collect();
        for script in scripts {
            assert!(
                script.contains("src=") || script.starts_with(" type=\"importmap\""),
                "{script:.80}"
            );
        }
        assert!(!text.contains("style=") && !text.contains("<style"));
        assert!(!text.contains("//cdn") && !text.contains("https://"));
    }

    #[test]
    fn what_is_configured_is_read_anew_and_lets_the_page_ask_those_origins_and_no_more() {
        let own = asked("/", &[]).expect("a page");
        let own = own.headers()[CONTENT_SECURITY_POLICY]
            .to_str()
            .expect("a text");
        assert!(own.ends_with("; connect-src 'self'"), "{own}");
        let empty = asked("/config.json", &[]).expect("a file");
        assert_eq!(empty.body(), "{}");

        let origins = ["https://id.example.com", "https://tokens.example.com:8443"];
        let origins = origins.map(str::to_owned);
        let config = r#"{"a":1}"#.to_owned();
        let console = Console::configured(config, &origins).expect("can be");
        let request = HeaderMap::new();
        for path in ["/", "/config.json"] {
            let answer = console.answer(path, &request).expect("an answer");
            let policy = answer.headers()[CONTENT_SECURITY_POLICY].to_str();
            assert_eq!(
                policy.expect("a text"),
                format!("{own} https://id.example.com https://tokens.example.com:8443")
            );
        }
        let config = console.answer("/config.json", &request).expect("a file");
        assert_eq!(config.body(), r#"{"a":1}"#);
        assert_eq!(config.headers()[CACHE_CONTROL], "no-cache");
        assert_eq!(config.headers()[CONTENT_TYPE], "application/json");
        assert!(Console::configured(String::new(), &["a\nb".to_owned()]).is_err());
    }
}
