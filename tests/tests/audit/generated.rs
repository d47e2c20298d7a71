//! A client that a foreign generator makes from the description works, and reads errors as what
//! they are.

use anyhow::ensure;
use rollcall_tests::python;
use rollcall_tests::world::on_sqlite;

/// What the generator says it leaves out: it knows JSON and forms, and these speak otherwise.
const LEFT_OUT: [&str; 9] = [
    "GET /api/v1/backup",
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
        let described = w.admin.get_anonymous("/api/v1/openapi.json").await?.expect(200)?;
        std::fs::write(folder.path().join("openapi.json"), &described.body)?;
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
        let group = w.scim.create_group("Staff").await?;
        for n in 0..25 {
            w.scim.create_user(&format!("u{n}@contoso.example")).await?;
        }
        std::fs::write(folder.path().join("story.py"), include_str!("generated.py"))?;
        let (url, key) = (w.server.address().url(), w.server.operator_key()?);
        let story = text("story.py");
        let told = python::run("python", &[&story, &url, &key, &group], &[]).await?;
        ensure!(told.success && told.out.trim() == "well", "{} {}", told.out, told.err);
        Ok(())
    })
    .await;
}
