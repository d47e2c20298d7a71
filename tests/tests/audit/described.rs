//! The API does what its description says, whatever is sent: schemathesis, which makes requests of
//! the description, good ones and bad ones, and holds every answer against it.

use anyhow::{Result, ensure};
use rollcall_tests::on_both;
use rollcall_tests::python;
use rollcall_tests::world::World;

/// Not tried: a restore, which replaces the log, and files that the tool cannot make.
const NOT_TRIED: &str = "^/api/v1/(restore|bundles)$";
/// Not held against the description: that what has the right shape is taken. What is wrong beyond
/// shape (a moment that is none, two ways at once, an end in the past) is refused with a sentence.
const NOT_HELD: &str = "positive_data_acceptance";

async fn it_holds_whatever_is_sent(w: &World) -> Result<()> {
    for n in 0..3 {
        w.scim.create_user(&format!("u{n}@contoso.example")).await?;
    }
    let folder = tempfile::tempdir()?;
    let config = folder.path().join("schemathesis.toml");
    std::fs::write(&config, "[parameters]\norganization = \"acme\"\n")?;
    let (base, key) = (w.server.address().url(), w.server.operator_key()?);
    let args = [
        "--config-file",
        &config.display().to_string(),
        "run",
        &format!("{base}/api/v1/openapi.json"),
        "--header",
        &format!("Authorization: Bearer {key}"),
        "--phases",
        "examples,coverage,fuzzing",
        "--max-examples",
        "2",
        "--seed",
        "1",
        "--exclude-path-regex",
        NOT_TRIED,
        "--exclude-checks",
        NOT_HELD,
        "--continue-on-failure",
        "--generation-database",
        "none",
        "--no-color",
    ];
    let said = python::run("schemathesis", &args, &[]).await?;
    ensure!(said.success && said.out.contains("Tested: "), "{} {}", said.out, said.err);
    Ok(())
}
on_both!(it_holds_whatever_is_sent);
