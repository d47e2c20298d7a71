//! The steps, and how far they have come: concluded from what was observed.

use super::observed::Observed;
use chrono::Duration;
use rollcall_domain::login::NotAdmitted;

/// A cycle in which nothing came for so long has come to its end.
const QUIET: Duration = Duration::seconds(20);

/// A step, in the order of Entra's pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Create the enterprise application.
    Application,
    /// Identifier, Reply URL, Sign-on URL.
    SingleSignOn,
    /// Unique User Identifier.
    UniqueUserIdentifier,
    /// App Federation Metadata URL.
    Metadata,
    /// Generate a certificate.
    Certificate,
    /// Sign in once.
    TestLogin,
    /// Tenant URL and Secret Token.
    Token,
    /// Test Connection.
    TestConnection,
    /// Attribute mapping.
    Mappings,
    /// Scope and assignment.
    Assignment,
    /// Start provisioning.
    Start,
}

impl Step {
    /// All of them, in order.
    pub const ALL: [Step; 11] = [
        Step::Application,
        Step::SingleSignOn,
        Step::UniqueUserIdentifier,
        Step::Metadata,
        Step::Certificate,
        Step::TestLogin,
        Step::Token,
        Step::TestConnection,
        Step::Mappings,
        Step::Assignment,
        Step::Start,
    ];

    /// Its place, counted from 1, which also names it on the page.
    pub fn number(self) -> usize {
        Self::ALL.iter().position(|step| *step == self).map_or(0, |at| at + 1)
    }

    /// Its title.
    pub fn title(self) -> &'static str {
        match self {
            Step::Application => "Create the enterprise application",
            Step::SingleSignOn => "Identifier, Reply URL, Sign-on URL",
            Step::UniqueUserIdentifier => "Unique User Identifier",
            Step::Metadata => "App Federation Metadata URL",
            Step::Certificate => "Generate certificate",
            Step::TestLogin => "Sign in once",
            Step::Token => "Enable SCIM and generate token",
            Step::TestConnection => "Test connection",
            Step::Mappings => "Attribute mapping",
            Step::Assignment => "Users and groups",
            Step::Start => "Start provisioning",
        }
    }
}

/// How far a step has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Nothing was seen of it yet.
    Waiting,
    /// It is seen to be done.
    Done,
    /// What was seen is a mistake.
    Wrong,
}

impl State {
    /// The stable name; also its class in the style sheet.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Waiting => "waiting",
            State::Done => "done",
            State::Wrong => "wrong",
        }
    }

    /// Its sign.
    pub fn glyph(self) -> &'static str {
        match self {
            State::Waiting => "○",
            State::Done => "✓",
            State::Wrong => "!",
        }
    }
}

/// Whether a step is seen to be done, mistakes left aside.
pub fn is_done(step: Step, seen: &Observed) -> bool {
    // An assertion that was verified shows everything that Entra was told of us.
    let verified = seen.logins.iter().any(|login| login.accepted || is_only_unknown(login));
    match step {
        Step::Application => seen.identity_provider.is_some() || seen.arrived.is_some(),
        Step::SingleSignOn | Step::TestLogin => verified,
        Step::UniqueUserIdentifier => seen.logins.iter().any(|login| {
            let is_name = login.name_id.as_deref().is_some_and(|name| name.contains('@'));
            login.accepted || (is_only_unknown(login) && is_name)
        }),
        Step::Metadata => seen.identity_provider.is_some(),
        Step::Certificate => seen.has_key,
        Step::Token => seen.scim_enabled && seen.token_issued.is_some(),
        Step::TestConnection => seen.arrived.is_some(),
        Step::Mappings => seen.users > 0,
        Step::Assignment => seen.users > 0 || seen.groups > 0,
        Step::Start => {
            // It stays open for minutes, for more might come; half a minute of silence is enough.
            let came = |run: &super::observed::Run| {
                let is_still = seen.now - run.last > QUIET;
                run.is_cycle && run.users > 0 && (is_still || !run.is_open)
            };
            seen.users > 0 && seen.runs.iter().any(came)
        }
    }
}

/// Refused for nothing but that nobody has provisioned the person yet.
fn is_only_unknown(login: &super::observed::Login) -> bool {
    [NotAdmitted::Unknown, NotAdmitted::Guest]
        .iter()
        .any(|not| login.reason.as_deref() == Some(not.code()))
}

#[cfg(test)]
mod tests {
    use super::super::observed::Login;
    use super::*;

    #[test]
    fn nothing_is_done_where_nothing_was_seen() {
        let nothing = Observed::default();
        assert!(Step::ALL.into_iter().all(|step| !is_done(step, &nothing)));
        let numbers: Vec<_> = Step::ALL.into_iter().map(Step::number).collect();
        assert_eq!(numbers, (1..=Step::ALL.len()).collect::<Vec<_>>());
    }

    #[test]
    fn a_sign_in_of_somebody_who_is_not_provisioned_yet_shows_that_it_works() {
        let login = Login {
            reason: Some("unknown-user".into()),
            name_id: Some("ada@contoso.example".into()),
            ..Login::default()
        };
        let seen = Observed { logins: vec![login], ..Observed::default() };
        assert!(is_done(Step::TestLogin, &seen) && is_done(Step::UniqueUserIdentifier, &seen));
        let login = Login { reason: Some("signature-invalid".into()), ..Login::default() };
        let seen = Observed { logins: vec![login], ..Observed::default() };
        assert!(!is_done(Step::TestLogin, &seen));
    }
}
