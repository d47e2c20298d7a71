//! Clients that nobody here wrote: npm's oauth4webapi and PyPI's Authlib discover, authenticate in
//! three ways and call SCIM, over https, without an option of their own for us.

use crate::asking::{Client, add};
use anyhow::{Context as _, Result, bail, ensure};
use openssl::asn1::Asn1Time;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::x509::extension::{BasicConstraints, SubjectAlternativeName};
use openssl::x509::{X509, X509NameBuilder};
use rollcall_entra::credential::Signer;
use rollcall_tests::python;
use rollcall_tests::server::{Server, Store};
use rollcall_tests::world::World;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use uuid::Uuid;

/// npm's client, which ends TLS in front of the server as well.
struct Node {
    _child: Child,
    stdin: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
    port: u16,
}

impl Node {
    async fn start(folder: &Path) -> Result<Self> {
        let modules = rollcall_tests::tools::folder("oauth")?;
        ensure!(
            modules.join("node_modules/oauth4webapi").is_dir(),
            "npm's oauth4webapi is not in {}: `make deps` installs it",
            modules.display()
        );
        // Modules are looked for beside the script.
        let script = modules.join("client.mjs");
        let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("oauth/client.js");
        std::fs::copy(own, &script)?;
        let mut child = Command::new("node")
            .arg(&script)
            .args([folder.join("cert.pem"), folder.join("key.pem")])
            .env("NODE_EXTRA_CA_CERTS", folder.join("cert.pem"))
            .env_remove("HTTPS_PROXY")
            .env_remove("https_proxy")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("cannot run node")?;
        let stdin = child.stdin.take().context("stdin")?;
        let mut lines = BufReader::new(child.stdout.take().context("stdout")?).lines();
        let port = lines.next_line().await?.context("no port")?.parse()?;
        Ok(Self { _child: child, stdin, lines, port })
    }

    async fn ask(&mut self, what: Value) -> Result<Value> {
        self.stdin.write_all(format!("{what}\n").as_bytes()).await?;
        let line = self.lines.next_line().await?.context("node ended")?;
        let said: Value = serde_json::from_str(&line)?;
        if !said["error"].is_null() {
            bail!("{said}");
        }
        Ok(said)
    }
}

fn certificate(folder: &Path) -> Result<()> {
    let key = PKey::from_rsa(Rsa::generate(2_048)?)?;
    let mut name = X509NameBuilder::new()?;
    name.append_entry_by_text("CN", "localhost")?;
    let name = name.build();
    let mut made = X509::builder()?;
    made.set_version(2)?;
    made.set_subject_name(&name)?;
    made.set_issuer_name(&name)?;
    made.set_pubkey(&key)?;
    let serial = openssl::bn::BigNum::from_u32(1)?.to_asn1_integer()?;
    made.set_serial_number(&serial)?;
    let (begins, ends) = (Asn1Time::days_from_now(0)?, Asn1Time::days_from_now(2)?);
    made.set_not_before(&begins)?;
    made.set_not_after(&ends)?;
    made.append_extension(BasicConstraints::new().critical().ca().build()?)?;
    let context = made.x509v3_context(None, None);
    let names = SubjectAlternativeName::new().dns("localhost").build(&context)?;
    made.append_extension(names)?;
    made.sign(&key, MessageDigest::sha256())?;
    std::fs::write(folder.join("cert.pem"), made.build().to_pem()?)?;
    std::fs::write(folder.join("key.pem"), key.private_key_to_pem_pkcs8()?)?;
    Ok(())
}

/// A private key as a JSON Web Key.
fn jwk(id: &str, key: &PKey<Private>) -> Result<Value> {
    use base64::Engine as _;
    let rsa = key.rsa()?;
    let number = |n: Option<&openssl::bn::BigNumRef>| {
        let n = n.context("a number of the key")?;
        Ok::<_, anyhow::Error>(base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(n.to_vec()))
    };
    Ok(json!({
        "kty": "RSA", "kid": id, "alg": "RS256",
        "n": number(Some(rsa.n()))?, "e": number(Some(rsa.e()))?, "d": number(Some(rsa.d()))?,
        "p": number(rsa.p())?, "q": number(rsa.q())?,
        "dp": number(rsa.dmp1())?, "dq": number(rsa.dmq1())?, "qi": number(rsa.iqmp())?,
    }))
}

#[tokio::test]
async fn foreign_clients_need_no_option_for_us() -> Result<()> {
    let folder = tempfile::tempdir()?;
    certificate(folder.path())?;
    let mut node = Node::start(folder.path()).await?;
    let issuer = format!("https://localhost:{}", node.port);
    let flags = ["--rate-limit", "0", "--public-url", &issuer];
    let server = Server::start_with(Store::Sqlite, &std::env::temp_dir(), &flags).await?;
    let w = World::around(server).await?;
    w.scim.create_user("ada@contoso.example").await?;
    let upstream: u16 =
        w.server.address().authority().rsplit(':').next().context("a port")?.parse()?;
    node.ask(json!({ "upstream": upstream })).await?;

    let Client { id, secret } = add(&w.server, "acme").await?;
    let own = Signer::new("unused", [Uuid::nil(); 3], "unused")?;
    let keys = folder.path().join("keys.json");
    std::fs::write(&keys, own.keys().to_string())?;
    let file = keys.to_str().context("a path")?;
    let add = ["scim", "credential", "add", "--org", "acme", "--kind", "private-key-jwt"];
    let added = w.server.cli(&[&add[..], &["--jwks-file", file]].concat()).await?;
    let key_client = added["client_id"].as_str().context("a client id")?;
    let (kid, key) = own.key().context("a key")?;

    let resource = format!("{issuer}/scim/v2");
    let base =
        json!({ "issuer": issuer, "resource": resource, "client_id": id, "client_secret": secret });
    for how in ["basic", "post", "jwt"] {
        let mut asked = base.clone();
        asked["how"] = json!(how);
        if how == "jwt" {
            asked["client_id"] = json!(key_client);
            asked["jwk"] = jwk(&kid, &key)?;
        }
        let said = node.ask(asked).await.with_context(|| how.to_owned())?;
        ensure!(
            said["status"] == 200 && said["total"] == 1 && said["life"] == 3_600,
            "{how}: {said}"
        );
        let named = format!("{issuer}/.well-known/oauth-protected-resource/scim/v2");
        ensure!(said["named"] == named, "{said}");
    }

    let mut asked = base;
    asked["key_client"] = json!(key_client);
    asked["private_key"] = json!(String::from_utf8(key.private_key_to_pem_pkcs8()?)?);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("oauth/client.py");
    let script = script.to_str().context("a path")?;
    let certificate = folder.path().join("cert.pem");
    let certificate = certificate.to_str().context("a path")?;
    let asked = asked.to_string();
    let environment = [("ASKED", asked.as_str()), ("REQUESTS_CA_BUNDLE", certificate)];
    let said = python::run("python", &[script], &environment).await?;
    ensure!(said.success, "{}", said.err);
    let said: Value = serde_json::from_str(&said.out)?;
    for how in ["client_secret_basic", "client_secret_post", "private_key_jwt"] {
        let called = &said[how];
        ensure!(
            called["status"] == 200 && called["total"] == 1 && called["life"] == 3_600,
            "{how}: {said}"
        );
    }
    Ok(())
}
