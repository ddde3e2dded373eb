//! Where a command's input comes from and its output goes (POSIX 1003.1 §2.7; bash(1), REDIRECTION).

use super::ast::{Part, Redirect, Redirection, Source};
use super::data::{Data, Field, Taint, UNKNOWN};
use super::walk::Walk;
use crate::screen::effect;
use crate::screen::place::Place;
use crate::screen::rule;

impl<'s> Walk<'s> {
    pub(super) fn redirected_in(&mut self, redirect: &'s Redirect) -> Option<Data> {
        match redirect.kind {
            Redirection::HereDoc => {
                let field = match redirect.body.of(&self.source.kept.documents) {
                    [word, ..] => self.joined_document(word),
                    [] => Field::default(),
                };
                Some(Data::known(field.text.into_string()).tainted(field.taint))
            }
            Redirection::HereString => {
                let field = self.joined(&redirect.target);
                Some(Data::known(field.text.into_string() + "\n").tainted(field.taint))
            }
            Redirection::In | Redirection::ReadWrite => {
                let field = self.joined(&redirect.target);
                self.on_network |= is_socket(&field.text);
                // one port or machine after the other
                if is_socket(&field.text) && self.in_loop && (self.sweeps || field.text.ends_with(UNKNOWN)) {
                    self.report(&rule::LATERAL, self.span(redirect.span));
                }
                let data = effect::read_file(self, &field.text, self.span(redirect.span));
                (redirect.fd.is_none_or(|fd| fd == 0)).then_some(data)
            }
            Redirection::Out | Redirection::Append | Redirection::Both | Redirection::DupOut => {
                // evaluated again when the output is known; here only what the command itself must know
                let source = self.source;
                let is_socket = source.bare(&redirect.target).is_some_and(is_socket)
                    || redirect
                        .target
                        .parts
                        .of(&source.kept.parts)
                        .iter()
                        .any(|part| matches!(part, Part::Text { text, .. } if is_socket(source.literal(*text))));
                self.on_network |= is_socket;
                None
            }
            Redirection::DupIn => {
                let field = self.joined(&redirect.target);
                // another descriptor than the standard ones was opened for a purpose that is not known here
                let own = matches!(field.text.trim_end_matches('-'), "" | "0" | "1" | "2");
                (!own).then(|| Data::unknown(Taint::NONE))
            }
        }
    }

    pub(super) fn redirected_out(&mut self, redirect: &'s Redirect, data: &mut Data) {
        let append = match redirect.kind {
            Redirection::Out | Redirection::Both => false,
            Redirection::Append => true,
            Redirection::DupOut => {
                let text = self.source.bare(&redirect.target).unwrap_or_default();
                if text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') && !text.is_empty() {
                    return;
                }
                false
            }
            _ => return,
        };
        let field = self.joined(&redirect.target);
        let span = self.span(redirect.span);
        if redirect.fd.is_some_and(|fd| fd > 1) {
            effect::write_file(self, &field.text, effect::Write::Stderr, &Data::known("x"), span);
            return;
        }
        if data.taint.has(Taint::ENDLESS) && self.places.place(&field.text, &self.cwd) != Place::Sink {
            self.report(&rule::EXHAUST, span);
        }
        // a program made longer, so that it looks like no other
        if append && data.taint.has(Taint::PADDING) {
            self.report(&rule::DISGUISE, span);
        }
        let how = if append {
            effect::Write::Append
        } else {
            effect::Write::Truncate
        };
        effect::write_file(self, &field.text, how, data, span);
        *data = Data::known("");
    }

    /// A here-document is one text: nothing in it is split.
    pub(super) fn joined_document(&mut self, word: &'s super::ast::Word) -> Field<'s> {
        self.joined(word)
    }
}

/// `0<&1`, `1>&0` and the like.
pub(super) fn takes_terminal(redirect: &Redirect, source: &Source) -> bool {
    let target = || source.bare(&redirect.target).unwrap_or_default();
    match redirect.kind {
        Redirection::DupOut => target() == "0",
        Redirection::DupIn => matches!(target(), "1" | "2") && redirect.fd.is_none_or(|fd| fd == 0),
        _ => false,
    }
}

fn is_socket(path: &str) -> bool {
    path.starts_with("/dev/tcp/") || path.starts_with("/dev/udp/")
}
