//! What an argument's text means, told from the names of tool and argument, in any spelling.

use std::borrow::Cow;

use smallvec::SmallVec;

/// What a text is read as.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Nature {
    Shell,
    /// Code of another language.
    Code,
    Sql,
    Path,
    Url,
    /// Prose, documents, code that is only written down: what stands in it is no action.
    Free,
    /// Any other value.
    Plain,
}

/// What a tool's name says of it.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each says one thing about the tool")]
pub(super) struct Kinds {
    shell: bool,
    code: bool,
    sql: bool,
    file: bool,
    fetch: bool,
    pub(super) writes: bool,
    /// What it is given goes somewhere else.
    pub(super) sends: bool,
    pub(super) mail: bool,
    pub(super) calendar: bool,
}

/// The words of a name in small letters: split at signs and where capitals begin.
fn words(name: &str) -> SmallVec<[Cow<'_, str>; 4]> {
    let mut out = SmallVec::new();
    let mut previous = ' ';
    let mut from = None;
    let end = name.char_indices().nth(256).map_or(name.len(), |(at, _)| at);
    let name = name.get(..end).unwrap_or_default();
    for (at, c) in name.char_indices() {
        let begins = c.is_uppercase() && previous.is_lowercase();
        if begins || !c.is_alphanumeric() {
            out.extend(from.take().and_then(|from| name.get(from..at)).map(small));
        }
        if c.is_alphanumeric() {
            from.get_or_insert(at);
        }
        previous = c;
    }
    out.extend(from.and_then(|from| name.get(from..)).map(small));
    out
}

fn small(word: &str) -> Cow<'_, str> {
    if word
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    {
        return Cow::Borrowed(word);
    }
    word.chars().flat_map(char::to_lowercase).collect()
}

impl Kinds {
    pub(super) fn of_tool(name: &str) -> Self {
        let words = words(name);
        let has = |names: &[&str]| words.iter().any(|word| names.contains(&word.as_ref()));
        let data = has(&[
            "database",
            "db",
            "postgres",
            "postgresql",
            "mysql",
            "sqlite",
            "snowflake",
            "bigquery",
            "mssql",
            "oracle",
            "redshift",
            "warehouse",
        ]);
        Self {
            shell: has(&[
                "bash",
                "shell",
                "sh",
                "zsh",
                "terminal",
                "cmd",
                "powershell",
                "console",
                "subprocess",
            ]) || has(&["command", "commands", "exec", "execute", "run", "spawn"])
                && !has(&[
                    "sql",
                    "query",
                    "code",
                    "python",
                    "javascript",
                    "trade",
                    "order",
                    "workflow",
                    "test",
                    "report",
                    "payment",
                    "transaction",
                    "search",
                    "agent",
                ]),
            code: has(&[
                "python",
                "javascript",
                "node",
                "code",
                "repl",
                "jupyter",
                "notebook",
                "interpreter",
                "ipython",
                "script",
            ]),
            sql: has(&["sql", "nl2sql", "psql", "mysql", "sqlite"])
                || data && has(&["query", "execute", "run", "exec", "write"]),
            file: has(&[
                "file",
                "files",
                "path",
                "directory",
                "dir",
                "folder",
                "fs",
                "document",
                "read",
                "write",
                "edit",
                "cat",
                "open",
                "glob",
                "grep",
                "ls",
                "attachment",
            ]),
            fetch: has(&[
                "http", "https", "url", "fetch", "get", "browse", "browser", "navigate", "web", "webpage", "webhook",
                "download", "crawl", "scrape", "request", "curl", "api",
            ]),
            writes: has(&[
                "write",
                "edit",
                "create",
                "append",
                "delete",
                "remove",
                "move",
                "rename",
                "copy",
                "save",
                "update",
                "put",
                "patch",
                "overwrite",
                "replace",
                "upload",
                "modify",
                "insert",
                "str",
            ]),
            sends: has(&[
                "send", "post", "publish", "share", "upload", "email", "mail", "message", "tweet", "slack", "notify",
                "webhook", "put", "comment", "reply", "forward", "submit", "http", "request", "fetch", "gist", "paste",
                "create",
            ]),
            mail: has(&["email", "mail", "message", "send", "invite", "sms", "share", "notify"]),
            calendar: has(&["calendar", "event", "events", "meeting", "schedule", "appointment"]),
        }
    }

