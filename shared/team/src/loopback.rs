//! Detects addresses of this machine, to which requests may be sent without TLS.

use http::Uri;
use http::uri::Authority;

/// Returns whether a URL's host is this machine.
pub fn is_loopback(url: &str) -> bool {
    let uri: Option<Uri> = url.parse().ok();
    let authority = uri.as_ref().and_then(Uri::authority);
    authority.is_some_and(|authority| is_loopback_authority(authority.as_str()))
}

/// Returns whether a `Host` header, or the `host:port` of a URL, names this machine.
pub fn is_loopback_authority(authority: &str) -> bool {
    let Ok(authority) = authority.parse::<Authority>() else {
        return false;
    };
    let host = authority.host();
    // After the host there may be a port; before it, no user name.
    let is_whole = authority.as_str() == host
        || authority
            .port_u16()
            .is_some_and(|port| authority.as_str() == format!("{host}:{port}"));
    let host = host.trim_start_matches('[').trim_end_matches(']');
    is_whole && is_loopback_host(host)
}

fn is_loopback_host(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_that_only_resembles_this_machine_is_refused() {
        for authority in [
            "localhost",
            "localhost:8000",
            "127.0.0.1:80",
            "[::1]:8000",
            "[::1]",
        ] {
            assert!(is_loopback_authority(authority), "{authority}");
        }
        for authority in [
            "",
            "localhost:example.com",
            "127.0.0.1:80:example",
            "[::1].example.com",
            "localhost@example.com",
            "localhost:1@example.com",
            "localhost.",
        ] {
            assert!(!is_loopback_authority(authority), "{authority}");
        }
    }

    #[test]
    fn loopback_is_recognized_by_name_and_by_address() {
        for url in [
            "http://127.0.0.1:8000",
            "http://localhost:8000/",
            "http://[::1]:8000",
            "https://LOCALHOST",
        ] {
            assert!(is_loopback(url), "{url}");
        }
        for url in [
            "https://dynamodb.eu-west-1.amazonaws.com",
            "http://127.0.0.1.example.com:8000",
            "http://localhost.example.com",
            "http://[::1",
            "http://localhost:x@example.com",
            "http://[::1]@example.com",
            "localhost:8000/",
        ] {
            assert!(!is_loopback(url), "{url}");
        }
    }
}
