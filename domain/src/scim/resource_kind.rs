//! The kinds of resource, and the schemas of each.

use super::attribute::{AttributeDef, find};
use super::schema::Schema;
use super::{schema_common, schema_group, schema_user};

/// The kinds of resource (RFC 7643 section 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ResourceKind {
    /// A user.
    User,
    /// A group.
    Group,
}

impl ResourceKind {
    /// All kinds.
    pub const ALL: [ResourceKind; 2] = [ResourceKind::User, ResourceKind::Group];

    /// The endpoint relative to the base URL, such as `/Users`.
    pub fn endpoint(self) -> &'static str {
        match self {
            ResourceKind::User => "/Users",
            ResourceKind::Group => "/Groups",
        }
    }

    /// The name, as `meta.resourceType` has it.
    pub fn name(self) -> &'static str {
        match self {
            ResourceKind::User => "User",
            ResourceKind::Group => "Group",
        }
    }

    /// The URN of the core schema.
    pub fn schema_urn(self) -> &'static str {
        self.schema().urn
    }

    /// The core schema.
    pub fn schema(self) -> &'static Schema {
        match self {
            ResourceKind::User => &schema_user::USER,
            ResourceKind::Group => &schema_group::GROUP,
        }
    }

    /// The extensions Rollcall knows; others are kept as sent.
    pub fn extensions(self) -> &'static [&'static Schema] {
        match self {
            ResourceKind::User => schema_user::EXTENSIONS,
            ResourceKind::Group => &[],
        }
    }

    /// A core or common attribute, by a name in any case.
    pub fn attribute(self, name: &str) -> Option<&'static AttributeDef> {
        find(schema_common::COMMON, name).or_else(|| self.schema().attribute(name))
    }

    /// A known extension, by a URN in any case.
    pub fn extension(self, urn: &str) -> Option<&'static Schema> {
        self.extensions().iter().copied().find(|s| s.urn.eq_ignore_ascii_case(urn))
    }
}

#[cfg(test)]
mod tests {
    use super::super::schema::ENTERPRISE_URN;
    use super::*;

    #[test]
    fn names_are_found_in_any_case() {
        assert_eq!(ResourceKind::User.attribute("USERNAME").map(|d| d.name), Some("userName"));
        assert_eq!(
            ResourceKind::User.attribute("emails").and_then(|d| d.sub("Value")).map(|d| d.name),
            Some("value")
        );
        assert!(ResourceKind::User.attribute("members").is_none());
        assert!(ResourceKind::User.attribute("password").is_none());
        assert!(ResourceKind::Group.extension(ENTERPRISE_URN).is_none());
    }

    #[test]
    fn the_few_attributes_whose_case_counts() {
        let exact = |kind: ResourceKind, name| kind.attribute(name).is_some_and(|d| d.case_exact);
        assert!(exact(ResourceKind::User, "id") && exact(ResourceKind::User, "externalId"));
        assert!(
            !exact(ResourceKind::User, "userName") && !exact(ResourceKind::Group, "displayName")
        );
    }
}
