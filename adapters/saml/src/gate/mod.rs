//! The gate: what a message must look like before anything with a history reads it.
//!
//! xmlsec runs transforms and follows references before a signature is checked, and libxml2 repairs
//! what is broken. So a message reaches them only after three steps in safe Rust: [`scan`] over the
//! bytes, a strict parser without DTD, and a look at its names, ids and signatures ([`document`],
//! [`signature`]). What passes has one reading.

mod document;
mod limits;
mod scan;
mod signature;

pub(crate) use document::{parse, refuse_signatures_elsewhere};
pub(crate) use limits::{MAX_FIELD, MAX_VALUES};
pub(crate) use scan::{decode, utf8};
pub(crate) use signature::Signature;
