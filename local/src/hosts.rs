//! The host names that the API accepts.
//!
//! A web page can make the name of its own server resolve to 127.0.0.1 (DNS rebinding), and
//! then send requests to this server as if it were the page's own. Such requests contain
//! the page's host name, not one of this machine.

use std::str::FromStr;

use axum::http::header::HOST;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, Uri};
use shared::loopback::is_loopback_authority;

/// The environment variable that contains the hosts.
pub const VARIABLE: &str = "FLOWTRAIL_ALLOWED_HOSTS";

/// The accepted hosts in addition to this machine's own names, such as the host of a proxy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllowedHosts(Vec<Host>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Host {
    /// In lower case.
    name: String,
    /// `None` for any port.
    port: Option<u16>,
}

impl AllowedHosts {
    /// Returns the host that a request names, if the server does not accept it.
    pub fn refused(&self, uri: &Uri, headers: &HeaderMap) -> Option<String> {
        let named = headers.get_all(HOST).iter().map(HeaderValue::to_str);
        let in_uri = uri.authority().map(Authority::as_str);
        let mut is_named = in_uri.is_some();
        if let Some(host) = in_uri.filter(|host| !self.allows(host)) {
            return Some(host.to_owned());
        }
        for host in named {
            is_named = true;
            match host {
                Ok(host) if self.allows(host) => {}
                host => return Some(host.unwrap_or_default().to_owned()),
            }
        }
        (!is_named).then(String::new)
    }

    fn allows(&self, authority: &str) -> bool {
        if is_loopback_authority(authority) {
            return true;
        }
        let Ok(named) = authority.parse::<Host>() else {
            return false;
        };
        self.0.iter().any(|allowed| {
            let is_port = allowed.port.is_none_or(|port| Some(port) == named.port);
            allowed.name == named.name && is_port
        })
    }
}

impl FromStr for Host {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let authority: Authority = text.parse().map_err(|_| ())?;
        let port = authority.port_u16();
        let written = match port {
            Some(port) => format!("{}:{port}", authority.host()),
            None => authority.host().to_owned(),
        };
        let name = authority.host().to_ascii_lowercase();
        // No user name before the host, and no wildcard.
        match written == text && !name.is_empty() && !name.contains('*') {
            true => Ok(Self { name, port }),
            false => Err(()),
        }
    }
}

impl FromStr for AllowedHosts {
    type Err = String;

    /// Parses hosts separated by commas, with or without a port.
    fn from_str(text: &str) -> Result<Self, String> {
        let hosts = text
            .split(',')
            .map(str::trim)
            .filter(|host| !host.is_empty());
        let host = |host: &str| {
            host.parse().map_err(|()| {
                format!(
                    "{host:?} is not a host: write it as runs.example.com or runs.example.com:8443"
                )
            })
        };
        hosts.map(host).collect::<Result<_, _>>().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(allowed: &str, uri: &str, hosts: &[&str]) -> Option<String> {
        let allowed: AllowedHosts = allowed.parse().expect("hosts");
        let mut headers = HeaderMap::new();
        for host in hosts {
            headers.append(HOST, host.parse().expect("a value"));
        }
        allowed.refused(&uri.parse().expect("a URI"), &headers)
    }

    #[test]
    fn only_this_machine_and_the_named_hosts_are_accepted() {
        let proxies = "runs.example.com, 10.0.0.1:8443";
        for (allowed, host, is_allowed) in [
            ("", "127.0.0.1:3000", true),
            ("", "localhost:3000", true),
            ("", "localhost", true),
            ("", "[::1]:3000", true),
            ("", "evil.example", false),
            ("", "127.0.0.1.evil.example:3000", false),
            ("", "localhost.evil.example", false),
            ("", "localhost:x@evil.example", false),
            ("", "", false),
            (proxies, "runs.example.com", true),
            (proxies, "RUNS.example.com:443", true),
            (proxies, "10.0.0.1:8443", true),
            (proxies, "10.0.0.1", false),
            (proxies, "runs.example.com.evil.example", false),
            (proxies, "user@runs.example.com", false),
            (proxies, "127.0.0.1", true),
        ] {
            let found = refused(allowed, "/runs", &[host]);
            assert_eq!(found.is_none(), is_allowed, "{host}: {found:?}");
        }
    }

    #[test]
    fn every_host_in_a_request_is_checked() {
        assert_eq!(refused("", "/", &[]).as_deref(), Some(""));
        let two = ["127.0.0.1", "evil.example"];
        assert_eq!(refused("", "/", &two).as_deref(), Some("evil.example"));
        let uri = "http://evil.example/";
        assert_eq!(refused("", uri, &two[..1]).as_deref(), Some("evil.example"));
        assert_eq!(refused("", "http://127.0.0.1:3000/", &two[..1]), None);
    }

    #[test]
    fn invalid_hosts_are_refused() {
        for text in [
            "*",
            "*.example.com",
            "https://a.example",
            "a.example/x",
            "a@b",
        ] {
            assert!(text.parse::<AllowedHosts>().is_err(), "{text}");
        }
        assert_eq!(" , ".parse(), Ok(AllowedHosts::default()));
    }
}
