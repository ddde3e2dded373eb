//! Matching the words of programs with subcommands against patterns.
//!
//! A pattern is words, separated by blanks: `delete` stands for the next word that is no option, `rm|remove` for either,
//! `delete-*` for a beginning, `*` for any one word, `**` for any number; `-f|--force` asks for an option, `!--dry-run` for
//! its absence.

use smallvec::SmallVec;

use crate::screen::cmd::Cmd;
use crate::screen::glob;
use crate::screen::rule::Rule;
use crate::screen::text;

/// A pattern and the rule it leads to.
pub(super) type Row = (&'static str, &'static Rule);

/// The first rule whose pattern fits.
pub(super) fn matching(cmd: &Cmd<'_>, rows: &'static [Row], values: &[&str]) -> Option<&'static Rule> {
    if rows.is_empty() {
        return None;
    }
    let words = words(cmd, values);
    let first = words.first().copied().unwrap_or_default();
    rows.iter()
        .find(|(pattern, _)| may_begin(pattern, first) && fits(cmd, &words, pattern))
        .map(|(_, rule)| *rule)
}

/// The words that are no options, where `values` name the options before them that take a value.
pub(super) fn words<'c>(cmd: &Cmd<'c>, values: &[&str]) -> SmallVec<[&'c str; 8]> {
    let mut out = SmallVec::new();
    let mut at = 0;
    while let Some(field) = cmd.args.get(at) {
        at += 1;
        let text = field.text.as_str();
        if text.starts_with('-') && text.len() > 1 {
            at += usize::from(values.contains(&text));
        } else {
            out.push(text);
        }
    }
    out
}

/// Whether a pattern's first part may stand for a word: most rows are settled by it, byte by byte.
fn may_begin(pattern: &str, word: &str) -> bool {
    let (mut rest, word) = (pattern.as_bytes(), word.as_bytes());
    if matches!(rest, [b'-' | b'!' | b'*', ..]) {
        return true;
    }
    loop {
        let same = rest.iter().zip(word).take_while(|(own, byte)| own == byte).count();
        if same == word.len() && matches!(rest.get(same), None | Some(b'|' | b' ')) {
            return true;
        }
        // the next alternative, if there is one
        let ahead = rest.get(same..).unwrap_or_default();
        let Some(at) = ahead.iter().position(|byte| matches!(byte, b'|' | b' ' | b'*')) else {
            return false;
        };
        match ahead.get(at..) {
            Some([b'|', further @ ..]) => rest = further,
            other => return matches!(other, Some([b'*', ..])),
        }
    }
}

fn fits(cmd: &Cmd<'_>, words: &[&str], pattern: &str) -> bool {
    let mut words = words.iter();
    let mut any = false;
    for part in text::parts(pattern, b' ') {
        if let Some(absent) = part.strip_prefix('!') {
            if text::parts(absent, b'|').any(|option| given(cmd, option)) {
                return false;
            }
        } else if part.starts_with('-') {
            if !text::parts(part, b'|').any(|option| given(cmd, option)) {
                return false;
            }
        } else if part == "**" {
            any = true;
        } else {
            let one = |word: &str| {
                text::parts(part, b'|').any(|own| word == own || text::has_letter(own, '*') && glob::fits(own, word))
            };
            let found = if any {
                words.by_ref().any(|word| one(word))
            } else {
                words.next().is_some_and(|word| one(word))
            };
            if !found {
                return false;
            }
            any = false;
        }
    }
    true
}

fn given(cmd: &Cmd<'_>, option: &str) -> bool {
    if option.starts_with("--") {
        return cmd.options().any(|own| {
            own.strip_prefix(option)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('=') && rest != "=false" && rest != "=none")
        });
    }
    match option.strip_prefix('-') {
        Some(letter) if letter.len() == 1 => cmd
            .options()
            .any(|own| !own.starts_with("--") && own.contains(letter) && own.len() <= 8),
        _ => cmd
            .options()
            .any(|own| own == option || own.strip_prefix(option).is_some_and(|rest| rest.starts_with('='))),
    }
}
