//! Encrypted assertions: RSA-OAEP for the key, AES for the content (XML encryption, sections 5.2
//! and 5.5). samael knows only some of it, and not Entra's. Every failure is the same `None`.

use crate::keys::KeyPair;
use crate::xml::{DSIG, XMLENC, XMLENC11, attribute, elements, is, text};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use openssl::encrypt::Decrypter;
use openssl::hash::MessageDigest;
use openssl::rsa::Padding;
use openssl::symm::{Cipher, Crypter, Mode, decrypt_aead};
use roxmltree::Node;

/// Decrypts an `EncryptedAssertion` with the first of our keys that can.
pub(super) fn assertion(node: Node<'_, '_>, keys: &[KeyPair]) -> Option<String> {
    let parts = elements(node).ok()?;
    let data = parts.iter().find(|n| is(**n, XMLENC, "EncryptedData"))?;
    if parts.iter().any(|n| n != data && !is(*n, XMLENC, "EncryptedKey")) {
        return None;
    }
    let data_parts = elements(*data).ok()?;
    let content = Content::of(&algorithm(child(&data_parts, XMLENC, "EncryptionMethod")?)?)?;
    let key_info = child(&data_parts, DSIG, "KeyInfo");
    let inside = key_info.map(elements).transpose().ok()?.unwrap_or_default();
    let wrapped: Vec<_> =
        inside.iter().chain(&parts).filter(|n| is(**n, XMLENC, "EncryptedKey")).collect();
    let [wrapped] = wrapped.as_slice() else { return None };
    let transport = Transport::of(**wrapped)?;
    let wrapped = cipher_value(**wrapped)?;
    let ciphertext = cipher_value(*data)?;
    // Each of our keys is tried: after a rotation the other side may go on with the old one.
    let plain = keys
        .iter()
        .find_map(|key| content.decrypt(&transport.unwrap_key(key, &wrapped)?, &ciphertext));
    String::from_utf8(plain?).ok()
}

fn child<'a, 'i>(parts: &[Node<'a, 'i>], namespace: &str, name: &str) -> Option<Node<'a, 'i>> {
    let mut found = parts.iter().filter(|n| is(**n, namespace, name));
    let first = found.next()?;
    found.next().is_none().then_some(*first)
}

fn algorithm(node: Node<'_, '_>) -> Option<String> {
    attribute(node, "Algorithm")
}

fn cipher_value(node: Node<'_, '_>) -> Option<Vec<u8>> {
    let data = child(&elements(node).ok()?, XMLENC, "CipherData")?;
    let value = child(&elements(data).ok()?, XMLENC, "CipherValue")?;
    let dense: String = text(value).ok()?.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    STANDARD.decode(dense).ok()
}

/// How the content is encrypted.
struct Content {
    cipher: Cipher,
    authenticated: bool,
}

impl Content {
    fn of(uri: &str) -> Option<Self> {
        let (cipher, authenticated) = match uri {
            "http://www.w3.org/2001/04/xmlenc#aes128-cbc" => (Cipher::aes_128_cbc(), false),
            "http://www.w3.org/2001/04/xmlenc#aes256-cbc" => (Cipher::aes_256_cbc(), false),
            "http://www.w3.org/2009/xmlenc11#aes128-gcm" => (Cipher::aes_128_gcm(), true),
            "http://www.w3.org/2009/xmlenc11#aes256-gcm" => (Cipher::aes_256_gcm(), true),
            _ => return None,
        };
        Some(Self { cipher, authenticated })
    }

    fn decrypt(&self, key: &[u8], data: &[u8]) -> Option<Vec<u8>> {
        if key.len() != self.cipher.key_len() {
            return None;
        }
        let (iv, rest) = data.split_at_checked(self.cipher.iv_len()?)?;
        if self.authenticated {
            let (body, tag) = rest.split_at_checked(rest.len().checked_sub(16)?)?;
            return decrypt_aead(self.cipher, key, Some(iv), &[], body, tag).ok();
        }
        let block = self.cipher.block_size();
        if rest.is_empty() || rest.len() % block != 0 {
            return None;
        }
        let mut crypter = Crypter::new(self.cipher, Mode::Decrypt, key, Some(iv)).ok()?;
        crypter.pad(false);
        let mut plain = vec![0; rest.len() + block];
        let written = crypter.update(rest, &mut plain).ok()?;
        let written = written + crypter.finalize(&mut plain[written..]).ok()?;
        plain.truncate(written);
        // Only the last byte of this padding has a meaning: how long it is.
        let padding = usize::from(*plain.last()?);
        if padding == 0 || padding > block {
            return None;
        }
        plain.truncate(plain.len() - padding);
        Some(plain)
    }
}

/// How the content's key is encrypted: OAEP only; RSA with PKCS#1 v1.5 can be asked for its
/// answers.
struct Transport {
    digest: MessageDigest,
    mask: MessageDigest,
}

impl Transport {
    fn of(encrypted_key: Node<'_, '_>) -> Option<Self> {
        let method = child(&elements(encrypted_key).ok()?, XMLENC, "EncryptionMethod")?;
        let parameters = elements(method).ok()?;
        let digest = match child(&parameters, DSIG, "DigestMethod") {
            None => MessageDigest::sha1(),
            Some(node) => match algorithm(node)?.as_str() {
                "http://www.w3.org/2000/09/xmldsig#sha1" => MessageDigest::sha1(),
                "http://www.w3.org/2001/04/xmlenc#sha256" => MessageDigest::sha256(),
                "http://www.w3.org/2001/04/xmldsig-more#sha384" => MessageDigest::sha384(),
                "http://www.w3.org/2001/04/xmlenc#sha512" => MessageDigest::sha512(),
                _ => return None,
            },
        };
        let mask = match algorithm(method)?.as_str() {
            "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p" => MessageDigest::sha1(),
            "http://www.w3.org/2009/xmlenc11#rsa-oaep" => match child(&parameters, XMLENC11, "MGF")
            {
                None => MessageDigest::sha1(),
                Some(node) => match algorithm(node)?.as_str() {
                    "http://www.w3.org/2009/xmlenc11#mgf1sha1" => MessageDigest::sha1(),
                    "http://www.w3.org/2009/xmlenc11#mgf1sha256" => MessageDigest::sha256(),
                    "http://www.w3.org/2009/xmlenc11#mgf1sha384" => MessageDigest::sha384(),
                    "http://www.w3.org/2009/xmlenc11#mgf1sha512" => MessageDigest::sha512(),
                    _ => return None,
                },
            },
            _ => return None,
        };
        let known = |n: &Node<'_, '_>| is(*n, DSIG, "DigestMethod") || is(*n, XMLENC11, "MGF");
        parameters.iter().all(known).then_some(Self { digest, mask })
    }

    fn unwrap_key(&self, key: &KeyPair, wrapped: &[u8]) -> Option<Vec<u8>> {
        let mut decrypter = Decrypter::new(key.private()).ok()?;
        decrypter.set_rsa_padding(Padding::PKCS1_OAEP).ok()?;
        decrypter.set_rsa_oaep_md(self.digest).ok()?;
        decrypter.set_rsa_mgf1_md(self.mask).ok()?;
        let mut plain = vec![0; decrypter.decrypt_len(wrapped).ok()?];
        let length = decrypter.decrypt(wrapped, &mut plain).ok()?;
        plain.truncate(length);
        Some(plain)
    }
}
