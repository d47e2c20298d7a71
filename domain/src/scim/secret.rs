//! Which names stand for secrets, and how a text that names one is told without it.

/// Names of parameters and attributes whose values are never kept.
pub const SECRET_NAMES: [&str; 9] = [
    "password",
    "access_token",
    "token",
    "client_secret",
    "client_assertion",
    "secret",
    "authorization",
    "bearer",
    "private_key",
];

/// Whether a name, a path or a filter names a secret. What it consists of (schema, attribute,
/// filter, sub-attribute) is looked at one by one: any of them may be the secret one.
pub fn names_secret(text: &str) -> bool {
    segments(text).any(|segment| SECRET_NAMES.iter().any(|name| segment.eq_ignore_ascii_case(name)))
}

/// Whether it names a password, whatever else it names.
pub fn names_password(text: &str) -> bool {
    segments(text).any(|segment| segment.eq_ignore_ascii_case(SECRET_NAMES[0]))
}

fn segments(name: &str) -> impl Iterator<Item = &str> {
    name.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-' || c == '$'))
        .filter(|s| !s.is_empty())
}

/// A path or a filter as it may be told: where it names a secret, without what it compares with.
pub(super) fn tellable(text: &str) -> String {
    let compares = |c: char| matches!(c, '[' | '"' | ' ' | '(');
    match text.trim().find(compares) {
        Some(at) if names_secret(text) => format!("{}...", &text.trim()[..at]),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_secret_is_compared_with_is_not_told() {
        for (text, told) in [
            ("password", "password"),
            ("password[value eq \"hunter2\"]", "password..."),
            ("emails[password eq \"hunter2\"].value", "emails..."),
            ("PassWord eq hunter2", "PassWord..."),
            ("(password eq \"hunter2\")", "..."),
            ("hunter2 eq password", "hunter2..."),
            ("emails[type eq \"work\"].value", "emails[type eq \"work\"].value"),
        ] {
            assert_eq!(tellable(text), told);
        }
    }

    #[test]
    fn a_secret_is_known_in_any_spelling_and_place() {
        for name in [
            "password",
            "PassWord",
            " password ",
            "password.value",
            "urn:x:y:2.0:User:vault.Client_Secret",
            "emails[token eq 1]",
        ] {
            assert!(names_secret(name), "{name}");
        }
        assert!(!names_secret("passwordless") && !names_secret("userName"));
        assert!(names_password("urn:x:User:password") && !names_password("token"));
    }
}
