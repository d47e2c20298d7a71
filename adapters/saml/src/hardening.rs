//! xmlsec, made deaf and mute: it opens no file, no connection, and prints nothing.

use samael::crypto::{CertificateDer, Crypto, CryptoProvider};
use std::ffi::c_int;
use std::sync::Once;

#[expect(
    unsafe_code,
    reason = "xmlsec has its switches in C only; both take no pointer and are called once, under `Once`"
)]
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys;
    use chrono::DateTime;
    use samael::crypto::ReduceMode;
    use std::io::ErrorKind;
    use std::net::TcpListener;

    /// The gate lets no such message through; this is what stands behind it.
    #[test]
    fn xmlsec_fetches_nothing() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).expect("a time");
        let pair = keys::generate("test", now, 1).expect("a key");
        let certificate = CertificateDer::from(pair.certificate_der().expect("a certificate"));
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.set_nonblocking(true).expect("not blocking");
        let uri = format!("http://{}/x", listener.local_addr().expect("an address"));
        let method = |name: &str, uri: &str| format!(r#"<{name} Algorithm="{uri}"/>"#);
        let xml = format!(
            concat!(
                r#"<a ID="_a"><Signature xmlns="http://www.w3.org/2000/09/xmldsig#"><SignedInfo>{}{}<Reference URI="{}">{}"#,
                "<DigestValue>AAAA</DigestValue></Reference></SignedInfo><SignatureValue>AAAA</SignatureValue></Signature></a>",
            ),
            method("CanonicalizationMethod", "http://www.w3.org/2001/10/xml-exc-c14n#"),
            method("SignatureMethod", "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"),
            uri,
            method("DigestMethod", "http://www.w3.org/2001/04/xmlenc#sha256"),
        );
        ready(&certificate);
        let verdict = Crypto::reduce_xml_to_signed(
            &xml,
            std::slice::from_ref(&certificate),
            ReduceMode::default(),
        );
        assert!(verdict.is_err(), "verified something that is not there");
        let error = listener.accept().expect_err("xmlsec has opened a connection");
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
    }
}
