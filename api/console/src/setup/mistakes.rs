//! The usual mistakes, told from what was observed: which step they are put right in, and how.
//! Decisions are plain functions of it; a table of cases holds them.

use super::observed::{Arrived, Login, Observed};
use super::steps::Step;
use chrono::Duration;
use rollcall_domain::saml::Reason;

/// What was observed longer ago says nothing about now.
const LATELY: Duration = Duration::minutes(30);

/// A mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mistake {
    /// The Tenant URL is another than ours.
    WrongUrl,
    /// The Secret Token is another than ours.
    WrongToken,
    /// Nobody is assigned to the application.
    NothingAssigned,
    /// Users come without a mail address.
    NoMail,
    /// `externalId` is mapped from something else than the object id.
    ExternalId,
    /// The identity provider's certificate has expired.
    CertificateExpired,
    /// The metadata is another tenant's, or another application's.
    OtherTenant,
    /// The Unique User Identifier is another than the user principal name.
    NameId,
}

impl Mistake {
    /// All of them.
    pub const ALL: [Mistake; 8] = [
        Mistake::WrongUrl,
        Mistake::WrongToken,
        Mistake::NothingAssigned,
        Mistake::NoMail,
        Mistake::ExternalId,
        Mistake::CertificateExpired,
        Mistake::OtherTenant,
        Mistake::NameId,
    ];

    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Mistake::WrongUrl => "wrong-url",
            Mistake::WrongToken => "wrong-token",
            Mistake::NothingAssigned => "nothing-assigned",
            Mistake::NoMail => "no-mail",
            Mistake::ExternalId => "external-id",
            Mistake::CertificateExpired => "certificate-expired",
            Mistake::OtherTenant => "other-tenant",
            Mistake::NameId => "name-id",
        }
    }

    /// The step in which it is put right.
    pub fn step(self) -> Step {
        match self {
            Mistake::WrongUrl | Mistake::WrongToken => Step::TestConnection,
            Mistake::NothingAssigned => Step::Assignment,
            Mistake::NoMail | Mistake::ExternalId => Step::Mappings,
            Mistake::CertificateExpired | Mistake::OtherTenant => Step::Metadata,
            Mistake::NameId => Step::UniqueUserIdentifier,
        }
    }

    /// What it is.
    pub fn title(self) -> &'static str {
        match self {
            Mistake::WrongUrl => "Entra has another Tenant URL",
            Mistake::WrongToken => "Entra may have another Secret Token",
            Mistake::NothingAssigned => "Nobody is assigned",
            Mistake::NoMail => "Users arrive without a mail address",
            Mistake::ExternalId => "externalId is not the object id",
            Mistake::CertificateExpired => "The signing certificate in Entra has expired",
            Mistake::OtherTenant => "The metadata is of another tenant or application",
            Mistake::NameId => "The Unique User Identifier is not the user principal name",
        }
    }

    /// What to do.
    pub fn remedy(self) -> &'static str {
        match self {
            Mistake::WrongUrl => {
                "Copy the Tenant URL from this page again, whole, and test the connection again."
            }
            Mistake::WrongToken => {
                "Somebody called with a token that is not known. If that was your Test Connection: generate a token here, paste it whole, and test again."
            }
            Mistake::NothingAssigned => {
                "Entra connects, and nobody comes with it. The scope is \"Sync only assigned users and groups\": open Users and groups of the application, add some, then restart provisioning."
            }
            Mistake::NoMail => {
                "In the mapping, emails[type eq \"work\"].value comes from mail, which cloud-only users do not have. Map it from userPrincipalName, or fill mail in."
            }
            Mistake::ExternalId => {
                "In the mapping, set externalId from objectId (the default is mailNickname): names change, and a changed name would make a second user."
            }
            Mistake::CertificateExpired => {
                "In Entra, under Single sign-on, make a new signing certificate active; then save the metadata URL here again."
            }
            Mistake::OtherTenant => {
                "The sign-in came from another issuer than the metadata names. Copy the App Federation Metadata URL of this very application, and save it again."
            }
            Mistake::NameId => {
                "In Entra, under Attributes & Claims, set Unique User Identifier to user.userprincipalname."
            }
        }
    }
}

/// A mistake with what shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Which.
    pub mistake: Mistake,
    /// What was seen: a name, an address.
    pub evidence: String,
}

/// All mistakes that what was observed shows.
pub fn found(seen: &Observed) -> Vec<Found> {
    let evidence = Mistake::ALL.into_iter().filter_map(|mistake| {
        let evidence = evidence(mistake, seen)?;
        Some(Found { mistake, evidence })
    });
    evidence.collect()
}

