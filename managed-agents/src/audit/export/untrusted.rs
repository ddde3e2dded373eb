//! Text that came from outside, and how each sink must have it.

use std::borrow::Cow;
use std::fmt;

use crate::call::write_string;

/// Text that came from outside: a tool's name as a model wrote it, a session's id, a code from a remote governor, a value.
///
/// It has no `Display`, and no way into a sink but that sink's own encoder. Every encoder keeps the text: what it writes
/// can be read back to what was there.
///
/// # Examples
///
/// ```
/// use managed_agents::audit::export::Untrusted;
/// let name = Untrusted::new("=cmd|' /C calc'!A0\u{202e}\n");
/// assert_eq!(name.terminal(), r"=cmd|' /C calc'!A0\u{202e}\n");
/// assert_eq!(name.json(), r#""=cmd|' /C calc'!A0\u202e\n""#);
/// assert!(name.csv().starts_with("\"'="));
/// ```
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Untrusted<'a>(Cow<'a, str>);

impl<'a> Untrusted<'a> {
    /// Marks text as coming from outside.
    #[must_use]
    pub fn new(text: impl Into<Cow<'a, str>>) -> Self {
        Self(text.into())
    }

    /// The text as it came: to compare it and to look things up by it, never for a sink.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// For a terminal or a log line: one line, and everything that is not seen, or seen as something else, is shown as Rust
    /// writes it in a string (`\n`, `\u{202e}`); a backslash is shown as two.
    ///
    /// What is shown so: control characters, bidirectional marks, characters of no width, variation selectors, tags,
    /// spaces that are not the plain space, private and unassigned characters, and a combining mark that nothing precedes.
    #[must_use]
    pub fn terminal(&self) -> String {
        let mut out = String::with_capacity(self.0.len());
        visible(&mut out, &self.0);
        out
    }

    /// A JSON string (RFC 8259), quotes included; what a terminal would not show is `\u` and four digits.
    #[must_use]
    pub fn json(&self) -> String {
        let mut quoted = Vec::with_capacity(self.0.len() + 2);
        write_string(&mut quoted, &self.0);
        let quoted = String::from_utf8(quoted).unwrap_or_default();
        let mut out = String::with_capacity(quoted.len());
        push_json(&mut out, &quoted);
        out
    }

    /// A field of a CSV file (RFC 4180), in quotes. Where a spreadsheet could take the text for a formula, and where the
    /// text itself begins with an apostrophe, an apostrophe precedes it.
    #[must_use]
    pub fn csv(&self) -> String {
        let mut out = String::with_capacity(self.0.len() + 3);
        out.push('"');
        if is_formula(&self.0) {
            out.push('\'');
        }
        for c in self.0.chars() {
            if c == '"' {
                out.push('"');
            }
            out.push(c);
        }
        out.push('"');
        out
    }

    /// The value of an extension of ArcSight's Common Event Format (CEF 0): as for a [terminal](Self::terminal), and then `\`
    /// and `=` behind a backslash.
    #[must_use]
    pub fn cef(&self) -> String {
        let mut out = String::with_capacity(self.0.len());
        for c in self.terminal().chars() {
            if let '\\' | '=' = c {
                out.push('\\');
            }
            out.push(c);
        }
        out
    }

    /// Text for Markdown and HTML, in an attribute's value too: as for a [terminal](Self::terminal), and then every
    /// character but letters, digits and single spaces as a numeric reference, which neither takes for markup.
    #[must_use]
    pub fn markup(&self) -> String {
        let mut out = String::with_capacity(self.0.len());
        let mut after_space = true;
        for c in self.terminal().chars() {
            // a space that begins a line or follows another would be dropped, or mean something
            let plain = c.is_ascii_alphanumeric() || (c == ' ' && !after_space) || !c.is_ascii();
            after_space = c == ' ';
            if plain {
                out.push(c);
            } else {
                out.push_str("&#");
                out.push_str(itoa::Buffer::new().format(u32::from(c)));
                out.push(';');
            }
        }
        if out.ends_with(' ') {
            out.pop();
            out.push_str("&#32;");
        }
        out
    }
}

impl fmt::Debug for Untrusted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Untrusted(\"{}\")", self.terminal())
    }
}

/// Text as a terminal may show it.
fn visible(out: &mut String, text: &str) {
    use fmt::Write as _;
    let mut first = true;
    for c in text.chars() {
        // writing to a string cannot fail
        let _ = match c {
            '\\' => out.write_str(r"\\"),
            '\n' => out.write_str(r"\n"),
            '\r' => out.write_str(r"\r"),
            '\t' => out.write_str(r"\t"),
            _ if is_hidden(c) || (first && extends(c)) => write!(out, "\\u{{{:x}}}", u32::from(c)),
            _ => out.write_char(c),
        };
        first = false;
    }
}

/// JSON text with what a terminal would not show escaped. Such characters stand in strings only, so it means the same.
pub(super) fn push_json(out: &mut String, json: &str) {
    use fmt::Write as _;
    for c in json.chars() {
        if is_hidden(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // writing to a string cannot fail
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(c);
        }
    }
}

/// Whether a character is not seen, or seen as another.
fn is_hidden(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_control();
    }
    let blank = matches!(
        c,
        // marks that are no more than their effect: grapheme joiner, variation selectors
        '\u{34f}' | '\u{180b}'..='\u{180f}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}'
        // letters and signs that are blank
        | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{2800}' | '\u{3164}' | '\u{ffa0}'
    );
    // the standard library knows what does not print: control, format, private and unassigned characters, and spaces
    blank || escapes(['a', c])
}

/// Whether a character attaches itself to what stands before it.
fn extends(c: char) -> bool {
    !c.is_ascii() && c.escape_debug().len() > 1
}

/// Whether the second of two characters is escaped when a string is printed.
fn escapes(pair: [char; 2]) -> bool {
    let mut bytes = [0; 8];
    let mut len = 0;
    for c in pair {
        if let Some(rest) = bytes.get_mut(len..) {
            len += c.encode_utf8(rest).len();
        }
    }
    let text = bytes.get(..len).and_then(|bytes| std::str::from_utf8(bytes).ok());
    text.is_some_and(|text| text.escape_debug().nth(1) == Some('\\'))
}

/// Whether a spreadsheet could take a field for a formula (OWASP, "CSV Injection"), or the apostrophe for our own.
fn is_formula(text: &str) -> bool {
    let signs = ['=', '+', '-', '@', '\'', '|', '%', '＝', '＋', '－', '＠'];
    text.starts_with(['\t', '\r', '\n'])
        || text
            .trim_start_matches(|c: char| c.is_whitespace() || c.is_control() || is_hidden(c))
            .starts_with(signs)
}
