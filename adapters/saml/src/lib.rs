//! SAML 2.0 service provider: a strict gate in front of `samael`, metadata, requests and logout.
