//! Serves the files of the web console.
//!
//! `build.rs` packs the files in `assets` and `vendor`. This is the only build step: the
//! browser runs the modules unchanged. Browsers revalidate the page on every request. The
//! name of every other packed file contains its hash, so browsers can keep it forever.

use bytes::Bytes;
use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
    HeaderMap, HeaderName, HeaderValue, IF_NONE_MATCH, InvalidHeaderValue, REFERRER_POLICY, VARY,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{Response, StatusCode};

/// The paths of the console's files, in the syntax of API Gateway routes.
pub const PATHS: [&str; 4] = ["/", "/config.json", "/assets/{file+}", "/vendor/{file+}"];

/// A served file in its plain and its compressed form.
struct File {
    /// The path without the leading slash. The page has an empty path.
    path: &'static str,
    content_type: &'static str,
    plain: Form,
    gzip: Form,
}

/// One form of a file, plain or compressed. The forms have different bytes, and different
/// ETags so that a cache does not confuse them.
struct Form {
    etag: &'static str,
    bytes: &'static [u8],
}

static PAGE: File = include!(concat!(env!("OUT_DIR"), "/page.rs"));
static FILES: &[File] = &include!(concat!(env!("OUT_DIR"), "/files.rs"));

/// The content security policy of a page that connects only to its server.
const POLICY: &str = include!(concat!(env!("OUT_DIR"), "/policy.rs"));

/// The content of `config.json` without a configuration.
const EMPTY_CONFIG: &str = "{}";

/// The path of `config.json` without the leading slash.
const CONFIG_PATH: &str = "config.json";

/// The web console with its configuration.
#[derive(Debug, Clone)]
pub struct Console {
    policy: HeaderValue,
    config: Bytes,
}

impl Default for Console {
    /// Creates a console that connects only to its server.
    fn default() -> Self {
        Self {
            policy: HeaderValue::from_static(POLICY),
            config: Bytes::from_static(EMPTY_CONFIG.as_bytes()),
        }
    }
}

impl Console {
    /// Creates a console that serves this JSON as `config.json`. The page can also connect to
    /// these origins.
    ///
    /// # Errors
    /// Returns an error if an origin is not valid in a header value.
    pub fn configured(config: String, origins: &[String]) -> Result<Self, InvalidHeaderValue> {
        let mut policy = POLICY.to_owned();
        for origin in origins {
            policy.push(' ');
            policy += origin;
        }
        Ok(Self {
            policy: HeaderValue::try_from(policy)?,
            config: config.into(),
        })
    }

    /// Returns the response to a request for the page, `config.json` or another file. Returns
    /// `None` if the path has no file.
    pub fn answer(&self, path: &str, request: &HeaderMap) -> Option<Response<Bytes>> {
        let path = path.strip_prefix('/').unwrap_or(path);
        let response = match path {
            CONFIG_PATH => self.config_response(),
            "" => file_response(&PAGE, request),
            _ => file_response(FILES.iter().find(|file| file.path == path)?, request),
        };
        Some(self.with_security_headers(response))
    }

    fn config_response(&self) -> Response<Bytes> {
        let mut response = Response::new(self.config.clone());
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        let content_type = HeaderValue::from_static("application/json");
        headers.insert(CONTENT_TYPE, content_type);
        response
    }

