//! Packs the console's files: adds each file's hash to its name, compresses the file, and
//! writes the resulting names into `index.html` for the browser.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

/// The folders with the served files. The folder name is part of each served path.
const FOLDERS: [&str; 2] = ["assets", "vendor"];

/// The name in `import` statements and the file of each library.
const LIBRARIES: [(&str, &str); 5] = [
    ("htm", "vendor/htm.mjs"),
    ("oauth4webapi", "vendor/oauth4webapi.mjs"),
    ("preact", "vendor/preact.mjs"),
    ("preact/hooks", "vendor/preact-hooks.mjs"),
    ("uplot", "vendor/uplot.mjs"),
];

/// The placeholder for the import map in `index.html`.
const IMPORT_MAP_PLACEHOLDER: &str = "{{importmap}}";

/// The file of the page. Its served path has no hash.
const PAGE: &str = "assets/index.html";

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?);
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    let mut files = BTreeMap::new();
    for folder in FOLDERS {
        println!("cargo::rerun-if-changed={folder}");
        collect(&root, &root.join(folder), &mut files)?;
    }
    let page = files.remove(PAGE).ok_or(format!("{PAGE} is missing"))?;
    let hashed: BTreeMap<&str, String> = files
        .iter()
        .map(|(name, bytes)| (name.as_str(), hashed_name(name, bytes)))
        .collect();
    let import_map = import_map(&hashed)?;
    let page = render_page(&String::from_utf8(page)?, &hashed, &import_map)?;

    let mut table = String::from("[\n");
    for (name, bytes) in &files {
        table += &write_forms(&out, name, &hashed[name.as_str()], bytes)?;
    }
    table += "]";
    fs::write(out.join("files.rs"), table)?;
    let page = write_forms(&out, PAGE, "", page.as_bytes())?;
    fs::write(out.join("page.rs"), page.trim_end().trim_end_matches(','))?;
    fs::write(
        out.join("policy.rs"),
        format!("{:?}", content_security_policy(&import_map)),
    )?;
    Ok(())
}

/// Returns the content security policy of the page. The page can run and show the console's
/// files, and call the console's API. Data cannot become script or style, and no other site
/// learns about a visit.
///
/// The policy ends with `connect-src`, so that `Console::configured` can append origins.
fn content_security_policy(import_map: &str) -> String {
    let import_map_hash = STANDARD.encode(Sha256::digest(import_map));
    format!(
        "default-src 'none'; script-src 'self' 'sha256-{import_map_hash}'; style-src 'self'; \
         img-src 'self' data:; form-action 'none'; base-uri 'none'; frame-ancestors 'none'; \
         connect-src 'self'"
    )
}

/// Reads the served files below a folder into `files`, by their paths relative to the root.
fn collect(
    root: &Path,
    folder: &Path,
    files: &mut BTreeMap<String, Vec<u8>>,
) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(root, &path, files)?;
        } else if content_type(&path).is_some() {
            let name = path.strip_prefix(root)?.to_str();
            let name = name.ok_or(format!("{path:?} is not valid UTF-8; rename the file"))?;
            files.insert(name.to_owned(), fs::read(&path)?);
        }
    }
    Ok(())
}

/// Returns the media type of a served file. Other files, such as licences, have none.
fn content_type(path: &Path) -> Option<&'static str> {
    match path.extension()?.to_str()? {
        "html" => Some("text/html; charset=utf-8"),
        "css" => Some("text/css; charset=utf-8"),
        "js" | "mjs" => Some("text/javascript; charset=utf-8"),
        "svg" => Some("image/svg+xml"),
        "png" => Some("image/png"),
        _ => None,
    }
}

/// Adds the hash to a name: `assets/app.js` becomes `assets/app.Zm9vYmFy….js`.
fn hashed_name(name: &str, bytes: &[u8]) -> String {
    let hash = URL_SAFE_NO_PAD.encode(&Sha256::digest(bytes)[..12]);
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
    format!("{stem}.{hash}.{extension}")
}

/// Returns the import map, which maps the name of each module to its file.
fn import_map(hashed: &BTreeMap<&str, String>) -> Result<String, Box<dyn Error>> {
    let mut imports = Vec::new();
    for (name, file) in LIBRARIES {
        let file = hashed.get(file).ok_or(format!("{file} is missing"))?;
        imports.push(format!("\"{name}\":\"./{file}\""));
    }
    let modules = hashed.iter().filter(|(name, _)| name.ends_with(".js"));
    imports.extend(modules.map(|(name, file)| format!("\"./{name}\":\"./{file}\"")));
    Ok(format!("{{\"imports\":{{{}}}}}", imports.join(",")))
}

/// Inserts the import map into the page and adds the hash to each file name in the page.
fn render_page(
    page: &str,
    hashed: &BTreeMap<&str, String>,
    import_map: &str,
) -> Result<String, Box<dyn Error>> {
    let mut page = page.to_owned();
    for (name, file) in hashed {
        page = page.replace(&format!("\"{name}\""), &format!("\"{file}\""));
    }
    if page.matches(IMPORT_MAP_PLACEHOLDER).count() != 1 {
        return Err(format!("{PAGE} must contain {IMPORT_MAP_PLACEHOLDER} exactly once").into());
    }
    Ok(page.replace(IMPORT_MAP_PLACEHOLDER, import_map))
}

/// Writes the plain and the compressed form of a file, and returns the Rust expression that
/// describes both.
fn write_forms(out: &Path, name: &str, path: &str, bytes: &[u8]) -> Result<String, Box<dyn Error>> {
    let flat = name.replace('/', "_");
    let (plain, compressed) = (out.join(&flat), out.join(format!("{flat}.gz")));
    fs::write(&plain, bytes)?;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    fs::write(&compressed, encoder.finish()?)?;
    let content_type = content_type(Path::new(name)).ok_or(format!("{name} has no media type"))?;
    let etag = URL_SAFE_NO_PAD.encode(&Sha256::digest(bytes)[..12]);
    Ok(format!(
        "File {{ path: {path:?}, content_type: {content_type:?}, \
         plain: Form {{ etag: {:?}, bytes: include_bytes!({plain:?}) }}, \
         gzip: Form {{ etag: {:?}, bytes: include_bytes!({compressed:?}) }} }},\n",
        format!("\"{etag}\""),
        format!("\"{etag}-gzip\""),
    ))
}
