//! Sets of public keys (RFC 7517), and whether one of them has signed.

use crate::jws::Assertion;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openssl::bn::{BigNum, BigNumRef};
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Public};
use openssl::rsa::Rsa;
use openssl::sign::Verifier;
use rollcall_domain::credential::assertion::{KEY_BITS, KeyCheck};
use serde::Deserialize;
use serde_json::{Value, json};

/// The most keys of one set.
pub const MAX_KEYS: usize = 100;
/// The longest modulus, in bits: longer ones cost without being safer.
const MOST_BITS: u32 = 8_192;

/// Why a document is no set of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeySetError {
    /// It is no JSON Web Key Set.
    #[error("it is no JSON Web Key Set (RFC 7517 section 5)")]
    NoKeySet,
    /// There are too many keys in it.
    #[error("it has more than {MAX_KEYS} keys")]
    TooMany,
    /// Nothing could be signed with.
    #[error("it has no RSA key for signatures with RS256")]
    NoneUsable,
    /// Its owner alone may have it.
    #[error("it has a private key: send the public half only, and use that key no more")]
    Private,
    /// Nothing that is signed with such a key is believed.
    #[error("it has a key of {0} bits: at least {KEY_BITS} are needed")]
    TooShort(u32),
}

/// What a key of a set is, is seen when it is looked at: one that cannot be read is passed over
/// like one of a kind that is not known (section 5).
#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

/// Members that only the holder of a private key may know (RFC 7518 sections 6.2.2, 6.3.2, 6.4.1).
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

#[derive(Deserialize)]
struct Jwk {
    kty: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    alg: Option<String>,
    kid: Option<String>,
    n: Option<String>,
    e: Option<String>,
}

/// The keys of one signer that are for RS256; others in the set are passed over (section 5).
#[derive(Debug)]
pub struct KeySet(Vec<Key>);

#[derive(Debug)]
struct Key {
    id: Option<String>,
    bits: u32,
    public: PKey<Public>,
}

impl KeySet {
    /// Reads a set.
    ///
    /// # Errors
    /// If it is none, or of no use.
    pub fn read(document: &[u8]) -> Result<Self, KeySetError> {
        let document: Document =
            serde_json::from_slice(document).map_err(|_| KeySetError::NoKeySet)?;
        if document.keys.len() > MAX_KEYS {
            return Err(KeySetError::TooMany);
        }
        let keys: Vec<Key> = document.keys.into_iter().filter_map(Key::read).collect();
        if keys.is_empty() { Err(KeySetError::NoneUsable) } else { Ok(Self(keys)) }
    }

    /// Checks a set that somebody gives us to keep, and gives what is kept of it: the public
    /// numbers of its keys, and their names.
    ///
    /// # Errors
    /// If it is none, of no use, or says what nobody but its owner may know.
    pub fn to_keep(document: &[u8]) -> Result<String, KeySetError> {
        let set = Self::read(document)?;
        let text: Document = serde_json::from_slice(document).map_err(|_| KeySetError::NoKeySet)?;
        let is_private = |key: &Value| PRIVATE.iter().any(|name| key.get(name).is_some());
        if text.keys.iter().any(is_private) {
            return Err(KeySetError::Private);
        }
        if let Some(key) = set.0.iter().find(|key| key.bits < KEY_BITS) {
            return Err(KeySetError::TooShort(key.bits));
        }
        let keys: Vec<Value> = set.0.iter().filter_map(Key::public_jwk).collect();
        Ok(json!({ "keys": keys }).to_string())
    }

    /// Whether an assertion names a key of the set. One that names none means the only one
    /// (RFC 7515 section 4.1.4 leaves that open).
    pub fn has(&self, id: Option<&str>) -> bool {
        self.named(id).next().is_some()
    }

