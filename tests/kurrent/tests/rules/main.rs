//! The rules that the stand-in keeps, seen through the makers' client.

mod appends;
mod deleting;
mod failing;
mod given;
mod reading;
