//! Requests: every request is either answered or refused with a client error.
//!
//! The input consists of lines: the name of a route, two parameters of its path, the media type and
//! the encoding of its body, its query, and in the rest its body. The table is empty and refuses
//! writes, because the integration tests cover the effects of requests on a table.
#![no_main]

use std::sync::LazyLock;

use functions::route::Route;
use functions::routes::ROUTES;
use fuzz::{Table, Writes};
use libfuzzer_sys::fuzz_target;
use shared::Error;
use shared::store::Store;
use tokio::runtime::Runtime;

static RUNTIME: LazyLock<Runtime> = LazyLock::new(fuzz::runtime);
static STORE: LazyLock<Store> = LazyLock::new(|| Table::new(Writes::Refused).store());

/// Finds a route by name. Other names are mapped to some route.
fn find_route(name: &str) -> &'static Route {
    let named = ROUTES.iter().find(|route| route.name == name);
    named.unwrap_or(&ROUTES[name.len() % ROUTES.len()])
}

fuzz_target!(|input: &[u8]| {
    let mut lines = input.splitn(7, |byte| *byte == b'\n');
    let mut line = || lines.next().unwrap_or_default();
    let route = find_route(&String::from_utf8_lossy(line()));
    let path = [line(), line()].map(String::from_utf8_lossy);
    let mut request = http::Request::builder().method(&route.method);
    for name in ["content-type", "content-encoding"] {
        if let Ok(value) = http::HeaderValue::from_bytes(line()) {
            request = request.header(name, value);
        }
    }
    let query = String::from_utf8_lossy(line());
    let request = request.body(line().into()).expect("a request");
    let request = fuzz::with_parameters(request, route, &[&path[0], &path[1]], &query);
    match fuzz::answer(&RUNTIME, &STORE, route, &request) {
        Ok(_) => {}
        Err(problem) if problem.status().is_client_error() => {
            assert!(!problem.message("id").is_empty());
        }
        // The request was valid and tried to write.
        Err(functions::problem::Problem::Operation(Error::Internal(cause)))
            if format!("{cause:?}").contains("AccessDenied") => {}
        Err(problem) => panic!("{}: {problem:?}", route.name),
    }
});
