//! What becomes of a request that only reads, of an auditor or an admin, or of a person as a whole:
//! it leaves a line in the
//! trail, before its answer leaves.

use axum::http::StatusCode;
use axum::response::Response;
use rollcall_domain::actor::Actor;
use rollcall_domain::sql::SqlError;
use rollcall_door::App;
use rollcall_door::exchange::{Kept, Opened};
use rollcall_projections::reads::Reading;

/// Parameters that turn the pages of one answer.
const TURNING: [&str; 4] = ["after", "before", "cursor", "limit"];

/// What leaves a line whoever asks it: everything about one person, as a file.
const ALWAYS: &str = "audit.person.export";

/// Whether the history may be read by this caller and is not theirs; or what is read is about one
/// person as a whole.
pub fn is_followed(caller: &Actor, operation: &str) -> bool {
    matches!(caller, Actor::Auditor { .. } | Actor::Admin { .. })
        || (operation == ALWAYS && caller.is_operator())
}

/// So many rows were given with an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowsGiven(pub u64);

/// What a request that only read was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Given {
    rows: u64,
    refused: bool,
}

impl Given {
    /// What this answer gives: rows, or one thing.
    pub fn with(response: &Response) -> Self {
        let rows = response.extensions().get::<RowsGiven>().map(|given| given.0);
        let status = response.status();
        Self {
            rows: rows.unwrap_or(u64::from(status == StatusCode::OK)),
            refused: !status.is_success(),
        }
    }
}

/// Notes what was read, and says what becomes of the exchange: the one that a session of reading
/// begins with is kept in the log.
///
/// # Errors
/// If it cannot be noted: then the answer must not leave.
pub async fn note(app: &App, opened: &Opened, given: Given) -> Result<Kept, SqlError> {
    let reading = Reading {
        organization: opened.organization,
        id: opened.id,
        at: opened.received_at,
        caller: opened.caller.clone(),
        operation: opened.operation.to_owned(),
        question: question(&opened.target),
        rows: given.rows,
        refused: given.refused,
    };
    let begins = app.reads.note(reading).await?;
    Ok(if begins { Kept::Record } else { Kept::Trail })
}

/// Path and query without what turns pages.
fn question(target: &str) -> String {
    let Some((path, query)) = target.split_once('?') else { return target.to_owned() };
    let turns = |pair: &&str| {
        let name = pair.split_once('=').map_or(*pair, |(name, _)| name);
        !TURNING.contains(&name)
    };
    let rest: Vec<&str> = query.split('&').filter(turns).collect();
    if rest.is_empty() { path.to_owned() } else { format!("{path}?{}", rest.join("&")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pages_of_an_answer_are_one_question() {
        let of = "/api/v1/organizations/acme/events";
        for target in ["", "?limit=5", "?after=9", "?cursor=abc&limit=1", "?before=7&limit=2"] {
            assert_eq!(question(&format!("{of}{target}")), of);
        }
        let typed = format!("{of}?type=UserCreated&after=4&cursors=x");
        assert_eq!(question(&typed), format!("{of}?type=UserCreated&cursors=x"));
    }
}
