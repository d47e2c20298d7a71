//! A month of a simulated tenant on each kind of credential, in process and in its own time.

mod found;
mod kept;
mod secrets;
mod stories;
mod tenant;
