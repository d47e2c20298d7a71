//! Secrets of single sign-on are nowhere: not in the log, not in the views, not in what the server
//! prints.

use crate::idp::data_files;
use crate::story::{ada, tell};
use anyhow::{Context as _, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rollcall_tests::server::{Server, Store};
use serde_json::json;
use std::path::PathBuf;

#[tokio::test]
async fn keys_messages_and_session_tokens_are_in_no_file_and_no_metric() {
    tell(async |s| {
        s.world.server.cli(&["saml", "certificate", "generate", "--org", "acme"]).await?;
        let (browser, response) = s.signed_in().await?;
        let token = browser.token().context("no session")?.to_owned();
        let mut refused = s.browser();
        let request = refused.begin("/saml/acme/login").await?;
        let second = s.idp.sign_in(Some(&request), &ada(), &json!({ "key": 1 })).await?;
        refused.answer(&second).await?.expect(403)?;
        let metrics = s.world.admin.get("/metrics").await?.expect(200)?.body;
        let listed = s.world.admin.exchanges(&s.world.acme.id).await?;
        let mut haystacks = vec![(PathBuf::from("/metrics"), metrics.to_vec())];
        for exchange in &listed {
            let id = exchange["id"].as_str().context("id")?;
            let shown = s.world.server.cli(&["exchanges", "show", "--org", "acme", id]).await?;
            haystacks
                .push((PathBuf::from(format!("exchange {id}")), shown.to_string().into_bytes()));
        }
        let deployment_key = std::fs::read_to_string(s.world.server.data().join("deployment.key"))?
            .trim()
            .to_owned();
        ensure!(s.world.server.terminate().await?.success(), "the server did not end well");
        haystacks.push((s.world.server.log_file(), std::fs::read(s.world.server.log_file())?));
        data_files(&s.world.server.data(), &mut haystacks)?;
        ensure!(
            haystacks.iter().any(|(_, bytes)| contains(bytes, b"ada@contoso.example")),
            "the log is not among the files searched"
        );
        let assertion = STANDARD.decode(&response)?;
        let at = find(&assertion, b"SignatureValue>").context("no signature in the response")? + 15;
        let mut needles: Vec<(&str, Vec<u8>)> = vec![
            ("a session token", token.into_bytes()),
            ("a response", response.as_bytes()[..200].to_vec()),
            ("a refused response", second.as_bytes()[..200].to_vec()),
            ("the signature of an assertion", assertion[at..at + 60].to_vec()),
            ("PKCS#8 in base64", b"MIIG/".to_vec()),
            ("a private key in PEM", b"PRIVATE KEY-----".to_vec()),
            // rsaEncryption inside a PKCS#8 header, as it stands before every RSA private key in
            // DER.
            (
                "PKCS#8 in DER",
                [&[2, 1, 0, 0x30, 0x0d, 6, 9][..], &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1]]
                    .concat(),
            ),
        ];
        needles
            .extend(s.idp.private_keys.iter().map(|key| ("a private key", key[40..80].to_vec())));
        for (path, bytes) in &haystacks {
            for (what, needle) in &needles {
                ensure!(!contains(bytes, needle), "{what} stands in {}", path.display());
            }
            ensure!(
                path.ends_with("deployment.key") || !contains(bytes, deployment_key.as_bytes()),
                "the deployment's key stands in {}",
                path.display()
            );
        }
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn the_deployment_key_is_the_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let server = Server::start_of_its_own(Store::Sqlite, &[]).await.expect("a server");
    let key = std::fs::metadata(server.data().join("deployment.key")).expect("a key");
    let mode = key.permissions().mode();
    assert!(mode & 0o077 == 0, "deployment.key has mode {mode:o}");
}

fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    bytes.windows(needle.len()).position(|w| w == needle)
}

fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    !needle.is_empty() && find(bytes, needle).is_some()
}
