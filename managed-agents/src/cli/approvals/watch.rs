//! `approvals watch`: what waits, as it comes, with keys to decide.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, poll, read};
use crossterm::terminal::{self, EnterAlternateScreen, LeaveAlternateScreen};
use crossterm::{cursor, queue};

use super::{close_expired, edited, find, review, when};
use crate::approval::{ApproverKey, TicketState};
use crate::cli::failure::Failure;
use crate::cli::lookalikes::shown;
use crate::cli::signing::Signer;
use crate::cli::table::plain;
use crate::home::{Choice, Home};
use crate::store::{Ticket, TicketQuery};

/// How often it is looked for what is new.
const PERIOD: Duration = Duration::from_millis(250);

/// What is looked at.
struct View {
    tickets: Vec<Ticket>,
    chosen: usize,
    /// The call that is shown, its lines, and the first that is seen.
    open: Option<(String, Vec<String>, usize)>,
    /// Whether the last line of it was seen.
    seen: bool,
    said: String,
}

/// The terminal in a mode of its own, until this is dropped.
struct Screen;

impl Screen {
    fn enter() -> io::Result<Self> {
        terminal::enable_raw_mode()?;
        let mut out = io::stdout();
        queue!(out, EnterAlternateScreen, cursor::Hide)?;
        out.flush()?;
        Ok(Self)
    }

    fn leave() {
        let mut out = io::stdout();
        // a terminal that has gone needs no restoring
        let _ = queue!(out, LeaveAlternateScreen, cursor::Show).and_then(|()| out.flush());
        let _ = terminal::disable_raw_mode();
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        Self::leave();
    }
}

pub(super) fn run(home: &Home, signer: &Signer) -> Result<(), Failure> {
    if !io::stdout().is_terminal() || !io::stdin().is_terminal() {
        return Err(Failure::new("there is no terminal to show anything on"));
    }
    let failed = |error: io::Error| Failure::new(format!("the terminal cannot be used: {error}"));
    let mut view = View {
        tickets: Vec::new(),
        chosen: 0,
        open: None,
        seen: false,
        said: String::new(),
    };
    let mut key: Option<ApproverKey> = None;
    let mut screen = Some(Screen::enter().map_err(failed)?);
    loop {
        view.load(home)?;
        view.draw().map_err(failed)?;
        if !poll(PERIOD).map_err(failed)? {
            continue;
        }
        let Event::Key(pressed) = read().map_err(failed)? else {
            continue;
        };
        if pressed.kind == KeyEventKind::Release {
            continue;
        }
        match view.press(home, pressed)? {
            Next::Stay => {}
            Next::Leave => return Ok(()),
            Next::Decide(ticket, decision) => {
                // questions are asked on the plain terminal
                drop(screen.take());
                view.said = decided(home, signer, &mut key, &ticket, &decision);
                screen = Some(Screen::enter().map_err(failed)?);
            }
        }
    }
}

enum Next {
    Stay,
    Leave,
    Decide(String, Decision),
}

enum Decision {
    Approve,
    Edit,
    Reject,
    Cancel,
}

/// Asks what is missing, decides, and says what came of it.
fn decided(home: &Home, signer: &Signer, key: &mut Option<ApproverKey>, ticket: &str, decision: &Decision) -> String {
    let choice = match decision {
        Decision::Approve => Choice::approve(),
        Decision::Cancel => Choice::cancel(),
        Decision::Edit => match ask("Arguments to change, as one JSON object: ") {
            Some(edit) if !edit.is_empty() => Choice::edit(edit),
            _ => return "nothing was decided".to_owned(),
        },
        Decision::Reject => match ask("Why? The model is told: ") {
            Some(reason) => Choice::reject(reason),
            None => return "nothing was decided".to_owned(),
        },
    };
    if let Err(failure) = show_edit(home, ticket, &choice) {
        return failure.to_string();
    }
    if key.is_none() {
        match signer.unlock(home.keys()) {
            Ok(unlocked) => *key = Some(unlocked),
            Err(failure) => return failure.to_string(),
        }
    }
    let Some(key) = key else { return String::new() };
    match home.decide(ticket, &choice, key) {
        Ok(_) => format!("{} is decided on", plain(ticket)),
        Err(error) => Failure::of(&error).to_string(),
    }
}

/// A line that is typed; none where it cannot be read.
fn ask(question: &str) -> Option<String> {
    let (mut out, mut answer) = (io::stdout(), String::new());
    let asked = write!(out, "{question}")
        .and_then(|()| out.flush())
        .and_then(|()| io::stdin().read_line(&mut answer));
    asked.ok().map(|_| answer.trim().to_owned())
}

/// What is about to be signed of an edit.
fn show_edit(home: &Home, ticket: &str, choice: &Choice) -> Result<(), Failure> {
    let found = find(&home.store().reader()?, ticket)?;
    let mut out = io::stdout();
    for line in edited(&found, choice)? {
        // whoever cannot see it is asked for the passphrase all the same, and may give none
        let _ = writeln!(out, "{line}");
    }
    Ok(())
}

impl View {
    fn load(&mut self, home: &Home) -> Result<(), Failure> {
        close_expired(home)?;
        let reader = home.store().reader()?;
        self.tickets = reader.tickets(&TicketQuery::open())?;
        self.tickets.retain(|ticket| ticket.state() == TicketState::Pending);
        self.chosen = self.chosen.min(self.tickets.len().saturating_sub(1));
        if let Some((id, _, _)) = &self.open
            && !self.tickets.iter().any(|ticket| ticket.id() == id)
        {
            self.open = None;
        }
        Ok(())
    }

