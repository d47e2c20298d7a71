//! What can be asked of an organization.

use super::event::LogoutRequested;
use super::saml::{SamlKey, SamlPolicy};
use crate::credential::{CredentialCommand, CredentialError};
use crate::ids::SamlKeyId;
use crate::login::RefusedLogin;
use crate::provisioning_log::ImportedChange;
use crate::run::Noticed;
use crate::saml::IdpSettings;
use chrono::{DateTime, Utc};
use std::collections::BTreeSet;

/// A command on one organization.
#[derive(Clone, Debug, PartialEq)]
pub enum OrganizationCommand {
    /// Bring the organization into being.
    Create {
        /// Its name for people.
        name: String,
        /// Its slug, unique in the deployment.
        domain: String,
    },
    /// Answer its requests again.
    Enable,
    /// Answer all its requests 503 until it is enabled.
    Disable,
    /// Switch it off for good, because nobody of it can be read any more.
    Erase {
        /// Why, in the operator's words.
        because: String,
    },
    /// Let its SCIM connection work.
    EnableScim,
    /// Answer its SCIM requests 503 until SCIM is enabled.
    DisableScim,
    /// Let somebody in, or no more; the first credential for SCIM enables SCIM.
    Credential(CredentialCommand),
    /// Keep what Entra's own log says, as far as it is not kept already.
    ImportProvisioningLog {
        /// What it says, with the cycle of each change.
        changes: Vec<(String, ImportedChange)>,
    },
    /// Take back what was imported of Entra's own log.
    ForgetProvisioningLog {
        /// Entra's ids of the cycles; all that were imported, if none is named.
        cycles: BTreeSet<String>,
    },
    /// Keep how its sync cycles come, if that is news.
    NoteRhythm(Noticed),
    /// Let no record so far count as recorded later than now: the clock ran ahead.
    BoundTimes {
        /// The latest time that was recorded so far.
        until: DateTime<Utc>,
    },
    /// Ask this of the client of its SCIM connection; what is absent stays as it is.
    SetScimPolicy {
        /// See [`Policy::strict`](crate::scim::Policy::strict).
        strict: Option<bool>,
        /// See [`Policy::members_replace_adds`](crate::scim::Policy::members_replace_adds).
        members_replace_adds: Option<bool>,
    },
    /// Tell others by mail what needs somebody.
    ChangeRecipients {
        /// Who is told from now on.
        add: Vec<String>,
        /// Who is told no more.
        remove: Vec<String>,
    },
    /// For its SAML connection.
    Saml(SamlCommand),
}

/// A command on an organization's SAML connection.
#[derive(Clone, Debug, PartialEq)]
pub enum SamlCommand {
    /// Trust an identity provider, in place of the one before, and let people sign in.
    Configure {
        /// Where its metadata was fetched; absent if a document was given.
        metadata_url: Option<String>,
        /// What its metadata says.
        idp: IdpSettings,
    },
    /// Follow what the metadata of the same identity provider says now.
    Refresh {
        /// What its metadata says.
        idp: IdpSettings,
    },
    /// Take a first key pair.
    GenerateKey {
        /// The key pair.
        key: SamlKey,
    },
    /// Take a new key pair; the one before can still decrypt until it is retired.
    RotateKey {
        /// The key pair.
        key: SamlKey,
    },
    /// Give up a key pair that is not the current one.
    RetireKey {
        /// Which.
        key: SamlKeyId,
    },
    /// Allow and ask for other things.
    ChangePolicy {
        /// From now on.
        policy: SamlPolicy,
    },
    /// Let people sign in again.
    Enable,
    /// Answer 503 to whoever wants to sign in.
    Disable,
    /// Keep that certificates come to their end, for those that do and of which it was not said.
    WarnOfCertificates,
    /// Keep that the identity provider asked to end somebody's sessions, once.
    UseLogoutRequest(LogoutRequested),
    /// Keep that a login was refused of somebody who is no user here.
    RefuseLogin(Box<RefusedLogin>),
}

/// Why a command on an organization was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OrganizationError {
    /// There is no such organization.
    #[error("there is no such organization")]
    NotFound,
    /// The id is in use.
    #[error("an organization with this id exists")]
    AlreadyExists,
    /// Nobody can be told there.
    #[error("this is no address for mail: write one such as doors@contoso.example")]
    InvalidAddress,
    /// They are not told anyway.
    #[error("{0:?} is not told: see `rollcall notify list`")]
    NoRecipient(String),
    /// A list has one address.
    #[error("no more than 10 can be told: let a list at your mail server have the others")]
    TooManyRecipients,
    /// The name cannot be used.
    #[error("the name must have 1 to 200 characters and no control characters")]
    InvalidName,
    /// The domain cannot be used.
    #[error(
        "the domain must have 1 to 63 characters: lower-case letters, digits and hyphens, no hyphen at either end"
    )]
    InvalidDomain,
    /// Nobody of it can be read any more.
    #[error("this organization is erased, for good: create another one")]
    Erased,
    /// It was not imported.
    #[error("no cycle {0} was imported: runs reconcile lists those that were")]
    NotImported(String),
    /// A credential is not to be.
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// SAML needs an identity provider first.
    #[error("single sign-on is not set up: give the identity provider's metadata first")]
    SamlNotConfigured,
    /// The metadata is another identity provider's.
    #[error(
        "the metadata is that of another identity provider than before: configure it anew if that is meant"
    )]
    OtherIdentityProvider,
    /// Nobody could be verified.
    #[error("the identity provider has no signing certificate")]
    NoCertificate,
    /// There is a key pair.
    #[error("there is a certificate already: rotate it")]
    KeyExists,
    /// There is no such key pair.
    #[error("there is no such certificate: generate one first")]
    UnknownKey,
    /// As many key pairs are in use as may be.
    #[error(
        "two certificates are in use already, which is enough for a rotation: retire the old one first"
    )]
    TooManyKeys,
    /// The current key pair is needed.
    #[error("this is the current certificate: rotate it first")]
    CurrentKey,
    /// The session lifetime cannot be used.
    #[error("a session lasts from 1 minute to 30 days")]
    InvalidSessionMinutes,
    /// People could not be recognized so.
    #[error("people are recognized by one to four identifiers, each listed once")]
    InvalidIdentifiers,
    /// No identity provider could be asked for it.
    #[error("an authentication context is a URI of at most 1024 characters; ten at most")]
    InvalidAuthnContext,
    /// No application is called so.
    #[error(
        "an entity id is a URI of at most 1024 characters, such as https://app.example.com/saml or urn:example:app"
    )]
    InvalidEntityId,
    /// A target cannot be used.
    #[error(
        "a target must be an address with a path, such as https://app.example.com/; at most 50, of at most 500 characters, without @ and \\"
    )]
    InvalidTarget,
}