    /// Whether an argument of this name holds a program to run.
    pub(super) fn is_command(&self, name: &str) -> bool {
        matches!(
            name,
            "command" | "cmd" | "program" | "executable" | "binary" | "commandline" | "command_line" | "argv"
        ) && (self.shell || matches!(name, "command" | "cmd" | "commandline" | "command_line" | "argv"))
    }

    /// What the text of an argument means.
    pub(super) fn of(&self, name: &str, text: &str) -> Nature {
        let words = words(name);
        let last = words.last().map(AsRef::as_ref).unwrap_or_default();
        let has = |names: &[&str]| words.iter().any(|word| names.contains(&word.as_ref()));
        if matches!(last, "command" | "cmd" | "commandline" | "shell" | "bash")
            || has(&["command", "commandline"]) && matches!(last, "line" | "text" | "string")
        {
            return if self.shell || text.contains(' ') || matches!(last, "bash" | "shell") {
                Nature::Shell
            } else {
                Nature::Plain
            };
        }
        if self.shell
            && matches!(
                last,
                "script" | "input" | "code" | "line" | "text" | "commands" | "args" | "arguments" | "query" | ""
            )
        {
            return Nature::Shell;
        }
        if self.code
            && matches!(
                last,
                "code" | "source" | "script" | "program" | "snippet" | "input" | "cell"
            )
        {
            return Nature::Code;
        }
        if last == "sql"
            || self.sql
                && matches!(
                    last,
                    "query" | "statement" | "statements" | "queries" | "sql" | "text" | "input" | "q" | ""
                )
        {
            return Nature::Sql;
        }
        if matches!(last, "url" | "uri" | "endpoint" | "link" | "href" | "webhook" | "urls") {
            return Nature::Url;
        }
        if matches!(
            last,
            "body"
                | "content"
                | "contents"
                | "text"
                | "message"
                | "description"
                | "title"
                | "subject"
                | "note"
                | "notes"
                | "query"
                | "comment"
                | "prompt"
                | "summary"
                | "code"
                | "markdown"
                | "html"
                | "data"
                | "reason"
                | "question"
                | "answer"
                | "q"
                | "keywords"
                | "new"
                | "old"
                | "diff"
                | "patch"
                | "caption"
                | "instructions"
                | "instruction"
                | "details"
                | "review"
                | "search"
                | "string"
                | "str"
                | "expression"
                | "pattern"
                | "regex"
                | "items"
                | "template"
                | "equation"
                | "function"
                | "formula"
                | "status"
                | "post"
                | "tweet"
                | "password"
                | "secret"
                | "token"
                | "key"
                | "condition"
                | "conditions"
                | "requirements"
                | "special"
                | "request"
                | "sentence"
                | "paragraph"
                | "document"
                | "schema"
                | "json"
                | "xml"
                | "payload"
                | "explanation"
                | "thought"
                | "context"
        ) {
            return Nature::Free;
        }
        if matches!(
            last,
            "path"
                | "file"
                | "filename"
                | "filepath"
                | "dir"
                | "directory"
                | "folder"
                | "paths"
                | "files"
                | "pathname"
                | "cwd"
                | "root"
        ) || self.file
            && matches!(
                last,
                "source" | "destination" | "src" | "dst" | "target" | "from" | "to" | "name"
            )
        {
            return Nature::Path;
        }
        if matches!(last, "callback" | "origin" | "website") && (text.contains("://") || text.contains('.')) {
            return Nature::Url;
        }
        if self.fetch && matches!(last, "target" | "page" | "address" | "host" | "site") && text.contains("://") {
            return Nature::Url;
        }
        Nature::Plain
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_in_any_spelling() {
        for name in ["bash", "run_command", "executeCommand", "Shell.Exec", "system-run"] {
            assert_eq!(Kinds::of_tool(name).of("command", "ls -l"), Nature::Shell, "{name}");
        }
        for name in ["sql_query", "runSqlQuery", "postgres.query", "db_query"] {
            assert_eq!(Kinds::of_tool(name).of("query", "x"), Nature::Sql, "{name}");
        }
        assert_eq!(Kinds::of_tool("search").of("query", "x"), Nature::Free);
        assert_eq!(Kinds::of_tool("read_file").of("filePath", "x"), Nature::Path);
    }
}