    /// Adds the security headers of every response, which isolate the page from other sites.
    fn with_security_headers(&self, mut response: Response<Bytes>) -> Response<Bytes> {
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

fn file_response(file: &'static File, request: &HeaderMap) -> Response<Bytes> {
    let gzip = accepts_gzip(request);
    let form = if gzip { &file.gzip } else { &file.plain };
    let mut response = Response::new(Bytes::new());
    let headers = response.headers_mut();
    set_cache_headers(file, form, headers);
    let known_etags = request.get(IF_NONE_MATCH).map(HeaderValue::as_bytes);
    if known_etags.is_some_and(|etags| contains(etags, form.etag.as_bytes())) {
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

/// Sets the headers of every file response, including `304 Not Modified`.
fn set_cache_headers(file: &File, form: &Form, headers: &mut HeaderMap) {
    let cache_control = match file.path {
        "" => "no-cache",
        _ => "public, max-age=31536000, immutable",
    };
    for (name, value) in [
        (CACHE_CONTROL, cache_control),
        (ETAG, form.etag),
        (VARY, "Accept-Encoding"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

fn accepts_gzip(request: &HeaderMap) -> bool {
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
        is_gzip
            && !parts.any(|parameter| matches!(parameter, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
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

    fn get(path: &str, headers: &[(HeaderName, &str)]) -> Option<Response<Bytes>> {
        let mut request = HeaderMap::new();
        for (name, value) in headers {
            request.insert(name, value.parse().expect("the header value is valid"));
        }
        Console::default().answer(path, &request)
    }

    fn decompress(bytes: &[u8]) -> Vec<u8> {
        let mut plain = Vec::new();
        let read = GzDecoder::new(bytes).read_to_end(&mut plain);
        read.expect("the body is valid gzip");
        plain
    }

    #[test]
    fn the_page_is_revalidated_and_its_files_are_cached() {
        let page = get("/", &[]).expect("the page is served");
        assert_eq!(page.headers()[CACHE_CONTROL], "no-cache");
        let text = str::from_utf8(page.body()).expect("the page is valid UTF-8");
        for file in FILES {
            let served = get(&format!("/{}", file.path), &[]).expect("the file is served");
            let cache_control = served.headers()[CACHE_CONTROL]
                .to_str()
                .expect("the header is valid text");
            assert!(
                cache_control.contains("immutable"),
                "{} must be immutable",
                file.path
            );
            // The page names every file, either directly or in its import map.
            assert!(
                text.contains(file.path),
                "the page does not name {}",
                file.path
            );
        }
        let etag = page.headers()[ETAG]
            .to_str()
            .expect("the header is valid text");
        let again = get("/", &[(IF_NONE_MATCH, etag)]).expect("the request has a response");
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        assert!(again.body().is_empty());
        assert!(get("/assets/index.html", &[]).is_none());
        assert!(get("/assets/../Cargo.toml", &[]).is_none());
    }

    #[test]
    fn gzip_clients_get_the_same_content_compressed() {
        for path in [PAGE.path, FILES[0].path] {
            let plain = get(path, &[]).expect("the file is served");
            assert!(!plain.headers().contains_key(CONTENT_ENCODING));
            for accepted in ["gzip, br", "br;q=1.0, GZIP;q=0.5"] {
                let compressed =
                    get(path, &[(ACCEPT_ENCODING, accepted)]).expect("the file is served");
                assert_eq!(compressed.headers()[CONTENT_ENCODING], "gzip");
                assert_eq!(*plain.body(), decompress(compressed.body()));
            }
            let refused =
                get(path, &[(ACCEPT_ENCODING, "gzip;q=0, br")]).expect("the file is served");
            assert!(!refused.headers().contains_key(CONTENT_ENCODING));
        }
    }

    #[test]
    fn plain_and_compressed_files_have_different_etags() {
        let gzip = (ACCEPT_ENCODING, "gzip");
        let plain = get("/", &[]).expect("the page is served");
        let compressed = get("/", std::slice::from_ref(&gzip)).expect("the page is served");
        assert_ne!(plain.headers()[ETAG], compressed.headers()[ETAG]);
        for response in [&plain, &compressed] {
            assert_eq!(response.headers()[VARY], "Accept-Encoding");
        }
        let etag = compressed.headers()[ETAG]
            .to_str()
            .expect("the header is valid text");
        let again = get("/", &[gzip, (IF_NONE_MATCH, etag)]).expect("the request has a response");
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        assert_eq!(again.headers()[ETAG], etag);
        let other = get("/", &[(IF_NONE_MATCH, etag)]).expect("the request has a response");
        assert_eq!(other.status(), StatusCode::OK);
    }

    /// Each library has the SHA-256 hash of its published file, as listed in `vendor.json`. The
    /// folder contains only the libraries, their licences and the list.
    #[test]
    fn each_library_is_identical_to_its_published_file() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("vendor");
        let read = |name: &str| std::fs::read(folder.join(name)).expect(name);
        let listed: Vec<Value> =
            serde_json::from_slice(&read("vendor.json")).expect("the list is valid JSON");
        let mut names = BTreeSet::from(["vendor.json".to_owned()]);
        for library in &listed {
            let text = |member: &str| library[member].as_str().expect(member);
            let hash = Sha256::digest(read(text("file")));
            let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(hash, text("sha256"), "{}", text("file"));
            names.insert(text("file").to_owned());
            names.insert(format!("{}.LICENSE", text("package")));
        }
        let found = std::fs::read_dir(folder).expect("the folder is readable");
        let found = found.map(|entry| entry.expect("the folder entry is readable").file_name());
        let found: BTreeSet<_> = found
            .map(|name| name.into_string().expect("the file name is valid UTF-8"))
            .collect();
        assert_eq!(found, names);
    }

    /// Returns the compressed size of a file. The name is its path without the hash.
    fn compressed_size(name: &str) -> usize {
        let (stem, extension) = name
            .rsplit_once('.')
            .expect("the file name has an extension");
        let has_name = |file: &&File| {
            let hash = file.path.strip_prefix(&format!("{stem}."));
            let hash = hash.and_then(|rest| rest.strip_suffix(&format!(".{extension}")));
            hash.is_some_and(|hash| !hash.contains(['.', '/']))
        };
        let file = FILES.iter().find(has_name);
        file.unwrap_or_else(|| panic!("{name} is not served"))
            .gzip
            .bytes
            .len()
    }

    /// Returns the static imports of a module as paths relative to the root.
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
        let library_path = |specifier: &str| match specifier {
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
            false => library_path(specifier),
        });
        found.collect()
    }

    /// The limit covers the compressed files that a browser loads before it shows the runs with
    /// their chart.
    #[test]
    fn the_first_view_loads_less_than_150_kb() {
        let mut pending = vec![
            "assets/app.js".to_owned(),
            "assets/pages/runs.js".to_owned(),
            "vendor/uplot.mjs".to_owned(),
        ];
        let mut loaded = BTreeSet::new();
        while let Some(name) = pending.pop() {
            if loaded.insert(name.clone()) && name.starts_with("assets/") {
                pending.extend(imports(&name));
            }
        }
        assert!(
            loaded.contains("vendor/preact.mjs"),
            "no Preact in {loaded:?}"
        );
        let modules: usize = loaded.iter().map(|name| compressed_size(name)).sum();
        let styles = FILES.iter().filter(|file| file.path.ends_with(".css"));
        let styles: usize = styles.map(|file| file.gzip.bytes.len()).sum();
        let total = PAGE.gzip.bytes.len() + modules + styles;
        assert!(total < 150_000, "the first view loads {total} bytes");
    }

    #[test]
    fn the_import_map_is_the_only_inline_code() {
        let page = get("/", &[]).expect("the page is served");
        let policy = page.headers()[CONTENT_SECURITY_POLICY]
            .to_str()
            .expect("the header is valid text");
        assert!(!policy.contains("unsafe"), "{policy}");
        let text = str::from_utf8(page.body()).expect("the page is valid UTF-8");
        let scripts: Vec<_> = text.split("<script").skip(1).collect();
        for script in scripts {
            assert!(
                script.contains("src=") || script.starts_with(" type=\"importmap\""),
                "inline script: {script:.80}"
            );
        }
        assert!(!text.contains("style=") && !text.contains("<style"));
        assert!(!text.contains("//cdn") && !text.contains("https://"));
    }

    #[test]
    fn configured_origins_are_added_to_the_security_policy() {
        let page = get("/", &[]).expect("the page is served");
        let default_policy = page.headers()[CONTENT_SECURITY_POLICY]
            .to_str()
            .expect("the header is valid text");
        assert!(
            default_policy.ends_with("; connect-src 'self'"),
            "{default_policy}"
        );
        let empty = get("/config.json", &[]).expect("the file is served");
        assert_eq!(empty.body(), "{}");

        let origins = ["https://id.example.com", "https://tokens.example.com:8443"];
        let origins = origins.map(str::to_owned);
        let config = r#"{"a":1}"#.to_owned();
        let console = Console::configured(config, &origins).expect("the origins are valid");
        let request = HeaderMap::new();
        for path in ["/", "/config.json"] {
            let response = console
                .answer(path, &request)
                .expect("the request has a response");
            let policy = response.headers()[CONTENT_SECURITY_POLICY].to_str();
            assert_eq!(
                policy.expect("the header is valid text"),
                format!("{default_policy} https://id.example.com https://tokens.example.com:8443")
            );
        }
        let config = console
            .answer("/config.json", &request)
            .expect("the file is served");
        assert_eq!(config.body(), r#"{"a":1}"#);
        assert_eq!(config.headers()[CACHE_CONTROL], "no-cache");
        assert_eq!(config.headers()[CONTENT_TYPE], "application/json");
        assert!(Console::configured(String::new(), &["a\nb".to_owned()]).is_err());
    }
}
