//! Runs as their readers see them: over `/api/v1`, of an application in process whose time is told.

mod day;
mod entra;
mod events;
mod reading;
mod silence;
