//! What a request leaves of an attribute.

use super::attribute::{ADA, Attribute, Class, read_only};
use super::syntax::{Asked, Verb};
use chrono::DateTime;
use rollcall_domain::actor::Actor;
use rollcall_domain::context::Context;
use rollcall_domain::group::{self, Group, GroupCommand, GroupError};
use rollcall_domain::ids::ResourceId;
use rollcall_domain::interpretation::Notes;
use rollcall_domain::scim::*;
use rollcall_domain::user::{self, User, UserCommand, UserError};
use serde_json::{Map, Value, json};

/// What became of it.
#[derive(Debug)]
pub enum Outcome {
    /// The attribute afterwards.
    Left(Option<Value>),
    /// Nothing was applied.
    Refused(ScimError),
}

/// Asks, of a resource that has the attribute or has it not.
pub fn of(attribute: &Attribute, has_value: bool, asked: &Asked) -> Outcome {
    match asked_of(attribute, has_value, asked) {
        Ok(left) => Outcome::Left(left),
        Err(error) => Outcome::Refused(error),
    }
}

fn asked_of(
    attribute: &Attribute,
    has_value: bool,
    asked: &Asked,
) -> Result<Option<Value>, ScimError> {
    let kind = attribute.kind;
    let mut notes = Notes::default();
    let decoded = |mut body: Value, notes: &mut Notes| {
        // What the resource needs besides.
        let needed = if kind == ResourceKind::User { "userName" } else { "displayName" };
        if attribute.name != needed {
            body[needed] = json!("needed");
        }
        if attribute.name != "schemas" {
            body["schemas"] = json!([kind.schema_urn()]);
        }
        decode_resource(kind, &body, &Limits::default(), notes)
    };
    let after = match asked.verb {
        Verb::Create => create(kind, decoded(asked.body.clone(), &mut notes)?)?,
        Verb::Put => put(before(attribute, has_value), decoded(asked.body.clone(), &mut notes)?)?,
        Verb::Add | Verb::Replace | Verb::Remove => {
            let before = before(attribute, has_value);
            let mut intents = decode_patch(kind, &asked.body, &Limits::default(), &mut notes)?;
            let mut as_read = read_only(kind);
            if !has_value && let Some(all) = as_read.as_object_mut() {
                all.remove(&attribute.name);
            }
            check_asserted(&mut intents, &as_read, &mut notes)?;
            change(before, intents)?
        }
    };
    Ok(left(attribute, has_value, &after, asked.verb))
}

/// A user, or a group.
pub enum Resource {
    User(User),
    Group(Group),
}

fn before(attribute: &Attribute, has_value: bool) -> Resource {
    let mut attributes = Map::new();
    let needed = if attribute.kind == ResourceKind::User { "userName" } else { "displayName" };
    attributes.insert(needed.into(), json!("needed"));
    let mut body = Value::Object(attributes);
    let mut members: Vec<ResourceId> = Vec::new();
    match attribute.class {
        Class::ReadOnly | Class::Password => {}
        Class::Members => {
            members.extend(has_value.then(|| ADA.parse::<ResourceId>().expect("an id")))
        }
        Class::Part => {
            // The value that the path chooses, with a part that is not asked about.
            let (whole, part) = attribute.within.expect("a part");
            let other = if part == "value" || part == "formatted" { "display" } else { "value" };
            let other = attribute
                .kind
                .attribute(whole)
                .and_then(|d| d.sub(other))
                .map_or("locality", |d| d.name);
            let other = if other == part { "region" } else { other };
            body[whole] = json!([{ "type": "work", other: "stays" }]);
            if has_value {
                body[whole][0][part] = attribute.old();
            }
        }
        _ if has_value => place(attribute, &mut body, attribute.old()),
        _ => {}
    }
    let state = body.as_object().cloned().unwrap_or_default();
    match attribute.kind {
        ResourceKind::User => {
            let mut user = User::default();
            evolve_user(&mut user, UserCommand::Create { attributes: state }).expect("a user");
            Resource::User(user)
        }
        ResourceKind::Group => {
            let mut group = Group::default();
            evolve_group(&mut group, GroupCommand::Create { attributes: state, members })
                .expect("a group");
            Resource::Group(group)
        }
    }
}

