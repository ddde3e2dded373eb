//! The simple commands that brush-parser finds in a text.

use brush_parser::ast::{
    AssignmentValue, Command, CommandPrefixOrSuffixItem, CompoundCommand, CompoundList, IoFileRedirectTarget,
    IoRedirect, Pipeline, SimpleCommand, Word,
};
use brush_parser::word::{self, WordPiece, WordPieceWithSource};
use brush_parser::{Parser, ParserOptions};

/// What the screen shows of a word, in characters, and of a command, in words.
const WORD: usize = 200;
const WORDS: usize = 64;

/// A simple command as it is written: the literal text of each word, where it is literal.
#[derive(Debug)]
pub struct Written {
    words: Vec<Option<String>>,
    /// The functions in whose bodies it stands.
    pub functions: Vec<String>,
}

impl Written {
    pub fn name(&self) -> Option<&str> {
        self.words.first()?.as_deref()
    }

    /// Whether it is `alias name=..`.
    pub fn defines(&self, name: &str) -> bool {
        let mut words = self.words.iter().flatten();
        words.any(|word| word.strip_prefix(name).is_some_and(|rest| rest.starts_with('=')))
    }

    /// Whether a command that would run is this one.
    pub fn fits(&self, ours: &[String]) -> bool {
        if self.words.iter().all(Option::is_some) {
            let own: Vec<&str> = self.words.iter().flatten().map(String::as_str).collect();
            return own == ours;
        }
        let mut ours = ours.iter();
        if let Some(Some(name)) = self.words.first()
            && ours.next() != Some(name)
        {
            return false;
        }
        let literal = self.words.iter().skip(1).flatten();
        literal.into_iter().all(|word| ours.any(|own| own == word))
    }
}

/// None where brush-parser cannot parse it.
pub fn in_text(text: &str) -> Option<Vec<Written>> {
    let mut finder = Finder::default();
    finder.text(text, 0).then_some(finder.found)
}

#[derive(Default)]
struct Finder {
    found: Vec<Written>,
    functions: Vec<String>,
}

impl Finder {
    fn text(&mut self, text: &str, depth: u32) -> bool {
        if depth > 8 {
            return true;
        }
        let Ok(program) = Parser::new(text.as_bytes(), &ParserOptions::default()).parse_program() else {
            return false;
        };
        for list in &program.complete_commands {
            self.list(list, depth);
        }
        true
    }

    fn list(&mut self, list: &CompoundList, depth: u32) {
        for item in &list.0 {
            for (_, pipeline) in &item.0 {
                self.pipeline(pipeline, depth);
            }
        }
    }

    fn pipeline(&mut self, pipeline: &Pipeline, depth: u32) {
        for command in &pipeline.seq {
            self.command(command, depth);
        }
    }

    fn command(&mut self, command: &Command, depth: u32) {
        match command {
            Command::Simple(simple) => self.simple(simple, depth),
            Command::Compound(compound, redirects) => {
                self.compound(compound, depth);
                self.redirects(redirects.iter().flat_map(|list| &list.0), depth);
            }
            Command::Function(function) => {
                self.functions.push(function.fname.value.clone());
                self.compound(&function.body.0, depth);
                self.functions.pop();
            }
            Command::ExtendedTest(_, redirects) => self.redirects(redirects.iter().flat_map(|list| &list.0), depth),
        }
    }

    fn compound(&mut self, compound: &CompoundCommand, depth: u32) {
        match compound {
            CompoundCommand::Arithmetic(_) => {}
            CompoundCommand::ArithmeticForClause(clause) => self.list(&clause.body.list, depth),
            CompoundCommand::BraceGroup(group) => self.list(&group.list, depth),
            CompoundCommand::Subshell(subshell) => self.list(&subshell.list, depth),
            CompoundCommand::ForClause(clause) => {
                for word in clause.values.iter().flatten() {
                    self.word(word, depth);
                }
                self.list(&clause.body.list, depth);
            }
            CompoundCommand::CaseClause(clause) => {
                self.word(&clause.value, depth);
                for list in clause.cases.iter().filter_map(|case| case.cmd.as_ref()) {
                    self.list(list, depth);
                }
            }
            CompoundCommand::IfClause(clause) => {
                self.list(&clause.condition, depth);
                self.list(&clause.then, depth);
                for other in clause.elses.iter().flatten() {
                    if let Some(condition) = &other.condition {
                        self.list(condition, depth);
                    }
                    self.list(&other.body, depth);
                }
            }
            CompoundCommand::WhileClause(clause) | CompoundCommand::UntilClause(clause) => {
                self.list(&clause.0, depth);
                self.list(&clause.1.list, depth);
            }
            CompoundCommand::Coprocess(coprocess) => self.command(&coprocess.body, depth),
        }
    }

