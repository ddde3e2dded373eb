//! URLs: where a program that fetches one would really connect (RFC 3986, WHATWG URL, RFC 6890, inet_aton(3)).
//!
//! Programs disagree on odd URLs, so every host that one of the usual readings gives is judged.

mod address;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::profile::Profile;
use super::rule::{self, Rule};
use super::text;

/// Schemes that lead to files or to protocols that can speak to anything.
const SCHEMES: [&str; 27] = [
    "file",
    "gopher",
    "dict",
    "ftp",
    "ftps",
    "sftp",
    "scp",
    "tftp",
    "ldap",
    "ldaps",
    "ldapi",
    "jar",
    "netdoc",
    "php",
    "phar",
    "data",
    "expect",
    "glob",
    "zlib",
    "zip",
    "ogg",
    "ssh2",
    "rar",
    "smb",
    "telnet",
    "imap",
    "local_file",
];

/// Names of metadata services, beside their addresses.
const METADATA: [&str; 9] = [
    "metadata.google.internal",
    "metadata.goog",
    "metadata",
    "instance-data",
    "instance-data.ec2.internal",
    "rancher-metadata",
    "metadata.tencentyun.com",
    "metadata.azure.internal",
    "metadata.platformequinix.com",
];

/// Public zones whose names resolve to any address that stands in them, or to this machine; each says so on its own page.
const REBINDING: [&str; 19] = [
    "dod.network",
    "nip.io",
    "sslip.io",
    "xip.io",
    "localtest.me",
    "lvh.me",
    "vcap.me",
    "lacolhost.com",
    "yoogle.com",
    "1u.ms",
    "rbndr.us",
    "rebind.network",
    "r3dir.me",
    "traefik.me",
    "backname.io",
    "localho.st",
    "fbi.com.localhost",
    "readme.localtest.me",
    "spoofed.burpcollaborator.net",
];

/// The worst that a URL leads to.
pub(in crate::screen) fn judge(url: &str, profile: &Profile) -> Option<&'static Rule> {
    let url = url.trim_matches(|c: char| c.is_whitespace() || c.is_control());
    let folded = text::fold(url);
    let (scheme, rest) = match folded.split_once(':') {
        Some((scheme, rest))
            if is_scheme(scheme)
                && (rest.starts_with(['/', '\\']) || SCHEMES.contains(&scheme.to_ascii_lowercase().as_str())) =>
        {
            (scheme.to_ascii_lowercase(), rest)
        }
        _ => (String::new(), &*folded),
    };
    if SCHEMES.contains(&scheme.as_str()) {
        return Some(&rule::URL_SCHEME);
    }
    // other protocols, to where no tool has to go
    let other = !matches!(scheme.as_str(), "" | "http" | "https" | "ws" | "wss");
    let rest = rest.trim_start_matches(['/', '\\']);
    let mut worst: Option<&'static Rule> = None;
    let mut hosts = hosts(rest);
    hosts.dedup();
    for host in &hosts {
        if let Some(rule) = judge_host(host, profile).filter(|rule| !other || **rule != rule::URL_UNCLEAR) {
            worst = worst
                .filter(|own| own.severity() >= rule.severity() && own.decisions[1] >= rule.decisions[1])
                .or(Some(rule));
        }
    }
    if other {
        return worst;
    }
    // letters in circles and of full width, which some programs take for plain ones
    let authority = |text: &str| {
        text.split("://")
            .last()
            .and_then(|rest| rest.split(['/', '?', '#']).next())
            .map(str::to_owned)
    };
    if worst.is_none()
        && authority(url).is_some_and(|own| !own.is_ascii())
        && authority(&folded).is_some_and(|own| own.is_ascii())
    {
        return Some(&rule::URL_UNCLEAR);
    }
    if worst.is_none() && hosts.len() > 1 {
        return Some(&rule::URL_UNCLEAR);
    }
    if worst.is_none() && !profile.only_hosts.is_empty() && !hosts.iter().all(|host| named(host, &profile.only_hosts)) {
        return Some(&rule::URL_UNCLEAR);
    }
    worst
}

fn is_scheme(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 24
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.' | '_'))
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
}

