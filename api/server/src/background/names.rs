//! Names claimed as they are folded now: before the server listens, and again for as long as an
//! organization has two users with one name.

use super::job::{Incomplete, Job};
use rollcall_door::App;
use rollcall_engine::Names;
use std::time::Duration;

/// How often organizations with contested names are looked at again.
const LOOK: Duration = Duration::from_secs(60);

impl Job for Names {
    const NAME: &'static str = "names";

    fn pause(&self) -> Duration {
        LOOK
    }

    /// All were looked at before the server listened.
    fn first(&self) -> Duration {
        LOOK
    }

    async fn pass(&mut self, app: &App) -> Result<(), Incomplete> {
        Incomplete::unless_none(self.settle(&app.engine).await.map_err(Incomplete::all)?)
    }
}
