//! The layers in ARCHITECTURE.md match the dependencies in Cargo.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use shared::record::RecordKind;

/// The crates from the lowest layer to the highest. Each depends only on earlier ones.
const LAYERS: [&str; 12] = [
    "masking",
    "format",
    "store",
    "writer",
    "team",
    "derived",
    "history",
    "bridges",
    "shared",
    "console",
    "functions",
    "local",
];

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .args(["--offline", "--locked"])
        .current_dir(workspace())
        .output()
        .expect("cargo runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// The crates of this workspace that each of its crates depends on.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let metadata = cargo(&["metadata", "--no-deps", "--format-version", "1"]);
    let metadata: Value = serde_json::from_str(&metadata).expect("JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let name_of = |package: &Value| package["name"].as_str().expect("a name").to_owned();
    let names: BTreeSet<_> = packages.iter().map(name_of).collect();
    let of_package = |package: &Value| {
        let dependencies = package["dependencies"].as_array().expect("dependencies");
        let is_normal = |dependency: &&Value| dependency["kind"].is_null();
        let dependencies = dependencies.iter().filter(is_normal).map(name_of);
        let own = dependencies.filter(|name| names.contains(name));
        (name_of(package), own.collect())
    };
    packages.iter().map(of_package).collect()
}

#[test]
fn crates_depend_only_on_lower_layers() {
    let dependencies = dependencies();
    for (position, name) in LAYERS.iter().enumerate() {
        let lower: BTreeSet<_> = LAYERS[..position]
            .iter()
            .map(|it| (*it).to_owned())
            .collect();
        let above: Vec<_> = dependencies[*name].difference(&lower).collect();
        assert!(above.is_empty(), "{name} depends on {above:?}");
    }
    // No crate depends on the benchmarks.
    let known: BTreeSet<_> = LAYERS.into_iter().chain(["bench"]).collect();
    let all: BTreeSet<_> = dependencies.keys().map(String::as_str).collect();
    assert_eq!(all, known);
}

#[test]
fn the_writer_builds_only_the_format_and_the_store() {
    let tree = cargo(&["tree", "-p", "writer", "-e", "normal", "--prefix", "none"]);
    let built: BTreeSet<_> = tree
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    let own: BTreeSet<_> = LAYERS
        .into_iter()
        .filter(|name| built.contains(name))
        .collect();
    assert_eq!(own, BTreeSet::from(["format", "store", "writer"]));
    // The engine has its own client, with an HTTP client and TLS.
    for unwanted in [
        "hyper",
        "hyper-util",
        "rustls",
        "jsonwebtoken",
        "regex",
        "aws-config",
    ] {
        assert!(!built.contains(unwanted), "an engine builds {unwanted}");
    }
}

/// Collects the Rust sources in a folder.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn only_the_store_contains_expressions() {
    let mut found = Vec::new();
    for folder in ["shared", "writer/src", "functions/src", "local/src"] {
        sources(&workspace().join(folder), &mut found);
    }
    assert!(found.len() > 100, "{}", found.len());
    for path in found {
        // The embedded engine executes expressions, and the requirements test them at an
        // unknown endpoint.
        let is_exempt = [
            "shared/store/src",
            "local/src/embedded",
            "local/src/requirements.rs",
        ]
        .iter()
        .any(|exempt| path.starts_with(workspace().join(exempt)));
        if is_exempt {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("a text");
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for word in ["_expression(", "TransactWriteItem", "set_expression"] {
            assert!(!code.contains(word), "{} has {word}", path.display());
        }
    }
}

#[test]
fn attribute_names_are_written_once() {
    let names: BTreeSet<_> = RecordKind::ALL
        .iter()
        .flat_map(|kind| kind.attributes())
        .map(|attribute| format!("\"{}\"", attribute.name))
        .collect();
    let mut found = Vec::new();
    for crate_name in ["store", "derived", "history"] {
        sources(
            &workspace().join("shared").join(crate_name).join("src"),
            &mut found,
        );
    }
    sources(&workspace().join("writer/src"), &mut found);
    assert!(found.len() > 50, "{}", found.len());
    for path in found {
        let text = std::fs::read_to_string(&path).expect("a text");
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        // An attribute of Rust takes no constant.
        let lines = code.lines().filter(|line| !line.contains("serde("));
        for line in lines.filter(|line| !line.trim_start().starts_with("//")) {
            let name = names.iter().find(|name| line.contains(name.as_str()));
            assert_eq!(name, None, "{}: use format::attributes", path.display());
        }
    }
}
