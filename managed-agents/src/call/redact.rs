//! The arguments as they may be shown: redacted values replaced, everything else byte for byte.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

/// What stands where a redacted value was.
pub(super) const REDACTED: &str = "[redacted]";

const REDACTED_JSON: &str = "\"[redacted]\"";

/// Replaces what the JSON pointers (RFC 6901) name in a canonical object. A pointer that steps into an array without an
/// index goes into each element, and `*` names every element and every key.
pub(super) fn redact(json: &str, pointers: &[String]) -> String {
    if pointers.is_empty() {
        return json.to_owned();
    }
    let paths: Vec<Vec<String>> = pointers
        .iter()
        .map(|pointer| {
            pointer
                .split('/')
                .skip(1)
                .map(|step| step.replace("~1", "/").replace("~0", "~"))
                .collect()
        })
        .collect();
    let paths: Vec<&[String]> = paths.iter().map(Vec::as_slice).collect();
    let mut out = String::with_capacity(json.len());
    write(&mut out, json, &paths);
    out
}

/// Whether a pointer names a top-level argument, or something in it.
#[cfg(any(feature = "engine", feature = "sqlite"))]
pub(super) fn reaches(pointer: &str, argument: &str) -> bool {
    match pointer.split('/').nth(1) {
        Some(step) => step == "*" || step.replace("~1", "/").replace("~0", "~") == argument,
        // the whole document
        None => true,
    }
}

fn write(out: &mut String, json: &str, paths: &[&[String]]) {
    if paths.iter().any(|path| path.is_empty()) {
        out.push_str(REDACTED_JSON);
        return;
    }
    if paths.is_empty() {
        out.push_str(json);
        return;
    }
    match json.as_bytes().first() {
        Some(b'{') => write_object(out, json, paths),
        Some(b'[') => write_array(out, json, paths),
        // a path that leads into a scalar names nothing
        _ => out.push_str(json),
    }
}

fn write_object(out: &mut String, json: &str, paths: &[&[String]]) {
    // canonical keys are sorted by UTF-16; a map sorted by UTF-8 may reorder keys beyond the basic plane, which only
    // changes how this copy looks
    let Ok(entries) = serde_json::from_str::<BTreeMap<String, &RawValue>>(json) else {
        out.push_str(REDACTED_JSON);
        return;
    };
    out.push('{');
    for (at, (key, value)) in entries.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        out.push_str(&serde_json::Value::from(key.as_str()).to_string());
        out.push(':');
        let inside = step(paths, |name| name == key || name == "*");
        write(out, value.get(), &inside);
    }
    out.push('}');
}

fn write_array(out: &mut String, json: &str, paths: &[&[String]]) {
    let Ok(elements) = serde_json::from_str::<Vec<&RawValue>>(json) else {
        out.push_str(REDACTED_JSON);
        return;
    };
    out.push('[');
    for (at, element) in elements.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        let index = at.to_string();
        let mut inside = step(paths, |name| name == index || name == "*");
        inside.extend(
            paths
                .iter()
                .filter(|path| path.first().is_some_and(|name| !is_index(name)))
                .copied(),
        );
        write(out, element.get(), &inside);
    }
    out.push(']');
}

fn is_index(name: &str) -> bool {
    name == "*" || name.bytes().all(|byte| byte.is_ascii_digit())
}

/// The paths that go on below a step.
fn step<'p>(paths: &[&'p [String]], matches: impl Fn(&str) -> bool) -> Vec<&'p [String]> {
    paths
        .iter()
        .filter_map(|path| path.split_first())
        .filter(|(name, _)| matches(name))
        .map(|(_, rest)| rest)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(json: &str, pointers: &[&str]) -> String {
        redact(json, &pointers.iter().map(ToString::to_string).collect::<Vec<_>>())
    }

    #[test]
    fn what_is_not_redacted_stays_byte_for_byte() {
        let json = r#"{"a":340282366920938463463374607431768211455,"b":-0.0,"c":{"d":"x"}}"#;
        assert_eq!(shown(json, &["/c/d"]), json.replace("\"x\"", "\"[redacted]\""));
    }

    #[test]
    fn a_path_goes_into_every_element_of_an_array() {
        let json = r#"{"cards":[{"n":"1","z":1},{"n":"2","z":2}]}"#;
        let out = r#"{"cards":[{"n":"[redacted]","z":1},{"n":"[redacted]","z":2}]}"#;
        assert_eq!(shown(json, &["/cards/n"]), out);
        assert_eq!(shown(json, &["/cards/*/n"]), out);
    }

    #[test]
    fn a_whole_argument_and_a_name_with_a_slash_are_redacted() {
        assert_eq!(
            shown(r#"{"a/b":[1],"c":2}"#, &["/a~1b"]),
            r#"{"a/b":"[redacted]","c":2}"#
        );
    }

    #[test]
    fn a_path_to_nothing_changes_nothing() {
        assert_eq!(shown(r#"{"a":1}"#, &["/b", "/a/c"]), r#"{"a":1}"#);
    }
}
