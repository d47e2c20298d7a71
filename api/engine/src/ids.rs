//! The one place that draws random numbers: ids, tokens and keys.

use crate::clock::Clock;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rollcall_domain::ids::{
    ConsumerId, CredentialId, ExchangeId, OrganizationId, ResourceId, SamlKeyId, SessionId,
};
use sha2::{Digest, Sha256};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use uuid::{Builder, Uuid};

/// A source of random bytes.
#[derive(Clone)]
pub struct Random(Arc<dyn Fn() -> [u8; 32] + Send + Sync>);

impl Random {
    /// The operating system's.
    #[expect(
        clippy::expect_used,
        reason = "without randomness nothing may go on; the operating system's source does not fail once it is seeded"
    )]
    pub fn system() -> Self {
        Self(Arc::new(|| {
            let mut bytes = [0; 32];
            getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
            bytes
        }))
    }

    /// The same bytes in the same order for the same seed. Whoever knows the seed knows the
    /// secrets: for simulations only.
    pub fn seeded(seed: u64) -> Self {
        let drawn = AtomicU64::new(0);
        Self(Arc::new(move || {
            let n = drawn.fetch_add(1, Ordering::Relaxed);
            Sha256::new()
                .chain_update(b"rollcall simulation")
                .chain_update(seed.to_be_bytes())
                .chain_update(n.to_be_bytes())
                .finalize()
                .into()
        }))
    }
}

impl fmt::Debug for Random {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Random")
    }
}

/// A source of ids.
#[derive(Clone, Debug)]
pub struct Ids {
    clock: Clock,
    random: Random,
}

impl Ids {
    /// Ids that carry the time of this clock (UUID version 7), so that they sort by creation.
    pub fn new(clock: Clock, random: Random) -> Self {
        Self { clock, random }
    }

    fn uuid(&self) -> Uuid {
        let millis = u64::try_from(self.clock.now().timestamp_millis()).unwrap_or(0);
        let [a, b, c, d, e, f, g, h, i, j, ..] = (self.random.0)();
        Builder::from_unix_timestamp_millis(millis, &[a, b, c, d, e, f, g, h, i, j]).into_uuid()
    }

    /// The epoch of a log.
    pub fn epoch(&self) -> Uuid {
        let drawn = self.key();
        Uuid::from_bytes(std::array::from_fn(|byte| drawn[byte]))
    }

    /// A new exchange id.
    pub fn exchange(&self) -> ExchangeId {
        ExchangeId(self.uuid())
    }

    /// A new organization id.
    pub fn organization(&self) -> OrganizationId {
        OrganizationId(self.uuid())
    }

    /// A new user or group id.
    pub fn resource(&self) -> ResourceId {
        ResourceId(self.uuid())
    }

    /// A new credential id.
    pub fn credential(&self) -> CredentialId {
        CredentialId(self.uuid())
    }

    /// A new consumer id.
    pub fn consumer(&self) -> ConsumerId {
        ConsumerId(self.uuid())
    }

    /// A new session id.
    pub fn session(&self) -> SessionId {
        SessionId(self.uuid())
    }

    /// A new id of one of our own key pairs.
    pub fn saml_key(&self) -> SamlKeyId {
        SamlKeyId(self.uuid())
    }

    /// A new id of a SAML message: 128 random bits, in the form of an xs:ID.
    pub fn saml_message(&self) -> String {
        self.key()[..16].iter().fold(String::from("_"), |id, byte| format!("{id}{byte:02x}"))
    }

    /// A new nonce, to be used once.
    pub fn nonce(&self) -> [u8; 12] {
        let [a, b, c, d, e, f, g, h, i, j, k, l, ..] = self.key();
        [a, b, c, d, e, f, g, h, i, j, k, l]
    }

    /// A new secret with 256 random bits, recognizable as one of ours by its prefix.
    pub fn secret(&self, prefix: &str) -> String {
        format!("{prefix}{}", URL_SAFE_NO_PAD.encode(self.key()))
    }

    /// A new key of 256 random bits.
    pub fn key(&self) -> [u8; 32] {
        (self.random.0)()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;

    #[test]
    fn a_seed_gives_the_same_ids_again_and_another_seed_others() {
        let clock = Clock::from_fn(|| DateTime::UNIX_EPOCH);
        let draw = |random| {
            let ids = Ids::new(clock.clone(), random);
            (ids.resource(), ids.exchange().0, ids.secret("x"))
        };
        assert_eq!(draw(Random::seeded(7)), draw(Random::seeded(7)));
        assert_ne!(draw(Random::seeded(7)), draw(Random::seeded(8)));
        let (resource, exchange, _) = draw(Random::seeded(7));
        assert_ne!(resource.0, exchange);
        assert_ne!(draw(Random::system()).0, draw(Random::system()).0);
    }
}
