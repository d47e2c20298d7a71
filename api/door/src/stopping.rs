//! What a request meets that has not come in whole when the server stops.

use std::error::Error;

/// The server stops, and waits no longer for the rest of a request.
#[derive(Debug, thiserror::Error)]
#[error("the server is stopping")]
pub struct Stopping;

/// Whether a body broke off because the server stops: then it is not the client's fault.
pub fn is_cut_off(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.is::<Stopping>() {
            return true;
        }
        cause = error.source();
    }
    false
}
