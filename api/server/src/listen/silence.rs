//! Letting go of connections that ask for nothing.

use rollcall_door::strangers::Place;
use std::time::Duration;

/// How often a connection is looked at whose request is under way.
const GLANCE: Duration = Duration::from_secs(1);

/// Waits until a connection has asked for nothing for too long: since it came, or since its last
/// answer, no request has arrived whole in its head. Strangers have less time than others.
pub async fn silent(place: &Place, of_strangers: Duration, of_others: Duration) {
    loop {
        let wait = match place.idle() {
            None => GLANCE,
            Some((since, known)) => {
                let patience = if known { of_others } else { of_strangers };
                match patience.checked_sub(since.elapsed()) {
                    None | Some(Duration::ZERO) => return,
                    Some(left) => left,
                }
            }
        };
        tokio::time::sleep(wait).await;
    }
}
