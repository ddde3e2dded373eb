//! Word expansion, as far as it is static (POSIX 1003.1 §2.6; bash(1), EXPANSION).

use std::rc::Rc;

use super::ast::{ParamOp, Part, Word};
use super::data::{Data, Field, Taint, UNKNOWN};
use super::patterns::{braces, cut_back, cut_front, replace, substring};
use super::walk::{VALUE, Walk};

/// How many words one word may become.
const WORDS: usize = 256;
/// Stands for a part that braces do not look into.
const HELD: u32 = 0xF_0000;

impl Walk<'_> {
    /// What a word becomes, added to `out`.
    pub(super) fn fields(&mut self, word: &Word, out: &mut Vec<Field>) {
        if word.plain {
            let text = word.bare(&self.source).unwrap_or_default();
            out.push(Field::new(text, self.span(word.span)));
            return;
        }
        let has_brace = word
            .parts
            .iter()
            .any(|part| matches!(part, Part::Text { text, quoted: false } if text.contains('{')));
        if !has_brace {
            let parts: Vec<&Part> = word.parts.iter().collect();
            self.parts(&parts, word, out);
            return;
        }
        let mut flat = String::new();
        for (index, part) in word.parts.iter().enumerate() {
            match part {
                Part::Text { text, quoted: false } => flat.push_str(text),
                _ => flat.extend(u32::try_from(index).ok().and_then(|index| char::from_u32(HELD + index))),
            }
        }
        let mut spelled = Vec::new();
        self.limited |= !braces(&flat, &mut spelled, WORDS, 16);
        for text in spelled {
            let mut owned: Vec<Part> = Vec::new();
            let mut order: Vec<Result<usize, usize>> = Vec::new();
            let mut literal = String::new();
            for c in text.chars() {
                let held = (u32::from(c) >= HELD).then(|| (u32::from(c) - HELD) as usize);
                match held.filter(|index| *index < word.parts.len()) {
                    Some(index) => {
                        if !literal.is_empty() {
                            order.push(Err(owned.len()));
                            owned.push(Part::Text {
                                text: std::mem::take(&mut literal),
                                quoted: false,
                            });
                        }
                        order.push(Ok(index));
                    }
                    None => literal.push(c),
                }
            }
            if !literal.is_empty() {
                order.push(Err(owned.len()));
                owned.push(Part::Text {
                    text: literal,
                    quoted: false,
                });
            }
            let parts: Vec<&Part> = order
                .iter()
                .filter_map(|place| match place {
                    Ok(index) => word.parts.get(*index),
                    Err(index) => owned.get(*index),
                })
                .collect();
            self.parts(&parts, word, out);
        }
    }

    /// A word as one text: no splitting, no braces (assignments, redirections, `case` subjects).
    pub(super) fn joined(&mut self, word: &Word) -> Field {
        if let Some(text) = word.bare(&self.source) {
            return Field::new(text, self.span(word.span));
        }
        let parts: Vec<&Part> = word.parts.iter().collect();
        let mut out = Vec::new();
        self.parts(&parts, word, &mut out);
        let mut fields = out.into_iter();
        let mut all = fields.next().unwrap_or_default();
        for field in fields {
            all.text.push(' ');
            all.text.push_str(&field.text);
            all.taint = all.taint.and(field.taint);
        }
        all
    }

    fn parts(&mut self, parts: &[&Part], word: &Word, out: &mut Vec<Field>) {
        let span = self.span(word.span);
        let mut current = Field::new("", span);
        let mut started = false;
        for part in parts {
            match part {
                Part::Text { text, quoted } => {
                    current.text.push_str(text);
                    current.quoted |= *quoted;
                    started = true;
                }
                Part::Param { name, op, quoted } => {
                    let (value, taint) = self.param(name, op.as_deref());
                    current.quoted |= *quoted;
                    current.taint = current.taint.and(taint);
                    if *quoted && name != "@" {
                        started = true;
                        current.text.push_str(&value);
                    } else {
                        self.split(&value, &mut current, &mut started, out);
                    }
                }
                Part::Command { list, quoted } => {
                    let data = self.substituted(list);
                    let taint = data.taint;
                    let text = match data.text {
                        Some(text) => text.trim_end_matches(['\n', '\r']).to_owned(),
                        None if data.listing.is_empty() => UNKNOWN.to_string(),
                        None => data.listing.join(" "),
                    };
                    current.quoted |= *quoted;
                    current.taint = current.taint.and(taint);
                    if *quoted {
                        started = true;
                        current.text.push_str(&text);
                    } else {
                        self.split(&text, &mut current, &mut started, out);
                    }
                    for field in out.iter_mut().rev().take(1) {
                        field.taint = field.taint.and(taint);
                    }
                }
                Part::Process { list } => {
                    let data = self.substituted(list);
                    started = true;
                    current.taint = current.taint.and(data.taint);
                    let name = format!("/dev/fd/{}", 63 + self.files.len());
                    current.text.push_str(&name);
                    self.files.push((name, data));
                }
                Part::Arith(lists) => {
                    for list in lists {
                        self.substituted(list);
                    }
                    started = true;
                    current.text.push('1');
                }
            }
            if current.text.len() > VALUE {
                self.limited = true;
                let mut keep = VALUE;
                while !current.text.is_char_boundary(keep) {
                    keep -= 1;
                }
                current.text.truncate(keep);
            }
        }
        if started || !current.text.is_empty() {
            out.push(current);
        }
    }

    /// What a command prints that stands in a word.
    fn substituted(&mut self, list: &super::ast::List) -> Data {
        let outer = std::mem::replace(&mut self.substituting, true);
        let data = self.inner_list(list, &Data::none());
        self.substituting = outer;
        data
    }

    /// Splits an unquoted value at white space.
    fn split(&mut self, value: &str, current: &mut Field, started: &mut bool, out: &mut Vec<Field>) {
        let is_space = |c: char| matches!(c, ' ' | '\t' | '\n');
        if !value.contains(is_space) {
            current.text.push_str(value);
            *started |= !value.is_empty();
            return;
        }
        for (index, piece) in value.split(is_space).enumerate() {
            if index > 0 && (*started || !current.text.is_empty()) {
                if out.len() >= WORDS * 16 {
                    self.limited = true;
                    return;
                }
                let next = Field {
                    taint: current.taint,
                    ..Field::new("", current.span)
                };
                out.push(std::mem::replace(current, next));
                *started = false;
            }
            current.text.push_str(piece);
            *started |= !piece.is_empty();
        }
    }

    fn param(&mut self, name: &str, op: Option<&ParamOp>) -> (Rc<str>, Taint) {
        let unknown = || (Rc::from("\u{E000}"), Taint::NONE);
        if let Some(length) = name.strip_prefix('#')
            && !length.is_empty()
        {
            return (Rc::from("1"), Taint::NONE);
        }
        if let Some(through) = name.strip_prefix('!')
            && !through.is_empty()
        {
            return match self.variable(through) {
                Some((inner, _)) => self.variable(&inner).unwrap_or_else(unknown),
                None => unknown(),
            };
        }
        let value = self.variable(name);
        let Some(op) = op else {
            return value.unwrap_or_else(unknown);
        };
        let (text, taint) = self.changed_value(op, value);
        (Rc::from(text), taint)
    }

    /// `${name` with an operator behind it.
    fn changed_value(&mut self, op: &ParamOp, value: Option<(Rc<str>, Taint)>) -> (String, Taint) {
        let unknown = || (UNKNOWN.to_string(), Taint::NONE);
        let whole =
            |value: Option<(Rc<str>, Taint)>| value.map_or_else(unknown, |(text, taint)| (text.to_string(), taint));
        let word = self.joined(&op.word);
        match op.op.as_str() {
            // what is not set in the line may be set outside: the word is what can be judged
            ":-" | "-" | ":=" | "=" => match value {
                Some((text, taint)) if !text.is_empty() => (text.to_string(), taint),
                _ => (word.text, word.taint),
            },
            ":+" | "+" => (word.text, word.taint),
            ":?" | "?" => whole(value),
            "/" | "//" => {
                let second = op.second.as_ref().map(|second| self.joined(second)).unwrap_or_default();
                match value {
                    Some((text, taint)) => (replace(&text, &word.text, &second.text, op.op == "//"), taint),
                    None if word.text == "*" => (second.text, second.taint),
                    None => unknown(),
                }
            }
            "#" | "##" => match value {
                Some((text, taint)) => (cut_front(&text, &word.text, op.op == "##"), taint),
                None => unknown(),
            },
            "%" | "%%" => match value {
                Some((text, taint)) => (cut_back(&text, &word.text, op.op == "%%"), taint),
                None => unknown(),
            },
            "^" | "^^" => match value {
                Some((text, taint)) => (text.to_uppercase(), taint),
                None => unknown(),
            },
            "," | ",," => match value {
                Some((text, taint)) => (text.to_lowercase(), taint),
                None => unknown(),
            },
            ":" => match value {
                Some((text, taint)) => (substring(&text, &word.text), taint),
                None => unknown(),
            },
            _ => whole(value),
        }
    }
}