    /// Looks for the key of an assertion, and checks the signature by it.
    pub fn check(&self, assertion: &Assertion<'_>) -> KeyCheck {
        let mut keys = self.named(assertion.presented.header.key.as_deref()).peekable();
        let Some(first) = keys.peek().map(|key| key.bits) else { return KeyCheck::Unknown };
        let signer = keys.find(|key| key.has_signed(assertion));
        let bits = signer.map_or(first, |key| key.bits);
        KeyCheck::Known { bits, signed: signer.is_some() }
    }

    fn named(&self, id: Option<&str>) -> impl Iterator<Item = &Key> {
        let only = self.0.len() == 1;
        self.0.iter().filter(move |key| match id {
            Some(id) => key.id.as_deref() == Some(id),
            None => only,
        })
    }
}

impl Key {
    fn read(jwk: Value) -> Option<Self> {
        Self::of(serde_json::from_value(jwk).ok()?)
    }

    fn public_jwk(&self) -> Option<Value> {
        let rsa = self.public.rsa().ok()?;
        let number = |n: &BigNumRef| URL_SAFE_NO_PAD.encode(n.to_vec());
        let (n, e) = (number(rsa.n()), number(rsa.e()));
        let mut jwk = json!({ "kty": "RSA", "use": "sig", "alg": "RS256", "n": n, "e": e });
        if let (Some(id), Some(fields)) = (&self.id, jwk.as_object_mut()) {
            fields.insert("kid".to_owned(), json!(id));
        }
        Some(jwk)
    }

    fn of(jwk: Jwk) -> Option<Self> {
        let for_signatures = jwk.kty.as_deref() == Some("RSA")
            && jwk.usage.as_deref().is_none_or(|usage| usage == "sig")
            && jwk.alg.as_deref().is_none_or(|alg| alg == "RS256");
        let number = |text: Option<String>| {
            let bytes = URL_SAFE_NO_PAD.decode(text?).ok()?;
            (bytes.len() <= 1_024).then(|| BigNum::from_slice(&bytes).ok())?
        };
        let (n, e) = (number(jwk.n)?, number(jwk.e)?);
        let bits = u32::try_from(n.num_bits()).ok()?;
        let sane =
            bits <= MOST_BITS && n.is_odd() && e.is_odd() && (2..=64).contains(&e.num_bits());
        if !for_signatures || !sane {
            return None;
        }
        let rsa = Rsa::from_public_components(n, e).ok()?;
        Some(Self { id: jwk.kid, bits, public: PKey::from_rsa(rsa).ok()? })
    }

