//! What users and groups have in common for SCIM.

use super::call::Call;
use super::failure;
use rollcall_domain::group::{self, Group, GroupCommand, GroupError};
use rollcall_domain::ids::ResourceId;
use rollcall_domain::log::Version;
use rollcall_domain::scim::{
    Attributes, DecodedResource, Intent, Meta, ResourceKind, ScimError, render_resource,
};
use rollcall_domain::user::{User, UserCommand, UserError};
use rollcall_engine::{Hosted, Times};
use serde_json::{Value, json};
use std::collections::HashMap;

/// A SCIM resource with an aggregate behind it.
pub trait Resource: Hosted {
    /// Its resource type.
    const RESOURCE: ResourceKind;

    /// POST.
    fn create(decoded: DecodedResource) -> Self::Command;
    /// PUT.
    fn replace(decoded: DecodedResource) -> Self::Command;
    /// PATCH.
    fn change(intents: Vec<Intent>) -> Self::Command;
    /// DELETE.
    fn delete() -> Self::Command;
    /// The resources a command needs to exist.
    fn required(id: ResourceId, command: &Self::Command) -> Result<Vec<ResourceId>, Self::Error>;
    /// What a refusal means on the wire.
    fn refusal(id: ResourceId, error: Self::Error) -> ScimError;
    /// Attributes of a resource that exists.
    fn present(&self) -> Option<&Attributes>;
    /// Members of a group that exists, as the wire shows them before a view has names for them.
    fn members(&self, _: &Shown) -> Option<Vec<Value>> {
        None
    }
}

/// The members of a group that an answer shows, as they are on the wire. A deleted user stays in
/// the group's own stream, but is nobody's member.
#[derive(Clone, Debug, Default)]
pub struct Shown(HashMap<ResourceId, Value>);

impl Shown {
    /// The members of a group that the directory knows, and those that a command names, which are
    /// checked when it is carried out.
    pub async fn of_command<A: Resource>(
        call: &Call,
        id: ResourceId,
        command: &A::Command,
        wanted: bool,
    ) -> Result<Self, ScimError> {
        if A::RESOURCE != ResourceKind::Group || !wanted {
            return Ok(Self::default());
        }
        let (directory, organization, base) =
            (&call.app.directory, call.opened.organization, &call.app.scim_base);
        let away = |e| failure::unavailable("members of a group", &e);
        let mut shown =
            directory.members_of_group_on_wire(organization, id, base).await.map_err(away)?;
        let named = A::required(id, command).map_err(|e| A::refusal(id, e))?;
        let named: Vec<ResourceId> =
            named.into_iter().filter(|id| !shown.contains_key(id)).collect();
        let mut known =
            directory.members_on_wire(organization, &named, base).await.map_err(away)?;
        // One that is not there yet for this reader is there when the command is carried out, or
        // refuses it.
        shown.extend(
            named
                .into_iter()
                .map(|id| (id, known.remove(&id).unwrap_or_else(|| json!({ "value": id })))),
        );
        Ok(Self(shown))
    }
}

impl Resource for User {
    const RESOURCE: ResourceKind = ResourceKind::User;

    fn create(decoded: DecodedResource) -> UserCommand {
        UserCommand::Create { attributes: decoded.attributes }
    }
    fn replace(decoded: DecodedResource) -> UserCommand {
        UserCommand::Replace { attributes: decoded.attributes }
    }
    fn change(intents: Vec<Intent>) -> UserCommand {
        UserCommand::Change { intents }
    }
    fn delete() -> UserCommand {
        UserCommand::Delete
    }
    fn required(_: ResourceId, _: &UserCommand) -> Result<Vec<ResourceId>, UserError> {
        Ok(Vec::new())
    }
    fn refusal(id: ResourceId, error: UserError) -> ScimError {
        match error {
            // No SCIM request signs anybody in, or says who a person is.
            UserError::NotFound
            | UserError::NotRecognized
            | UserError::InvalidReason
            | UserError::Held
            | UserError::Erased => super::route::not_found(ResourceKind::User, &id.to_string()),
            UserError::AlreadyExists => ScimError::uniqueness(error.to_string()),
            UserError::Scim(error) => error,
        }
    }
    fn present(&self) -> Option<&Attributes> {
        self.attributes()
    }
}

impl Resource for Group {
    const RESOURCE: ResourceKind = ResourceKind::Group;

    fn create(decoded: DecodedResource) -> GroupCommand {
        GroupCommand::Create {
            attributes: decoded.attributes,
            members: decoded.members.unwrap_or_default(),
        }
    }
    fn replace(decoded: DecodedResource) -> GroupCommand {
        GroupCommand::Replace { attributes: decoded.attributes, members: decoded.members }
    }
    fn change(intents: Vec<Intent>) -> GroupCommand {
        GroupCommand::Change { intents }
    }
    fn delete() -> GroupCommand {
        GroupCommand::Delete
    }
    fn required(id: ResourceId, command: &GroupCommand) -> Result<Vec<ResourceId>, GroupError> {
        group::required(id, command)
    }
    fn refusal(id: ResourceId, error: GroupError) -> ScimError {
        match error {
            GroupError::NotFound => super::route::not_found(ResourceKind::Group, &id.to_string()),
            GroupError::AlreadyExists => ScimError::uniqueness(error.to_string()),
            GroupError::OwnMember(id) => {
                ScimError::invalid_value(format!("group {id} cannot be a member of itself"))
            }
            GroupError::Scim(error) => error,
        }
    }
    fn present(&self) -> Option<&Attributes> {
        Group::present(self).map(|(attributes, _)| attributes)
    }
    fn members(&self, shown: &Shown) -> Option<Vec<Value>> {
        let (_, members) = Group::present(self)?;
        Some(members.iter().filter_map(|id| shown.0.get(id).cloned()).collect())
    }
}

/// The address of a resource.
pub fn location(base: &str, kind: ResourceKind, id: ResourceId) -> String {
    format!("{base}{}/{id}", kind.endpoint())
}

/// An entity tag (RFC 7644 section 3.14).
pub fn etag(version: Version) -> String {
    format!("W/\"{version}\"")
}

/// A resource's metadata.
pub fn meta(
    base: &str,
    kind: ResourceKind,
    id: ResourceId,
    version: Version,
    times: Times,
) -> Meta {
    Meta {
        created: times.created,
        last_modified: times.modified,
        version,
        location: location(base, kind, id),
    }
}

/// A resource in its wire form, from the state that a command led to.
pub fn render<A: Resource>(
    base: &str,
    id: ResourceId,
    state: &A,
    version: Version,
    times: Times,
    groups: Option<Vec<Value>>,
    shown: &Shown,
) -> Result<Value, ScimError> {
    let attributes = state
        .present()
        .ok_or_else(|| failure::damaged("a resource that was just written is not there"))?;
    let members = state.members(shown);
    Ok(render_resource(
        A::RESOURCE,
        id,
        attributes,
        &meta(base, A::RESOURCE, id, version, times),
        groups,
        members,
    ))
}
