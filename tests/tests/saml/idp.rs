//! The identity provider: npm's `samlp` as a child process.

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rollcall_saml::keys;
use rollcall_tests::clock::now;
use rollcall_tests::http::{Address, Http, Request};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Its entity id, in the form that Entra's has.
pub const ISSUER: &str = "https://sts.windows.net/11111111-2222-4333-8444-555555555555/";

/// A running identity provider with two keys; the first one is in its metadata.
pub struct Idp {
    child: Child,
    http: Http,
    port: u16,
    /// Its private keys, for looking for them where they must not be.
    pub private_keys: Vec<Vec<u8>>,
    _folder: tempfile::TempDir,
}

/// Somebody who signs in.
#[derive(Clone, Debug)]
pub struct Someone {
    name_id: String,
    claims: Value,
    format: Option<String>,
}

impl Someone {
    /// With a NameID, and an object id if they have one.
    pub fn new(name_id: &str, object_id: Option<&str>) -> Self {
        let mut claims = json!({
            "http://schemas.microsoft.com/identity/claims/tenantid": "11111111-2222-4333-8444-555555555555",
            "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name": name_id,
        });
        if let Some(object_id) = object_id {
            claims["http://schemas.microsoft.com/identity/claims/objectidentifier"] =
                json!(object_id);
        }
        Self { name_id: name_id.to_owned(), claims, format: None }
    }

    /// With one more claim.
    pub fn claims(mut self, name: &str, value: &str) -> Self {
        self.claims[name] = json!(value);
        self
    }

    /// With a NameID of another format of SAML 2.0.
    pub fn format(mut self, format: &str) -> Self {
        self.format = Some(format!("urn:oasis:names:tc:SAML:2.0:nameid-format:{format}"));
        self
    }

    fn to_header(&self) -> String {
        let said = json!({ "nameId": self.name_id, "claims": self.claims, "format": self.format });
        // A header has no other letters.
        said.to_string().chars().fold(String::new(), |mut out, c| {
            if c.is_ascii() {
                out.push(c);
            } else {
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            out
        })
    }
}

impl Idp {
    /// Starts it for one service provider.
    pub async fn start(acs: &str, audience: &str) -> Result<Self> {
        Self::start_for(ISSUER, acs, audience).await
    }

    /// Starts another one, at which nobody signs in.
    pub async fn start_as(issuer: &str) -> Result<Self> {
        Self::start_for(issuer, "https://nowhere.example/acs", "nobody").await
    }

    async fn start_for(issuer: &str, acs: &str, audience: &str) -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let modules = rollcall_tests::tools::folder("idp")?.join("node_modules");
        ensure!(
            modules.join("samlp").is_dir(),
            "npm's samlp is not in {}: `make deps` installs it",
            modules.display()
        );
        let pairs = [keys::generate("idp-1", now(), 30)?, keys::generate("idp-2", now(), 30)?];
        let private_keys: Vec<Vec<u8>> =
            pairs.iter().map(|pair| pair.private_key_pkcs8()).collect::<Result<_, _>>()?;
        let texts: Result<Vec<Value>> = pairs
            .iter()
            .zip(&private_keys)
            .map(|(p, k)| Ok(json!({ "cert": p.certificate_pem()?, "key": pem(k) })))
            .collect();
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("idp.json");
        std::fs::write(
            &file,
            json!({ "issuer": issuer, "keys": texts?, "acs": acs, "audience": audience })
                .to_string(),
        )?;
        let mut command = Command::new("node");
        command
            .arg("--no-deprecation")
            .arg(root.join("idp/idp.js"))
            .arg(&file)
            .env("NODE_PATH", modules);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("node cannot be started: `make deps` installs it")?;
        let stdout = child.stdout.take().context("stdout")?;
        let line = tokio::task::spawn_blocking(move || {
            let mut line = String::new();
            BufReader::new(stdout).read_line(&mut line).map(|_| line)
        });
        let port: u16 =
            line.await??.trim().parse().context("the identity provider did not say its port")?;
        let http = Http::new(Address::new(&format!("127.0.0.1:{port}")));
        Ok(Self { child, http, port, private_keys, _folder: folder })
    }

    /// An address of its own.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Names another key in the metadata from now on.
    pub async fn publish(&self, key: usize) -> Result<()> {
        self.http.send(Request::new("POST", format!("/publish/{key}"))).await?.expect(200)?;
        Ok(())
    }

    /// Signs somebody in: with a request (the address the browser was sent to), or without.
    /// Gives the value of the form's `SAMLResponse`.
    pub async fn sign_in(
        &self,
        request: Option<&str>,
        who: &Someone,
        options: &Value,
    ) -> Result<String> {
        let base = self.url("");
        let target = match request {
            Some(url) => url
                .strip_prefix(&base)
                .with_context(|| format!("{url} is not the identity provider's"))?
                .to_owned(),
            None => "/sso".to_owned(),
        };
        let request = Request::new("GET", target)
            .header("x-user", who.to_header())
            .header("x-options", options.to_string());
        let page = self.http.send(request).await?.expect(200)?.text();
        form_value(&page, "SAMLResponse")
    }
}

/// The authentication request in an address of the identity provider.
pub fn request_of(address: &str) -> Result<String> {
    let url = url::Url::parse(address)?;
    let sent = url.query_pairs().find(|(name, _)| name == "SAMLRequest").context("no request")?;
    let mut xml = String::new();
    let packed = STANDARD.decode(sent.1.as_bytes())?;
    std::io::Read::read_to_string(&mut flate2::read::DeflateDecoder::new(&packed[..]), &mut xml)?;
    Ok(xml)
}

/// The value of a field in a page's form.
pub fn form_value(page: &str, field: &str) -> Result<String> {
    let at =
        page.find(&format!("name=\"{field}\"")).with_context(|| format!("no {field} in {page}"))?;
    let value = page[at..]
        .split("value=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .context("no value")?;
    Ok(value.to_owned())
}

impl Drop for Idp {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A private key as a file for programs that read no DER.
pub fn pem(pkcs8: &[u8]) -> String {
    let text = STANDARD.encode(pkcs8);
    let lines: Vec<&str> =
        (0..text.len()).step_by(64).map(|i| &text[i..(i + 64).min(text.len())]).collect();
    format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", lines.join("\n"))
}

/// Where an organization's keys lie in the log, for looking for them where they must not be.
pub fn data_files(folder: &Path, into: &mut Vec<(PathBuf, Vec<u8>)>) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            data_files(&path, into)?;
        } else {
            into.push((path.clone(), std::fs::read(path)?));
        }
    }
    Ok(())
}
