//! A person is erased.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// Who is to be erased.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ErasePerson {
    /// The user's id. What they are called is in no request.
    pub user: Uuid,
    /// Why, for those who ask later: at most 1,000 characters, and no name among them.
    pub because: String,
    /// Say where they are found, and erase nothing.
    #[serde(default)]
    pub dry_run: bool,
    /// Also if they are active.
    #[serde(default)]
    pub force: bool,
}

/// Why an organization is to be erased.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EraseOrganization {
    /// Why, for those who ask later: at most 1,000 characters, and no name among them.
    pub because: String,
    /// Say what there is, and erase nothing.
    #[serde(default)]
    pub dry_run: bool,
}

/// What there was of an organization, and, unless it was a dry run, cannot be read any more: a
/// certificate of that.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ErasedOrganizationBody {
    /// The organization.
    pub organization_id: Uuid,
    /// Whether nothing was erased.
    pub dry_run: bool,
    /// The position of the event that says so; absent before.
    pub erased_at: Option<u64>,
    /// Users who are held: as long as there are any, the organization is not erased.
    pub held: Vec<Uuid>,
    /// Records in its log, those by which everybody was deleted among them. They stay, and nobody can
    /// read what is personal in them.
    pub records: u64,
    /// Exchanges in its log. They stay without what others said in them.
    pub exchanges: u64,
    /// So many keys were destroyed.
    pub keys: u64,
    /// Consumers that are or were told everything, removed ones among them: whoever runs them has
    /// what they were told before.
    pub consumers: Vec<String>,
    /// How many leaves the ledger has, and its root in lower-case hex: every proof of before holds.
    pub ledger_size: u64,
    /// The root of the ledger.
    pub ledger_root: String,
}

/// What was found of a person, and, unless it was a dry run, is erased: a certificate of that.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ErasedBody {
    /// The organization.
    pub organization_id: Uuid,
    /// The user.
    pub user_id: Uuid,
    /// Whether nothing was erased.
    pub dry_run: bool,
    /// Whether the directory had them; they were deleted first.
    pub was_present: bool,
    /// The position of the event by which they are held: then nobody may erase them.
    #[serde(default)]
    pub held_at: Option<u64>,
    /// The position of the event that says so; absent before.
    pub erased_at: Option<u64>,
    /// Records about them. They stay, and nobody can read what is personal in them.
    pub records: u64,
    /// Ids of the keys that were destroyed.
    pub keys: Vec<u64>,
    /// Refused logins of nobody that named them.
    pub logins: u64,
    /// Numbers of the exchanges whose bodies, addresses and headers are erased.
    pub exchanges: Vec<u64>,
    /// Consumers that are or were told everything, removed ones among them: whoever runs them has what they were told before.
    pub consumers: Vec<String>,
    /// How many leaves the ledger has, and its root in lower-case hex: every proof of before holds.
    pub ledger_size: u64,
    /// The root of the ledger.
    pub ledger_root: String,
}
