//! Results for people and for scripts. What was recorded came from outside: nothing of it reaches a
//! terminal as a command. Whoever stops reading, such as `head`, ends nothing: what is left is not
//! written.

mod stream;
mod table;
mod visible;

pub use stream::{Closed, closed, finish, note, print};
pub use table::Fit;
pub use visible::{control_to_json, line as visible_line, visible};

use chrono::{DateTime, Utc};
use rollcall_contract::time;
use serde::Serialize;
use std::sync::OnceLock;

/// How wide tables may be.
static FIT: OnceLock<Fit> = OnceLock::new();

/// Says how wide tables may be: once, before anything is printed.
pub fn begin(fit: Fit) {
    let _ = FIT.set(fit);
}

/// Prints a line, as `println!` does; characters that command a terminal are shown as what they are.
#[macro_export]
macro_rules! say {
    () => { $crate::output::print("\n") };
    ($($text:tt)*) => {
        $crate::output::print(&format!("{}\n", $crate::output::visible_line(&format!($($text)*))))
    };
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
    for (name, value) in pairs {
        print(&format!("{name:width$}  {}\n", visible(value)));
    }
}

/// Prints a table, columns aligned, fitted to the terminal.
pub fn table(head: &[&str], rows: &[Vec<String>]) {
    let fit = FIT.get().copied().unwrap_or_default();
    let (text, shortened) = table::laid_out(head, rows, fit);
    print(&text);
    if shortened {
        note("cells are shortened to fit: --wide shows them whole");
    }
}

/// An instant in a table or a line.
pub fn instant(at: DateTime<Utc>) -> String {
    time::text(at)
}

/// An instant that may be absent.
pub fn maybe(at: Option<DateTime<Utc>>) -> String {
    at.map_or_else(|| "-".to_owned(), instant)
}
