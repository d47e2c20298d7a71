//! What all resources have in common (RFC 7643 section 3.1).

use super::attribute::AttributeDef;
use super::characteristic::{Mutability, Uniqueness};

const META: &[AttributeDef] = &[
    AttributeDef::string("resourceType", "The kind of resource.")
        .exact()
        .mutable(Mutability::ReadOnly),
    AttributeDef::date_time("created", "When the resource came to be.")
        .mutable(Mutability::ReadOnly),
    AttributeDef::date_time("lastModified", "When the resource last changed.")
        .mutable(Mutability::ReadOnly),
    AttributeDef::reference("location", &["uri"], "The URL of the resource.")
        .mutable(Mutability::ReadOnly),
    AttributeDef::string("version", "The version, as in the ETag header.")
        .exact()
        .mutable(Mutability::ReadOnly),
];

/// `externalId` is common to all resources (RFC 7643 section 3.1) and yet advertised with each
/// schema: Microsoft's gallery tests look there for every attribute that is mapped.
pub(super) const EXTERNAL_ID: AttributeDef =
    AttributeDef::string("externalId", "The identifier the client has for the resource.").exact();

/// Attributes every resource has (RFC 7643 section 3.1), and `schemas`.
pub(super) static COMMON: &[AttributeDef] = &[
    AttributeDef::reference("schemas", &["uri"], "The schemas of the attributes that are there.")
        .many()
        .required()
        .mutable(Mutability::ReadOnly)
        .always(),
    AttributeDef::string("id", "Rollcall's identifier of the resource.")
        .exact()
        .mutable(Mutability::ReadOnly)
        .always()
        .unique(Uniqueness::Global),
    AttributeDef::complex("meta", META, "What Rollcall says about the resource.")
        .mutable(Mutability::ReadOnly),
];
