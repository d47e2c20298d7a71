//! Tokens that were looked up lately.
//!
//! Only for a store that this process owns alone: there every change of an organization goes
//! through this process's engine, which counts them. On a shared database each request asks.

use rollcall_domain::sql::SqlError;
use rollcall_engine::Engine;
use rollcall_projections::credentials::CredentialRow;
use rollcall_projections::organizations::OrganizationRow;
use std::collections::HashMap;
use std::sync::{Arc, RwLock};

/// So many are kept; more begin anew.
const KEPT: usize = 10_000;

/// A token and its organization as the views have them.
pub type Known = Arc<(CredentialRow, OrganizationRow)>;

/// The tokens, as of one state of the organizations.
#[derive(Default)]
pub struct KnownTokens(RwLock<(u64, HashMap<String, Known>)>);

impl KnownTokens {
    /// Finds a token by its hash, or a credential by its id; unknown ones are looked up each time.
    pub async fn find<F>(
        &self,
        engine: &Engine,
        name: &str,
        look_up: impl FnOnce() -> F,
    ) -> Result<Option<Known>, SqlError>
    where
        F: Future<Output = Result<Option<(CredentialRow, OrganizationRow)>, SqlError>>,
    {
        // Read before the views are, so that a change in between makes what is kept here stale.
        let state = engine.organizations_state();
        {
            let kept = self.0.read().unwrap_or_else(|e| e.into_inner());
            if let Some(known) = kept.1.get(name).filter(|_| kept.0 == state) {
                return Ok(Some(known.clone()));
            }
        }
        let found = look_up().await?.map(Arc::new);
        if let Some(known) = &found {
            let mut kept = self.0.write().unwrap_or_else(|e| e.into_inner());
            if kept.0 != state || kept.1.len() >= KEPT {
                *kept = (state, HashMap::new());
            }
            kept.1.insert(name.to_owned(), known.clone());
        }
        Ok(found)
    }
}
