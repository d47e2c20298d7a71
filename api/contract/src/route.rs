//! Every operation of `/api/v1`, once: its method, its path, and the parameters of both path and
//! query.
//!
//! The server's description is compared with this list, the command line and the simulator ask by
//! it.

use crate::auditors::AuditorPath;
use crate::backup::RestoreQuery;
use crate::bundles::ImportQuery;
use crate::console::{ConsoleSessionPath, LinkPath};
use crate::consumers::ConsumerPath;
use crate::credentials::CredentialPath;
use crate::difference::DifferenceQuery;
use crate::directory::{ResourcePath, ResourceQuery};
use crate::events::{EventPath, EventQuery};
use crate::exchanges::{ExchangePath, ExchangeQuery};
use crate::failures::{FailurePath, FailureQuery};
use crate::feed::{FeedQuery, SnapshotQuery};
use crate::findings::FindingQuery;
use crate::keys::{AdminPath, OperatorPath};
use crate::ledger::{ConsistencyQuery, EntriesQuery, ProofQuery};
use crate::logins::{LoginPath, LoginQuery};
use crate::members::{MemberQuery, ReviewQuery};
use crate::memberships::MembershipQuery;
use crate::moment::AsOf;
use crate::organizations::OrganizationPath;
use crate::parked::{ParkedPath, ParkedQuery};
use crate::proof::ProofOfServerQuery;
use crate::reads::ReadQuery;
use crate::repin::PersonPath;
use crate::request_line::{Declared, Method, Nothing, Route};
use crate::review::AccessQuery;
use crate::runs::{ChangeQuery, RunPath, RunQuery};
use crate::saml::KeyPath;
use crate::scim::EnableQuery;
use crate::sessions::{SessionPath, SessionQuery};
use crate::tokens::TokenPath;
use crate::views::RebuildQuery;

/// What all paths begin with.
pub const PREFIX: &str = "/api/v1";

/// Where the server describes all of this, as OpenAPI has it.
pub const DESCRIPTION: &str = "/api/v1/openapi.json";

/// The JSON Schema of the events that consumers get.
pub const EVENT_SCHEMAS: &str = "/api/v1/event-schemas.json";

/// What the path of an issuer is put behind to find its transmitter's configuration (OpenID Shared
/// Signals 1.0 section 7.2): inserted before the path, not appended to it.
pub const TRANSMITTER: &str = "/.well-known/ssf-configuration";

/// Declares routes, and the list of them.
macro_rules! routes {
    ($($name:ident: $method:ident $template:literal ($path:ty, $query:ty);)*) => {
        $(
            #[doc = concat!("`", stringify!($method), " ", $template, "`")]
            pub const $name: Route<$path, $query> = Route::new(Method::$method, $template);
        )*

        /// All of them.
        pub fn all() -> Vec<Declared> {
            vec![$($name.declared()),*]
        }
    };
}

