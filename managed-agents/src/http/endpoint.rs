//! Where a service is.

use std::fmt;
use std::net::IpAddr;

use hyper::Uri;

/// The address of a service: `https` anywhere, or `http` on this machine's loopback.
///
/// # Examples
///
/// ```
/// use managed_agents::Endpoint;
/// assert!(Endpoint::parse("https://governance.example/api/v1/govern").is_ok());
/// assert!(Endpoint::parse("http://127.0.0.1:8080/govern").is_ok());
/// assert!(Endpoint::parse("http://governance.example/govern").is_err());
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Endpoint {
    encrypted: bool,
    authority: String,
    host: String,
    port: u16,
    path: String,
}

impl Endpoint {
    /// Reads a URL.
    ///
    /// # Errors
    ///
    /// [`EndpointError`] when it is no URL, is neither `https` nor loopback `http`, or holds a user, a query or a
    /// fragment.
    pub fn parse(url: &str) -> Result<Self, EndpointError> {
        if url.contains('#') {
            return Err(EndpointError("the endpoint has a fragment"));
        }
        let uri: Uri = url.parse().map_err(|_| EndpointError("the endpoint is not a URL"))?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(EndpointError("the endpoint is not an absolute URL"));
        };
        if authority.as_str().contains('@') {
            return Err(EndpointError("the endpoint holds a user name or a password"));
        }
        if uri.query().is_some() {
            return Err(EndpointError("the endpoint has a query"));
        }
        let host = authority
            .host()
            .trim_start_matches('[')
            .trim_end_matches(']')
            .to_ascii_lowercase();
        if host.is_empty() {
            return Err(EndpointError("the endpoint has no host"));
        }
        let encrypted = match scheme {
            "https" => true,
            "http" if is_loopback(&host) => false,
            "http" => {
                return Err(EndpointError(
                    "the endpoint is http and not on this machine's loopback; use https",
                ));
            }
            _ => {
                return Err(EndpointError("the endpoint is neither https nor loopback http"));
            }
        };
        let port = match (authority.port(), encrypted) {
            (Some(port), _) => port.as_u16(),
            (None, true) => 443,
            (None, false) => 80,
        };
        Ok(Self {
            encrypted,
            authority: authority.as_str().to_owned(),
            host,
            port,
            path: uri.path().to_owned(),
        })
    }

    /// Whether the connection is encrypted; where not, it does not leave this machine.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.encrypted
    }

    pub(crate) fn authority(&self) -> &str {
        &self.authority
    }

    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn path(&self) -> &str {
        &self.path
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.encrypted { "https" } else { "http" };
        write!(f, "{scheme}://{}{}", self.authority, self.path)
    }
}

/// A text is no endpoint; it is not repeated, for it may hold a password.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct EndpointError(&'static str);

fn is_loopback(host: &str) -> bool {
    match host.parse::<IpAddr>() {
        Ok(address) => address.is_loopback(),
        // what the name leads to is checked again when a connection is made
        Err(_) => host == "localhost",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn https_anywhere_and_http_on_loopback_are_endpoints() {
        for (url, host, port) in [
            ("https://amp.nomotic.ai/api/v1/govern", "amp.nomotic.ai", 443),
            ("https://[2001:db8::1]:8443/", "2001:db8::1", 8443),
            ("http://localhost:9/x", "localhost", 9),
            ("http://127.8.9.1", "127.8.9.1", 80),
            ("http://[::1]:1/", "::1", 1),
            ("HTTPS://A.Example/Path", "a.example", 443),
        ] {
            let endpoint = Endpoint::parse(url).unwrap();
            assert_eq!((endpoint.host(), endpoint.port()), (host, port), "{url}");
        }
    }

    #[test]
    fn anything_else_is_no_endpoint_and_is_not_repeated() {
        for url in [
            "",
            "amp.nomotic.ai",
            "/govern",
            "http://amp.nomotic.ai/",
            "http://localhost.example/",
            "http://0.0.0.0/",
            "http://10.0.0.1/",
            "http://127.0.0.1.nip.io/",
            "ftp://127.0.0.1/",
            "https://user:canary@host/",
            "https://host/?key=canary",
            "https://host/#canary",
            "https:///govern",
            "https://host name/",
        ] {
            let error = Endpoint::parse(url).expect_err(url);
            assert!(!error.to_string().contains("canary"));
        }
    }
}
