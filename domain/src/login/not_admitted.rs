//! Why somebody whose assertion is good is not let in.

/// Why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAdmitted {
    /// Nobody here is that person.
    #[error(
        "no user is recognized by what the assertion says: is the user assigned to the application and provisioned, and is it what `rollcall saml policy` says that people are recognized by?"
    )]
    Unknown,
    /// The person is a guest, and nobody here is that guest.
    #[error(
        "no user is this guest: a guest's userName is another in SCIM, so map objectId to externalId in Entra's provisioning, and recognize people by their object id"
    )]
    Guest,
    /// The assertion says nothing by which people are recognized here.
    #[error("the assertion has none of the identifiers by which people are recognized here")]
    NoIdentifier,
    /// The NameID is one that is made up for this application or this session.
    #[error(
        "people are recognized by their NameID here, and this one is transient or persistent: it names nobody whom SCIM knows"
    )]
    OpaqueNameId,
    /// More than one user could be meant.
    #[error("more than one user has what the assertion says")]
    Ambiguous,
    /// The name is a user's, but the object id is another person's: the name was given to somebody
    /// else.
    #[error(
        "the user is known by another object id: the name was given to another person, or they claim it"
    )]
    OtherPerson,
    /// The user is known by an object id, and the assertion has none.
    #[error("the user is known by an object id, and the assertion has none")]
    ObjectIdMissing,
    /// They did not prove who they are as the organization asks.
    #[error("the person did not prove who they are in a way that `rollcall saml policy` asks for")]
    WeakAuthentication,
    /// They did prove it, but too long ago.
    #[error("the person is to prove anew who they are, and did so before this sign-in began")]
    OldAuthentication,
    /// Somebody else is signed in there, and the identity provider began.
    #[error("somebody else is signed in in this browser, and the sign-in did not begin here")]
    OtherSession,
    /// The user is switched off.
    #[error("the user is not active")]
    Inactive,
    /// The assertion was used before.
    #[error("the assertion was used before")]
    Replayed,
    /// The request that the response answers was answered before.
    #[error("the request was answered before")]
    RequestAnswered,
    /// A user could not be made of the assertion.
    #[error("just-in-time provisioning could not make a user of what the assertion says")]
    NotProvisioned,
}

impl NotAdmitted {
    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            NotAdmitted::Unknown => "unknown-user",
            NotAdmitted::Guest => "unknown-guest",
            NotAdmitted::NoIdentifier => "no-identifier",
            NotAdmitted::OpaqueNameId => "opaque-name-id",
            NotAdmitted::Ambiguous => "ambiguous-user",
            NotAdmitted::OtherPerson => "other-person",
            NotAdmitted::ObjectIdMissing => "object-id-missing",
            NotAdmitted::WeakAuthentication => "weak-authentication",
            NotAdmitted::OldAuthentication => "old-authentication",
            NotAdmitted::OtherSession => "other-session",
            NotAdmitted::Inactive => "inactive-user",
            NotAdmitted::Replayed => "replayed",
            NotAdmitted::RequestAnswered => "request-answered",
            NotAdmitted::NotProvisioned => "not-provisioned",
        }
    }

    /// A sentence for the person who wanted to sign in.
    pub fn advice(self) -> &'static str {
        match self {
            NotAdmitted::Unknown | NotAdmitted::Guest => {
                "You have no account in this application yet. Ask your administrator to assign it to you; new accounts can take 40 minutes to arrive."
            }
            NotAdmitted::WeakAuthentication => {
                "Your organization asks for a stronger way to sign in, such as a second factor. Please sign in again, and confirm it when you are asked."
            }
            NotAdmitted::OldAuthentication => {
                "Your organization asks you to prove anew who you are. Please sign in again."
            }
            NotAdmitted::OtherSession => {
                "Somebody else is signed in in this browser. Sign out first, then sign in again."
            }
            NotAdmitted::Inactive => {
                "Your account in this application is switched off. Ask your administrator to switch it on."
            }
            NotAdmitted::NoIdentifier | NotAdmitted::OpaqueNameId => {
                "Your identity provider did not say who you are in a way that this application knows. Please give the code below to your administrator."
            }
            NotAdmitted::OtherPerson | NotAdmitted::ObjectIdMissing => {
                "The account of this name belongs to somebody else, or did before. Please give the code below to your administrator."
            }
            NotAdmitted::Ambiguous | NotAdmitted::NotProvisioned => {
                "Your account could not be found without doubt. Please give the code below to your administrator."
            }
            NotAdmitted::Replayed | NotAdmitted::RequestAnswered => {
                "This sign-in was used already. Please start again from the application's sign-in page."
            }
        }
    }
}