routes! {
    LIST_ORGANIZATIONS: Get "/api/v1/organizations" (Nothing, Nothing);
    CREATE_ORGANIZATION: Post "/api/v1/organizations" (Nothing, Nothing);
    SHOW_ORGANIZATION: Get "/api/v1/organizations/{organization}" (OrganizationPath, Nothing);
    ENABLE_ORGANIZATION: Post "/api/v1/organizations/{organization}/enable" (OrganizationPath, Nothing);
    DISABLE_ORGANIZATION: Post "/api/v1/organizations/{organization}/disable" (OrganizationPath, Nothing);
    ERASE_ORGANIZATION: Post "/api/v1/organizations/{organization}/erase" (OrganizationPath, Nothing);
    LIST_COLLISIONS: Get "/api/v1/organizations/{organization}/claims/collisions" (OrganizationPath, Nothing);

    ENABLE_SCIM: Post "/api/v1/organizations/{organization}/scim/enable" (OrganizationPath, EnableQuery);
    DISABLE_SCIM: Post "/api/v1/organizations/{organization}/scim/disable" (OrganizationPath, Nothing);
    SHOW_SCIM_POLICY: Get "/api/v1/organizations/{organization}/scim/policy" (OrganizationPath, Nothing);
    CHANGE_SCIM_POLICY: Patch "/api/v1/organizations/{organization}/scim/policy" (OrganizationPath, Nothing);
    LIST_NEEDS: Get "/api/v1/organizations/{organization}/attention" (OrganizationPath, Nothing);
    SHOW_NOTIFICATIONS: Get "/api/v1/organizations/{organization}/notifications" (OrganizationPath, Nothing);
    CHANGE_RECIPIENTS: Patch "/api/v1/organizations/{organization}/notifications" (OrganizationPath, Nothing);
    TEST_NOTIFICATIONS: Post "/api/v1/organizations/{organization}/notifications/test" (OrganizationPath, Nothing);
    LIST_TOKENS: Get "/api/v1/organizations/{organization}/scim/tokens" (OrganizationPath, Nothing);
    ISSUE_TOKEN: Post "/api/v1/organizations/{organization}/scim/tokens" (OrganizationPath, Nothing);
    LIST_CREDENTIALS: Get "/api/v1/organizations/{organization}/scim/credentials" (OrganizationPath, Nothing);
    ADD_CREDENTIAL: Post "/api/v1/organizations/{organization}/scim/credentials" (OrganizationPath, Nothing);
    ROTATE_CREDENTIAL: Post "/api/v1/organizations/{organization}/scim/credentials/{credential}/rotate" (CredentialPath, Nothing);
    RETIRE_CREDENTIAL: Post "/api/v1/organizations/{organization}/scim/credentials/{credential}/retire" (CredentialPath, Nothing);
    TRUST_AUDIENCE: Post "/api/v1/organizations/{organization}/scim/credentials/{credential}/audiences" (CredentialPath, Nothing);
    REVOKE_CREDENTIAL: Delete "/api/v1/organizations/{organization}/scim/credentials/{credential}" (CredentialPath, Nothing);
    REVOKE_TOKEN: Delete "/api/v1/organizations/{organization}/scim/tokens/{token}" (TokenPath, Nothing);

    SHOW_SAML: Get "/api/v1/organizations/{organization}/saml" (OrganizationPath, Nothing);
    CONFIGURE_SAML: Put "/api/v1/organizations/{organization}/saml" (OrganizationPath, Nothing);
    REFRESH_SAML: Post "/api/v1/organizations/{organization}/saml/refresh" (OrganizationPath, Nothing);
    CHANGE_SAML_POLICY: Patch "/api/v1/organizations/{organization}/saml/policy" (OrganizationPath, Nothing);
    ENABLE_SAML: Post "/api/v1/organizations/{organization}/saml/enable" (OrganizationPath, Nothing);
    DISABLE_SAML: Post "/api/v1/organizations/{organization}/saml/disable" (OrganizationPath, Nothing);
    DOWNLOAD_CERTIFICATE: Get "/api/v1/organizations/{organization}/saml/certificate" (OrganizationPath, Nothing);
    GENERATE_KEY: Post "/api/v1/organizations/{organization}/saml/certificate" (OrganizationPath, Nothing);
    ROTATE_KEY: Post "/api/v1/organizations/{organization}/saml/certificate/rotate" (OrganizationPath, Nothing);
    RETIRE_KEY: Delete "/api/v1/organizations/{organization}/saml/certificate/{key}" (KeyPath, Nothing);
    LIST_LOGINS: Get "/api/v1/organizations/{organization}/logins" (OrganizationPath, LoginQuery);
    SHOW_LOGIN: Get "/api/v1/organizations/{organization}/logins/{exchange}" (LoginPath, Nothing);
    LIST_HOLDS: Get "/api/v1/organizations/{organization}/people/holds" (OrganizationPath, Nothing);
    HOLD_PERSON: Post "/api/v1/organizations/{organization}/people/hold" (OrganizationPath, Nothing);
    RELEASE_PERSON: Post "/api/v1/organizations/{organization}/people/release" (OrganizationPath, Nothing);
    EXPORT_PERSON: Get "/api/v1/organizations/{organization}/people/{user}" (PersonPath, Nothing);
    LIST_ERASURES: Get "/api/v1/erasures" (Nothing, Nothing);
    ERASE_PERSON: Post "/api/v1/organizations/{organization}/people/erase" (OrganizationPath, Nothing);
    REPIN_PERSON: Put "/api/v1/organizations/{organization}/logins/people/{user}" (PersonPath, Nothing);
    LIST_SESSIONS: Get "/api/v1/organizations/{organization}/sessions" (OrganizationPath, SessionQuery);
    END_SESSION: Delete "/api/v1/organizations/{organization}/sessions/{session}" (SessionPath, Nothing);
    END_SESSIONS: Post "/api/v1/organizations/{organization}/sessions/end" (OrganizationPath, Nothing);
    PROVE_SERVER: Get "/api/v1/server/proof" (Nothing, ProofOfServerQuery);
    SHOW_SESSION: Get "/api/v1/session" (Nothing, Nothing);

    LIST_AUDITORS: Get "/api/v1/organizations/{organization}/auditors" (OrganizationPath, Nothing);
    ISSUE_AUDITOR: Post "/api/v1/organizations/{organization}/auditors" (OrganizationPath, Nothing);
    REVOKE_AUDITOR: Delete "/api/v1/organizations/{organization}/auditors/{auditor}" (AuditorPath, Nothing);

    LIST_ADMINS: Get "/api/v1/organizations/{organization}/admins" (OrganizationPath, Nothing);
    ISSUE_ADMIN: Post "/api/v1/organizations/{organization}/admins" (OrganizationPath, Nothing);
    REVOKE_ADMIN: Delete "/api/v1/organizations/{organization}/admins/{key}" (AdminPath, Nothing);
    LIST_OPERATORS: Get "/api/v1/operators" (Nothing, Nothing);
    ISSUE_OPERATOR: Post "/api/v1/operators" (Nothing, Nothing);
    REVOKE_OPERATOR: Delete "/api/v1/operators/{key}" (OperatorPath, Nothing);

    OPEN_CONSOLE: Post "/api/v1/console/links" (Nothing, Nothing);
    MAKE_LINK: Post "/api/v1/organizations/{organization}/console/links" (OrganizationPath, Nothing);
    LIST_LINKS: Get "/api/v1/organizations/{organization}/console/links" (OrganizationPath, Nothing);
    REVOKE_LINK: Delete "/api/v1/organizations/{organization}/console/links/{link}" (LinkPath, Nothing);
    LIST_CONSOLE_SESSIONS: Get "/api/v1/organizations/{organization}/console/sessions" (OrganizationPath, Nothing);
    END_CONSOLE_SESSION: Delete "/api/v1/organizations/{organization}/console/sessions/{session}" (ConsoleSessionPath, Nothing);

    LIST_CONSUMERS: Get "/api/v1/organizations/{organization}/consumers" (OrganizationPath, Nothing);
    ADD_CONSUMER: Post "/api/v1/organizations/{organization}/consumers" (OrganizationPath, Nothing);
    SHOW_CONSUMER: Get "/api/v1/organizations/{organization}/consumers/{consumer}" (ConsumerPath, Nothing);
    PAUSE_CONSUMER: Post "/api/v1/organizations/{organization}/consumers/{consumer}/pause" (ConsumerPath, Nothing);
    RESUME_CONSUMER: Post "/api/v1/organizations/{organization}/consumers/{consumer}/resume" (ConsumerPath, Nothing);
    REDELIVER: Post "/api/v1/organizations/{organization}/consumers/{consumer}/redeliver" (ConsumerPath, Nothing);
    LIST_PARKED: Get "/api/v1/organizations/{organization}/consumers/{consumer}/parked" (ConsumerPath, ParkedQuery);
    REDELIVER_PARKED: Post "/api/v1/organizations/{organization}/consumers/{consumer}/parked/redeliver" (ConsumerPath, Nothing);
    SHOW_PARKED: Get "/api/v1/organizations/{organization}/consumers/{consumer}/parked/{delivery}" (ParkedPath, Nothing);
    HANDLE_PARKED: Post "/api/v1/organizations/{organization}/consumers/{consumer}/parked/{delivery}/handled" (ParkedPath, Nothing);
    ROTATE_CONSUMER: Post "/api/v1/organizations/{organization}/consumers/{consumer}/rotate" (ConsumerPath, Nothing);
    REMOVE_CONSUMER: Delete "/api/v1/organizations/{organization}/consumers/{consumer}" (ConsumerPath, Nothing);
    READ_FEED: Get "/api/v1/organizations/{organization}/consumers/{consumer}/feed" (ConsumerPath, FeedQuery);
    READ_SNAPSHOT: Get "/api/v1/organizations/{organization}/consumers/{consumer}/snapshot" (ConsumerPath, SnapshotQuery);
    POLL_TOKENS: Post "/api/v1/organizations/{organization}/consumers/{consumer}/poll" (ConsumerPath, Nothing);
    SHOW_KEYS: Get "/api/v1/organizations/{organization}/consumers/{consumer}/keys" (ConsumerPath, Nothing);
    KEEP_PLACE: Post "/api/v1/organizations/{organization}/consumers/{consumer}/position" (ConsumerPath, Nothing);

    LIST_EVENTS: Get "/api/v1/organizations/{organization}/events" (OrganizationPath, EventQuery);
    EXPORT_EVENTS: Get "/api/v1/organizations/{organization}/events/export" (OrganizationPath, EventQuery);
    SHOW_EVENT: Get "/api/v1/organizations/{organization}/events/{position}" (EventPath, Nothing);
    LIST_EXCHANGES: Get "/api/v1/organizations/{organization}/exchanges" (OrganizationPath, ExchangeQuery);
    SHOW_EXCHANGE: Get "/api/v1/organizations/{organization}/exchanges/{exchange}" (ExchangePath, Nothing);
    LIST_READS: Get "/api/v1/organizations/{organization}/reads" (OrganizationPath, ReadQuery);
    LIST_FAILURES: Get "/api/v1/organizations/{organization}/failures" (OrganizationPath, FailureQuery);
    SHOW_FAILURE: Get "/api/v1/organizations/{organization}/failures/{failure}" (FailurePath, Nothing);
    DIFFERENCE: Get "/api/v1/organizations/{organization}/diff" (OrganizationPath, DifferenceQuery);

    LIST_RUNS: Get "/api/v1/organizations/{organization}/runs" (OrganizationPath, RunQuery);
    SHOW_RUN: Get "/api/v1/organizations/{organization}/runs/{run}" (RunPath, Nothing);
    LIST_RUN_CHANGES: Get "/api/v1/organizations/{organization}/runs/{run}/changes" (RunPath, ChangeQuery);
    SHOW_RHYTHM: Get "/api/v1/organizations/{organization}/rhythm" (OrganizationPath, Nothing);
    FORGET_PROVISIONING_LOG: Post "/api/v1/organizations/{organization}/provisioning-log/forget" (OrganizationPath, Nothing);
    IMPORT_PROVISIONING_LOG: Post "/api/v1/organizations/{organization}/provisioning-log" (OrganizationPath, Nothing);
    RECONCILE: Get "/api/v1/organizations/{organization}/reconciliation" (OrganizationPath, Nothing);

    LIST_USERS: Get "/api/v1/organizations/{organization}/users" (OrganizationPath, ResourceQuery);
    SHOW_USER: Get "/api/v1/organizations/{organization}/users/{id}" (ResourcePath, AsOf);
    LIST_USER_MEMBERSHIPS: Get "/api/v1/organizations/{organization}/users/{id}/memberships" (ResourcePath, MembershipQuery);
    LIST_GROUPS: Get "/api/v1/organizations/{organization}/groups" (OrganizationPath, ResourceQuery);
    SHOW_GROUP: Get "/api/v1/organizations/{organization}/groups/{id}" (ResourcePath, AsOf);
    LIST_MEMBERS: Get "/api/v1/organizations/{organization}/groups/{id}/members" (ResourcePath, MemberQuery);
    LIST_GROUP_MEMBERSHIPS: Get "/api/v1/organizations/{organization}/groups/{id}/memberships" (ResourcePath, MembershipQuery);
    REVIEW_GROUP: Get "/api/v1/organizations/{organization}/groups/{id}/review" (ResourcePath, ReviewQuery);

    REVIEW_FINDINGS: Get "/api/v1/organizations/{organization}/review/findings" (OrganizationPath, FindingQuery);
    REVIEW_ACCESS: Get "/api/v1/organizations/{organization}/review" (OrganizationPath, AccessQuery);

    SHOW_CHECKPOINT: Get "/api/v1/organizations/{organization}/ledger/checkpoint" (OrganizationPath, Nothing);
    PROVE_ENTRY: Get "/api/v1/organizations/{organization}/ledger/proof" (OrganizationPath, ProofQuery);
    PROVE_CONSISTENCY: Get "/api/v1/organizations/{organization}/ledger/consistency" (OrganizationPath, ConsistencyQuery);
    EXPORT_ENTRIES: Get "/api/v1/organizations/{organization}/ledger/entries" (OrganizationPath, EntriesQuery);
    AUDIT_LEDGER: Post "/api/v1/organizations/{organization}/ledger/audit" (OrganizationPath, Nothing);

    VERIFY_REPLAY: Post "/api/v1/organizations/{organization}/replay/verify" (OrganizationPath, Nothing);
    DRY_RUN_REPLAY: Post "/api/v1/organizations/{organization}/replay/dry-run" (OrganizationPath, Nothing);
    APPLY_REPLAY: Post "/api/v1/organizations/{organization}/replay/apply" (OrganizationPath, Nothing);
    EXPORT_BUNDLE: Post "/api/v1/organizations/{organization}/bundle" (OrganizationPath, Nothing);
    IMPORT_BUNDLE: Post "/api/v1/bundles" (Nothing, ImportQuery);

    SHOW_VIEWS: Get "/api/v1/views" (Nothing, Nothing);
    REBUILD_VIEWS: Post "/api/v1/views/rebuild" (Nothing, RebuildQuery);
    VERIFY_VIEWS: Post "/api/v1/views/verify" (Nothing, Nothing);
    RESUME_VIEWS: Post "/api/v1/organizations/{organization}/views/resume" (OrganizationPath, Nothing);
    SHOW_LOG: Get "/api/v1/log" (Nothing, Nothing);
    ACCEPT_LOG: Post "/api/v1/log/accept" (Nothing, Nothing);
    CORRECT_CLOCK: Post "/api/v1/log/clock" (Nothing, Nothing);
    PLAN_REPAIR: Get "/api/v1/organizations/{organization}/log/repair" (OrganizationPath, Nothing);
    REPAIR_LOG: Post "/api/v1/organizations/{organization}/log/repair" (OrganizationPath, Nothing);
    BACKUP: Get "/api/v1/backup" (Nothing, Nothing);
    RESTORE: Post "/api/v1/restore" (Nothing, RestoreQuery);
    DISCARD_RESTORE: Post "/api/v1/restore/discard" (Nothing, Nothing);
}
