//! From the engine's errors to SCIM's (RFC 7644 section 3.12).

use super::resource::Resource;
use rollcall_domain::claim::ClaimKind;
use rollcall_domain::failure::Cause;
use rollcall_domain::ids::ResourceId;
use rollcall_domain::scim::{Limits, ScimError};
use rollcall_engine::{ExecuteError, Judgement};

/// What the client is told when something of ours is broken: never a 4xx, for Entra must retry.
pub fn damaged(what: &str) -> ScimError {
    tracing::error!(what, "cannot answer");
    ScimError::unavailable("the server cannot answer this now; nothing was changed, try again later".to_owned())
}

/// Our own trouble with a store.
pub fn unavailable(doing: &str, error: &dyn std::fmt::Display) -> ScimError {
    tracing::warn!(doing, %error, "store is away");
    ScimError::unavailable("the store cannot be reached at the moment; try again later".to_owned())
}

/// What the client is told about a command that was not carried out.
pub fn of_command<A: Resource>(id: ResourceId, error: ExecuteError<A::Error>) -> ScimError {
    let judgement = match error.into_judgement() {
        Ok(judgement) => judgement,
        Err(ExecuteError::Damaged(reason)) => return damaged(&reason),
        Err(trouble) => return unavailable("command", &trouble),
    };
    match judgement {
        Judgement::Refused(refusal) => A::refusal(id, refusal),
        Judgement::PreconditionFailed => {
            ScimError::precondition_failed("the resource has another version than If-Match says: read it again".to_owned())
        }
        Judgement::NotPermitted { liberty, .. } => Limits::refusal(&liberty),
        Judgement::Taken { kind, holder } => {
            let (attribute, noun) = match kind {
                ClaimKind::GroupName => ("displayName", "group"),
                // The others are taken by no SCIM request.
                _ => ("userName", "user"),
            };
            ScimError::uniqueness(format!("this {attribute} is already used by {noun} {} (upper and lower case count as equal)", holder.id))
                .held_by(ResourceId(holder.id))
        }
        Judgement::Missing(member) => ScimError::invalid_value(format!(
            "{member} is neither a user nor a group of this organization: provision it before it becomes a member"
        ))
        .because(Cause::MemberUnknown)
        .needing(member),
    }
}
