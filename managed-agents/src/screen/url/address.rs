//! Addresses in all spellings that programs accept: inet_aton(3) takes one to four numbers, decimal, octal or hexadecimal.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Reads an address; none, when the host is a name.
pub(super) fn parse(host: &str) -> Option<IpAddr> {
    let inner = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    // a zone belongs to this machine only
    let inner = inner.split('%').next().unwrap_or_default();
    if inner.contains(':') {
        return inner.parse::<Ipv6Addr>().ok().map(IpAddr::V6);
    }
    numbers(inner).map(IpAddr::V4)
}

/// Numbers that are too large wrap around, as they do in programs that do not check.
fn numbers(host: &str) -> Option<Ipv4Addr> {
    // a sign behind the last number ends it for some readers
    let host = host.trim_end_matches(['!', '\'', '"', ',', '&', ';']);
    let parts = host.split('.').take(5).map(number).collect::<Option<Vec<u128>>>()?;
    let (last, first) = parts.split_last()?;
    if first.len() > 3 {
        return None;
    }
    let mut value = 0_u32;
    let mut room = 32_u32;
    for part in first {
        room -= 8;
        value |= u32::try_from(part & 0xff).ok()? << room;
    }
    Some(Ipv4Addr::from(
        value | u32::try_from(last & ((1_u128 << room) - 1)).ok()?,
    ))
}

fn number(text: &str) -> Option<u128> {
    if text.is_empty() || text.len() > 34 {
        return None;
    }
    if let Some(digits) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        return if digits.is_empty() {
            Some(0)
        } else {
            u128::from_str_radix(digits, 16).ok()
        };
    }
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    if text.len() > 1 && text.starts_with('0') && text.bytes().all(|byte| byte < b'8') {
        return u128::from_str_radix(text, 8).ok();
    }
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_spellings_of_an_address_are_one() {
        for host in [
            "169.254.169.254",
            "2852039166",
            "0xa9fea9fe",
            "0251.0376.0251.0376",
            "169.254.43518",
            "169.16689662",
            "0xA9.254.0251.254",
            "7147006462",
            "425.510.425.510",
            "0x41414141a9fea9fe",
        ] {
            assert_eq!(parse(host).unwrap().to_string(), "169.254.169.254", "{host}");
        }
    }

    #[test]
    fn names_are_no_addresses() {
        for host in ["example.com", "a.1", "1.2.3.4.5", "", "q177.0.0.1", "beef"] {
            assert!(parse(host).is_none(), "{host}");
        }
    }
}
