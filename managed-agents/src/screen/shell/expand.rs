//! Word expansion, as far as it is static (POSIX 1003.1 §2.6; bash(1), EXPANSION).

use super::ast::{ParamOp, Part, Word};
use super::data::{Data, Field, Taint};
use super::literal::Literal;
use super::patterns::{braces, cut_back, cut_front, replace, substring};
use super::text::Text;
use super::walk::{VALUE, Walk};
use crate::screen::finding::Span;

/// How many words one word may become.
const WORDS: usize = 256;
/// Stands for a part that braces do not look into.
const HELD: u32 = 0xF_0000;

/// A field that is being made of the parts of a word.
struct Making<'s> {
    field: Field<'s>,
    /// It is one, even if it is empty.
    started: bool,
}

impl<'s> Making<'s> {
    fn new(span: Span) -> Self {
        Self {
            field: Field::new("", span),
            started: false,
        }
    }

    fn add(&mut self, text: &Text<'s>, quoted: bool) {
        self.field.text.append(text);
        self.field.quoted |= quoted;
        self.started = true;
    }

    fn end(self, out: &mut Vec<Field<'s>>) {
        if self.started || !self.field.text.is_empty() {
            out.push(self.field);
        }
    }
}

impl<'s> Walk<'s> {
    /// What a word becomes, added to `out`.
    #[inline]
    pub(super) fn fields(&mut self, word: &'s Word, out: &mut Vec<Field<'s>>) {
        if word.plain {
            out.push(self.plain(word));
        } else {
            self.fields_of_parts(word, out);
        }
    }

    fn fields_of_parts(&mut self, word: &'s Word, out: &mut Vec<Field<'s>>) {
        let source = self.source;
        let parts = word.parts.of(&source.kept.parts);
        let has_brace = parts
            .iter()
            .any(|part| matches!(part, Part::Text { text, quoted: false } if source.literal(*text).contains('{')));
        if !has_brace {
            self.parts(parts, word, out);
            return;
        }
        let mut flat = String::new();
        for (index, part) in parts.iter().enumerate() {
            match part {
                Part::Text { text, quoted: false } => flat.push_str(source.literal(*text)),
                _ => flat.extend(u32::try_from(index).ok().and_then(|index| char::from_u32(HELD + index))),
            }
        }
        let mut spelled = Vec::new();
        self.limited |= !braces(&flat, &mut spelled, WORDS, 16);
        for text in spelled {
            let mut making = Making::new(self.span(word.span));
            let mut literal = String::new();
            for c in text.chars() {
                let held = u32::from(c).checked_sub(HELD);
                match held.and_then(|index| parts.get(index as usize)) {
                    Some(part) => {
                        self.spelled(std::mem::take(&mut literal), &mut making);
                        self.part(part, &mut making, out);
                    }
                    None => literal.push(c),
                }
            }
            self.spelled(literal, &mut making);
            making.end(out);
        }
    }

    /// A word as one text: no splitting, no braces (assignments, redirections, `case` subjects).
    pub(super) fn joined(&mut self, word: &'s Word) -> Field<'s> {
        if word.plain {
            return self.plain(word);
        }
        // one text, as most are that are not plain
        let parts = word.parts.of(&self.source.kept.parts);
        if let [Part::Text { text, quoted }] = parts
            && let text = self.literal(*text)
            && text.len() <= VALUE
        {
            return Field {
                quoted: *quoted,
                ..Field::new(text, self.span(word.span))
            };
        }
        let mut out = self.spare.pop().unwrap_or_default();
        self.parts(parts, word, &mut out);
        let mut fields = out.drain(..);
        let mut all = fields.next().unwrap_or_default();
        for field in fields {
            all.text.push(' ');
            all.text.append(&field.text);
            all.taint = all.taint.and(field.taint);
        }
        self.spare.push(out);
        all
    }

    /// A text of the source.
    #[inline]
    fn literal(&self, literal: Literal) -> Text<'s> {
        Text::slice(self.source.literal(literal), literal.signs)
    }

