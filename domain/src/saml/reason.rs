//! Why a SAML message is refused, by stable codes.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! reasons {
    ($($(#[doc = $doc:literal])+ $name:ident = $code:literal, $advice:ident;)+) => {
        /// The rule that a message broke. The codes are stable: they are kept in events and shown
        /// to people.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Reason {
            $($(#[doc = $doc])+ #[serde(rename = $code)] $name,)+
        }

        impl Reason {
            /// Every reason.
            pub const ALL: &'static [Reason] = &[$(Reason::$name),+];

            /// The stable code, in kebab case.
            pub fn code(self) -> &'static str {
                match self { $(Reason::$name => $code),+ }
            }

            /// A sentence for the person who wanted to sign in: what to do, nothing about them and
            /// nothing that an attacker could use.
            pub fn advice(self) -> &'static str {
                match self { $(Reason::$name => $advice),+ }
            }
        }
    };
}

const AGAIN: &str = "Please start again from the application's sign-in page.";
const ADMIN: &str =
    "Sign-in is not set up correctly. Please give the code below to your administrator.";
const CLOCK: &str = "This sign-in took too long or came at the wrong time. Please start again from the application's sign-in page.";
const PROVIDER: &str = "Your identity provider did not sign you in. Ask your administrator whether this application is assigned to you.";
const CERTIFICATE: &str = "The identity provider's certificate is not known or has expired. Please ask your administrator to update the sign-on settings.";
const BROKEN: &str = "The sign-in message could not be read. Please start again from the application's sign-in page.";

reasons! {
    /// More bytes than are accepted.
    TooLarge = "too-large", BROKEN;
    /// Not base64, or with something else around it; for logout also: not DEFLATE.
    NotBase64 = "not-base64", BROKEN;
    /// Not UTF-8, or declares another encoding, or holds a character that XML forbids.
    NotUtf8 = "not-utf8", BROKEN;
    /// Has a document type declaration or an entity.
    Doctype = "doctype", BROKEN;
    /// Not well-formed XML.
    NotWellFormed = "not-well-formed", BROKEN;
    /// More depth, nodes, attributes or values than are accepted.
    TooComplex = "too-complex", BROKEN;
    /// Has a comment, a CDATA section or a processing instruction: ways to make two readers see two
    /// texts.
    HiddenText = "hidden-text", BROKEN;
    /// A namespace with a relative URI, or one that stands for another.
    Namespace = "namespace", BROKEN;
    /// Not a response of SAML 2.0, or not the message that belongs here.
    UnexpectedDocument = "unexpected-document", BROKEN;
    /// An element or attribute that has no place where it stands.
    UnexpectedContent = "unexpected-content", BROKEN;
    /// Not exactly one assertion.
    AssertionCount = "assertion-count", BROKEN;
    /// An id is missing, odd, or there twice.
    Id = "id", BROKEN;
    /// Neither the response nor the assertion is signed.
    NotSigned = "not-signed", ADMIN;
    /// The signature is not of the only accepted shape: one reference to its parent, enveloped,
    /// exclusive canonicalization.
    SignatureShape = "signature-shape", ADMIN;
    /// An algorithm that is not accepted: RSA with SHA-256, SHA-384 or SHA-512 is.
    Algorithm = "algorithm", ADMIN;
    /// The signature names a certificate that is not trusted. Metadata may have to be fetched
    /// again.
    UnknownKey = "unknown-key", CERTIFICATE;
    /// The only certificate that could verify the signature is expired or not valid yet.
    CertificateExpired = "certificate-expired", CERTIFICATE;
    /// The signature does not verify: changed after signing, or signed by somebody else.
    SignatureInvalid = "signature-invalid", ADMIN;
    /// Not version 2.0.
    Version = "version", ADMIN;
    /// The identity provider says that sign-in failed.
    IdpStatus = "idp-status", PROVIDER;
    /// Sent to another address than ours.
    Destination = "destination", ADMIN;
    /// Issued by another identity provider.
    Issuer = "issuer", ADMIN;
    /// Issued in the future or too long ago.
    IssueInstant = "issue-instant", CLOCK;
    /// Answers a request that this browser did not make, or made too long ago.
    UnknownRequest = "unknown-request", AGAIN;
    /// Was carried out before.
    Replayed = "replayed", AGAIN;
    /// Answers no request, and sign-in that begins at the identity provider is switched off.
    Unsolicited = "unsolicited", AGAIN;
    /// No subject, or no usable name id in it.
    Subject = "subject", ADMIN;
    /// No bearer confirmation of the subject that is usable here.
    Confirmation = "confirmation", ADMIN;
    /// Confirmed for another address than ours.
    Recipient = "recipient", ADMIN;
    /// Not valid any more.
    Expired = "expired", CLOCK;
    /// Not valid yet.
    NotYetValid = "not-yet-valid", CLOCK;
    /// Conditions are missing, unreadable, or unknown.
    Conditions = "conditions", ADMIN;
    /// Meant for another application.
    Audience = "audience", ADMIN;
    /// Does not say, exactly once, that and when the user signed in.
    AuthnStatement = "authn-statement", ADMIN;
    /// The session at the identity provider has ended.
    SessionEnded = "session-ended", AGAIN;
    /// An attribute without a name, there twice, or with a value that is not text.
    Attributes = "attributes", ADMIN;
    /// Speaks of another tenant than its issuer's.
    Tenant = "tenant", ADMIN;
    /// Could not be decrypted. One reason for all causes, so that nobody can ask about the key.
    Decryption = "decryption", ADMIN;
    /// The identity provider's metadata has expired or has no usable key.
    Metadata = "metadata", CERTIFICATE;
    /// Two readers of the same message do not agree about it.
    Disagreement = "disagreement", ADMIN;
    /// Something failed on our side.
    Internal = "internal", AGAIN;
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// A message refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{reason}: {detail}")]
pub struct Refusal {
    /// Which rule it broke.
    pub reason: Reason,
    /// For the operator: what was found and what was expected. Never a person's data, never for
    /// the browser, and no longer than [`Refusal::DETAIL_LIMIT`].
    pub detail: String,
}

impl Refusal {
    /// Characters of a detail that are kept.
    pub const DETAIL_LIMIT: usize = 300;

    /// A refusal; what the message said is cut to a bearable length and freed of control
    /// characters.
    pub fn new(reason: Reason, detail: impl AsRef<str>) -> Self {
        let readable = |c: char| if c.is_control() { ' ' } else { c };
        Self {
            reason,
            detail: detail.as_ref().chars().take(Self::DETAIL_LIMIT).map(readable).collect(),
        }
    }
}