    fn press(&mut self, home: &Home, key: KeyEvent) -> Result<Next, Failure> {
        let chosen = self.tickets.get(self.chosen).map(|ticket| ticket.id().to_owned());
        match (key.code, &mut self.open, chosen) {
            (KeyCode::Char('c'), _, _) if key.modifiers.contains(KeyModifiers::CONTROL) => return Ok(Next::Leave),
            (KeyCode::Char('q') | KeyCode::Esc, None, _) => return Ok(Next::Leave),
            (KeyCode::Char('q') | KeyCode::Esc, open, _) => *open = None,
            (KeyCode::Up | KeyCode::Char('k'), None, _) => self.chosen = self.chosen.saturating_sub(1),
            (KeyCode::Down | KeyCode::Char('j'), None, _) => self.chosen += 1,
            (KeyCode::Enter, None, Some(id)) => {
                let reader = home.store().reader()?;
                if let Some(ticket) = reader.ticket(&id)? {
                    self.open = Some((id, review::lines(&reader, &ticket)?, 0));
                    self.seen = false;
                }
            }
            (KeyCode::Char(' ') | KeyCode::PageDown | KeyCode::Enter, Some((_, lines, at)), _) => {
                *at = (*at + rows() / 2).min(lines.len().saturating_sub(1));
            }
            (KeyCode::Down | KeyCode::Char('j'), Some((_, lines, at)), _) => {
                *at = (*at + 1).min(lines.len().saturating_sub(1));
            }
            (KeyCode::Up | KeyCode::Char('k'), Some((_, _, at)), _) => *at = at.saturating_sub(1),
            (KeyCode::Char('a'), Some((id, _, _)), _) if self.seen => {
                return Ok(Next::Decide(id.clone(), Decision::Approve));
            }
            (KeyCode::Char('e'), Some((id, _, _)), _) if self.seen => {
                return Ok(Next::Decide(id.clone(), Decision::Edit));
            }
            (KeyCode::Char('a' | 'e'), _, _) => {
                "show the whole call first: enter, and space to its end".clone_into(&mut self.said);
            }
            (KeyCode::Char('r'), Some((id, _, _)), _) => return Ok(Next::Decide(id.clone(), Decision::Reject)),
            (KeyCode::Char('r'), None, Some(id)) => return Ok(Next::Decide(id, Decision::Reject)),
            (KeyCode::Char('c'), Some((id, _, _)), _) => return Ok(Next::Decide(id.clone(), Decision::Cancel)),
            (KeyCode::Char('c'), None, Some(id)) => return Ok(Next::Decide(id, Decision::Cancel)),
            _ => {}
        }
        Ok(Next::Stay)
    }

    fn draw(&mut self) -> io::Result<()> {
        let (width, height) = (columns(), rows());
        let mut lines = Vec::new();
        match &self.open {
            Some((_, all, at)) => {
                let wrapped = wrap(all.iter().skip(*at), width);
                self.seen |= wrapped.len() + 2 <= height;
                lines.extend(wrapped.into_iter().take(height.saturating_sub(2)));
            }
            None => {
                lines.push(format!("{} calls wait", self.tickets.len()));
                for (at, ticket) in self.tickets.iter().enumerate() {
                    let mark = if at == self.chosen { '>' } else { ' ' };
                    lines.push(format!(
                        "{mark} {}  {}  {}  until {}",
                        plain(ticket.id()),
                        plain(ticket.agent()),
                        shown(ticket.tool()),
                        when(ticket.expires_micros())
                    ));
                }
            }
        }
        lines.truncate(height.saturating_sub(2));
        let keys = match (&self.open, self.seen) {
            (None, _) => "enter shows, r rejects, c cancels, q leaves",
            (Some(_), false) => {
                "space goes on, r rejects, c cancels, q goes back; a approves once you have seen the end, e with changes"
            }
            (Some(_), true) => "a approves, e with changes, r rejects, c cancels, q goes back",
        };
        let mut out = io::stdout();
        queue!(out, terminal::Clear(terminal::ClearType::All), cursor::MoveTo(0, 0))?;
        for line in &lines {
            let cut: String = line.chars().take(width).collect();
            write!(out, "{cut}\r\n")?;
        }
        write!(out, "\r\n{keys}")?;
        if !self.said.is_empty() {
            let said: String = self.said.chars().take(width).collect();
            write!(out, "\r\n{said}")?;
        }
        out.flush()
    }
}

/// Long lines on several, so that nothing of a call is cut off.
fn wrap<'a>(lines: impl Iterator<Item = &'a String>, width: usize) -> Vec<String> {
    let mut out = Vec::new();
    for line in lines {
        let characters: Vec<char> = line.chars().collect();
        if characters.is_empty() {
            out.push(String::new());
        }
        out.extend(characters.chunks(width.max(20)).map(|part| part.iter().collect()));
    }
    out
}

fn rows() -> usize {
    match terminal::size() {
        Ok((_, rows)) if rows > 0 => usize::from(rows),
        _ => 24,
    }
}

fn columns() -> usize {
    match terminal::size() {
        Ok((columns, _)) if columns > 0 => usize::from(columns),
        _ => 80,
    }
}
