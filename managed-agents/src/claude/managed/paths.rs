//! Paths and queries: what comes from outside cannot leave its place in them.

use std::fmt::Write as _;

use crate::claude::api::ApiError;

/// A path of fixed words and ids.
pub(super) fn path(parts: &[&str]) -> Result<String, ApiError> {
    let mut path = "/v1".to_owned();
    for part in parts {
        if part.is_empty() || *part == "." || *part == ".." || part.len() > LONGEST {
            return Err(ApiError::configuration("an id is empty, too long, or no id"));
        }
        path.push('/');
        encode(part, &mut path);
    }
    Ok(path)
}

/// The same with a query; values that are empty are left out.
pub(super) fn query(path: String, values: &[(&str, &str)]) -> String {
    let mut path = path;
    let mut mark = '?';
    for (name, value) in values.iter().filter(|(_, value)| !value.is_empty()) {
        path.push(mark);
        encode(name, &mut path);
        path.push('=');
        encode(value, &mut path);
        mark = '&';
    }
    path
}

fn encode(text: &str, out: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(byte));
        } else {
            // writing to a string does not fail
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

const LONGEST: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_cannot_leave_its_place() {
        assert_eq!(path(&["agents", "agent_1"]).unwrap(), "/v1/agents/agent_1");
        assert_eq!(
            path(&["agents", "../../x?y#z é"]).unwrap(),
            "/v1/agents/..%2F..%2Fx%3Fy%23z%20%C3%A9"
        );
        for id in ["", ".", ".."] {
            assert!(path(&["agents", id]).is_err());
        }
    }

    #[test]
    fn brackets_in_names_are_encoded_and_empty_values_left_out() {
        let query = query("/v1/x".to_owned(), &[("types[]", "a"), ("page", ""), ("limit", "1000")]);
        assert_eq!(query, "/v1/x?types%5B%5D=a&limit=1000");
    }
}
