//! A tenant that signs for its provisioning service, as seen on the wire: RS256, an issuer of the
//! second version, no `jti`, the same assertion until it ends.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Duration, Utc};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::sign::Signer as Signing;
use serde_json::{Value, json};
use std::sync::{Mutex, MutexGuard, PoisonError};
use uuid::Uuid;

/// The first-party application that asks for the assertions (`azp`).
pub const SYNC_FABRIC: Uuid = Uuid::from_u128(0xcb1d50fe_8ed0_4944_9e7d_5981aad3bc4b);
/// Assertions begin so long before they are made, for clocks that are behind.
const BACKDATED: Duration = Duration::minutes(5);
/// And end so long after that.
const LIFE: Duration = Duration::minutes(60);
/// So long before its end an assertion is made anew.
const REMADE_BEFORE: Duration = Duration::minutes(5);

/// How the audience is written; Entra changes it without notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// `api://` and the application's id.
    Api,
    /// The same with the target's host behind it.
    ApiWithHost,
    /// The application's id alone.
    Bare,
}

/// Who signs for what.
pub struct Signer {
    authority: String,
    tenant: Uuid,
    subject: Uuid,
    application: Uuid,
    host: String,
    state: Mutex<State>,
}

struct State {
    /// The last one signs; all are published.
    keys: Vec<(String, PKey<Private>)>,
    audience: Audience,
    other_audience: Option<String>,
    clock_off: Duration,
    made: Option<(String, DateTime<Utc>)>,
}

impl Signer {
    /// A tenant of an authority that signs for an application at a host.
    ///
    /// # Errors
    /// If OpenSSL makes no key.
    pub fn new(
        authority: &str,
        [tenant, subject, application]: [Uuid; 3],
        host: &str,
    ) -> Result<Self, ErrorStack> {
        let state = State {
            keys: vec![key(0)?],
            audience: Audience::Bare,
            other_audience: None,
            clock_off: Duration::zero(),
            made: None,
        };
        let (authority, host) = (authority.trim_end_matches('/').to_owned(), host.to_owned());
        Ok(Self { authority, tenant, subject, application, host, state: Mutex::new(state) })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes the audience in another way from now on.
    pub fn write_audience(&self, audience: Audience) {
        let mut state = self.state();
        (state.audience, state.made) = (audience, None);
    }

    /// Writes it in a way that nobody was told of.
    pub fn name_application(&self, audience: &str) {
        let mut state = self.state();
        (state.other_audience, state.made) = (Some(audience.to_owned()), None);
    }

    /// Has a clock that is so far off.
    pub fn set_clock_off(&self, by: Duration) {
        let mut state = self.state();
        (state.clock_off, state.made) = (by, None);
    }

    /// Signs with a new key from now on; the last one stays published.
    ///
    /// # Errors
    /// If OpenSSL makes no key.
    pub fn roll_over(&self) -> Result<(), ErrorStack> {
        let mut state = self.state();
        let next = key(state.keys.len())?;
        state.keys.push(next);
        let old = state.keys.len().saturating_sub(2);
        // Ids stay what they were.
        state.keys.drain(..old);
        state.made = None;
        Ok(())
    }

    /// What the audience is now.
    pub fn audience(&self) -> String {
        let Self { application, host, .. } = self;
        let state = self.state();
        if let Some(other) = &state.other_audience {
            return other.clone();
        }
        match state.audience {
            Audience::Api => format!("api://{application}"),
            Audience::ApiWithHost => format!("api://{application}/{host}"),
            Audience::Bare => application.to_string(),
        }
    }

    /// The claims of an assertion that is made now.
    pub fn claims(&self, now: DateTime<Utc>) -> Value {
        let now = now + self.state().clock_off;
        let begins = (now - BACKDATED).timestamp();
        json!({
            "aud": self.audience(),
            "iss": format!("{}/{}/v2.0", self.authority, self.tenant),
            "iat": begins,
            "nbf": begins,
            "exp": (now + LIFE).timestamp(),
            "azp": SYNC_FABRIC,
            "azpacr": "2",
            "oid": self.subject,
            "sub": self.subject,
            "tid": self.tenant,
            "uti": "c2ltdWxhdGVkIGVudHJh",
            "ver": "2.0",
        })
    }

    /// An assertion; the one before, as long as it is good for a while.
    pub fn assertion(&self, now: DateTime<Utc>) -> String {
        if let Some((made, ends)) = &self.state().made
            && now < *ends - REMADE_BEFORE
        {
            return made.clone();
        }
        let made = self.signed(&self.claims(now)).unwrap_or_default();
        self.state().made = Some((made.clone(), now + self.state_clock() + LIFE));
        made
    }

    fn state_clock(&self) -> Duration {
        self.state().clock_off
    }

    /// Signs any claims with the key that signs now.
    ///
    /// # Errors
    /// If OpenSSL does not.
    pub fn signed(&self, claims: &Value) -> Result<String, ErrorStack> {
        let (id, key) = match self.state().keys.last() {
            Some(last) => last.clone(),
            None => return Ok(String::new()),
        };
        let header = json!({ "typ": "JWT", "alg": "RS256", "kid": id });
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let text = format!("{}.{}", part(&header), part(claims));
        let mut signing = Signing::new(MessageDigest::sha256(), &key)?;
        let signature = signing.sign_oneshot_to_vec(text.as_bytes())?;
        Ok(format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    /// The id and the private half of the key that signs now.
    pub fn key(&self) -> Option<(String, PKey<Private>)> {
        self.state().keys.last().cloned()
    }

    /// The public halves, as a JSON Web Key Set.
    pub fn keys(&self) -> Value {
        let number = |n: &openssl::bn::BigNumRef| URL_SAFE_NO_PAD.encode(n.to_vec());
        let one = |(id, key): &(String, PKey<Private>)| {
            let rsa = key.rsa().ok()?;
            Some(json!({
                "kty": "RSA", "use": "sig", "kid": id, "x5t": id,
                "n": number(rsa.n()), "e": number(rsa.e()),
            }))
        };
        json!({ "keys": self.state().keys.iter().filter_map(one).collect::<Vec<_>>() })
    }
}

fn key(number: usize) -> Result<(String, PKey<Private>), ErrorStack> {
    let key = PKey::from_rsa(Rsa::generate(2_048)?)?;
    let digest = openssl::hash::hash(MessageDigest::sha256(), &key.public_key_to_der()?)?;
    Ok((format!("{number}-{}", URL_SAFE_NO_PAD.encode(&digest[..12])), key))
}
