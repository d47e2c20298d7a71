//! Responses: from the form field of a browser to an assertion, or to a refusal.
//!
//! The order is: gate, the response around, the signature, the assertion. What an assertion says is
//! read from the bytes that samael hands back as verified, never from the message as it came.

mod decrypt;
mod envelope;
mod reading;
mod rules;
mod verify;

use crate::gate;
use crate::provider::ServiceProvider;
use chrono::{DateTime, Utc};
use envelope::{Content, Envelope};
use reading::Reading;
pub(crate) use reading::{read_issuer, read_name_id};
use rollcall_domain::saml::{Assertion, Reason, Refusal, SignedParts};
use roxmltree::Node;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What the caller knows about the message to come.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// The time.
    pub now: DateTime<Utc>,
    /// Ids of the requests that this browser has made, that are young enough, and that are not
    /// answered yet. [`Assertion::in_response_to`] says which one was answered.
    pub requests: &'a [&'a str],
}

/// An assertion whose signature was verified.
struct Verified {
    reading: Reading,
    certificate_sha256: String,
    signed: SignedParts,
    encrypted: bool,
}

impl ServiceProvider {
    /// Reads the value of the form field `SAMLResponse`. Blocking: work for the processor.
    ///
    /// It keeps no state. The caller must take the assertion's id as a claim (used once) and
    /// consume the request it answers, in the append that records the login.
    pub fn read_response(
        &self,
        saml_response: &str,
        expected: Expected<'_>,
    ) -> Result<Assertion, Refusal> {
        let guarded =
            catch_unwind(AssertUnwindSafe(|| self.read_unguarded(saml_response, expected)));
        guarded.unwrap_or_else(|_| {
            Err(Refusal::new(Reason::Internal, "reading the response panicked"))
        })
    }

    fn read_unguarded(
        &self,
        saml_response: &str,
        expected: Expected<'_>,
    ) -> Result<Assertion, Refusal> {
        let connection = &self.connection;
        if connection.idp.valid_until.is_some_and(|until| until <= expected.now) {
            return Err(Refusal::new(
                Reason::Metadata,
                "the identity provider's metadata is not valid any more",
            ));
        }
        let bytes = gate::decode(saml_response, connection.policy.max_bytes)?;
        let text = gate::utf8(&bytes)?;
        let document = gate::parse(text)?;
        envelope::expect_response(document.root_element())?;
        gate::refuse_signatures_elsewhere(&document)?;
        let envelope = Envelope::read(document.root_element())?;
        rules::envelope(connection, &envelope, expected)?;
        let verified = match envelope.content {
            Content::Assertion(node) => self.plain(text, &envelope, node, expected)?,
            Content::Encrypted(node) => self.encrypted(text, &envelope, node, expected)?,
        };
        rules::assertion(connection, &envelope, verified, expected)
    }

    /// An assertion in clear: it or the response around it is signed.
    fn plain(
        &self,
        text: &str,
        envelope: &Envelope<'_, '_>,
        node: Node<'_, '_>,
        expected: Expected<'_>,
    ) -> Result<Verified, Refusal> {
        let seen = Reading::read(node)?;
        let (signed, hint) = match (&envelope.signature, &seen.signature) {
            (None, None) => {
                return Err(Refusal::new(
                    Reason::NotSigned,
                    "neither the response nor the assertion is signed",
                ));
            }
            (Some(outer), None) => (SignedParts::Response, outer),
            (None, Some(inner)) => (SignedParts::Assertion, inner),
            (Some(outer), Some(_)) => (SignedParts::Both, outer),
        };
        // An assertion that stands for itself is verified by itself: what is around it is not
        // signed, and samael would keep it in memory for ever.
        let alone =
            (signed == SignedParts::Assertion && !hint.needs_context).then(|| &text[node.range()]);
        let whole = match alone {
            Some(part) if stands_alone(part, &seen) => part,
            _ => text,
        };
        let accepted =
            verify::signed(self, whole, hint.certificate_sha256.as_deref(), expected.now)?;
        let reading = verify::same_assertion(&accepted.xml, &seen)?;
        Ok(Verified {
            reading,
            certificate_sha256: accepted.certificate_sha256,
            signed,
            encrypted: false,
        })
    }

    /// An encrypted assertion. Signed outside, it is decrypted only after that signature is
    /// verified; else every failure up to the signature inside looks the same, so that the key is
    /// no oracle.
    fn encrypted(
        &self,
        text: &str,
        envelope: &Envelope<'_, '_>,
        node: Node<'_, '_>,
        expected: Expected<'_>,
    ) -> Result<Verified, Refusal> {
        let Some(outer) = &envelope.signature else {
            let inside = self.decrypted(node).and_then(|plain| self.inner(&plain, expected).ok());
            let (reading, certificate_sha256) = inside.ok_or_else(undecipherable)?;
            return Ok(Verified {
                reading,
                certificate_sha256,
                signed: SignedParts::Assertion,
                encrypted: true,
            });
        };
        let accepted =
            verify::signed(self, text, outer.certificate_sha256.as_deref(), expected.now)?;
        verify::same_encrypted(&accepted.xml, node)?;
        let plain = self.decrypted(node).ok_or_else(undecipherable)?;
        let document = gate::parse(gate::utf8(plain.as_bytes())?)?;
        gate::refuse_signatures_elsewhere(&document)?;
        let seen = Reading::read_alone(&document)?;
        if seen.signature.is_none() {
            let certificate_sha256 = accepted.certificate_sha256;
            return Ok(Verified {
                reading: seen,
                certificate_sha256,
                signed: SignedParts::Response,
                encrypted: true,
            });
        }
        let (reading, certificate_sha256) = self.inner(&plain, expected)?;
        Ok(Verified { reading, certificate_sha256, signed: SignedParts::Both, encrypted: true })
    }

    fn decrypted(&self, node: Node<'_, '_>) -> Option<String> {
        decrypt::assertion(node, &self.connection.keys)
    }

    /// A decrypted assertion that must carry its own signature.
    fn inner(&self, plain: &str, expected: Expected<'_>) -> Result<(Reading, String), Refusal> {
        let document = gate::parse(gate::utf8(plain.as_bytes())?)?;
        gate::refuse_signatures_elsewhere(&document)?;
        let seen = Reading::read_alone(&document)?;
        let signature = seen.signature.as_ref().ok_or_else(|| {
            Refusal::new(Reason::NotSigned, "the encrypted assertion is not signed")
        })?;
        let accepted =
            verify::signed(self, plain, signature.certificate_sha256.as_deref(), expected.now)?;
        Ok((verify::same_assertion(&accepted.xml, &seen)?, accepted.certificate_sha256))
    }
}

fn undecipherable() -> Refusal {
    Refusal::new(
        Reason::Decryption,
        "the encrypted assertion could not be decrypted to a signed assertion of this identity provider",
    )
}

/// Whether a part of the message reads the same when it is taken out of it.
fn stands_alone(part: &str, seen: &Reading) -> bool {
    gate::parse(part)
        .is_ok_and(|document| Reading::read_alone(&document).is_ok_and(|alone| alone == *seen))
}
