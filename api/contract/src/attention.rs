//! What needs somebody, and who is told of it by mail.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Why somebody is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// An operator switched the organization off: everything is answered 503.
    OrganizationDisabled,
    /// A record could not be folded, so that views stand still.
    ViewStopped,
    /// Single sign-on or provisioning was never set up.
    ConnectionUnfinished,
    /// Provisioning is switched off: SCIM is answered 503.
    ScimDisabled,
    /// The last sync cycle is later than usual.
    CyclesLate,
    /// Sync cycles come further and further apart, as those of a job in quarantine.
    CyclesStretched,
    /// Sync cycles came, and come no more.
    CyclesSilent,
    /// Refused requests would have taken access away, and it was not taken away since.
    AccessLeft,
    /// Requests failed, and what they wanted is not so yet.
    FailuresOpen,
    /// Deliveries to a consumer stopped: it answered 410, or took nothing for five days.
    ConsumerStopped,
    /// A consumer does not take what it is told about somebody, and others go on.
    DeliveriesParked,
    /// A certificate of single sign-on ends within 30 days, or has.
    CertificateEnds,
    /// What lets a SCIM client in ends within 30 days.
    CredentialEnds,
    /// Requests of a shape that is not known came within the last day.
    UnknownShapes,
}

impl Cause {
    /// All of them, the worst first.
    pub const ALL: [Self; 14] = [
        Self::OrganizationDisabled,
        Self::ViewStopped,
        Self::AccessLeft,
        Self::CyclesSilent,
        Self::CyclesStretched,
        Self::CyclesLate,
        Self::FailuresOpen,
        Self::ConsumerStopped,
        Self::DeliveriesParked,
        Self::CertificateEnds,
        Self::CredentialEnds,
        Self::UnknownShapes,
        Self::ScimDisabled,
        Self::ConnectionUnfinished,
    ];

    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OrganizationDisabled => "organization-disabled",
            Self::ViewStopped => "view-stopped",
            Self::ConnectionUnfinished => "connection-unfinished",
            Self::ScimDisabled => "scim-disabled",
            Self::CyclesLate => "cycles-late",
            Self::CyclesStretched => "cycles-stretched",
            Self::CyclesSilent => "cycles-silent",
            Self::AccessLeft => "access-left",
            Self::FailuresOpen => "failures-open",
            Self::ConsumerStopped => "consumer-stopped",
            Self::DeliveriesParked => "deliveries-parked",
            Self::CertificateEnds => "certificate-ends",
            Self::CredentialEnds => "credential-ends",
            Self::UnknownShapes => "unknown-shapes",
        }
    }

    /// Reads a stable name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.as_str() == name)
    }

    /// What it says, in a few words for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::OrganizationDisabled => "The organization is switched off",
            Self::ViewStopped => "A view has stopped",
            Self::ConnectionUnfinished => "The connection is not set up",
            Self::ScimDisabled => "Provisioning is switched off",
            Self::CyclesLate => "The sync cycle is late",
            Self::CyclesStretched => "Sync cycles come further and further apart",
            Self::CyclesSilent => "No sync cycle comes any more",
            Self::AccessLeft => "Somebody may still have access",
            Self::FailuresOpen => "Something failed and is not yet right",
            Self::ConsumerStopped => "A consumer is told nothing any more",
            Self::DeliveriesParked => "A consumer does not take what it is told",
            Self::CertificateEnds => "A certificate ends",
            Self::CredentialEnds => "What lets Entra in ends",
            Self::UnknownShapes => "Requests came that were not understood",
        }
    }

    /// What became of it, in a sentence for people.
    pub fn sentence(self, count: u64) -> String {
        let one = |one: &str, many: &str| match count {
            1 => one.to_owned(),
            n => many.replace('#', &n.to_string()),
        };
        match self {
            Self::OrganizationDisabled => {
                "Everything is answered 503 until an operator enables it.".to_owned()
            }
            Self::ViewStopped => {
                "A record could not be folded; the server's log says which.".to_owned()
            }
            Self::ConnectionUnfinished => {
                "Eleven steps lead from nothing to the first cycle.".to_owned()
            }
            Self::ScimDisabled => "SCIM is answered 503; Entra tries again.".to_owned(),
            Self::CyclesLate | Self::CyclesStretched | Self::CyclesSilent => {
                "See in Entra whether provisioning is paused or in quarantine.".to_owned()
            }
            Self::AccessLeft => one(
                "A refused request would have taken access away.",
                "# refused requests would have taken access away.",
            ),
            Self::FailuresOpen => one("One failure is open.", "# failures are open."),
            Self::ConsumerStopped => one(
                "Deliveries to a consumer stopped until somebody resumes them.",
                "Deliveries to # consumers stopped until somebody resumes them.",
            ),
            Self::DeliveriesParked => one(
                "A delivery failed for long and is set aside, or waits behind one.",
                "# deliveries failed for long and are set aside, or wait behind one.",
            ),
            Self::CertificateEnds => one(
                "A certificate of single sign-on ends within 30 days, or has.",
                "# certificates of single sign-on end within 30 days, or have.",
            ),
            Self::CredentialEnds => one(
                "A token, secret or other credential ends within 30 days.",
                "# tokens, secrets or other credentials end within 30 days.",
            ),
            Self::UnknownShapes => one(
                "One such request came within the last day.",
                "# such requests came within the last day.",
            ),
        }
    }

    /// The console's page where it is put right, of the organization with this slug.
    pub fn page(self, slug: &str) -> String {
        let page = match self {
            Self::ConnectionUnfinished => return format!("/setup/{slug}"),
            Self::OrganizationDisabled | Self::ScimDisabled => "connection",
            Self::ViewStopped => "requests?failed=on",
            Self::CyclesLate | Self::CyclesStretched | Self::CyclesSilent => "runs",
            Self::AccessLeft | Self::FailuresOpen => "failures",
            Self::CertificateEnds | Self::CredentialEnds => "connection",
            Self::ConsumerStopped | Self::DeliveriesParked => "consumers",
            Self::UnknownShapes => "requests",
        };
        format!("/o/{slug}/{page}")
    }
}

/// Something that needs somebody.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct NeedBody {
    /// Why.
    pub cause: Cause,
    /// In a few words, for people.
    pub title: String,
    /// In a sentence, for people.
    pub detail: String,
    /// How many it is about; 1 where that makes no sense.
    pub count: u64,
    /// True if there are more: they are counted up to 1,000.
    pub more: bool,
    /// Since when, where that is known.
    #[serde(serialize_with = "crate::time::optional")]
    pub since: Option<DateTime<Utc>>,
    /// The page where it is put right.
    pub page: String,
}

/// Who is told by mail.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct NotificationsBody {
    /// Their addresses.
    pub recipients: Vec<String>,
    /// False if the server has no mail server to send through: then nobody is told.
    pub can_send: bool,
    /// What they were told of.
    pub told: Vec<ToldBody>,
}

/// What somebody was told of.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ToldBody {
    /// Why.
    pub cause: Cause,
    /// When they were first told, since it last was right.
    #[serde(serialize_with = "crate::time::serialize")]
    pub first_told_at: DateTime<Utc>,
    /// When they were last told.
    #[serde(serialize_with = "crate::time::serialize")]
    pub told_at: DateTime<Utc>,
    /// False if what they were told last is that it is right again.
    pub lasts: bool,
}

/// Who is told from now on.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RecipientsChange {
    /// Addresses that are told.
    pub add: Vec<String>,
    /// Addresses that are told no more.
    pub remove: Vec<String>,
}