    fn has_signed(&self, assertion: &Assertion<'_>) -> bool {
        let verify = || {
            let mut verifier = Verifier::new(MessageDigest::sha256(), &self.public)?;
            verifier.verify_oneshot(&assertion.signature, assertion.signed.as_bytes())
        };
        verify().unwrap_or(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use openssl::sign::Signer;

    fn key(bits: u32, kid: &str) -> (PKey<openssl::pkey::Private>, String) {
        let rsa = Rsa::generate(bits).unwrap();
        let number = |n: &openssl::bn::BigNumRef| URL_SAFE_NO_PAD.encode(n.to_vec());
        let jwk = format!(
            r#"{{"kty":"RSA","kid":"{kid}","n":"{}","e":"{}","x5t":"other members do no harm"}}"#,
            number(rsa.n()),
            number(rsa.e())
        );
        (PKey::from_rsa(rsa).unwrap(), jwk)
    }

    fn signed(key: &PKey<openssl::pkey::Private>, header: &str) -> String {
        let text = format!("{}.e30", URL_SAFE_NO_PAD.encode(header));
        let mut signer = Signer::new(MessageDigest::sha256(), key).unwrap();
        let signature = signer.sign_oneshot_to_vec(text.as_bytes()).unwrap();
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    #[test]
    fn the_key_that_is_named_must_have_signed() {
        let ((a, jwk_a), (b, jwk_b)) = (key(2_048, "a"), key(1_024, "b"));
        let set = format!(
            r#"{{"keys":[{jwk_a},{jwk_b},{{"kty":"EC","kid":"c"}},{{"kty":"RSA","use":"enc","kid":"d"}}]}}"#
        );
        let set = KeySet::read(set.as_bytes()).unwrap();
        let check = |text: &str| set.check(&Assertion::read(text).unwrap());
        let known = |bits, signed| KeyCheck::Known { bits, signed };
        assert_eq!(check(&signed(&a, r#"{"kid":"a"}"#)), known(2_048, true));
        assert_eq!(check(&signed(&a, r#"{"kid":"b"}"#)), known(1_024, false));
        assert_eq!(check(&signed(&b, r#"{"kid":"b"}"#)), known(1_024, true));
        for header in [r#"{"kid":"c"}"#, r#"{"kid":"d"}"#, r#"{"kid":"../a"}"#, "{}"] {
            assert_eq!(check(&signed(&a, header)), KeyCheck::Unknown, "{header}");
        }
        let one = KeySet::read(format!(r#"{{"keys":[{jwk_a}]}}"#).as_bytes()).unwrap();
        assert!(one.has(None) && one.has(Some("a")) && !one.has(Some("b")) && !set.has(None));
    }

    /// RFC 7517 section 5: what is not understood of a set is passed over.
    #[test]
    fn an_odd_key_hides_no_good_one() {
        let (a, jwk) = key(2_048, "a");
        for odd in [
            "null",
            "7",
            "\"a\"",
            "[]",
            r#"{"kid":5}"#,
            r#"{"n":5}"#,
            r#"{"kty":"EC","use":["sig"]}"#,
            r#"{"alg":5}"#,
            r#"{"kty":"RSA","n":"","e":""}"#,
        ] {
            for text in [format!("{jwk},{odd}"), format!("{odd},{jwk}")] {
                let set = KeySet::read(format!(r#"{{"keys":[{text}]}}"#).as_bytes()).unwrap();
                let said = signed(&a, r#"{"kid":"a"}"#);
                let check = set.check(&Assertion::read(&said).unwrap());
                assert_eq!(check, KeyCheck::Known { bits: 2_048, signed: true }, "{odd}");
            }
        }
    }

    #[test]
    fn what_is_kept_is_public() {
        let ((_, jwk), (_, short)) = (key(2_048, "a"), key(1_024, "b"));
        let kept = KeySet::to_keep(format!(r#"{{"keys":[{jwk},{{"kty":"EC"}}]}}"#).as_bytes());
        let kept = kept.unwrap();
        assert!(KeySet::read(kept.as_bytes()).unwrap().has(Some("a")));
        let kept: serde_json::Value = serde_json::from_str(&kept).unwrap();
        assert_eq!(kept["keys"].as_array().map(Vec::len), Some(1), "the other key is no RSA key");
        assert!(kept["keys"][0].get("x5t").is_none(), "{kept}");
        for name in PRIVATE {
            let private = jwk.replacen("\"kid\"", &format!("\"{name}\":\"AQ\",\"kid\""), 1);
            let set = format!(r#"{{"keys":[{private}]}}"#);
            assert_eq!(KeySet::to_keep(set.as_bytes()), Err(KeySetError::Private), "{name}");
        }
        let set = format!(r#"{{"keys":[{jwk},{short}]}}"#);
        assert_eq!(KeySet::to_keep(set.as_bytes()), Err(KeySetError::TooShort(1_024)));
    }

    #[test]
    fn what_is_no_set_is_refused() {
        let many = format!(r#"{{"keys":[{}]}}"#, vec!["{}"; MAX_KEYS + 1].join(","));
        for (text, error) in [
            ("", KeySetError::NoKeySet),
            ("{}", KeySetError::NoKeySet),
            (many.as_str(), KeySetError::TooMany),
            (r#"{"keys":[]}"#, KeySetError::NoneUsable),
            (r#"{"keys":[{"kty":"RSA","n":"AA","e":"AQAB"}]}"#, KeySetError::NoneUsable),
        ] {
            assert_eq!(KeySet::read(text.as_bytes()).unwrap_err(), error, "{text}");
        }
    }
}
