//! What must not be found anywhere afterwards, and a search for it in files.

use anyhow::{Result, ensure};
use rollcall_entra::transport::{Answer, TokenRequest};
use serde_json::Value;
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use url::form_urlencoded;

/// So many bytes of a secret tell it from everything else.
const TELLING: usize = 16;

/// Secrets by what they are.
#[derive(Default)]
pub struct Secrets {
    seen: Mutex<HashMap<[u8; TELLING], &'static str>>,
}

impl Secrets {
    /// Remembers one: by its last bytes, since all of a kind begin alike.
    pub fn add(&self, what: &'static str, secret: &str) {
        if let Some(telling) = secret.as_bytes().last_chunk::<TELLING>() {
            self.seen.lock().unwrap_or_else(PoisonError::into_inner).insert(*telling, what);
        }
    }

    /// Remembers what a token request and its answer carry.
    pub fn of_token_request(&self, request: &TokenRequest, answer: &Answer) {
        if let Some(basic) = &request.authorization {
            self.add("a client's authorization", basic);
        }
        for (name, value) in form_urlencoded::parse(request.body.as_bytes()) {
            match &*name {
                "client_assertion" => self.add("an assertion", &value),
                "client_secret" => self.add("a client secret", &value),
                _ => {}
            }
        }
        let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        if let Some(token) = body["access_token"].as_str() {
            self.add("an access token", token);
        }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// The telling bytes of one of them.
    pub fn any(&self) -> Option<Vec<u8>> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.keys().next().map(|telling| telling.to_vec())
    }

    /// Which of them stands in these bytes.
    pub fn found_in(&self, bytes: &[u8]) -> Option<&'static str> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        bytes
            .windows(TELLING)
            .filter_map(|window| window.try_into().ok())
            .find_map(|window: [u8; TELLING]| seen.get(&window).copied())
    }

    /// Looks through every file of a folder; gives how many there were.
    pub fn search(&self, folder: &Path) -> Result<usize> {
        let mut files = 0;
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                files += self.search(&path)?;
                continue;
            }
            let found = self.found_in(&std::fs::read(&path)?);
            ensure!(found.is_none(), "{} stands in {}", found.unwrap_or_default(), path.display());
            files += 1;
        }
        Ok(files)
    }
}
