//! Parts of values (bash(1), Parameter Expansion), and words that braces make (Brace Expansion).

use super::data::UNKNOWN;
use crate::screen::glob;

/// `${name:offset:length}`, where both are plain numbers.
pub(super) fn substring(text: &str, numbers: &str) -> String {
    let mut parts = numbers.split(':').map(|part| part.trim().parse::<i64>().ok());
    let chars: Vec<char> = text.chars().collect();
    let count = i64::try_from(chars.len()).unwrap_or(i64::MAX);
    let Some(Some(offset)) = parts.next() else {
        return UNKNOWN.to_string();
    };
    let start = if offset < 0 { count + offset } else { offset }.clamp(0, count);
    let end = match parts.next() {
        None => count,
        Some(None) => return UNKNOWN.to_string(),
        Some(Some(length)) if length < 0 => (count + length).clamp(start, count),
        Some(Some(length)) => start.saturating_add(length).min(count),
    };
    chars
        .iter()
        .skip(usize::try_from(start).unwrap_or(0))
        .take(usize::try_from(end - start).unwrap_or(0))
        .collect()
}

pub(super) fn replace(text: &str, pattern: &str, with: &str, all: bool) -> String {
    if pattern == "*" || pattern.is_empty() {
        return if pattern.is_empty() {
            text.to_owned()
        } else {
            with.to_owned()
        };
    }
    if glob::is_pattern(pattern) {
        return if glob::fits(pattern, text) {
            with.to_owned()
        } else {
            UNKNOWN.to_string()
        };
    }
    if all {
        text.replace(pattern, with)
    } else {
        text.replacen(pattern, with, 1)
    }
}

/// `${name#pattern}`. Patterns are tried at no more than 256 places.
pub(super) fn cut_front(text: &str, pattern: &str, longest: bool) -> String {
    let mut ends: Vec<usize> = text.char_indices().map(|(at, _)| at).take(256).collect();
    ends.push(text.len().min(4096));
    if longest {
        ends.reverse();
    }
    for end in ends {
        if let (Some(head), Some(tail)) = (text.get(..end), text.get(end..))
            && glob::fits(pattern, head)
        {
            return tail.to_owned();
        }
    }
    text.to_owned()
}

pub(super) fn cut_back(text: &str, pattern: &str, longest: bool) -> String {
    let mut starts: Vec<usize> = text.char_indices().map(|(at, _)| at).rev().take(256).collect();
    if longest {
        starts.reverse();
    }
    for start in starts {
        if let (Some(head), Some(tail)) = (text.get(..start), text.get(start..))
            && glob::fits(pattern, tail)
        {
            return head.to_owned();
        }
    }
    text.to_owned()
}

/// Brace expansion; false, when it would give too many words.
pub(super) fn braces(text: &str, out: &mut Vec<String>, most: usize, depth: u32) -> bool {
    let Some((before, alternatives, after)) = first_brace(text).filter(|_| depth > 0) else {
        out.push(text.to_owned());
        return depth > 0 && out.len() <= most;
    };
    for alternative in alternatives {
        if out.len() >= most {
            return false;
        }
        if !braces(&format!("{before}{alternative}{after}"), out, most, depth - 1) {
            return false;
        }
    }
    true
}

/// The first `{a,b}` or `{1..3}`, as text before, alternatives, and text behind.
pub(super) fn first_brace(text: &str) -> Option<(&str, Vec<String>, &str)> {
    let bytes = text.as_bytes();
    let mut tries = 0;
    for (open, _) in text.match_indices('{') {
        tries += 1;
        if tries > 32 {
            return None;
        }
        if open > 0 && bytes.get(open - 1) == Some(&b'$') {
            continue;
        }
        let mut depth = 0_usize;
        let mut cuts = vec![open];
        for (at, byte) in bytes.iter().enumerate().skip(open).take(4096) {
            match byte {
                b'{' => depth += 1,
                b',' if depth == 1 => cuts.push(at),
                b'}' => {
                    depth -= 1;
                    if depth == 0 {
                        cuts.push(at);
                        break;
                    }
                }
                _ => {}
            }
        }
        if depth > 0 {
            continue;
        }
        let end = *cuts.last()?;
        if cuts.len() > 2 {
            let alternatives = cuts
                .windows(2)
                .filter_map(|pair| match pair {
                    [from, to] => text.get(from + 1..*to).map(str::to_owned),
                    _ => None,
                })
                .collect();
            return Some((text.get(..open)?, alternatives, text.get(end + 1..)?));
        }
        if let Some(range) = sequence(text.get(open + 1..end)?) {
            return Some((text.get(..open)?, range, text.get(end + 1..)?));
        }
    }
    None
}

pub(super) fn sequence(text: &str) -> Option<Vec<String>> {
    let (from, to) = text.split_once("..")?;
    if let (Ok(from), Ok(to)) = (from.parse::<i32>(), to.parse::<i32>()) {
        // more than a few numbers change nothing in what they are judged by
        let last = if to >= from {
            to.min(from.saturating_add(7))
        } else {
            to.max(from.saturating_sub(7))
        };
        let (low, high) = (from.min(last), from.max(last));
        return Some((low..=high).map(|number| number.to_string()).collect());
    }
    let (mut first, mut second) = (from.chars(), to.chars());
    match (first.next(), first.next(), second.next(), second.next()) {
        (Some(low), None, Some(high), None) if low <= high && high as u32 - (low as u32) < 64 => {
            Some((low..=high).map(String::from).collect())
        }
        _ => None,
    }
}
