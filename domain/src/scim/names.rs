//! From a name as written to an attribute: URN prefixes, cases and aliases.

use super::attribute::AttributeDef;
use super::error::{Rule, quoted};
use super::filter::AttributePath;
use super::resource_kind::ResourceKind;
use super::schema::{CORE_PREFIX, ENTERPRISE_URN};
use crate::interpretation::{Notes, Reading};

/// Why a name was not understood.
#[derive(Debug)]
pub(super) struct NameProblem {
    /// Where in the name, in bytes.
    pub offset: usize,
    /// In words.
    pub message: String,
    /// The attribute that does not exist, if that is the trouble.
    pub unknown: Option<String>,
    /// The rule that it breaks, if that has a name.
    pub rule: Option<Rule>,
}

impl NameProblem {
    fn new(offset: usize, message: impl Into<String>) -> Self {
        Self { offset, message: message.into(), unknown: None, rule: None }
    }

    fn unknown(offset: usize, message: impl Into<String>, name: &str) -> Self {
        Self { offset, message: message.into(), unknown: Some(name.to_owned()), rule: None }
    }
}

/// True for `2.0` and the like: in a schema URN, the schema's name follows it and ends the URN.
fn is_version(segment: &str) -> bool {
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    segment.split_once('.').is_some_and(|(major, minor)| digits(major) && digits(minor))
}

fn ends_with_version(urn: &str) -> bool {
    urn.rsplit(':').next().is_some_and(is_version)
}

/// True for a name in the sense of RFC 7643 section 2.1, or `$ref`.
fn is_name(name: &str) -> bool {
    let mut chars = name.strip_prefix('$').unwrap_or(name).chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic())
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

/// True for what may name an attribute of a custom extension: anything that a path can tell from
/// its own signs.
pub(super) fn is_custom_name(name: &str) -> bool {
    !name.is_empty()
        && !name
            .contains(|c: char| c.is_control() || c.is_whitespace() || ":.[]()\"\\,".contains(c))
}

/// True if a key or name begins like a schema URN.
pub(super) fn is_urn(name: &str) -> bool {
    name.get(..4).is_some_and(|p| p.eq_ignore_ascii_case("urn:"))
}

/// True for a URN of RFC 7643 and 7644 itself, under which no custom extension can be.
pub(super) fn is_reserved_urn(name: &str) -> bool {
    let starts =
        |prefix: &str| name.get(..prefix.len()).is_some_and(|p| p.eq_ignore_ascii_case(prefix));
    starts(CORE_PREFIX) || starts("urn:ietf:params:scim:api:")
}

/// Resolves `[urn:]attribute[.sub]`, or a schema URN alone.
pub(super) fn resolve(
    kind: ResourceKind,
    raw: &str,
    notes: &mut Notes,
) -> Result<AttributePath, NameProblem> {
    if is_urn(raw) { qualified(kind, raw, notes) } else { attribute(kind, None, raw, 0, notes) }
}

fn qualified(
    kind: ResourceKind,
    raw: &str,
    notes: &mut Notes,
) -> Result<AttributePath, NameProblem> {
    let core = kind.schema();
    for schema in kind.extensions().iter().copied().chain([core]) {
        let urn = schema.urn;
        let Some((prefix, rest)) =
            raw.split_at_checked(urn.len()).filter(|(p, _)| p.eq_ignore_ascii_case(urn))
        else {
            continue;
        };
        let name = match rest.as_bytes().first() {
            None => return Ok(AttributePath::extension(urn, "")),
            Some(b':') => &rest[1..],
            Some(b'.') => {
                notes.note(Reading::UrnWithDot, raw);
                &rest[1..]
            }
            Some(_) => continue,
        };
        if prefix != urn {
            notes.note(Reading::AttributeCase, raw);
        }
        let inside = if urn == core.urn { None } else { Some(urn) };
        return attribute(kind, inside, name, urn.len() + 1, notes);
    }
    if is_reserved_urn(raw) {
        let message = format!("unknown attribute {} of a {}", quoted(raw), kind.name());
        return Err(NameProblem::unknown(0, message, raw));
    }
    custom(kind, raw, notes)
}

