//! What status, word and operation tell of why a request failed.

use super::class::Class;
use crate::cause::Cause;

/// What status, word and operation tell.
pub(super) fn by_status(
    status: u16,
    scim_type: Option<&str>,
    unknown_shape: bool,
    operation: &str,
) -> Cause {
    let class = Class::of(operation);
    match (status, scim_type) {
        (401, _) => Cause::TokenRefused,
        (409, Some("uniqueness")) => Cause::NameTaken,
        (404, _) if class == Class::Change => Cause::ResourceUnknown,
        (412, _) => Cause::VersionDiffers,
        (413, _) => Cause::TooLarge,
        (429, _) => Cause::TooFast,
        (404 | 403 | 405 | 501, _) => Cause::NotOffered,
        (500.., _) => Cause::ServerTrouble,
        (400, _) if unknown_shape => Cause::ShapeUnknown,
        (400, Some("invalidPath")) => Cause::AttributeUnknown,
        (400, Some("mutability")) => Cause::ReadOnly,
        (400, Some("noTarget")) => Cause::NoTarget,
        (400, Some("invalidFilter")) => Cause::FilterUnreadable,
        (400 | 408, Some("invalidSyntax") | None) => Cause::Malformed,
        (400, Some("invalidValue")) => Cause::ValueUnusable,
        _ => Cause::Unclear,
    }
}