    /// A word that is what stands in the source.
    #[inline]
    fn plain(&self, word: &Word) -> Field<'s> {
        let text = self.source.text.get(word.span.start..word.span.end);
        Field {
            text: Text::slice(text.unwrap_or_default(), word.signs),
            taint: Taint::NONE,
            span: self.span(word.span),
            quoted: false,
        }
    }

    fn parts(&mut self, parts: &'s [Part], word: &Word, out: &mut Vec<Field<'s>>) {
        let mut making = Making::new(self.span(word.span));
        for part in parts {
            self.part(part, &mut making, out);
        }
        making.end(out);
    }

    /// Adds what a part becomes to the field that is being made, and to `out` those that it ends.
    fn part(&mut self, part: &'s Part, making: &mut Making<'s>, out: &mut Vec<Field<'s>>) {
        match part {
            Part::Text { text, quoted } => {
                making.add(&self.literal(*text), *quoted);
            }
            Part::Param { name, op, quoted } => {
                let name = self.source.literal(*name);
                let op = op.of(&self.source.kept.ops).first();
                let (value, taint) = self.param(name, op);
                making.field.taint = making.field.taint.and(taint);
                if *quoted && name != "@" {
                    making.add(&value, true);
                } else {
                    making.field.quoted |= *quoted;
                    self.split(&value, making, out);
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
                    None if data.listing.is_empty() => Text::from("\u{E000}"),
                    None => Text::from(data.listing.join(" ")),
                };
                making.field.taint = making.field.taint.and(taint);
                if *quoted {
                    making.add(&text, true);
                } else {
                    self.split(&text, making, out);
                }
                for field in out.iter_mut().rev().take(1) {
                    field.taint = field.taint.and(taint);
                }
            }
            Part::Process { list } => {
                let data = self.substituted(*list);
                making.started = true;
                making.field.taint = making.field.taint.and(data.taint);
                let name = format!("/dev/fd/{}", 63 + self.files.len());
                making.field.text.push_str(&name);
                self.files.push((name, data));
            }
            Part::Arith(lists) => {
                for list in lists.of(&self.source.kept.lists) {
                    self.substituted(*list);
                }
                making.started = true;
                making.field.text.push('1');
            }
        }
        self.keep_short(making);
    }

    /// Adds what braces spell.
    fn spelled(&mut self, text: String, making: &mut Making<'s>) {
        if !text.is_empty() {
            making.add(&Text::from(text), false);
            self.keep_short(making);
        }
    }

    #[inline]
    fn keep_short(&mut self, making: &mut Making<'_>) {
        if making.field.text.len() > VALUE {
            self.limited = true;
            making.field.text.truncate(VALUE);
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
    fn split(&mut self, value: &Text<'s>, making: &mut Making<'s>, out: &mut Vec<Field<'s>>) {
        let Making {
            field: current,
            started,
        } = making;
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

    fn param(&mut self, name: &str, op: Option<&'s ParamOp>) -> (Text<'s>, Taint) {
        let unknown = || (Text::from("\u{E000}"), Taint::NONE);
        if let Some(length) = name.strip_prefix('#')
            && !length.is_empty()
        {
            return (Text::from("1"), Taint::NONE);
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
    fn changed_value(&mut self, op: &'s ParamOp, value: Option<(Text<'s>, Taint)>) -> (Text<'s>, Taint) {
        let unknown = || (Text::from("\u{E000}"), Taint::NONE);
        let word = self.joined(&op.word);
        let sign = self.source.literal(op.op);
        match sign {
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
                    Some((text, taint)) => (replace(&text, &word.text, &second.text, sign == "//").into(), taint),
                    None if word.text == "*" => (second.text, second.taint),
                    None => unknown(),
                }
            }
            "#" | "##" => match value {
                Some((text, taint)) => (cut_front(&text, &word.text, sign == "##").into(), taint),
                None => unknown(),
            },
            "%" | "%%" => match value {
                Some((text, taint)) => (cut_back(&text, &word.text, sign == "%%").into(), taint),
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
