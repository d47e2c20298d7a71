//! The one place that draws random numbers: ids, tokens and keys.

use crate::clock::Clock;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rollcall_domain::ids::{ExchangeId, OrganizationId, ResourceId, TokenId};
use uuid::{Builder, Uuid};

/// A source of ids.
#[derive(Clone, Debug)]
pub struct Ids {
    clock: Clock,
}

impl Ids {
    /// Ids that carry the time of this clock (UUID version 7), so that they sort by creation.
    pub fn new(clock: Clock) -> Self {
        Self { clock }
    }

    fn uuid(&self) -> Uuid {
        let millis = u64::try_from(self.clock.now().timestamp_millis()).unwrap_or(0);
        Builder::from_unix_timestamp_millis(millis, &random()).into_uuid()
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

    /// A new token id.
    pub fn token(&self) -> TokenId {
        TokenId(self.uuid())
    }

    /// A new secret with 256 random bits, recognizable as one of ours by its prefix.
    pub fn secret(&self, prefix: &str) -> String {
        format!("{prefix}{}", URL_SAFE_NO_PAD.encode(self.key()))
    }

    /// A new key of 256 random bits.
    pub fn key(&self) -> [u8; 32] {
        random()
    }
}

#[expect(
    clippy::expect_used,
    reason = "without randomness nothing may go on; the operating system's source does not fail once it is seeded"
)]
fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}
