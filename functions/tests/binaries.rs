//! One binary for each route, one for the authorizer, and one for each consumer of the
//! stream. That this test is here makes `cargo test` build them, for the integration
//! tests that run them.

use std::collections::BTreeSet;
use std::path::Path;

use functions::routes::{ROUTES, function_names};

#[test]
fn each_route_has_its_binary_and_each_binary_its_route() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/bin");
    let sources = std::fs::read_dir(folder).expect("a folder");
    let binaries: BTreeSet<String> = sources
        .map(|entry| entry.expect("an entry").path())
        .map(|path| {
            path.file_stem()
                .expect("a name")
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    assert_eq!(binaries, function_names().map(str::to_owned).collect());
    for route in ROUTES {
        let source = format!("src/bin/{}.rs", route.name);
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(source);
        let source = std::fs::read_to_string(source).expect("a source");
        let call = format!(
            "serve_route(&functions::routes::{})",
            route.name.to_uppercase()
        );
        assert!(
            source.contains(&call),
            "{} serves another route",
            route.name
        );
    }
}
