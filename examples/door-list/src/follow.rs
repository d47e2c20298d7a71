//! Follows the log: everybody at first, and then whatever happens, for ever.

use crate::list::{List, TakeError};
use crate::rollcall::{Rollcall, Unanswered};
use std::time::{Duration, Instant};

/// Events that are asked for at once.
const PAGE: u64 = 500;
/// How long to wait before what failed is tried again.
const REST: Duration = Duration::from_secs(1);

/// Why a step failed.
#[derive(Debug, thiserror::Error)]
enum StepError {
    #[error(transparent)]
    Unanswered(#[from] Unanswered),
    #[error(transparent)]
    Take(#[from] TakeError),
}

/// Follows until the token is refused or the list cannot be written; gives why.
pub async fn follow(rollcall: &Rollcall, list: &List) -> anyhow::Error {
    loop {
        let failed = match list.place() {
            Ok(Some(place)) => step(rollcall, list, place.position).await,
            Ok(None) => begin(rollcall, list).await,
            Err(error) => return error.into(),
        };
        match failed {
            Ok(()) => {}
            Err(StepError::Unanswered(Unanswered::BeginAnew))
            | Err(StepError::Take(TakeError::Missed(_))) => {
                eprintln!("what is known does not lead on: beginning anew with a snapshot");
                if let Err(error) = list.forget_place() {
                    return error.into();
                }
            }
            Err(StepError::Unanswered(Unanswered::Refused)) => return Unanswered::Refused.into(),
            Err(StepError::Take(TakeError::Sqlite(error))) => return error.into(),
            Err(StepError::Unanswered(error)) => {
                eprintln!("{error}; asking again");
                tokio::time::sleep(REST).await;
            }
        }
    }
}

/// Takes everybody at one position. All pages are of that position, so they are one truth.
async fn begin(rollcall: &Rollcall, list: &List) -> Result<(), StepError> {
    let mut page = rollcall.snapshot(None).await?;
    let mut items = std::mem::take(&mut page.items);
    while let Some(next) = page.next {
        page = rollcall.snapshot(Some(&next)).await?;
        items.append(&mut page.items);
    }
    list.replace(page.position, &page.epoch, &items)?;
    Ok(())
}

async fn step(rollcall: &Rollcall, list: &List, after: u64) -> Result<(), StepError> {
    let page = rollcall.feed(after, PAGE).await?;
    list.take(&page)?;
    if page.complete {
        list.confirm(Instant::now());
    }
    Ok(())
}