/// What shows a mistake, if it is made.
fn evidence(mistake: Mistake, seen: &Observed) -> Option<String> {
    match mistake {
        Mistake::WrongUrl => wrong_url(seen),
        Mistake::WrongToken => wrong_token(seen),
        Mistake::NothingAssigned => nothing_assigned(seen),
        Mistake::NoMail => of_users(seen, |user| !user.has_mail),
        Mistake::ExternalId => of_users(seen, |user| !is_object_id(user.external_id.as_deref())),
        Mistake::CertificateExpired => certificate_expired(seen),
        Mistake::OtherTenant => other_tenant(seen),
        Mistake::NameId => name_id(seen),
    }
}

fn wrong_url(seen: &Observed) -> Option<String> {
    let (at, target) = seen.elsewhere.as_ref()?;
    // What came to the right address since has put it right.
    let stands = seen.arrived.is_none_or(|arrived| arrived < *at);
    stands.then(|| target.clone())
}

fn wrong_token(seen: &Observed) -> Option<String> {
    let at = seen.unknown_token?;
    let since = seen.token_issued.is_some_and(|issued| issued <= at);
    let stands = seen.arrived.is_none_or(|arrived| arrived < at) && seen.now - at < LATELY;
    (since && stands).then(|| at.format("%H:%M:%S UTC").to_string())
}

/// Two runs brought nobody: the first was the test of the connection, the second was to be a cycle.
fn nothing_assigned(seen: &Observed) -> Option<String> {
    let empty = |run: &&super::observed::Run| run.users <= 1 && !run.is_on_demand;
    let runs = seen.runs.iter().filter(empty).count();
    (seen.users == 0 && seen.groups == 0 && runs == seen.runs.len() && runs > 1)
        .then(|| runs.to_string())
}

fn of_users(seen: &Observed, is_wrong: impl Fn(&Arrived) -> bool) -> Option<String> {
    let wrong: Vec<_> = seen.sample.iter().filter(|user| is_wrong(user)).collect();
    // One guest without mail is no mistake of the mapping; most of them are.
    (wrong.len() * 2 > seen.sample.len()).then(|| wrong[0].user_name.clone())
}

/// An object id is a GUID: 32 hexadecimal digits in five groups.
fn is_object_id(text: Option<&str>) -> bool {
    text.is_some_and(|text| text.len() == 36 && text.parse::<uuid::Uuid>().is_ok())
}

fn last(seen: &Observed) -> Option<&Login> {
    seen.logins.first()
}

fn is_refused_for(login: &Login, reason: Reason) -> bool {
    login.reason.as_deref() == Some(reason.code())
}

fn certificate_expired(seen: &Observed) -> Option<String> {
    let ended = seen.certificate_ends.filter(|ends| *ends <= seen.now);
    let refused = last(seen).filter(|login| is_refused_for(login, Reason::CertificateExpired));
    let at = ended.or(refused.map(|login| login.at))?;
    Some(at.format("%Y-%m-%d").to_string())
}

fn other_tenant(seen: &Observed) -> Option<String> {
    let login = last(seen).filter(|login| !login.accepted)?;
    let of_others = [Reason::Issuer, Reason::Tenant, Reason::UnknownKey, Reason::SignatureInvalid];
    let refused = of_others.into_iter().any(|reason| is_refused_for(login, reason));
    let differs = login.issuer.is_some() && login.issuer != seen.identity_provider;
    (refused || (differs && login.issuer.is_some()))
        .then(|| login.issuer.clone().unwrap_or_else(|| login.at.format("%H:%M UTC").to_string()))
}

