//! Setting single sign-on up, and what cannot be set up.

use crate::idp::ISSUER;
use crate::story::{APP, tell};
use anyhow::{Context as _, Result, ensure};
use rollcall_tests::server::{PUBLIC_URL, Server, Store};
use rollcall_tests::world::{World, on_sqlite};
use serde_json::{Value, json};

/// Runs a command that must fail; gives what it said.
async fn refused(server: &Server, args: &[&str]) -> Result<String> {
    let output = server.command(args).await?;
    ensure!(!output.status.success(), "rollcall {} was not refused", args.join(" "));
    Ok(String::from_utf8_lossy(&output.stderr).into_owned())
}

#[tokio::test]
async fn configure_tells_what_azure_wants() {
    tell(async |s| {
        let shown = s.world.server.cli(&["saml", "show", "--org", "acme"]).await?;
        ensure!(shown["identifier"] == format!("{PUBLIC_URL}/saml/acme/metadata"), "{shown}");
        ensure!(shown["reply_url"] == format!("{PUBLIC_URL}/saml/acme/acs"), "{shown}");
        ensure!(shown["sign_on_url"] == format!("{PUBLIC_URL}/saml/acme/login"), "{shown}");
        ensure!(shown["idp_entity_id"] == ISSUER && shown["ready"] == true, "{shown}");
        ensure!(shown["policy"]["targets"] == json!([APP]), "{shown}");
        let again = s
            .world
            .server
            .cli(&["saml", "configure", "--org", "acme", "--metadata-url", &s.idp.url("/metadata")])
            .await?;
        ensure!(again == shown, "the same metadata again changed something: {again}");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_used_is_refused_and_the_old_settings_stay() {
    tell(async |s| {
        let server = &s.world.server;
        let before = server.cli(&["saml", "show", "--org", "acme"]).await?;
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("metadata.xml");
        std::fs::write(&file, "<EntityDescriptor xmlns=\"urn:oasis:names:tc:SAML:2.0:metadata\" entityID=\"https://x.example/\"/>")?;
        let file = file.to_str().context("a path")?;
        let not_saml = s.idp.url("/not-saml");
        let redirect = s.idp.url("/redirect");
        for (args, said) in [
            (vec!["--metadata-url", &not_saml], "metadata"),
            (vec!["--metadata-url", &redirect], "redirects are not followed"),
            (vec!["--metadata-url", "ftp://x.example/"], "https"),
            (vec!["--metadata-file", file], "metadata"),
        ] {
            let told = refused(server, &[vec!["saml", "configure", "--org", "acme"], args.clone()].concat()).await?;
            ensure!(told.contains(said), "{args:?}: {told}");
        }
        let after = server.cli(&["saml", "show", "--org", "acme"]).await?;
        ensure!(before == after, "a refused configuration changed something: {after}");
        let (_, _) = s.signed_in().await?;
        Ok(())
    })
    .await;
}

/// Without the operator's word nothing private is reached, and plain http is not spoken.
#[tokio::test]
async fn private_addresses_are_refused() {
    on_sqlite(async |w| {
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();
        for (url, said) in [
            (format!("https://127.0.0.1:{port}/m"), "not a public address"),
            (format!("https://localhost:{port}/m"), "not a public address"),
            (format!("https://[::1]:{port}/m"), "not a public address"),
            ("https://169.254.169.254/latest/meta-data".to_owned(), "not a public address"),
            ("https://10.0.0.1/m".to_owned(), "not a public address"),
            (format!("http://127.0.0.1:{port}/m"), "https"),
        ] {
            let told =
                refused(&w.server, &["saml", "configure", "--org", "acme", "--metadata-url", &url])
                    .await?;
            ensure!(told.contains(said), "{url}: {told}");
        }
        ensure!(listener.accept().is_err(), "a connection was opened");
        let shown = w.server.cli(&["saml", "show", "--org", "acme"]).await?;
        ensure!(shown["state"] == "never" && shown["ready"] == false, "{shown}");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn scim_comes_after_single_sign_on() {
    on_sqlite(async |w| {
        w.server.cli(&["org", "create", "Initech", "--domain", "initech"]).await?;
        let told = refused(&w.server, &["scim", "enable", "--org", "initech"]).await?;
        ensure!(told.contains("--allow-scim-without-sso"), "{told}");
        w.server.cli(&["scim", "enable", "--org", "initech", "--allow-scim-without-sso"]).await?;
        // What was in use and paused is taken up again without a word.
        w.server.cli(&["scim", "disable", "--org", "acme"]).await?;
        w.scim.get("/Users").await?.expect(503)?;
        w.server.cli(&["scim", "enable", "--org", "acme"]).await?;
        w.scim.get("/Users").await?.expect(200)?;
        Ok(())
    })
    .await;
    tell(async |s| {
        s.world.server.cli(&["scim", "disable", "--org", "acme"]).await?;
        s.world.server.cli(&["scim", "enable", "--org", "acme"]).await?;
        let issued = s.world.server.cli(&["scim", "token", "issue", "--org", "acme"]).await?;
        ensure!(issued["sso_ready"] == true, "{issued}");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn certificates_rotate_with_overlap_and_every_change_is_an_event() {
    tell(async |s| {
        let server = &s.world.server;
        let first = server.cli(&["saml", "certificate", "generate", "--org", "acme"]).await?;
        let told = refused(server, &["saml", "certificate", "generate", "--org", "acme"]).await?;
        ensure!(told.contains("rotate"), "{told}");
        let second = server.cli(&["saml", "certificate", "rotate", "--org", "acme"]).await?;
        ensure!(first["sha256"] != second["sha256"], "the same certificate twice");
        let downloaded = server.cli(&["saml", "certificate", "download", "--org", "acme"]).await?;
        ensure!(
            downloaded["certificate_pem"] == second["certificate_pem"],
            "not the current one: {downloaded}"
        );
        let shown = server.cli(&["saml", "show", "--org", "acme"]).await?;
        let states: Vec<&str> = shown["certificates"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|c| c["state"].as_str())
            .collect();
        ensure!(states == ["trusted", "previous", "current"], "{states:?}");
        // Responses encrypted to either are read.
        for key in [&first, &second] {
            let options = encrypted_to(key)?;
            let mut browser = s.browser();
            let request = browser.begin("/saml/acme/login").await?;
            let response = s.idp.sign_in(Some(&request), &crate::story::ada(), &options).await?;
            browser.answer(&response).await?.expect(303)?;
            ensure!(s.latest().await?["encrypted"] == true, "not encrypted");
        }
        let key_id = first["key_id"].as_str().context("key_id")?;
        server.cli(&["saml", "certificate", "retire", "--org", "acme", key_id]).await?;
        let mut browser = s.browser();
        let request = browser.begin("/saml/acme/login").await?;
        let response =
            s.idp.sign_in(Some(&request), &crate::story::ada(), &encrypted_to(&first)?).await?;
        ensure!(
            crate::browser::code(&browser.answer(&response).await?.expect(403)?)? == "decryption"
        );
        let events = s.world.admin.events_after(&s.world.acme.id, 0).await?;
        let kinds: Vec<&str> = events
            .iter()
            .filter_map(|e| e["type"].as_str())
            .filter(|t| t.starts_with("Saml"))
            .collect();
        ensure!(
            kinds
                == [
                    "SamlPolicyChanged",
                    "SamlConfigured",
                    "SamlCertificateTrusted",
                    "SamlEnabled",
                    "SamlPolicyChanged",
                    "SamlKeyGenerated",
                    "SamlKeyGenerated",
                    "SamlKeyRetired"
                ],
            "{kinds:?}"
        );
        // Our metadata names the current key for both uses.
        let metadata = s.browser().get("/saml/acme/metadata").await?.expect(200)?.text();
        ensure!(
            metadata.contains("use=\"encryption\"")
                && metadata.contains("WantAssertionsSigned=\"true\""),
            "{metadata}"
        );
        Ok(())
    })
    .await;
}

/// Options with which the identity provider encrypts to one of our certificates.
fn encrypted_to(key: &Value) -> Result<Value> {
    let pem = key["certificate_pem"].as_str().context("certificate_pem")?;
    let certificate = openssl::x509::X509::from_pem(pem.as_bytes())?;
    let public = String::from_utf8(certificate.public_key()?.public_key_to_pem()?)?;
    Ok(json!({ "encryptionCert": pem, "encryptionPublicKey": public }))
}

#[tokio::test]
async fn unknown_organizations_and_switched_off_ones_are_told_apart() {
    tell(async |s| {
        let mut browser = s.browser();
        browser.get("/saml/nobody/login").await?.expect(404)?;
        browser.get("/saml/acme/nothing").await?.expect(404)?;
        browser.get("/saml/acme/acs").await?.expect(405)?;
        s.world.server.cli(&["saml", "disable", "--org", "acme"]).await?;
        browser.get("/saml/acme/login").await?.expect(503)?;
        s.world.server.cli(&["saml", "enable", "--org", "acme"]).await?;
        s.world.server.cli(&["org", "disable", "--org", "acme"]).await?;
        browser.get("/saml/acme/login").await?.expect(503)?;
        Ok(())
    })
    .await;
    let world = World::new(Store::Sqlite).await.unwrap_or_else(|e| panic!("{e:#}"));
    let mut browser = crate::browser::Browser::new(world.server.address());
    assert_eq!(
        browser.get("/saml/acme/login").await.map(|a| a.status).unwrap_or_default(),
        404,
        "not set up"
    );
}
