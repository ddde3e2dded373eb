//! Keys and tokens by their formats, as their issuers document them; the words "secret" and "token" mean nothing here.

/// A prefix, how many signs of a token follow it at least, and at most.
const FORMATS: [(&str, usize, usize); 44] = [
    ("AKIA", 16, 16),
    ("ASIA", 16, 16),
    ("ghp_", 36, 255),
    ("gho_", 36, 255),
    ("ghu_", 36, 255),
    ("ghs_", 36, 255),
    ("ghr_", 36, 255),
    ("github_pat_", 50, 255),
    ("glpat-", 20, 64),
    ("gldt-", 20, 64),
    ("glrt-", 20, 64),
    ("xoxb-", 20, 255),
    ("xoxp-", 20, 255),
    ("xoxa-", 20, 255),
    ("xoxr-", 20, 255),
    ("xoxs-", 20, 255),
    ("xapp-", 20, 255),
    ("sk-ant-", 24, 255),
    ("sk-proj-", 24, 255),
    ("sk_live_", 20, 255),
    ("rk_live_", 20, 255),
    ("AIza", 35, 35),
    ("ya29.", 30, 512),
    ("npm_", 36, 36),
    ("pypi-AgE", 40, 512),
    ("SG.", 40, 128),
    ("hf_", 30, 64),
    ("dop_v1_", 64, 64),
    ("doo_v1_", 64, 64),
    ("shpat_", 32, 32),
    ("shpss_", 32, 32),
    ("hvs.", 24, 255),
    ("hvb.", 24, 255),
    ("AGE-SECRET-KEY-1", 50, 64),
    ("lin_api_", 32, 64),
    ("sntrys_", 40, 512),
    ("dckr_pat_", 20, 64),
    ("PMAK-", 40, 80),
    ("NRAK-", 24, 40),
    ("sq0csp-", 40, 48),
    ("tfp_", 40, 64),
    ("pul-", 40, 40),
    ("figd_", 40, 64),
    ("sk-", 40, 64),
];

/// Where a key or token stands in a text, if one does.
pub(in crate::screen) fn find(text: &str) -> Option<(usize, usize)> {
    if text.len() < 16 {
        return None;
    }
    let bytes = text.as_bytes();
    let mut in_word = false;
    for (at, byte) in bytes.iter().copied().enumerate() {
        // a token begins where a word begins
        let begins = !in_word;
        in_word = byte.is_ascii_alphanumeric() || byte == b'_';
        if byte == b'-' {
            if let Some(end) = private_key(text, at) {
                return Some((at, end));
            }
        } else if begins && in_word {
            let rest = bytes.get(at..).unwrap_or_default();
            if let Some(length) = FORMATS.iter().find_map(|format| token(rest, byte, format)) {
                return Some((at, at + length));
            }
        }
    }
    None
}

/// Where the head of a private key ends that begins here (RFC 7468).
fn private_key(text: &str, at: usize) -> Option<usize> {
    let rest = text.get(at..)?;
    if !rest.starts_with("-----BEGIN ") {
        return None;
    }
    let head = rest.get(..64).unwrap_or(rest);
    head.contains("PRIVATE KEY").then(|| at + 27.min(head.len()))
}

/// How long a token of this format is with which a text begins; `first` is the first of its bytes.
fn token(text: &[u8], first: u8, (prefix, least, most): &(&str, usize, usize)) -> Option<usize> {
    // most words differ in their first letter from most prefixes: nothing more of them is looked at
    if prefix.as_bytes().first() != Some(&first) {
        return None;
    }
    let body = text.strip_prefix(prefix.as_bytes())?;
    let length = body
        .iter()
        .take(most + 1)
        .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
        .count();
    let fits = (*least..=*most).contains(&length) && is_random(body.get(..length)?);
    fits.then_some(prefix.len() + length)
}

/// Whether signs look drawn at random: many different ones, digits and letters.
fn is_random(body: &[u8]) -> bool {
    let mut seen = [0_u16; 128];
    for byte in body {
        if let Some(count) = seen.get_mut(usize::from(*byte)) {
            *count = count.saturating_add(1);
        }
    }
    let total = f64::from(u32::try_from(body.len()).unwrap_or(u32::MAX));
    let entropy: f64 = seen
        .iter()
        .filter(|count| **count > 0)
        .map(|count| {
            let share = f64::from(*count) / total;
            -share * share.log2()
        })
        .sum();
    entropy >= 2.8
}

#[cfg(test)]
mod tests {
    use super::find;

    #[test]
    fn formats_are_found_and_words_are_not() {
        let key = format!("use {}{} please", "ghp_", "aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC1dE3fG5");
        assert!(find(&key).is_some());
        assert!(find("-----BEGIN RSA PRIVATE KEY-----\nMII").is_some());
        for text in [
            "rotate api_key in vault",
            "the secret token",
            "AKIAAAAAAAAAAAAAAAAA",
            "sk-learn is a library",
            "task-AKIAIOSF",
            "-----BEGIN PUBLIC KEY-----",
        ] {
            assert!(find(text).is_none(), "{text}");
        }
    }
}
