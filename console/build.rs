//! Packs the console's files: gives each a name with its hash, compresses it, and
//! writes into `index.html` under which names the browser finds them.

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

/// The folders whose files are served, each under its own name.
const FOLDERS: [&str; 2] = ["assets", "vendor"];

/// The libraries, and the names by which modules import them.
const LIBRARIES: [(&str, &str); 5] = [
    ("htm", "vendor/htm.mjs"),
    ("oauth4webapi", "vendor/oauth4webapi.mjs"),
    ("preact", "vendor/preact.mjs"),
    ("preact/hooks", "vendor/preact-hooks.mjs"),
    ("uplot", "vendor/uplot.mjs"),
];

/// What stands in `index.html` for the import map.
const IMPORT_MAP: &str = "{{importmap}}";

/// The page, which has no hash in its name.
const PAGE: &str = "assets/index.html";

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?);
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    let mut files = BTreeMap::new();
    for folder in FOLDERS {
        println!("cargo::rerun-if-changed={folder}");
        collect(&root, &root.join(folder), &mut files)?;
    }
    let page = files.remove(PAGE).ok_or("there is no page")?;
    let hashed: BTreeMap<&str, String> = files
        .iter()
        .map(|(name, bytes)| (name.as_str(), hashed_name(name, bytes)))
        .collect();
    let import_map = import_map(&hashed)?;
    let page = page_with(&String::from_utf8(page)?, &hashed, &import_map)?;

    let mut table = String::from("[\n");
    for (name, bytes) in &files {
        table += &entry(&out, name, &hashed[name.as_str()], bytes)?;
    }
    table += "]";
    fs::write(out.join("files.rs"), table)?;
    let page = entry(&out, PAGE, "", page.as_bytes())?;
    fs::write(out.join("page.rs"), page.trim_end().trim_end_matches(','))?;
    fs::write(out.join("policy.rs"), format!("{:?}", policy(&import_map)))?;
    Ok(())
}

/// What the page may do: run and show its own files, and ask its own API. Data cannot
/// become script or style, and nobody is told of a visit.
///
/// It ends with whom the page may ask, so that others can be added to it.
fn policy(import_map: &str) -> String {
    let import_map_hash = STANDARD.encode(Sha256::digest(import_map));
    format!(
        "default-src 'none'; script-src 'self' 'sha256-{import_map_hash}'; style-src 'self'; \
         img-src 'self' data:; form-action 'none'; base-uri 'none'; frame-ancestors 'none'; \
         connect-src 'self'"
    )
}

/// Reads the files below a folder, under their paths from the root.
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
            let name = path.strip_prefix(root)?.to_str().ok_or("a name")?;
            files.insert(name.to_owned(), fs::read(&path)?);
        }
    }
    Ok(())
}

/// The media type of what is served; licences and the like are not.
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

/// `assets/app.js` is `assets/app.Zm9vYmFy….js`.
fn hashed_name(name: &str, bytes: &[u8]) -> String {
    let hash = URL_SAFE_NO_PAD.encode(&Sha256::digest(bytes)[..12]);
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
    format!("{stem}.{hash}.{extension}")
}

/// Leads every module's name to the file that has it.
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

/// The page with the import map in it, and each file under its name with the hash.
fn page_with(
    page: &str,
    hashed: &BTreeMap<&str, String>,
    import_map: &str,
) -> Result<String, Box<dyn Error>> {
    let mut page = page.to_owned();
    for (name, file) in hashed {
        page = page.replace(&format!("\"{name}\""), &format!("\"{file}\""));
    }
    if page.matches(IMPORT_MAP).count() != 1 {
        return Err("the page has to have one place for the import map".into());
    }
    Ok(page.replace(IMPORT_MAP, import_map))
}

/// Writes a file as it is and compressed, and the line that describes both.
fn entry(out: &Path, name: &str, path: &str, bytes: &[u8]) -> Result<String, Box<dyn Error>> {
    let flat = name.replace('/', "_");
    let (plain, packed) = (out.join(&flat), out.join(format!("{flat}.gz")));
    fs::write(&plain, bytes)?;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    fs::write(&packed, encoder.finish()?)?;
    let content_type = content_type(Path::new(name)).ok_or("a media type")?;
    let etag = URL_SAFE_NO_PAD.encode(&Sha256::digest(bytes)[..12]);
    Ok(format!(
        "File {{ path: {path:?}, content_type: {content_type:?}, \
         plain: Form {{ etag: {:?}, bytes: include_bytes!({plain:?}) }}, \
         gzip: Form {{ etag: {:?}, bytes: include_bytes!({packed:?}) }} }},\n",
        format!("\"{etag}\""),
        format!("\"{etag}-gzip\""),
    ))
}
