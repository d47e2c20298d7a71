//! Clients that foreign generators make from the description, for Python and for TypeScript, work,
//! and read errors as what they are.

use anyhow::{Result, ensure};
use rollcall_tests::world::{World, on_sqlite};
use rollcall_tests::{node, python};
use std::path::Path;

/// What the generator says it leaves out: it knows JSON and forms, and these speak otherwise.
const LEFT_OUT: [&str; 10] = [
    "GET /api/v1/backup",
    "GET /api/v1/erasures",
    "POST /api/v1/restore",
    "POST /api/v1/bundles",
    "POST /api/v1/organizations/{organization}/bundle",
    "POST /api/v1/organizations/{organization}/replay/apply",
    "POST /api/v1/organizations/{organization}/replay/dry-run",
    "POST /api/v1/organizations/{organization}/replay/verify",
    "GET /api/v1/organizations/{organization}/saml/certificate",
    "GET /api/v1/organizations/{organization}/ledger/entries",
];

#[tokio::test]
async fn a_generated_python_client_works() {
    on_sqlite(async |w| {
        let folder = tempfile::tempdir()?;
        let text = |name: &str| folder.path().join(name).display().to_string();
        describe(w, folder.path()).await?;
        // What the generator is to run on its work, it need not.
        std::fs::write(folder.path().join("config.yml"), "post_hooks: []\n")?;
        let (document, config, client) =
            (text("openapi.json"), text("config.yml"), text("rollcall_client"));
        let args = [
            "generate",
            "--path",
            &document,
            "--config",
            &config,
            "--output-path",
            &client,
            "--meta",
            "none",
        ];
        let made = python::run("openapi-python-client", &args, &[]).await?;
        ensure!(made.success, "{} {}", made.out, made.err);
        let said = format!("{}{}", made.out, made.err);
        for warning in said.lines().filter(|line| line.contains("WARNING parsing")) {
            let known = |operation: &&str| warning.contains(&format!("parsing {operation} within"));
            ensure!(LEFT_OUT.iter().any(known), "{warning}\n{said}");
        }
        // A line of a replay, told apart by its first field, is no schema that it has a form for.
        let of_schema = |line: &&str| line.contains("Unable to parse schema");
        let unread = said.lines().filter(of_schema).find(|line| !line.ends_with("/ReplayLine"));
        ensure!(unread.is_none(), "{said}");
        let group = somebody(w).await?;
        std::fs::write(folder.path().join("story.py"), include_str!("generated.py"))?;
        let (url, key) = (w.server.address().url(), w.server.operator_key()?);
        let story = text("story.py");
        let told = python::run("python", &[&story, &url, &key, &group], &[]).await?;
        ensure!(told.success && told.out.trim() == "well", "{} {}", told.out, told.err);
        Ok(())
    })
    .await;
}

/// The description as a file.
async fn describe(w: &World, folder: &Path) -> Result<()> {
    let described = w.admin.get_anonymous("/api/v1/openapi.json").await?.expect(200)?;
    Ok(std::fs::write(folder.join("openapi.json"), &described.body)?)
}

/// Something to ask for: some users, and a group, whose id this gives.
async fn somebody(w: &World) -> Result<String> {
    for n in 0..25 {
        w.scim.create_user(&format!("u{n}@contoso.example")).await?;
    }
    w.scim.create_group("Staff").await
}

#[tokio::test]
async fn a_typed_client_of_npm_s_works() {
    on_sqlite(async |w| {
        let folder = tempfile::tempdir()?;
        let (folder, modules) = (folder.path(), node::modules("openapi")?);
        describe(w, folder).await?;
        std::os::unix::fs::symlink(&modules, folder.join("node_modules"))?;
        std::fs::write(folder.join("package.json"), r#"{ "type": "module" }"#)?;
        std::fs::write(folder.join("story.ts"), include_str!("../../openapi/story.ts"))?;
        let generator = modules.join("openapi-typescript/bin/cli.js");
        let made = node::run(&generator, &["openapi.json", "-o", "rollcall.d.ts"], folder).await?;
        ensure!(made.success && !made.err.contains("warn"), "{} {}", made.out, made.err);
        // No types are left out of the check: the generated ones are in it.
        let compiler = modules.join("typescript/bin/tsc");
        let strictly = ["--strict", "--noUncheckedIndexedAccess", "--module", "nodenext"];
        let args = [&strictly[..], &["--target", "es2022", "story.ts"]].concat();
        let compiled = node::run(&compiler, &args, folder).await?;
        ensure!(compiled.success, "{} {}", compiled.out, compiled.err);
        let group = somebody(w).await?;
        let (url, key) = (w.server.address().url(), w.server.operator_key()?);
        let story = folder.join("story.js");
        let told = node::run(&story, &[&url, &key, &group], folder).await?;
        ensure!(told.success && told.out.trim() == "well", "{} {}", told.out, told.err);
        Ok(())
    })
    .await;
}
