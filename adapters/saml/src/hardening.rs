//! xmlsec, made deaf and mute: it opens no file, no connection, and prints nothing.

use samael::crypto::{CertificateDer, Crypto, CryptoProvider};
use std::ffi::c_int;
use std::sync::Once;

#[expect(unsafe_code, reason = "xmlsec has its switches in C only; both take no pointer and are called once, under `Once`")]
mod switches {
    use super::c_int;

    unsafe extern "C" {
        fn xmlSecIOCleanupCallbacks();
        fn xmlSecErrorsDefaultCallbackEnableOutput(enabled: c_int);
    }

    /// Takes away what xmlsec would open a URI with, and the printing of its errors, which hold the
    /// attacker's text. It must have been initialized before.
    pub(super) fn off() {
        // SAFETY: both functions of xmlsec1 only change its global tables. No verification runs at
        // this time: all of them go through `ready`, which calls this under `Once`.
        unsafe {
            xmlSecIOCleanupCallbacks();
            xmlSecErrorsDefaultCallbackEnableOutput(0);
        }
    }
}

/// Initializes xmlsec through samael, the first time, and switches off what it must not do.
pub(crate) fn ready(any: &CertificateDer) {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // Any verification initializes it; this document has no signature, so it finds none.
        let _ = Crypto::verify_signed_xml("<a/>", any, None);
        switches::off();
    });
}