/// The hosts that readers find: they differ in where the authority ends and which `@` counts.
fn hosts(rest: &str) -> Vec<String> {
    let cut = |ends: &[char]| rest.split(ends).next().unwrap_or_default();
    let mut out = Vec::new();
    for authority in [
        cut(&['/', '?', '#']),
        cut(&['/', '?', '#', '\\']),
        cut(&['/', '?']),
        cut(&['/']),
    ] {
        let has_user = authority.contains('@');
        let last = authority.rsplit('@').next().unwrap_or_default();
        out.push(host_of(last));
        if has_user && authority.contains(['\\', '#', '?', ' ', '\t', '%']) {
            out.push(host_of(authority.split('@').next().unwrap_or_default()));
            out.push(host_of(authority.split(['\\', '#', '?']).next().unwrap_or_default()));
        }
        if has_user && authority.matches('@').count() > 1 {
            out.extend(authority.split('@').map(host_of));
        }
        if !authority.contains(['#', '\\', '?']) {
            break;
        }
    }
    out.retain(|host| !host.is_empty());
    out
}

/// The host of `host:port`, decoded and lower case, without a final dot.
fn host_of(authority: &str) -> String {
    let authority = authority.trim_matches(['\\', ' ', '\t']);
    let host = if authority.starts_with('[') {
        authority.split_inclusive(']').next().unwrap_or_default()
    } else {
        authority.split(':').next().unwrap_or_default()
    };
    let mut decoded = super::path::percent(host).into_owned();
    for _ in 0..2 {
        decoded = super::path::percent(&decoded).into_owned();
    }
    // what an encoded `@`, `#` or NUL cuts off, some programs cut off
    let decoded = decoded.split(['\0', '#', '@', '?', '/']).next().unwrap_or_default();
    let folded = text::fold(decoded);
    folded.trim_end_matches('.').to_ascii_lowercase()
}

/// Whether the operator keeps calls from the host of an address as a program is given it, `[user@]host[:port][/path]`.
pub(in crate::screen) fn is_denied(address: &str, denied: &[String]) -> bool {
    !denied.is_empty() && hosts(address).iter().any(|host| named(host, denied))
}

fn judge_host(host: &str, profile: &Profile) -> Option<&'static Rule> {
    if named(host, &profile.deny_hosts) {
        return Some(&rule::HOST_DENIED);
    }
    if is_metadata(host) {
        return Some(&rule::SSRF_METADATA);
    }
    if named(host, &profile.allow_hosts) {
        return None;
    }
    if let Some(address) = address::parse(host) {
        return judge_address(address);
    }
    if host.starts_with('[') {
        return Some(&rule::URL_UNCLEAR);
    }
    if matches!(
        host,
        "localhost"
            | "localhost6"
            | "ip6-localhost"
            | "ip6-loopback"
            | "localhost.localdomain"
            | "broadcasthost"
            | "host.docker.internal"
            | "gateway.docker.internal"
            | "kubernetes"
            | "kubernetes.default"
            | "docker"
    ) || [
        ".localhost",
        ".local",
        ".internal",
        ".intranet",
        ".corp",
        ".lan",
        ".home.arpa",
        ".localdomain",
        ".svc",
        ".cluster.local",
        ".consul",
        ".private",
    ]
    .iter()
    .any(|suffix| host.ends_with(suffix))
    {
        return Some(&rule::SSRF);
    }
    if REBINDING
        .iter()
        .any(|zone| host == *zone || host.strip_suffix(zone).is_some_and(|before| before.ends_with('.')))
    {
        return Some(&rule::SSRF);
    }
    // names without a dot are looked up inside the network; a last label of digits is a broken address; other signs make
    // programs disagree on where the name ends
    let last = host.rsplit('.').next().unwrap_or_default();
    let odd = host
        .chars()
        .any(|c| !(c.is_alphanumeric() || matches!(c, '.' | '-' | '_')));
    (!host.contains('.') || odd || last.bytes().all(|byte| byte.is_ascii_digit()) || last.starts_with("0x"))
        .then_some(&rule::URL_UNCLEAR)
}

fn judge_address(address: IpAddr) -> Option<&'static Rule> {
    match address {
        IpAddr::V4(v4) => judge_v4(v4),
        IpAddr::V6(v6) => judge_v6(v6),
    }
}

fn judge_v4(address: Ipv4Addr) -> Option<&'static Rule> {
    let octets = address.octets();
    if matches!(
        octets,
        [169, 254, 169, 253 | 254] | [169, 254, 170, 2] | [100, 100, 100, 200] | [192, 0, 0, 192] | [168, 63, 129, 16]
    ) {
        return Some(&rule::SSRF_METADATA);
    }
    // RFC 6890: this network, private, shared, loopback, link-local, protocol assignments, benchmarking, multicast, reserved
    let internal = matches!(
        octets,
        [0 | 10 | 127 | 224..=255, ..]
            | [100, 64..=127, ..]
            | [169, 254, ..]
            | [172, 16..=31, ..]
            | [192, 0, 0, _]
            | [192, 168, ..]
            | [198, 18 | 19, ..]
    );
    internal.then_some(&rule::SSRF)
}

