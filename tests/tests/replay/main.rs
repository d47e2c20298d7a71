//! The application in process, and what is built on it: replays, bundles, failures.

mod host;
