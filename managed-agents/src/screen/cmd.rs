//! A command as programs see it: its name, options and operands.

use smallvec::SmallVec;

use super::finding::Span;
use super::programs::{self, Known};
use super::shell::data::{Data, Field};
use super::signs::Signs;
use super::text;

/// Some arguments of a command; most commands have few.
pub(in crate::screen) type Fields<'c> = SmallVec<[&'c Field<'c>; 8]>;

/// A command that would run.
#[derive(Clone, Copy, Debug)]
pub(in crate::screen) struct Cmd<'c> {
    /// The program's name: no directory, lower case.
    pub(in crate::screen) name: &'c str,
    /// What knows the program.
    pub(in crate::screen) known: Known,
    /// What stands behind the name.
    pub(in crate::screen) args: &'c [Field<'c>],
    /// The signs in the arguments.
    pub(in crate::screen) signs: Signs,
    /// An argument begins with a dash.
    dashed: bool,
    pub(in crate::screen) stdin: &'c Data,
    pub(in crate::screen) span: Span,
}

impl<'c> Cmd<'c> {
    /// A command with its arguments.
    pub(in crate::screen) fn new(name: &'c str, args: &'c [Field<'c>], stdin: &'c Data, span: Span) -> Self {
        let signs = args.iter().map(|field| field.text.signs());
        let signs = signs.fold(Signs::NONE, Signs::and);
        Self {
            name,
            known: programs::known(name),
            args,
            signs,
            dashed: signs.has(Signs::DASH) && args.iter().any(|field| field.text.starts_with('-')),
            stdin,
            span,
        }
    }

    /// Whether an argument may be an option: none begins with a dash else.
    pub(in crate::screen) fn has_options(&self) -> bool {
        self.dashed
    }

    pub(in crate::screen) fn arg(&self, index: usize) -> &'c str {
        self.args.get(index).map_or("", |field| field.text.as_str())
    }

    /// The options, up to `--`.
    pub(in crate::screen) fn options(&self) -> impl Iterator<Item = &'c str> + use<'c> {
        let args = if self.dashed { self.args } else { &[] };
        let texts = args.iter().map(|field| field.text.as_str());
        texts
            .take_while(|text| *text != "--")
            .filter(|text| text.starts_with('-') && text.len() > 1)
    }

    /// Whether a one-letter option is given, alone or among others.
    pub(in crate::screen) fn short(&self, letter: char) -> bool {
        self.options()
            .any(|option| !option.starts_with("--") && text::has_letter(option, letter))
    }

    /// Whether a long option is given, spelled out or shortened as getopt_long(3) allows.
    pub(in crate::screen) fn long(&self, name: &str) -> bool {
        self.options().any(|option| is_long(option, name))
    }

    pub(in crate::screen) fn flag(&self, letter: char, name: &str) -> bool {
        self.short(letter) || self.long(name)
    }

    /// Whether an argument is exactly this.
    pub(in crate::screen) fn has(&self, text: &str) -> bool {
        self.args.iter().any(|field| field.text == text)
    }

    /// Whether an argument is one of these.
    pub(in crate::screen) fn has_any(&self, texts: &[&str]) -> bool {
        self.args.iter().any(|field| texts.contains(&field.text.as_str()))
    }

    /// Whether an option begins with one of these.
    pub(in crate::screen) fn begins(&self, beginnings: &[&str]) -> bool {
        self.options()
            .any(|own| beginnings.iter().any(|beginning| own.starts_with(beginning)))
    }

    /// The program only says how it is used.
    pub(in crate::screen) fn only_helps(&self) -> bool {
        self.dashed && matches!(self.arg(0), "--help" | "--version" | "-help" | "-?")
            || (self.args.len() == 1 && matches!(self.arg(0), "-h" | "-V" | "help"))
    }

    /// What is no option, where the one-letter options of `short` and the long ones of `long` take a value.
    pub(in crate::screen) fn operands(&self, short: &str, long: &[&str]) -> Fields<'c> {
        if !self.dashed {
            return self.args.iter().collect();
        }
        let mut out = Fields::new();
        let mut at = 0;
        let mut options = true;
        while let Some(field) = self.args.get(at) {
            let text = field.text.as_str();
            at += 1;
            if !options || !text.starts_with('-') || text == "-" {
                out.push(field);
            } else if text == "--" {
                options = false;
            } else {
                at += takes_value(text, short, long);
            }
        }
        out
    }

    /// Whether no operand is a file: a dash alone stands for the standard input.
    pub(in crate::screen) fn reads_input(&self) -> bool {
        self.args.is_empty() || self.dashed && self.operands("", &[]).iter().all(|field| field.text == "-")
    }

    /// The value of an option that takes one: `-o x`, `-ox`, `--out x`, `--out=x`.
    pub(in crate::screen) fn values(&self, letter: char, name: &str) -> Fields<'c> {
        let mut out = Fields::new();
        if !self.dashed {
            return out;
        }
        for (at, field) in self.args.iter().enumerate() {
            let text = field.text.as_str();
            let long = text.strip_prefix("--");
            if let Some(long) = long {
                if !name.is_empty() && (long == name || long.split_once('=').is_some_and(|(own, _)| own == name)) {
                    out.push(if long == name {
                        self.args.get(at + 1).unwrap_or(field)
                    } else {
                        field
                    });
                }
            } else if let Some(cluster) = text.strip_prefix('-')
                && let Some(place) = cluster.find(letter)
            {
                let attached = cluster.len() > place + letter.len_utf8();
                out.push(if attached {
                    field
                } else {
                    self.args.get(at + 1).unwrap_or(field)
                });
            }
        }
        out
    }
}

/// How many of the next arguments belong to an option: one or none.
pub(in crate::screen) fn takes_value(option: &str, short: &str, long: &[&str]) -> usize {
    if let Some(name) = option.strip_prefix("--") {
        return usize::from(!name.contains('=') && long.contains(&name));
    }
    // in a cluster, the first option that takes a value takes the rest of it, or else the next argument
    let mut letters = option.chars().skip(1);
    for letter in letters.by_ref() {
        if short.contains(letter) {
            return usize::from(letters.next().is_none());
        }
    }
    // find(1), java(1) and others: long names behind one dash
    usize::from(
        option
            .strip_prefix('-')
            .is_some_and(|name| name.len() > 1 && long.contains(&name)),
    )
}

fn is_long(option: &str, name: &str) -> bool {
    let Some(given) = option.strip_prefix("--") else {
        return false;
    };
    let given = given.split_once('=').map_or(given, |(given, _)| given);
    given == name || (given.len() >= 4 && name.starts_with(given))
}