fn judge_v6(address: Ipv6Addr) -> Option<&'static Rule> {
    let segments = address.segments();
    if segments == [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254] || segments == [0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254] {
        return Some(&rule::SSRF_METADATA);
    }
    // addresses that hold an IPv4 address: mapped, compatible, NAT64, 6to4, ISATAP
    let low = Ipv4Addr::from(((u32::from(segments[6])) << 16) | u32::from(segments[7]));
    let inner = match segments {
        [0, 0, 0, 0, 0, 0xffff | 0, ..] if !address.is_loopback() && !address.is_unspecified() => Some(low),
        [0x64, 0xff9b, ..] | [0, 0, 0, 0, 0xffff, 0, ..] | [_, _, _, _, 0 | 0x200, 0x5efe, ..] => Some(low),
        [0x2002, high, below, ..] => Some(Ipv4Addr::from((u32::from(high) << 16) | u32::from(below))),
        _ => None,
    };
    if let Some(rule) = inner.and_then(judge_v4) {
        return Some(rule);
    }
    let internal = address.is_loopback()
        || address.is_unspecified()
        || address.is_multicast()
        || (segments[0] & 0xfe00) == 0xfc00
        || (segments[0] & 0xffc0) == 0xfe80
        || (segments[0] & 0xffc0) == 0xfec0;
    internal.then_some(&rule::SSRF)
}

/// Whether a host, with or without a port, is a metadata service.
pub(in crate::screen) fn is_metadata(authority: &str) -> bool {
    let host = host_of(authority.rsplit('@').next().unwrap_or_default());
    METADATA.contains(&host.as_str())
        || address::parse(&host)
            .and_then(judge_address)
            .is_some_and(|rule| rule == &rule::SSRF_METADATA)
}

fn named(host: &str, list: &[String]) -> bool {
    list.iter().any(|own| {
        let own = own.to_ascii_lowercase();
        match own.strip_prefix('.') {
            Some(domain) => host == domain || host.ends_with(&own),
            None => host == own,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(url: &str) -> &'static str {
        judge(url, &Profile::default()).map_or("-", Rule::code)
    }

    #[test]
    fn every_spelling_of_an_internal_address_is_found() {
        for url in [
            "http://127.0.0.1/",
            "http://127.1",
            "http://2130706433/",
            "http://0x7f.1",
            "http://0177.0.0.1:80",
            "http://[::1]:8080",
            "http://[::ffff:127.0.0.1]/",
            "http://localhost.",
            "http://10.1.2.3",
            "http://0/",
            "http://a.nip.io",
            "HTTP://LOCALHOST",
            "//127.0.0.1/x",
            "http://[64:ff9b::a00:1]/",
            "http://%31%32%37.0.0.1/",
            "http://user:pw@127.0.0.1/",
            "http://example.com\\@127.0.0.1/",
            "http://127.0.0.1#@example.com/",
        ] {
            assert!(
                matches!(code(url), "ssrf_internal" | "url_unclear"),
                "{url}: {}",
                code(url)
            );
        }
        for url in [
            "http://169.254.169.254/",
            "http://[::ffff:a9fe:a9fe]/",
            "http://2852039166",
            "http://0xa9fea9fe",
            "http://metadata.google.internal/",
        ] {
            assert_eq!(code(url), "ssrf_metadata", "{url}");
        }
    }

    #[test]
    fn public_addresses_pass() {
        for url in [
            "https://example.com/docs/127.0.0.1",
            "https://example.com/?next=http://localhost",
            "http://8.8.8.8/",
            "https://user@example.com:8443/x",
            "https://xn--bcher-kva.example/",
            "https://bücher.example/",
            "http://[2606:4700::1111]/",
        ] {
            assert_eq!(code(url), "-", "{url}");
        }
    }

    #[test]
    fn other_schemes_are_refused() {
        for url in ["file:///etc/passwd", "gopher://x", "dict://x:1", "jar:http://x!/"] {
            assert_eq!(code(url), "url_scheme", "{url}");
        }
    }

    #[test]
    fn hosts_can_be_allowed_but_never_metadata() {
        let profile = Profile::default().allow_host("localhost").allow_host("169.254.169.254");
        assert!(judge("http://localhost:3000", &profile).is_none());
        assert!(judge("http://169.254.169.254", &profile).is_some());
    }
}