fn custom(kind: ResourceKind, raw: &str, notes: &mut Notes) -> Result<AttributePath, NameProblem> {
    let no_attribute =
        || NameProblem::new(raw.len(), "expected a schema URN, a colon and an attribute");
    let (before, last) = raw.rsplit_once(':').ok_or_else(no_attribute)?;
    if !before.contains(':') || last.is_empty() {
        return Err(no_attribute());
    }
    if !ends_with_version(before) {
        return attribute(kind, Some(before), last, before.len() + 1, notes);
    }
    match last.split_once('.') {
        None if is_name(last) => Ok(AttributePath::extension(raw, "")),
        Some((schema, name)) if is_name(schema) => {
            notes.note(Reading::UrnWithDot, raw);
            let urn = format!("{before}:{schema}");
            attribute(kind, Some(&urn), name, urn.len() + 1, notes)
        }
        _ => Err(no_attribute()),
    }
}

fn attribute(
    kind: ResourceKind,
    urn: Option<&str>,
    text: &str,
    offset: usize,
    notes: &mut Notes,
) -> Result<AttributePath, NameProblem> {
    let (name, sub) = match text.split_once('.') {
        Some((name, sub)) => (name, Some(sub)),
        None => (text, None),
    };
    if !is_name(name) {
        return Err(NameProblem::new(
            offset,
            format!("expected the name of an attribute, found {}", quoted(text)),
        ));
    }
    let mut path = AttributePath {
        urn: urn.map(str::to_owned),
        attribute: name.to_owned(),
        filter: None,
        sub: None,
    };
    let def = match urn {
        None => kind.attribute(name).or_else(|| {
            // Entra's tutorial names enterprise attributes without their schema.
            let def = kind.extension(ENTERPRISE_URN)?.attribute(name)?;
            notes.note(Reading::EnterpriseUnqualified, def.name);
            path.urn = Some(ENTERPRISE_URN.to_owned());
            Some(def)
        }),
        Some(urn) => match kind.extension(urn) {
            Some(schema) => schema.attribute(name),
            None => {
                path.sub = sub.map(|s| custom_sub(s, offset + name.len() + 1)).transpose()?;
                return Ok(path);
            }
        },
    };
    let Some(def) = def else {
        let of = urn.unwrap_or(kind.name());
        return Err(NameProblem::unknown(
            offset,
            format!("unknown attribute {} of {of}", quoted(name)),
            name,
        ));
    };
    path.attribute = canonical(def.name, name, notes);
    if let Some(sub) = sub {
        path.sub = Some(sub_attribute(def, sub, offset + name.len() + 1, notes)?);
    }
    Ok(path)
}

/// A sub-attribute in the schema's case.
pub(super) fn sub_attribute(
    def: &'static AttributeDef,
    sub: &str,
    offset: usize,
    notes: &mut Notes,
) -> Result<String, NameProblem> {
    if !def.is_complex() {
        return Err(NameProblem::new(offset, format!("{} has no sub-attributes", def.name)));
    }
    match known_sub(def, sub, notes) {
        Some(d) => Ok(d.name.to_owned()),
        None => {
            let rule = Some(Rule::UnknownSubAttribute);
            Err(NameProblem { rule, ..NameProblem::unknown(offset, unknown_sub(def, sub), sub) })
        }
    }
}

/// A sub-attribute by its name in any case, or by the name that Entra has for it.
pub(super) fn known_sub(
    def: &'static AttributeDef,
    name: &str,
    notes: &mut Notes,
) -> Option<&'static AttributeDef> {
    if let Some(sub) = def.sub(name) {
        canonical(sub.name, name, notes);
        return Some(sub);
    }
    let sub = ALIASES
        .iter()
        .find(|(alias, _)| alias.eq_ignore_ascii_case(name))
        .and_then(|(_, sub)| def.sub(sub))?;
    notes.note(Reading::SubAttributeAlias, format!("{}.{name}", def.name));
    Some(sub)
}

/// What clients call sub-attributes besides: Entra's POST names a role's `display` so.
const ALIASES: [(&str, &str); 1] = [("displayName", "display")];

/// What is said of a sub-attribute that the schema does not have, in a path and in an object alike.
pub(super) fn unknown_sub(def: &AttributeDef, name: &str) -> String {
    let known: Vec<&str> = def.sub_attributes.iter().map(|d| d.name).collect();
    format!(
        "unknown sub-attribute {} of {}, which has {}",
        quoted(name),
        def.name,
        known.join(", ")
    )
}

/// A sub-attribute of something that no schema describes.
pub(super) fn custom_sub(sub: &str, offset: usize) -> Result<String, NameProblem> {
    if is_name(sub) {
        Ok(sub.to_owned())
    } else {
        Err(NameProblem::new(
            offset,
            format!("expected the name of a sub-attribute, found {}", quoted(sub)),
        ))
    }
}

fn canonical(name: &'static str, written: &str, notes: &mut Notes) -> String {
    if name != written {
        notes.note(Reading::AttributeCase, name);
    }
    name.to_owned()
}
