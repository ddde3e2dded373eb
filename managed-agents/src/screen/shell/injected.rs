//! Shell syntax inside arguments that should be plain values (CWE-78).

/// Whether a value of an ordinary argument holds a shell command that would run if the value were put into a command line.
pub(in crate::screen) fn shell_injected(value: &str) -> bool {
    if value.len() > 4096 || !value.contains([';', '|', '`', '$', '&', '\n', '<']) {
        return false;
    }
    if value.contains("$(") || value.contains("${IFS}") || value.contains("$IFS") || value.contains("<!--#exec") {
        return true;
    }
    let decoded = value.replace("\\n", "\n");
    let mut pieces = decoded.split([';', '|', '&', '\n', '`']);
    pieces.next();
    let names = [
        "id",
        "whoami",
        "ls",
        "cat",
        "uname",
        "pwd",
        "ps",
        "wget",
        "curl",
        "nc",
        "ncat",
        "bash",
        "sh",
        "rm",
        "ping",
        "sleep",
        "echo",
        "netstat",
        "ifconfig",
        "env",
        "python",
        "python3",
        "perl",
        "php",
        "telnet",
        "nslookup",
        "dir",
        "type",
        "cmd",
        "powershell",
        "net",
        "ipconfig",
        "touch",
        "chmod",
        "kill",
        "dig",
        "system",
    ];
    pieces.take(32).any(|piece| {
        let mut words = piece.split_whitespace();
        let word = words.next().unwrap_or_default();
        let base = word.rsplit('/').next().unwrap_or_default();
        names.contains(&base)
            && (word.starts_with('/')
                || words
                    .next()
                    .is_none_or(|next| next.starts_with(['-', '/', '.', '~', '$']) || next.contains('.')))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_behind_a_value_are_found_and_prose_is_not() {
        for value in ["8.8.8.8;id", "x|/usr/bin/id|", "$(whoami)", "`id`", "a\nls -la"] {
            assert!(shell_injected(value), "{value}");
        }
        for value in ["AT&T; Verizon", "R&D | Sales", "O'Brien", "#1 -- best"] {
            assert!(!shell_injected(value), "{value}");
        }
    }
}
