//! Which attribute flows where.

use super::target::Target;
use crate::directory::User;

/// The enterprise extension.
pub const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// A source attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is named as the property of a user it reads")]
pub enum Source {
    ObjectId,
    UserPrincipalName,
    MailNickname,
    DisplayName,
    GivenName,
    Surname,
    /// `Join(" ", [givenName], [surname])`
    FullName,
    Mail,
    JobTitle,
    Department,
    EmployeeId,
    Mobile,
    Office,
    City,
    Country,
    PreferredLanguage,
    /// A custom extension attribute.
    Extension(String),
}

impl Source {
    /// Its value; an empty one does not flow.
    pub fn value(&self, user: &User) -> Option<String> {
        let value = match self {
            Self::ObjectId => Some(user.object_id.to_string()),
            Self::UserPrincipalName => Some(user.user_principal_name.clone()),
            Self::MailNickname => Some(user.mail_nickname.clone()),
            Self::DisplayName => Some(user.display_name.clone()),
            Self::GivenName => user.given_name.clone(),
            Self::Surname => user.surname.clone(),
            Self::FullName => {
                let parts: Vec<&str> = [&user.given_name, &user.surname]
                    .into_iter()
                    .flatten()
                    .map(String::as_str)
                    .collect();
                Some(parts.join(" "))
            }
            Self::Mail => user.mail.clone(),
            Self::JobTitle => user.job_title.clone(),
            Self::Department => user.department.clone(),
            Self::EmployeeId => user.employee_id.clone(),
            Self::Mobile => user.mobile_phone.clone(),
            Self::Office => user.office_location.clone(),
            Self::City => user.city.clone(),
            Self::Country => user.country.clone(),
            Self::PreferredLanguage => user.preferred_language.clone(),
            Self::Extension(name) => user.extension.get(name).cloned(),
        };
        value.filter(|v| !v.is_empty())
    }
}

/// One row of the attribute mapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flow {
    /// From.
    pub source: Source,
    /// To.
    pub target: Target,
}

/// The attribute mapping of users. `active` and the manager always flow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// Rows, in order.
    pub flows: Vec<Flow>,
    /// Matching attributes by precedence; each must be the target of a row.
    pub matching: Vec<Target>,
    /// Whether managers flow.
    pub manager: bool,
}

impl Mapping {
    /// The default mapping of a non-gallery application, with the object id as `externalId` in
    /// place of the mail nickname, and a custom extension.
    pub fn standard() -> Self {
        let mut rows = vec![(Source::ObjectId, "externalId".to_owned())];
        rows.extend(Self::common());
        Self::of(rows, true)
    }

    /// The default mapping as it is shipped: the mail nickname is the `externalId`.
    pub fn shipped() -> Self {
        let mut rows = vec![(Source::MailNickname, "externalId".to_owned())];
        rows.extend(
            Self::common()
                .into_iter()
                .filter(|(source, _)| !matches!(source, Source::Extension(_))),
        );
        Self::of(rows, true)
    }

    /// The small mapping of Kisi's connector: no mail, no `externalId`, no manager.
    pub fn kisi() -> Self {
        let rows = [
            (Source::UserPrincipalName, "userName"),
            (Source::DisplayName, "displayName"),
            (Source::GivenName, "name.givenName"),
            (Source::Surname, "name.familyName"),
            (Source::FullName, "name.formatted"),
        ];
        Self::of(rows.map(|(source, target)| (source, target.to_owned())).into(), false)
    }

    fn common() -> Vec<(Source, String)> {
        let rows = [
            (Source::UserPrincipalName, "userName"),
            (Source::DisplayName, "displayName"),
            (Source::JobTitle, "title"),
            (Source::Mail, "emails[type eq \"work\"].value"),
            (Source::PreferredLanguage, "preferredLanguage"),
            (Source::GivenName, "name.givenName"),
            (Source::Surname, "name.familyName"),
            (Source::FullName, "name.formatted"),
            (Source::Office, "addresses[type eq \"other\"].formatted"),
            (Source::City, "addresses[type eq \"work\"].locality"),
            (Source::Country, "addresses[type eq \"work\"].country"),
            (Source::Mobile, "phoneNumbers[type eq \"mobile\"].value"),
        ];
        let mut rows: Vec<(Source, String)> =
            rows.map(|(source, target)| (source, target.to_owned())).into();
        rows.push((Source::EmployeeId, format!("{ENTERPRISE}:employeeNumber")));
        rows.push((Source::Department, format!("{ENTERPRISE}:department")));
        rows.push((
            Source::Extension("badgeNumber".to_owned()),
            "urn:ietf:params:scim:schemas:extension:doorctl:2.0:User:badgeNumber".to_owned(),
        ));
        rows
    }

    fn of(rows: Vec<(Source, String)>, manager: bool) -> Self {
        let flows = rows
            .into_iter()
            .map(|(source, target)| Flow { source, target: Target::new(&target) })
            .collect();
        Self { flows, matching: vec![Target::new("userName")], manager }
    }

    /// The same without custom extensions, for servers that know only the schemas of RFC 7643.
    pub fn without_extensions(mut self) -> Self {
        self.flows.retain(|flow| !matches!(flow.source, Source::Extension(_)));
        self
    }

    /// The value of a matching attribute.
    pub fn value(&self, target: &Target, user: &User) -> Option<String> {
        self.flows.iter().find(|flow| flow.target == *target)?.source.value(user)
    }
}
