//! Reads filters and attribute paths.

use super::error::ScimError;
use super::filter::{AttributePath, Filter};
use super::grammar::Parser;
use super::limits::Limits;
use super::problem::Problem;
use super::resource_kind::ResourceKind;
use crate::interpretation::Notes;

/// Reads a filter. An error is `invalidFilter`, and says where in the text and what was expected.
pub fn parse_filter(
    kind: ResourceKind,
    text: &str,
    limits: &Limits,
    notes: &mut Notes,
) -> Result<Filter, ScimError> {
    Parser::new(kind, text, limits, notes).filter().map_err(|problem| problem.in_filter(text))
}

/// Reads an attribute path. An error is `invalidPath` (`invalidFilter` inside brackets), and says
/// where in the text and what was expected.
pub fn parse_path(
    kind: ResourceKind,
    text: &str,
    limits: &Limits,
    notes: &mut Notes,
) -> Result<AttributePath, ScimError> {
    let path = Parser::new(kind, text, limits, notes).path().map_err(|p| p.in_path(text))?;
    limits.policy.know_schema(kind, path.urn.as_deref())?;
    Ok(path)
}

/// As [`parse_path`], with the trouble in detail.
pub(super) fn parse_key(
    kind: ResourceKind,
    text: &str,
    limits: &Limits,
    notes: &mut Notes,
) -> Result<AttributePath, Problem> {
    Parser::new(kind, text, limits, notes).path()
}

#[cfg(test)]
mod tests {
    use super::super::schema::ENTERPRISE_URN;
    use super::*;
    use crate::interpretation::Reading;

    fn read(text: &str) -> Result<(String, Vec<Reading>), String> {
        let mut notes = Notes::default();
        let path = parse_path(ResourceKind::User, text, &Limits::default(), &mut notes)
            .map_err(|e| e.detail)?;
        Ok((path.to_string(), notes.list().iter().map(|i| i.reading).collect()))
    }

    #[test]
    fn canonical_forms() {
        let doorctl = "urn:ietf:params:scim:schemas:extension:doorctl:2.0:User";
        let cases: &[(&str, String, &[Reading])] = &[
            ("displayName", "displayName".into(), &[]),
            ("USERNAME", "userName".into(), &[Reading::AttributeCase]),
            ("name.familyname", "name.familyName".into(), &[Reading::AttributeCase]),
            ("emails[type eq \"work\"].value", "emails[type eq \"work\"].value".into(), &[]),
            (
                "roles[primary eq \"True\"].value",
                "roles[primary eq true].value".into(),
                &[Reading::StringBooleanInFilter],
            ),
            ("urn:ietf:params:scim:schemas:core:2.0:User:userName", "userName".into(), &[]),
            (&format!("{ENTERPRISE_URN}:department"), format!("{ENTERPRISE_URN}:department"), &[]),
            (
                &format!("{ENTERPRISE_URN}:manager.value"),
                format!("{ENTERPRISE_URN}:manager.value"),
                &[],
            ),
            (
                &format!("{ENTERPRISE_URN}.manager"),
                format!("{ENTERPRISE_URN}:manager"),
                &[Reading::UrnWithDot],
            ),
            ("manager", format!("{ENTERPRISE_URN}:manager"), &[Reading::EnterpriseUnqualified]),
            (ENTERPRISE_URN, ENTERPRISE_URN.into(), &[]),
            (&format!("{doorctl}:badgeNumber"), format!("{doorctl}:badgeNumber"), &[]),
            (doorctl, doorctl.into(), &[]),
            ("meta.lastModified", "meta.lastModified".into(), &[]),
            ("id", "id".into(), &[]),
        ];
        for (text, canonical, readings) in cases {
            assert_eq!(read(text), Ok((canonical.clone(), readings.to_vec())), "{text}");
        }
    }

    #[test]
    fn errors_say_where_and_what() {
        for (text, position, part) in [
            ("nope", 1, "unknown attribute"),
            ("emails.nope", 8, "unknown sub-attribute"),
            ("emails[type eq \"work\"", 22, "\"]\""),
            ("emails[type eq \"work\"]x", 23, "end"),
            ("displayName.x", 13, "no sub-attributes"),
            ("members", 1, "unknown attribute"),
            ("urn:ietf:params:scim:schemas:core:2.0:Group:displayName", 1, "unknown attribute"),
            ("", 1, "attribute"),
        ] {
            let detail = read(text).expect_err(text);
            assert!(
                detail.contains(&format!("character {position}:")) && detail.contains(part),
                "{text}: {detail}"
            );
        }
    }
}
