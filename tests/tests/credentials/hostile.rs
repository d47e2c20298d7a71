//! Assertions that must let nobody in, each with the axis on which it fails first: a table that is
//! made axis by axis from one that would be good.

use crate::asking::{Federation, asserting, federate, refused, token};
use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::sign::Signer as Signing;
use rollcall_tests::clock::now;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Instant;

struct Case {
    axis: &'static str,
    what: String,
    assertion: String,
}

fn part(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn sign(text: &str, key: &PKey<Private>, digest: MessageDigest) -> Result<String> {
    let mut signing = Signing::new(digest, key)?;
    Ok(part(signing.sign_oneshot_to_vec(text.as_bytes())?))
}

/// Makes cases of what is good.
struct Forge {
    kid: String,
    key: PKey<Private>,
    claims: Value,
    cases: Vec<Case>,
}

impl Forge {
    fn header(&self) -> Value {
        json!({ "typ": "JWT", "alg": "RS256", "kid": self.kid })
    }

    fn raw(&mut self, axis: &'static str, what: &str, header: &str, claims: &str) -> Result<()> {
        let text = format!("{}.{}", part(header), part(claims));
        let signature = sign(&text, &self.key, MessageDigest::sha256())?;
        self.text(axis, what, format!("{text}.{signature}"));
        Ok(())
    }

    fn text(&mut self, axis: &'static str, what: &str, assertion: String) {
        self.cases.push(Case { axis, what: what.to_owned(), assertion });
    }

    /// Rightly signed, with another value in the header; null takes it out.
    fn with_header(&mut self, axis: &'static str, name: &str, values: &[Value]) -> Result<()> {
        for value in values {
            let mut header = self.header();
            set(&mut header, name, value);
            let claims = self.claims.to_string();
            self.raw(axis, &format!("{name} {value}"), &header.to_string(), &claims)?;
        }
        Ok(())
    }

    /// Rightly signed, with another claim; null takes it out.
    fn with_claim(&mut self, axis: &'static str, name: &str, values: &[Value]) -> Result<()> {
        for value in values {
            let mut claims = self.claims.clone();
            set(&mut claims, name, value);
            let header = self.header().to_string();
            self.raw(axis, &format!("{name} {value}"), &header, &claims.to_string())?;
        }
        Ok(())
    }

    fn forms(&mut self) -> Result<()> {
        let (header, claims) = (self.header().to_string(), self.claims.to_string());
        let (h, c) = (part(&header), part(&claims));
        for (what, text) in [
            ("one part", h.clone()),
            ("two parts", format!("{h}.{c}")),
            ("four parts", format!("{h}.{c}.AAAA.AAAA")),
            ("five parts, as if encrypted", format!("{h}.{c}.AAAA.AAAA.AAAA")),
            ("padded", format!("{h}==.{c}.AAAA")),
            ("standard base64", format!("{h}.{c}.++//")),
            ("blanks", format!("{h}. {c}.AAAA")),
        ] {
            self.text("form", what, text);
        }
        let twice = claims.replacen('{', r#"{"sub":"somebody else","#, 1);
        let spelled = claims.replacen('{', r#"{"s\u0075b":"somebody else","#, 1);
        let nested = claims.replacen('{', r#"{"x":{"y":1,"y":2},"#, 1);
        let long = claims.replacen('{', &format!(r#"{{"x":"{}","#, "x".repeat(13 * 1024)), 1);
        for (what, header, claims) in [
            ("a claim twice", header.as_str(), twice.as_str()),
            ("a claim twice, spelled otherwise", &header, &spelled),
            ("a name twice inside", &header, &nested),
            ("alg twice", &header.replacen('{', r#"{"alg":"none","#, 1), &claims),
            ("a header that is a list", "[]", &claims),
            ("claims that are a text", &header, "\"claims\""),
            ("claims with something behind", &header, &format!("{claims}{{}}")),
            ("no JSON", "header", &claims),
            ("longer than 16 KiB", &header, &long),
        ] {
            self.raw("form", what, header, claims)?;
        }
        Ok(())
    }

    fn algorithms(&mut self) -> Result<()> {
        let names = ["none", "None", "rs256", "RS384", "PS256", "ES256", "EdDSA", "HS512", ""];
        let mut values = names.map(|name| json!(name)).to_vec();
        values.extend([Value::Null, json!(256), json!(["RS256"])]);
        self.with_header("algorithm", "alg", &values)?;
        // The public key as the secret of a symmetric algorithm.
        let text = format!(
            "{}.{}",
            part(json!({ "alg": "HS256", "kid": self.kid }).to_string()),
            part(self.claims.to_string())
        );
        let secret = PKey::hmac(&self.key.public_key_to_pem()?)?;
        let signature = sign(&text, &secret, MessageDigest::sha256())?;
        self.text("algorithm", "HS256 with the public key", format!("{text}.{signature}"));
        let unsigned = format!("{}.{}.", part(r#"{"alg":"none"}"#), part(self.claims.to_string()));
        self.text("algorithm", "none, and no signature", unsigned);
        Ok(())
    }

    fn signatures(&mut self) -> Result<()> {
        let text = format!("{}.{}", part(self.header().to_string()), part(self.claims.to_string()));
        let good = sign(&text, &self.key, MessageDigest::sha256())?;
        let mut bytes = URL_SAFE_NO_PAD.decode(&good)?;
        bytes[100] ^= 1;
        let other = PKey::from_rsa(Rsa::generate(2_048)?)?;
        let mut claims = self.claims.clone();
        claims["extra"] = json!(true);
        let swapped = format!("{}.{}", part(self.header().to_string()), part(claims.to_string()));
        for (what, assertion) in [
            ("no signature", format!("{text}.")),
            ("a bit of it turned", format!("{text}.{}", part(&bytes))),
            ("cut", format!("{text}.{}", part(&bytes[..128]))),
            ("zeroes", format!("{text}.{}", part([0; 256]))),
            ("of another text", format!("{swapped}.{good}")),
            ("of another key", format!("{text}.{}", sign(&text, &other, MessageDigest::sha256())?)),
            ("by SHA-1", format!("{text}.{}", sign(&text, &self.key, MessageDigest::sha1())?)),
        ] {
            self.text("signature", what, assertion);
        }
        Ok(())
    }

    fn all(mut self) -> Result<Vec<Case>> {
        let clock = now().timestamp();
        self.forms()?;
        self.algorithms()?;
        for name in ["crit", "jwk", "jku", "x5u", "x5c", "b64", "zip"] {
            self.with_header("header", name, &[json!(["exp"])])?;
        }
        let path = json!("../../etc/passwd");
        let kids = [json!("unknown"), path, json!(""), Value::Null, json!(1), json!("' OR 1=1 --")];
        self.with_header("key", "kid", &kids)?;
        self.signatures()?;
        let issuer = self.claims["iss"].as_str().unwrap_or_default().to_owned();
        let audience = self.claims["aud"].as_str().unwrap_or_default().to_owned();
        let other = json!("99999999-2222-4333-8444-555555555555");
        self.with_claim(
            "issuer",
            "iss",
            &[
                json!(issuer.trim_end_matches("/v2.0")),
                json!(format!("{issuer}/")),
                json!(issuer.to_ascii_uppercase()),
                json!("https://login.microsoftonline.com/common/v2.0"),
                json!([issuer]),
                Value::Null,
            ],
        )?;
        self.with_claim("tenant", "tid", &[other.clone(), json!(1), Value::Null])?;
        self.with_claim("subject", "sub", &[other.clone(), json!(""), Value::Null])?;
        self.with_claim(
            "audience",
            "aud",
            &[
                other.clone(),
                json!(format!("{audience}/")),
                json!(format!("API://{audience}")),
                json!([audience, "another"]),
                json!(["another"]),
                json!([]),
                json!([1]),
                json!({ "aud": audience }),
                Value::Null,
            ],
        )?;
        let times =
            [json!(clock - 61), json!(0), json!(-1), json!("soon"), json!(1e300), Value::Null];
        self.with_claim("expiry", "exp", &times)?;
        self.with_claim("not-before", "nbf", &[json!(clock + 120), json!("now"), json!(-5)])?;
        self.with_claim("issued-at", "iat", &[json!(clock + 120), json!("now"), Value::Null])?;
        self.with_claim("lifetime", "exp", &[json!(clock + 25 * 3_600)])?;
        Ok(self.cases)
    }
}

fn set(object: &mut Value, name: &str, value: &Value) {
    match (object.as_object_mut(), value) {
        (Some(map), Value::Null) => {
            map.remove(name);
        }
        (Some(map), value) => {
            map.insert(name.to_owned(), value.clone());
        }
        (None, _) => {}
    }
}

/// The first axis that does not hold, of what is kept.
fn first(kept: &Value) -> Option<&str> {
    let findings = &kept["exchange"]["facts"]["token_request"]["assertion"]["findings"];
    let failed = findings.as_array()?.iter().find(|finding| finding["holds"] == false)?;
    failed["axis"].as_str()
}

#[tokio::test]
async fn no_hostile_assertion_is_let_in_and_each_is_kept_with_its_axis() -> Result<()> {
    let federation = Federation::start().await?;
    // The keys are at hand: each axis can be judged.
    let good = federation.signer.assertion(now());
    token(federation.ask(&good).await?)?;
    let (kid, key) = federation.signer.key().context("a key")?;
    let claims = federation.signer.claims(now());
    let cases = Forge { kid, key, claims, cases: Vec::new() }.all()?;
    ensure!(cases.len() >= 60, "{} cases", cases.len());
    let mut slowest = 0.0_f64;
    let mut of_axis: BTreeMap<&str, usize> = BTreeMap::new();
    for case in &cases {
        let began = Instant::now();
        let answer = federation.ask(&case.assertion).await?;
        slowest = slowest.max(began.elapsed().as_secs_f64());
        refused(&answer, 401, "invalid_client").with_context(|| case.what.clone())?;
        let kept = federation.kept(&answer).await?;
        ensure!(first(&kept) == Some(case.axis), "{} {}: {kept}", case.axis, case.what);
        *of_axis.entry(case.axis).or_default() += 1;
    }
    println!("{} hostile assertions refused, {of_axis:?}", cases.len());
    println!("the slowest took {:.1} ms", slowest * 1_000.0);
    // Nothing of that made anybody fetch keys again.
    ensure!(federation.keys.asked() <= 2, "{} fetches", federation.keys.asked());
    token(federation.ask(&good).await?)?;

    pinned_party(&federation, &good).await?;
    of_another_organization(&federation, &good).await?;
    let huge = "a.".repeat(2_500_000);
    let answer = federation.ask(&huge).await?;
    refused(&answer, 400, "invalid_request")
}

/// A trust that pins who asks the tenant to sign.
async fn pinned_party(federation: &Federation, good: &str) -> Result<()> {
    let server = &federation.world.server;
    let [tenant, subject, application] = crate::asking::IDS.map(|id| id.to_string());
    let authority = federation.keys.authority();
    let party = "77777777-2222-4333-8444-555555555555";
    let mut args = vec!["scim", "credential", "add", "--org", "acme", "--kind", "federated"];
    args.extend(["--tenant", &tenant, "--subject", &subject, "--application", &application]);
    args.extend(["--authority", &authority, "--authorized-party", party]);
    let added = server.cli(&args).await?;
    let id = added["client_id"].as_str().context("a client id")?;
    let answer = federation.world.scim.http().send(asserting(id, good)).await?;
    refused(&answer, 401, "invalid_client")?;
    ensure!(first(&federation.kept(&answer).await?) == Some("authorized-party"));
    Ok(())
}

/// `client_id` decides whose trust is asked; a good assertion of one tenant is none for another.
async fn of_another_organization(federation: &Federation, good: &str) -> Result<()> {
    let server = &federation.world.server;
    server.cli(&["org", "create", "Globex", "--domain", "globex"]).await?;
    let authority = federation.keys.authority();
    // The same tenant may be trusted by two organizations, each by a client of its own.
    let theirs = federate(server, "globex", &authority).await?;
    let http = federation.world.scim.http();
    let access = token(http.send(asserting(&theirs, good)).await?)?;
    let ours = federation.world.scim.create_user("ada@contoso.example").await?;
    let scim = federation.world.scim.with_token(&access);
    scim.get(&format!("/Users/{ours}")).await?.expect(404)?;
    Ok(())
}
