//! The core group (RFC 7643 section 4.2).

use super::attribute::AttributeDef;
use super::characteristic::{Mutability, Uniqueness};
use super::schema::{GROUP_URN, Schema};
use super::schema_common::EXTERNAL_ID;

const MEMBER: &[AttributeDef] = &[
    AttributeDef::string("value", "The id of the member.").exact().mutable(Mutability::Immutable),
    AttributeDef::reference("$ref", &["User", "Group"], "The URL of the member.")
        .mutable(Mutability::Immutable),
    AttributeDef::string("type", "Whether the member is a user or a group.")
        .mutable(Mutability::Immutable)
        .usual(&["User", "Group"]),
];

pub(super) static GROUP: Schema = Schema {
    urn: GROUP_URN,
    name: "Group",
    description: "Group",
    attributes: &[
        EXTERNAL_ID,
        AttributeDef::string("displayName", "The name of the group.")
            .name()
            .required()
            .unique(Uniqueness::Server),
        AttributeDef::complex("members", MEMBER, "The users and groups that belong to the group.")
            .many(),
    ],
};
