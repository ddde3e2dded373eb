//! Matching with `*`, `?` and `[..]`, in time linear in the text for each star.

/// Whether a pattern fits a whole text. ASCII case does not count.
pub(crate) fn fits(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match step(pattern, p, text.get(t).copied().unwrap_or(0)) {
            Step::Star => {
                p += 1;
                star = Some((p, t));
            }
            Step::Fits(next) => {
                p = next;
                t += 1;
            }
            Step::Not => match star {
                Some((after, at)) => {
                    p = after;
                    t = at + 1;
                    star = Some((after, t));
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(p).all(|byte| *byte == b'*')
}

/// Whether a text holds a wildcard.
pub(crate) fn is_pattern(text: &str) -> bool {
    text.bytes().any(|byte| matches!(byte, b'*' | b'?' | b'['))
}

enum Step {
    Star,
    Fits(usize),
    Not,
}

fn step(pattern: &[u8], at: usize, byte: u8) -> Step {
    match pattern.get(at) {
        Some(b'*') => Step::Star,
        Some(b'?') => Step::Fits(at + 1),
        Some(b'[') => class(pattern, at, byte),
        Some(own) if own.eq_ignore_ascii_case(&byte) => Step::Fits(at + 1),
        _ => Step::Not,
    }
}

fn class(pattern: &[u8], at: usize, byte: u8) -> Step {
    let negated = matches!(pattern.get(at + 1), Some(b'!' | b'^'));
    let first = if negated { at + 2 } else { at + 1 };
    // a class of more than 64 bytes is taken literally, so that the search for its end stays bounded
    let Some(length) = pattern.iter().skip(first + 1).take(64).position(|own| *own == b']') else {
        return if byte == b'[' { Step::Fits(at + 1) } else { Step::Not };
    };
    let members = pattern.get(first..first + 1 + length).unwrap_or_default();
    let mut found = false;
    let mut i = 0;
    while let Some(low) = members.get(i) {
        match (members.get(i + 1), members.get(i + 2)) {
            (Some(b'-'), Some(high)) => {
                found |= (*low..=*high).contains(&byte);
                i += 3;
            }
            _ => {
                found |= low.eq_ignore_ascii_case(&byte);
                i += 1;
            }
        }
    }
    if found == negated {
        Step::Not
    } else {
        Step::Fits(first + 2 + length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_marks_and_classes_fit_as_in_a_shell() {
        for (pattern, text) in [
            ("*", ""),
            ("r?", "rm"),
            ("/???/r[lm]", "/bin/rm"),
            ("a*b*c", "aXXbYYc"),
            ("[a-c]x", "bx"),
            ("[!a]x", "bx"),
            ("RM", "rm"),
            ("[x", "[x"),
        ] {
            assert!(fits(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("", "a"), ("a*b", "abc"), ("[!a]x", "ax"), ("?", "")] {
            assert!(!fits(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn many_stars_take_no_exponential_time() {
        let pattern = "*a".repeat(200);
        assert!(!fits(&pattern, &"b".repeat(20_000)));
    }
}
