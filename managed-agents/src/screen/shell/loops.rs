//! Loops over words, and loops that never wait.

use super::ast::{Command, Kind, List, Source, Word};
use super::data::{Data, Field, UNKNOWN};
use super::literal::Literal;
use super::nodes::Nodes;
use super::possible::{Choice, Var};
use super::text::Text;
use super::walk::Walk;
use crate::screen::finding::Span;
use crate::screen::signs::Signs;

impl Walk<'_> {
    #[inline(never)]
    pub(super) fn for_loop(&mut self, name: Literal, words: Nodes<Word>, body: List, stdin: &Data) -> Data {
        let mut values = self.spare.pop().unwrap_or_default();
        let name = self.source.literal(name);
        let words = words.of(&self.source.kept.words);
        for word in words {
            self.fields(word, &mut values);
        }
        // each value that a variable among them may have is a value, too
        while self.choice.advance() {
            for word in words {
                self.fields(word, &mut values);
            }
        }
        self.choice = Choice::default();
        // it may not be gone through at all
        let unsure = values
            .iter()
            .all(|value| value.text.signs().has(Signs::WIDE) && value.text.contains(UNKNOWN) || value.text.is_empty());
        if values.is_empty() {
            values.push(Field::new(UNKNOWN, Span::default()));
        }
        let mut all = Data::known("");
        self.limited |= values.len() > 64;
        let in_loop = std::mem::replace(&mut self.in_loop, true);
        // a range gives no more than a few of its numbers
        let number = |value: &Field<'_>| {
            let last = value.text.rsplit('.').next().unwrap_or_default();
            last.parse::<u32>().is_ok()
        };
        let numbers = values.len() > 7 && values.iter().take(64).all(number);
        let sweeps = self.sweeps;
        self.sweeps |= numbers;
        let fork = unsure.then(|| self.fork());
        for value in values.iter().take(64) {
            self.vars
                .push(Var::new(Text::from(name), value.text.clone(), value.taint));
            all = self.list(body, stdin);
        }
        if let Some(fork) = fork {
            self.join(fork);
        }
        self.in_loop = in_loop;
        self.sweeps = sweeps;
        values.clear();
        self.spare.push(values);
        all
    }
}

/// A loop without end in which nothing is done: beside other commands it is there for what it takes.
pub(super) fn only_turns(list: List, source: &Source) -> bool {
    let nothing = |command: &Command| match &command.kind {
        Kind::Simple { words, .. } => matches!(source.first_bare(*words), Some(":" | "true")),
        _ => false,
    };
    let mut commands = source
        .kept
        .list(list)
        .iter()
        .flat_map(|pipeline| pipeline.commands.of(&source.kept.commands));
    commands.all(nothing)
}

/// A loop whose condition is always true, that starts something beside itself and never waits.
pub(super) fn forks_for_ever(list: List, source: &Source) -> bool {
    let first_word = |command: &Command| match &command.kind {
        Kind::Simple { words, .. } => source.first_bare(*words),
        _ => None,
    };
    let Some((condition, body)) = source.kept.list(list).split_first() else {
        return false;
    };
    let always = condition
        .commands
        .of(&source.kept.commands)
        .first()
        .and_then(first_word)
        .is_some_and(|word| word == "true" || word == ":");
    // nothing that could end it is asked about, and each turn leaves something behind
    let makes = |word: &str| matches!(word, "mkdir" | "touch" | "mktemp" | "fallocate");
    let first = body
        .first()
        .and_then(|pipeline| pipeline.commands.of(&source.kept.commands).first());
    always
        && (body.iter().any(|pipeline| pipeline.background) || first.and_then(first_word).is_some_and(makes))
        && !body
            .iter()
            .flat_map(|pipeline| pipeline.commands.of(&source.kept.commands))
            .any(|command| {
                first_word(command).is_some_and(|word| {
                    matches!(
                        word,
                        "sleep" | "wait" | "read" | "break" | "exit" | "return" | "inotifywait" | "usleep"
                    )
                })
            })
}
