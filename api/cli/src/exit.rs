//! How commands end: the same everywhere.
//!
//! | code | means |
//! |---|---|
//! | 0 | done, or the same |
//! | 1 | something differs or does not verify: of commands that compare |
//! | 2 | wrong use: flags, names, files or configuration are to be changed |
//! | 3 | refused, or it could not be done |
//! | 4 | the server cannot be reached, or cannot answer now |

use crate::client::{Refused, Unreachable};
use crate::output::visible_line;
use crate::part::Taken;
use rollcall_contract::request_line::RouteError;

/// Nobody is there to be asked.
#[derive(Debug, thiserror::Error)]
#[error("nobody can be asked here: look at the plan by `replay dry-run`, then say --yes")]
pub struct Unasked;

/// Arguments that do not go together, or are none.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Misused(pub String);

/// What the server says where a record is not to be had.
const LOST: [&str; 2] = ["record-missing", "record-unreadable"];
/// Something differs or does not verify.
const DIFFERENCE: u8 = 1;
/// Wrong use.
const USAGE: u8 = 2;
/// Refused, or it could not be done.
const REFUSED: u8 = 3;
/// The server cannot be reached, or cannot answer now.
const UNREACHABLE: u8 = 4;

/// How a command that did not fail ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// As it should.
    Success,
    /// A comparison found differences.
    Difference,
}

/// Why a command failed, and the exit code that says so.
#[derive(Debug)]
pub struct Failure {
    /// What went wrong.
    pub error: anyhow::Error,
    /// 1 where the log is not whole; else 2, 3 or 4.
    pub code: u8,
}

impl Failure {
    /// What went wrong, once: some errors repeat what caused them.
    pub fn in_one_line(&self) -> String {
        let mut told = String::new();
        for cause in self.error.chain().map(ToString::to_string) {
            if told.is_empty() {
                told = cause;
            } else if !told.contains(&cause) {
                told = format!("{told}: {cause}");
            }
        }
        one_line(&told)
    }

    /// Arguments that cannot be read.
    pub fn of_arguments(error: &clap::Error) -> Self {
        let text = error.to_string();
        // What follows is the usage, which --help shows better.
        let what = text
            .split("\n\nUsage:")
            .next()
            .and_then(|t| t.split("\n\nFor more").next())
            .unwrap_or_default();
        usage(anyhow::anyhow!("{} (see --help)", what.trim_start_matches("error: ").trim()))
    }
}

/// Runs of blanks and ends of lines as one blank, and nothing that a terminal obeys.
fn one_line(text: &str) -> String {
    visible_line(&text.split_whitespace().collect::<Vec<_>>().join(" ")).into_owned()
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        let code = error.chain().find_map(|cause| {
            if let Some(refused) = cause.downcast_ref::<Refused>() {
                // The log is not whole: to say so is what was asked for.
                if refused.reason.as_deref().is_some_and(|reason| LOST.contains(&reason)) {
                    return Some(DIFFERENCE);
                }
                return Some(match refused.status {
                    400 => USAGE,
                    502..=504 => UNREACHABLE,
                    _ => REFUSED,
                });
            }
            (cause.is::<Unreachable>().then_some(UNREACHABLE)).or((cause.is::<RouteError>()
                || cause.is::<Unasked>()
                || cause.is::<Taken>()
                || cause.is::<Misused>())
            .then_some(USAGE))
        });
        // What a context was added to, is found by the error as a whole only.
        let context = error.is::<Unreachable>().then_some(UNREACHABLE);
        Self { code: context.or(code).unwrap_or(REFUSED), error }
    }
}

/// Wrong use: for whoever calls to change.
pub fn usage(error: anyhow::Error) -> Failure {
    Failure { error, code: USAGE }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context as _;

    #[test]
    fn codes_are_told_by_what_happened() {
        let refused = |status| {
            let detail = "x".to_owned();
            anyhow::Error::from(Refused { status, detail, reason: None })
        };
        for (status, code) in [
            (400, 2),
            (401, 3),
            (403, 3),
            (404, 3),
            (409, 3),
            (422, 3),
            (429, 3),
            (500, 3),
            (503, 4),
        ] {
            assert_eq!(Failure::from(refused(status)).code, code, "{status}");
            assert_eq!(Failure::from(refused(status).context("while")).code, code, "{status}");
        }
        let away = Err::<(), _>(std::io::Error::other("x"));
        let away = away.context(Unreachable::at("http://127.0.0.1:1")).unwrap_err();
        assert_eq!(Failure::from(away).code, 4);
        assert_eq!(Failure::from(anyhow::anyhow!("x")).code, 3);
    }
}
