//! An answer that comes again: a reload, or a double click.

use super::admit::Landing;
use super::call::Call;
use super::reply::Reply;
use crate::cookies::Pending;
use rollcall_door::session::{self, check};

/// Where the browser goes on to, if this very message made the live session that it has. It was
/// verified then, and nothing is done again.
pub async fn again(
    call: &Call,
    message_sha256: &str,
    pending: &[Pending],
    relay_state: Option<&str>,
) -> Option<Reply> {
    let token = session::token(&call.visit.headers)?;
    let held = check(&call.app, token).await.ok().flatten()?;
    if held.row.organization != call.organization.id {
        return None;
    }
    let login = call.app.logins.of_exchange(held.row.organization, held.row.exchange?).await;
    let login = login.ok().flatten()?;
    if !login.accepted || login.message_sha256 != message_sha256 {
        return None;
    }
    let answered = pending.iter().find(|pending| Some(&pending.request) == login.request.as_ref());
    let landing = Landing::choose(call, answered.cloned(), relay_state);
    Some(Reply::redirect(landing.url).told("the answer that made this session").beside_the_log())
}
