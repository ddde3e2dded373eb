//! Cells of tables: text that came from outside goes no other way to a terminal.

use crate::audit::export::Untrusted;

/// The most characters of a cell.
const WIDTH: usize = 60;

/// Text from outside as a cell: on one line, and not wide.
pub(super) fn cell(text: Option<Untrusted<'_>>) -> String {
    text.map(|text| clipped(&text)).unwrap_or_default()
}

fn clipped(text: &Untrusted<'_>) -> String {
    // what is cut off before it is encoded cannot cut an escape in two
    let revealed = text.reveal();
    let short: String = revealed.chars().take(WIDTH).collect();
    let cut = short.len() < revealed.len();
    // in a table of Markdown a bar would begin another cell
    let mut out = Untrusted::new(short).terminal().replace('|', "\\u{7c}");
    if cut {
        out.push('…');
    }
    out
}

/// A word that is our own, or was checked by us, as a cell or within a sentence.
pub(super) fn plain(text: &str) -> String {
    clipped(&Untrusted::new(text))
}

/// The same within a sentence, in full.
pub(super) fn line(text: &str) -> String {
    Untrusted::new(text).terminal()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_ends_its_line_or_its_column_or_hides_what_it_holds() {
        let hostile = "a|b\n\u{1b}[2J\u{202e}c\u{200b}\t=1+1";
        assert_eq!(plain(hostile), r"a\u{7c}b\n\u{1b}[2J\u{202e}c\u{200b}\t=1+1");
        let long = "é".repeat(61);
        assert_eq!(plain(&long), format!("{}…", "é".repeat(60)));
        assert_eq!(plain(&"\n".repeat(60)), r"\n".repeat(60));
        assert_eq!(cell(None), "");
    }
}