fn place(attribute: &Attribute, body: &mut Value, value: Value) {
    let (name, value) = match attribute.within {
        Some((whole, part)) => (whole, json!({ part: value })),
        None => (attribute.name.as_str(), value),
    };
    match attribute.urn {
        Some(urn) => body[urn] = json!({ name: value }),
        None => body[name] = value,
    }
}

fn context() -> Context {
    Context::new(DateTime::UNIX_EPOCH, Actor::System, None)
}

fn evolve_user(user: &mut User, command: UserCommand) -> Result<(), ScimError> {
    let decision = user::decide(user, command, &context()).map_err(|e| match e {
        UserError::Scim(error) => error,
        other => panic!("{other}"),
    })?;
    decision.events.into_iter().for_each(|event| cqrs_es::Aggregate::apply(user, event));
    Ok(())
}

fn evolve_group(group: &mut Group, command: GroupCommand) -> Result<(), ScimError> {
    let decision = group::decide(group, command, &context()).map_err(|e| match e {
        GroupError::Scim(error) => error,
        other => panic!("{other}"),
    })?;
    decision.events.into_iter().for_each(|event| cqrs_es::Aggregate::apply(group, event));
    Ok(())
}

pub fn create(kind: ResourceKind, decoded: DecodedResource) -> Result<Resource, ScimError> {
    match kind {
        ResourceKind::User => {
            let mut user = User::default();
            evolve_user(&mut user, UserCommand::Create { attributes: decoded.attributes })?;
            Ok(Resource::User(user))
        }
        ResourceKind::Group => {
            let mut group = Group::default();
            let members = decoded.members.unwrap_or_default();
            evolve_group(
                &mut group,
                GroupCommand::Create { attributes: decoded.attributes, members },
            )?;
            Ok(Resource::Group(group))
        }
    }
}

fn put(before: Resource, decoded: DecodedResource) -> Result<Resource, ScimError> {
    let DecodedResource { attributes, members } = decoded;
    match before {
        Resource::User(mut user) => {
            evolve_user(&mut user, UserCommand::Replace { attributes })?;
            Ok(Resource::User(user))
        }
        Resource::Group(mut group) => {
            evolve_group(&mut group, GroupCommand::Replace { attributes, members })?;
            Ok(Resource::Group(group))
        }
    }
}

pub fn change(before: Resource, intents: Vec<Intent>) -> Result<Resource, ScimError> {
    match before {
        Resource::User(mut user) => {
            evolve_user(&mut user, UserCommand::Change { intents })?;
            Ok(Resource::User(user))
        }
        Resource::Group(mut group) => {
            evolve_group(&mut group, GroupCommand::Change { intents })?;
            Ok(Resource::Group(group))
        }
    }
}

fn left(attribute: &Attribute, has_value: bool, after: &Resource, verb: Verb) -> Option<Value> {
    let (attributes, members) = match after {
        Resource::User(user) => (user.attributes()?, None),
        Resource::Group(group) => {
            group.present().map(|(attributes, members)| (attributes, Some(members)))?
        }
    };
    match attribute.class {
        // They stand beside the attributes; what matters is that nothing of them got in.
        Class::ReadOnly | Class::Password => {
            assert!(attributes.get(&attribute.name).is_none(), "{} was kept", attribute.name);
            attribute.before(has_value).filter(|_| verb != Verb::Create)
        }
        Class::Members => {
            let list: Vec<Value> =
                members?.iter().map(|id| json!({ "value": id.to_string() })).collect();
            (!list.is_empty()).then_some(Value::Array(list))
        }
        Class::Part => {
            let (whole, part) = attribute.within?;
            let element = &attributes.get(whole)?[0];
            assert!(
                element.as_object()?.values().any(|v| v == "stays"),
                "the value itself went: {element}"
            );
            element.get(part).cloned()
        }
        _ => {
            let container = match attribute.urn {
                Some(urn) => attributes.get(urn)?.as_object()?,
                None => attributes,
            };
            match attribute.within {
                Some((whole, part)) => container.get(whole)?.get(part).cloned(),
                None => container.get(&attribute.name).cloned(),
            }
        }
    }
}
