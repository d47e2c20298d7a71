//! Results for people and for scripts. What was recorded came from outside: nothing of it reaches a
//! terminal as a command. Whoever stops reading, such as `head`, ends nothing: what is left is not
//! written.

mod fit;
mod stream;
mod table;
mod tone;
mod visible;
mod working;
mod wrap;

pub use fit::Fit;
pub use stream::{Closed, closed, finish, note, print};
pub use tone::{Cell, Color, Tone};
pub use visible::{control_to_json, line as visible_line, visible};
pub use working::Working;

use chrono::{DateTime, Local, Offset as _, Utc};
use rollcall_contract::time;
use serde::Serialize;
use std::io::IsTerminal as _;
use std::sync::OnceLock;

/// How results are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// How wide tables may be.
    pub fit: Fit,
    /// Whether in colour.
    pub in_color: bool,
    /// Whether times are local ones, with how far they are from UTC.
    pub in_local_time: bool,
}

static LOOK: OnceLock<Look> = OnceLock::new();

/// Says how results are shown: once, before anything is printed.
pub fn begin(look: Look) {
    let _ = LOOK.set(look);
}

fn look() -> Look {
    LOOK.get().copied().unwrap_or_default()
}

/// Prints a line, as `println!` does; characters that command a terminal are shown as what they are.
#[macro_export]
macro_rules! say {
    () => { $crate::output::print("\n") };
    ($($text:tt)*) => {
        $crate::output::say_line(&format!($($text)*))
    };
}

/// Prints a sentence, or a few: where tables are fitted, these are too.
pub fn say_line(text: &str) {
    print(&format!("{}\n", wrap::wrapped(&visible_line(text), look().fit, 0)));
}

/// Prints a value as JSON.
pub fn json(value: &impl Serialize) -> anyhow::Result<()> {
    print(&format!("{}\n", control_to_json(&serde_json::to_string_pretty(value)?)));
    Ok(())
}

/// Prints a value as one line of JSON.
pub fn json_line(value: &impl Serialize) -> anyhow::Result<()> {
    print(&format!("{}\n", control_to_json(&serde_json::to_string(value)?)));
    Ok(())
}

/// Prints names and values, aligned.
pub fn pairs(pairs: &[(&str, String)]) {
    let width = pairs.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let at_terminal = std::io::stdout().is_terminal();
    for (name, value) in pairs {
        let value = match at_terminal {
            true => with_local_times(&visible(value)),
            false => visible(value).into_owned(),
        };
        let line = format!("{name:width$}  {value}");
        print(&format!("{}\n", wrap::wrapped(&line, look().fit, width + 2)));
    }
}

/// Prints a table, columns aligned, fitted to the terminal.
pub fn table<C: Clone + Into<Cell>>(head: &[&str], rows: &[Vec<C>]) {
    let rows: Vec<Vec<Cell>> =
        rows.iter().map(|row| row.iter().cloned().map(Into::into).collect()).collect();
    let (text, shortened) = table::laid_out(head, &rows, look());
    print(&text);
    if shortened {
        note("cells are shortened to fit: --wide shows them whole");
    }
}

/// An instant in a table or a line.
pub fn instant(at: DateTime<Utc>) -> String {
    if look().in_local_time { local(at) } else { time::text(at) }
}

fn local(at: DateTime<Utc>) -> String {
    at.with_timezone(&Local).format("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string()
}

/// The local time beside each instant, for somebody at a terminal whose clock shows another one.
fn with_local_times(value: &str) -> String {
    let beside = |word: &str| {
        let at = word.ends_with('Z').then(|| word.parse::<DateTime<Utc>>().ok()).flatten();
        let at = at.filter(|at| at.with_timezone(&Local).offset().fix().local_minus_utc() != 0);
        at.map_or_else(|| word.to_owned(), |at| format!("{word} ({})", local(at)))
    };
    value.split(' ').map(beside).collect::<Vec<_>>().join(" ")
}

/// An instant that may be absent.
pub fn maybe(at: Option<DateTime<Utc>>) -> String {
    at.map_or_else(|| "-".to_owned(), instant)
}
