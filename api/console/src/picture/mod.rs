//! Pictures: SVG that the server makes, from positions that plain functions find. Each has its
//! table on the same page, and nothing in it is told by colour alone.

pub mod bars;
pub mod strip;
pub mod timeline;
