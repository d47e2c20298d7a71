//! What a terminal shows in colour: beside the words, which say the same.

use console::Style;
use std::io::IsTerminal as _;

/// Whether results are shown in colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Color {
    /// Where standard output is a terminal, and `NO_COLOR` is not set.
    #[default]
    Auto,
    /// Also in files and pipes.
    Always,
    /// Nowhere.
    Never,
}

impl Color {
    /// Whether to show any.
    pub fn is_shown(self) -> bool {
        match self {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => {
                let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
                let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
                !refused && !dumb && std::io::stdout().is_terminal()
            }
        }
    }
}

/// How a cell is meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    /// As all others.
    #[default]
    Plain,
    /// What is over, or not there.
    Faint,
    /// As it should be.
    Good,
    /// To be looked at.
    Warning,
    /// Went wrong, or stands still.
    Bad,
    /// The head of a table.
    Head,
}

impl Tone {
    /// An HTTP status: ours is worse than the caller's.
    pub fn of_status(status: u16) -> Self {
        match status {
            500.. => Tone::Bad,
            400.. => Tone::Warning,
            _ => Tone::Plain,
        }
    }

    /// A stable word for a state, as the contract of `/api/v1` has them.
    pub fn of_state(word: &str) -> Self {
        match word {
            "expired" | "revoked" | "ended" | "cured" | "never" => Tone::Faint,
            "open" | "paused" | "off" | "disabled" => Tone::Warning,
            "refused" | "stopped" => Tone::Bad,
            "ok" => Tone::Good,
            _ => Tone::Plain,
        }
    }

    /// The text with what a terminal needs to show it so.
    pub fn paint(self, text: &str) -> String {
        let style = Style::new().force_styling(true);
        let style = match self {
            Tone::Plain => return text.to_owned(),
            Tone::Faint => style.dim(),
            Tone::Good => style.green(),
            Tone::Warning => style.yellow(),
            Tone::Bad => style.red(),
            Tone::Head => style.bold(),
        };
        style.apply_to(text).to_string()
    }
}

/// A cell of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    /// What it says.
    pub text: String,
    /// How it is meant.
    pub tone: Tone,
}

impl Cell {
    /// A cell that is meant so.
    pub fn toned(tone: Tone, text: impl Into<String>) -> Self {
        Self { text: text.into(), tone }
    }

    /// A state, in its stable word.
    pub fn state(word: impl Into<String>) -> Self {
        let text = word.into();
        Self { tone: Tone::of_state(&text), text }
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        let tone = if text == "-" { Tone::Faint } else { Tone::Plain };
        Self { text, tone }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

/// A row of [`Cell`]s, each of a text or a cell.
#[macro_export]
macro_rules! cells {
    ($($cell:expr),* $(,)?) => { vec![$($crate::output::Cell::from($cell)),*] };
}
