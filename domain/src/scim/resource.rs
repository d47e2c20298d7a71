//! The body of a POST or PUT (RFC 7644 sections 3.3 and 3.5.1).

use super::apply::edit;
use super::canonical::{check_required, drop_bare, note_empty};
use super::edit::Edit;
use super::error::{ScimError, ScimType, quoted};
use super::filter::AttributePath;
use super::limits::{Limits, check_resource};
use super::object::{assignments, member};
use super::resource_kind::ResourceKind;
use super::{Attributes, get_ci, is_unassigned, members};
use crate::ids::ResourceId;
use crate::interpretation::{Notes, Reading};
use serde_json::{Map, Value};

/// So many entries of `schemas` are looked at; they mean nothing, but each is looked up among the
/// keys.
const MOST_SCHEMAS: usize = 100;

/// A resource as sent, in canonical form.
#[derive(Clone, Debug, PartialEq)]
pub struct DecodedResource {
    /// All attributes but the members. A user has `userName` (and `active` if it was sent), a group
    /// `displayName`.
    pub attributes: Attributes,
    /// The members of a group, if the body speaks of them. Whether they exist is checked elsewhere.
    pub members: Option<Vec<ResourceId>>,
}

/// Reads the body of a POST or PUT in any known dialect.
pub fn decode_resource(
    kind: ResourceKind,
    body: &Value,
    limits: &Limits,
    notes: &mut Notes,
) -> Result<DecodedResource, ScimError> {
    let Value::Object(object) = body else {
        return Err(ScimError::invalid_syntax(format!(
            "the body must be a JSON object with the attributes of a {}",
            kind.name()
        ))
        .unknown_shape());
    };
    limits.check_sizes(body)?;
    read_schemas(kind, object, limits, notes)?;
    let mut attributes = Attributes::new();
    let mut found_members = None;
    for assignment in assignments(kind, object, ScimType::InvalidSyntax, limits, notes)? {
        let (path, value) = (assignment.path, assignment.value);
        if path.is_schema() {
            note_empty(&value, &path.label(), notes);
            continue;
        }
        if path.is_read_only(kind) {
            // Entra sends `meta` with every POST, and `schemas` is read above.
            if !(path.urn.is_none() && matches!(path.attribute.as_str(), "meta" | "schemas")) {
                notes.note(Reading::ReadOnlyIgnored, path.label());
            }
            continue;
        }
        if is_members(kind, &path) {
            if path.sub.is_some() || path.filter.is_some() {
                return Err(ScimError::invalid_syntax(format!(
                    "{} cannot be a key here: send the members as an array",
                    quoted(&path.to_string())
                )));
            }
            // Null is the same as leaving them out (RFC 7643 section 2.5).
            if is_unassigned(&value) && !value.is_array() {
                notes.note(Reading::RemovalOfNobody, "members");
                continue;
            }
            let decoded = members::decode(&value, notes).map_err(ScimError::in_body)?.kept;
            limits.check_members(decoded.len())?;
            found_members = Some(decoded);
            continue;
        }
        limits.check_lengths(path.leaf_def(kind), &value, &path.label())?;
        edit(kind, &mut attributes, &path, Edit::Replace(&value), notes)
            .map_err(ScimError::in_body)?;
    }
    drop_bare(kind, &mut attributes, &Attributes::new(), notes);
    check_required(kind, &attributes)?;
    check_resource(&attributes)?;
    Ok(DecodedResource { attributes, members: found_members })
}

/// True for the members of a group, which are no part of its [`Attributes`].
pub(super) fn is_members(kind: ResourceKind, path: &AttributePath) -> bool {
    kind == ResourceKind::Group && path.urn.is_none() && path.attribute == "members"
}

/// Extensions are derived from the keys, so `schemas` is only looked at for what is odd about it.
fn read_schemas(
    kind: ResourceKind,
    object: &Map<String, Value>,
    limits: &Limits,
    notes: &mut Notes,
) -> Result<(), ScimError> {
    let Some(listed) =
        member(object, "schemas").and_then(Value::as_array).filter(|s| !s.is_empty())
    else {
        notes.note(Reading::SchemasMissing, "schemas");
        return Ok(());
    };
    for urn in listed.iter().take(MOST_SCHEMAS) {
        let is_known = |u: &str| {
            kind.schema_urn().eq_ignore_ascii_case(u)
                || kind.extension(u).is_some()
                || get_ci(object, u).is_some()
        };
        if !urn.as_str().is_some_and(is_known) {
            limits.policy.unknown_schema(urn.as_str().unwrap_or_default())?;
            notes.note(Reading::UnknownSchemaIgnored, "schemas");
        }
    }
    Ok(())
}
