//! Word expansion, as far as it is static (POSIX 1003.1 §2.6; bash(1), EXPANSION).

use super::ast::{ParamOp, Part, Word};
use super::data::{Data, Field, Taint};
use super::patterns::{braces, cut_back, cut_front, replace, substring};
use super::text::Text;
use super::walk::{VALUE, Walk};

/// How many words one word may become.
const WORDS: usize = 256;
/// Stands for a part that braces do not look into.
const HELD: u32 = 0xF_0000;

impl Walk<'_> {
    /// What a word becomes, added to `out`.
    #[inline]
    pub(super) fn fields(&mut self, word: &Word, out: &mut Vec<Field>) {
        if word.plain {
            // made where it stays: a field that is moved right after it was made has to be waited for
            out.extend(std::iter::once_with(|| self.plain(word)));
        } else {
            self.fields_of_parts(word, out);
        }
    }

    fn fields_of_parts(&mut self, word: &Word, out: &mut Vec<Field>) {
        let has_brace = word
            .parts
            .iter()
            .any(|part| matches!(part, Part::Text { text, quoted: false } if text.contains('{')));
        if !has_brace {
            self.parts(word.parts.iter(), word, out);
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
                                text: std::mem::take(&mut literal).into(),
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
                    text: literal.into(),
                    quoted: false,
                });
            }
            let parts = order.iter().filter_map(|place| match place {
                Ok(index) => word.parts.get(*index),
                Err(index) => owned.get(*index),
            });
            self.parts(parts, word, out);
        }
    }

    /// A word as one text: no splitting, no braces (assignments, redirections, `case` subjects).
    pub(super) fn joined(&mut self, word: &Word) -> Field {
        if word.plain {
            return self.plain(word);
        }
        // one text, as most are that are not plain
        if let [Part::Text { text, quoted }] = word.parts.as_slice()
            && text.len() <= VALUE
        {
            return Field {
                quoted: *quoted,
                ..Field::new(text.clone(), self.span(word.span))
            };
        }
        let mut out = self.spare.pop().unwrap_or_default();
        self.parts(word.parts.iter(), word, &mut out);
        let mut fields = out.drain(..);
        let mut all = fields.next().unwrap_or_default();
        for field in fields {
            all.text.push(' ');
            all.text.push_str(&field.text);
            all.taint = all.taint.and(field.taint);
        }
        self.spare.push(out);
        all
    }

    /// A word that is what stands in the source.
    #[inline]
    fn plain(&self, word: &Word) -> Field {
        let text = Text::slice(&self.source.text, word.span.start, word.span.end);
        Field::new(text, self.span(word.span))
    }

    fn parts<'p>(&mut self, parts: impl Iterator<Item = &'p Part>, word: &Word, out: &mut Vec<Field>) {
        let span = self.span(word.span);
        let mut current = Field::new("", span);
        let mut started = false;
        for part in parts {
            match part {
                Part::Text { text, quoted } => {
                    current.text.append(text);
                    current.quoted |= *quoted;
                    started = true;
                }
                Part::Param { name, op, quoted } => {
                    let (value, taint) = self.param(name, op.as_deref());
                    current.quoted |= *quoted;
                    current.taint = current.taint.and(taint);
                    if *quoted && name != "@" {
                        started = true;
                        current.text.append(&value);
                    } else {
                        self.split(&value, &mut current, &mut started, out);
                    }
                }
                Part::Command { list, quoted } => {
                    let data = self.substituted(*list);
                    let taint = data.taint;
                    let text = match data.text {
                        Some(mut text) => {
                            text.truncate(text.trim_end_matches(['\n', '\r']).len());
                            Text::from(text)
                        }
                        None if data.listing.is_empty() => Text::Fixed("\u{E000}"),
                        None => Text::from(data.listing.join(" ")),
                    };
                    current.quoted |= *quoted;
                    current.taint = current.taint.and(taint);
                    if *quoted {
                        started = true;
                        current.text.append(&text);
                    } else {
                        self.split(&text, &mut current, &mut started, out);
                    }
                    for field in out.iter_mut().rev().take(1) {
                        field.taint = field.taint.and(taint);
                    }
                }
                Part::Process { list } => {
                    let data = self.substituted(*list);
                    started = true;
                    current.taint = current.taint.and(data.taint);
                    let name = format!("/dev/fd/{}", 63 + self.files.len());
                    current.text.push_str(&name);
                    self.files.push((name, data));
                }
                Part::Arith(lists) => {
                    for list in lists {
                        self.substituted(*list);
                    }
                    started = true;
                    current.text.push('1');
                }
            }
            if current.text.len() > VALUE {
                self.limited = true;
                current.text.truncate(VALUE);
            }
        }
        if started || !current.text.is_empty() {
            out.push(current);
        }
    }

    /// What a command prints that stands in a word.
    fn substituted(&mut self, list: super::ast::List) -> Data {
        let outer = std::mem::replace(&mut self.substituting, true);
        let data = self.inner_list(list, &Data::none());
        self.substituting = outer;
        data
    }

    /// Splits an unquoted value at white space.
    fn split(&mut self, value: &Text, current: &mut Field, started: &mut bool, out: &mut Vec<Field>) {
        let is_space = |c: char| matches!(c, ' ' | '\t' | '\n');
        if !value.contains(is_space) {
            current.text.append(value);
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

    fn param(&mut self, name: &str, op: Option<&ParamOp>) -> (Text, Taint) {
        let unknown = || (Text::Fixed("\u{E000}"), Taint::NONE);
        if let Some(length) = name.strip_prefix('#')
            && !length.is_empty()
        {
            return (Text::Fixed("1"), Taint::NONE);
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
        self.changed_value(op, value)
    }

    /// `${name` with an operator behind it.
    fn changed_value(&mut self, op: &ParamOp, value: Option<(Text, Taint)>) -> (Text, Taint) {
        let unknown = || (Text::Fixed("\u{E000}"), Taint::NONE);
        let word = self.joined(&op.word);
        match &*op.op {
            // what is not set in the line may be set outside: the word is what can be judged
            ":-" | "-" | ":=" | "=" => match value {
                Some((text, taint)) if !text.is_empty() => (text, taint),
                _ => (word.text, word.taint),
            },
            ":+" | "+" => (word.text, word.taint),
            ":?" | "?" => value.unwrap_or_else(unknown),
            "/" | "//" => {
                let second = op.second.as_ref().map(|second| self.joined(second)).unwrap_or_default();
                match value {
                    Some((text, taint)) => (replace(&text, &word.text, &second.text, op.op == "//").into(), taint),
                    None if word.text == "*" => (second.text, second.taint),
                    None => unknown(),
                }
            }
            "#" | "##" => match value {
                Some((text, taint)) => (cut_front(&text, &word.text, op.op == "##").into(), taint),
                None => unknown(),
            },
            "%" | "%%" => match value {
                Some((text, taint)) => (cut_back(&text, &word.text, op.op == "%%").into(), taint),
                None => unknown(),
            },
            "^" | "^^" => match value {
                Some((text, taint)) => (text.to_uppercase().into(), taint),
                None => unknown(),
            },
            "," | ",," => match value {
                Some((text, taint)) => (text.to_lowercase().into(), taint),
                None => unknown(),
            },
            ":" => match value {
                Some((text, taint)) => (substring(&text, &word.text).into(), taint),
                None => unknown(),
            },
            _ => value.unwrap_or_else(unknown),
        }
    }
}