    fn simple(&mut self, simple: &SimpleCommand, depth: u32) {
        let mut words = Vec::new();
        for item in simple.prefix.iter().flat_map(|prefix| &prefix.0) {
            self.item(item, None, depth);
        }
        if let Some(name) = &simple.word_or_name {
            words.push(self.word(name, depth));
        }
        for item in simple.suffix.iter().flat_map(|suffix| &suffix.0) {
            self.item(item, Some(&mut words), depth);
        }
        words.truncate(WORDS);
        if !words.is_empty() {
            self.found.push(Written {
                words,
                functions: self.functions.clone(),
            });
        }
    }

    fn item(&mut self, item: &CommandPrefixOrSuffixItem, mut words: Option<&mut Vec<Option<String>>>, depth: u32) {
        let word = match item {
            CommandPrefixOrSuffixItem::IoRedirect(redirect) => {
                self.redirects(std::iter::once(redirect), depth);
                return;
            }
            CommandPrefixOrSuffixItem::ProcessSubstitution(_, subshell) => {
                self.list(&subshell.list, depth);
                // in `a<(b)` both are one word, and brush-parser tells it as two
                if let Some(before) = words.as_deref_mut().and_then(|words| words.last_mut()) {
                    *before = None;
                }
                None
            }
            CommandPrefixOrSuffixItem::Word(word) => self.word(word, depth),
            CommandPrefixOrSuffixItem::AssignmentWord(assignment, word) => match &assignment.value {
                AssignmentValue::Scalar(_) => self.word(word, depth),
                AssignmentValue::Array(elements) => {
                    for (_, element) in elements {
                        self.word(element, depth);
                    }
                    None
                }
            },
        };
        if let Some(words) = words {
            words.push(word);
        }
    }

    fn redirects<'r>(&mut self, redirects: impl Iterator<Item = &'r IoRedirect>, depth: u32) {
        for redirect in redirects {
            match redirect {
                IoRedirect::File(
                    _,
                    _,
                    IoFileRedirectTarget::Filename(word) | IoFileRedirectTarget::Duplicate(word),
                )
                | IoRedirect::HereString(_, word)
                | IoRedirect::OutputAndError(word, _) => {
                    self.word(word, depth);
                }
                IoRedirect::File(_, _, IoFileRedirectTarget::ProcessSubstitution(_, subshell)) => {
                    self.list(&subshell.list, depth);
                }
                IoRedirect::File(_, _, IoFileRedirectTarget::Fd(_)) => {}
                IoRedirect::HereDocument(_, document) => {
                    if document.requires_expansion
                        && let Ok(pieces) = word::parse_heredoc(&document.doc.value, &ParserOptions::default())
                    {
                        self.pieces(&pieces, depth);
                    }
                }
            }
        }
    }

    /// The text of a word, where it is literal; the commands in its substitutions are found on the way.
    fn word(&mut self, word: &Word, depth: u32) -> Option<String> {
        let pieces = word::parse(&word.value, &ParserOptions::default()).ok()?;
        let literal = self.pieces(&pieces, depth);
        // what a glob, brace or history character makes of it is known to neither
        let bare = pieces.iter().any(|piece| {
            matches!(&piece.piece, WordPiece::Text(text) if text.contains(['*', '?', '[', '{', '}', '~', '!', '#', '@', '+']))
        });
        literal.filter(|_| !bare).map(|text| text.chars().take(WORD).collect())
    }

    fn pieces(&mut self, pieces: &[WordPieceWithSource], depth: u32) -> Option<String> {
        let mut text = Some(String::new());
        for piece in pieces {
            let part = match &piece.piece {
                WordPiece::Text(text) | WordPiece::SingleQuotedText(text) => Some(text.clone()),
                WordPiece::EscapeSequence(text) => match text.strip_prefix('\\') {
                    Some("\n") => Some(String::new()),
                    Some(text) => Some(text.to_owned()),
                    None => None,
                },
                WordPiece::DoubleQuotedSequence(pieces) | WordPiece::GettextDoubleQuotedSequence(pieces) => {
                    self.pieces(pieces, depth)
                }
                WordPiece::CommandSubstitution(text) | WordPiece::BackquotedCommandSubstitution(text) => {
                    self.text(text, depth + 1);
                    None
                }
                WordPiece::AnsiCQuotedText(_)
                | WordPiece::TildeExpansion(_)
                | WordPiece::ParameterExpansion(_)
                | WordPiece::ArithmeticExpression(_) => None,
            };
            match (&mut text, part) {
                (Some(text), Some(part)) => text.push_str(&part),
                _ => text = None,
            }
        }
        text
    }
}