fn name_id(seen: &Observed) -> Option<String> {
    use rollcall_domain::login::NotAdmitted;
    let login = last(seen).filter(|login| !login.accepted)?;
    let unknown = [NotAdmitted::Unknown, NotAdmitted::Guest, NotAdmitted::OtherPerson];
    let is_unknown = unknown.iter().any(|n| login.reason.as_deref() == Some(n.code()));
    let name = login.name_id.as_deref()?;
    // A user principal name has an at sign; a mail address has one as well, and is somebody's.
    (is_unknown && (!name.contains('@') || login.is_mail_of.is_some())).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setup::observed::Run;
    use chrono::{DateTime, Utc};

    fn at(minutes: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_788_220_800 + minutes * 60, 0).unwrap()
    }

    fn user(mail: bool, external_id: Option<&str>) -> Arrived {
        Arrived {
            user_name: "ada@contoso.example".into(),
            external_id: external_id.map(str::to_owned),
            has_mail: mail,
        }
    }

    fn run() -> Run {
        Run {
            began: at(0),
            last: at(0),
            is_cycle: true,
            is_on_demand: false,
            is_open: false,
            requests: 1,
            users: 1,
            groups: 0,
            failures: 0,
        }
    }

    fn refused(reason: &str, name_id: &str) -> Login {
        Login {
            at: at(59),
            reason: Some(reason.into()),
            name_id: Some(name_id.into()),
            issuer: Some("https://sts.windows.net/a/".into()),
            ..Login::default()
        }
    }

    /// Everything as it should be, an hour in.
    fn good() -> Observed {
        let object = "6b0e2c1a-5f52-4f0e-9d3a-0a1b2c3d4e5f";
        Observed {
            now: at(60),
            identity_provider: Some("https://sts.windows.net/a/".into()),
            certificate_ends: Some(at(100_000)),
            has_key: true,
            logins: vec![Login {
                accepted: true,
                issuer: Some("https://sts.windows.net/a/".into()),
                ..Login::default()
            }],
            scim_enabled: true,
            token_issued: Some(at(1)),
            arrived: Some(at(58)),
            users: 3,
            groups: 1,
            sample: vec![user(true, Some(object)); 3],
            runs: vec![run()],
            ..Observed::default()
        }
    }

    /// What is changed of it, and which mistake that is.
    type Case = (&'static str, fn(&mut Observed), Option<Mistake>);

    const CASES: [Case; 17] = [
        ("as it should be", |_| {}, None),
        (
            "elsewhere, later",
            |o| o.elsewhere = Some((at(59), "/scim/Users".into())),
            Some(Mistake::WrongUrl),
        ),
        ("elsewhere, put right", |o| o.elsewhere = Some((at(57), "/scim/Users".into())), None),
        ("unknown token, later", |o| o.unknown_token = Some(at(59)), Some(Mistake::WrongToken)),
        ("unknown token, put right", |o| o.unknown_token = Some(at(57)), None),
        (
            "unknown token, long ago",
            |o| {
                o.arrived = None;
                o.unknown_token = Some(at(20))
            },
            None,
        ),
        (
            "unknown token before there was one",
            |o| {
                o.token_issued = None;
                o.unknown_token = Some(at(59))
            },
            None,
        ),
        (
            "two runs, nobody",
            |o| {
                (o.users, o.groups, o.sample) = (0, 0, vec![]);
                o.runs = vec![run(), run()]
            },
            Some(Mistake::NothingAssigned),
        ),
        ("one run, nobody", |o| (o.users, o.groups, o.sample) = (0, 0, vec![]), None),
        (
            "no mail",
            |o| o.sample.iter_mut().for_each(|u| u.has_mail = false),
            Some(Mistake::NoMail),
        ),
        ("one without mail", |o| o.sample[0].has_mail = false, None),
        (
            "externalId from mailNickname",
            |o| o.sample.iter_mut().for_each(|u| u.external_id = Some("ada".into())),
            Some(Mistake::ExternalId),
        ),
        (
            "certificate over",
            |o| o.certificate_ends = Some(at(59)),
            Some(Mistake::CertificateExpired),
        ),
        (
            "another issuer",
            |o| {
                o.logins.insert(
                    0,
                    Login {
                        issuer: Some("https://sts.windows.net/b/".into()),
                        ..refused("issuer", "x")
                    },
                )
            },
            Some(Mistake::OtherTenant),
        ),
        (
            "NameID is a nickname",
            |o| o.logins.insert(0, refused("unknown-user", "ada")),
            Some(Mistake::NameId),
        ),
        (
            "NameID is a mail address",
            |o| {
                o.logins.insert(
                    0,
                    Login {
                        is_mail_of: Some("ada@contoso.example".into()),
                        ..refused("unknown-user", "a@b.example")
                    },
                )
            },
            Some(Mistake::NameId),
        ),
        (
            "somebody who is not assigned",
            |o| o.logins.insert(0, refused("unknown-user", "eve@contoso.example")),
            None,
        ),
    ];

    #[test]
    fn each_mistake_is_told_and_no_other() {
        for (what, change, expected) in CASES {
            let mut seen = good();
            change(&mut seen);
            let found: Vec<_> = found(&seen).into_iter().map(|f| f.mistake).collect();
            assert_eq!(found, Vec::from_iter(expected), "{what}");
        }
        let told: std::collections::BTreeSet<_> =
            CASES.iter().filter_map(|(_, _, mistake)| *mistake).collect();
        assert_eq!(told.len(), Mistake::ALL.len(), "a case for each mistake");
    }
}
