//! Configuration of the server: file, then environment, then flags; the last one wins.

mod serve;

pub use serve::{LogFormat, ServeArgs, ServeConfig};
