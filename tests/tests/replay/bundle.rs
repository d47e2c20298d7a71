//! Bundles: what happened here, replayed there.

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use rollcall_replay::bundle;
use rollcall_tests::corpus::player::play_all;
use rollcall_tests::on_both;
use rollcall_tests::scim::user;
use rollcall_tests::server::Server;
use rollcall_tests::world::{World, on_sqlite};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::path::Path;
use std::sync::OnceLock;

async fn replay_file(server: &Server, file: &Path) -> Result<(i32, Value)> {
    let output =
        server.command(&["bundle", "replay", "--all", file.to_str().context("path")?]).await?;
    let printed = serde_json::from_slice(&output.stdout).with_context(|| format!("{output:?}"))?;
    Ok((output.status.code().context("no exit code")?, printed))
}

fn statuses(printed: &Value) -> Vec<(String, u64)> {
    let line =
        |x: &Value| Some((x["operation"].as_str()?.to_owned(), x["recorded"]["status"].as_u64()?));
    printed["exchanges"].as_array().into_iter().flatten().filter_map(line).collect()
}

async fn a_bundle_travels(world: &mut World) -> Result<()> {
    play_all(&world.scim).await?;
    let folder = tempfile::tempdir()?;
    let (plain, renamed) = (folder.path().join("plain.gz"), folder.path().join("renamed.gz"));
    let path = |p: &Path| p.to_str().map(str::to_owned).context("path");
    let made =
        world.server.cli(&["bundle", "export", "--org", "acme", "--file", &path(&plain)?]).await?;
    ensure!(made["exchanges"] == 101 && made["left_out"] == 2, "{made}");
    world
        .server
        .cli(&["bundle", "export", "--org", "acme", "--file", &path(&renamed)?, "--pseudonymise"])
        .await?;

    let (code, there) = replay_file(&world.server, &plain).await?;
    ensure!(
        code == 0
            && there["summary"]["records_differ"] == 0
            && there["summary"]["exchanges"] == 101,
        "exit {code}: {}",
        there["summary"]
    );
    let (code, renamed_there) = replay_file(&world.server, &renamed).await?;
    ensure!(
        code == 0 && renamed_there["summary"]["records_differ"] == 0,
        "exit {code}: {}",
        renamed_there["summary"]
    );
    ensure!(statuses(&there) == statuses(&renamed_there), "the outcomes have another shape");
    // All names are gone, also those in filters and addresses; the structure is not.
    let text = unpack(&std::fs::read(&renamed)?)?;
    let bodies = decoded(&text)?;
    for name in ["contoso", "kwak", "jackson", "andrew"] {
        let here = unpack(&std::fs::read(&plain)?)?;
        if decoded(&here)?.to_lowercase().contains(name) {
            ensure!(!bodies.to_lowercase().contains(name), "{name} is still there");
        }
    }
    let left = decoded(&unpack(&std::fs::read(&plain)?)?)?;
    ensure!(!left.contains("rollcall_scim_"), "a token left");
    ensure!(
        left.contains("\"cause\"") && !left.contains("\"wants\""),
        "hashes of names and values left"
    );

    // On another server it becomes an organization of its own, whose token admits nobody.
    let other = World::new(rollcall_tests::server::Store::Sqlite).await?;
    let imported = other
        .server
        .cli(&["bundle", "import", "--file", &path(&plain)?, "--domain", "from-afar"])
        .await?;
    ensure!(imported["records"] == made["records"] && imported["exchanges"] == 101, "{imported}");
    let listed = other.server.cli(&["org", "list"]).await?;
    let found = listed
        .as_array()
        .into_iter()
        .flatten()
        .find(|o| o["domain"] == "from-afar")
        .context("not listed")?;
    ensure!(found["name"] == "Acme (from a bundle)", "{found}");
    world.scim.fresh();
    let verified = other.server.command(&["replay", "verify", "--org", "from-afar"]).await?;
    ensure!(verified.status.success(), "{verified:?}");
    let again = other
        .server
        .command(&["bundle", "import", "--file", &path(&plain)?, "--domain", "from-afar"])
        .await?;
    ensure!(String::from_utf8_lossy(&again.stderr).contains("has this domain"), "{again:?}");
    other
        .server
        .cli(&["bundle", "import", "--file", &path(&renamed)?, "--domain", "renamed"])
        .await?;
    other.server.cli(&["views", "verify"]).await?;
    Ok(())
}

on_both!(a_bundle_travels);

#[tokio::test]
async fn a_bundle_of_one_failure_holds_the_state_it_needs_and_no_more() {
    on_sqlite(async |world| {
        for n in 0..20 {
            world.scim.create_user(&format!("user{n}@contoso.example")).await?;
        }
        let failed = world.scim.post("/Users", &user("USER7@contoso.example")).await?;
        ensure!(failed.status == 409);
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("one.gz");
        let id = failed.header("exchange-id").context("exchange")?.to_owned();
        let to = file.to_str().context("path")?;
        let made = world
            .server
            .cli(&["bundle", "export", "--org", "acme", "--exchange", &id, "--file", to])
            .await?;
        ensure!(
            made["exchanges"] == 1 && made["records"].as_u64() <= Some(5),
            "the holder's stream and the organization's: {made}"
        );
        let (code, there) = replay_file(&world.server, &file).await?;
        ensure!(code == 0 && there["exchanges"][0]["result"] == "same", "exit {code}: {there}");
        ensure!(there["exchanges"][0]["now"]["status"] == 409, "{there}");
        Ok(())
    })
    .await;
}

/// Whatever an organization is set to decides what a request is answered; all of it travels.
#[tokio::test]
async fn what_an_organization_was_set_to_travels_with_its_requests() {
    on_sqlite(async |world| {
        let org = ["--org", "acme"];
        let without_path = |title: &str| json!([{"op": "replace", "value": {"title": title}}]);
        let ada = format!("/Users/{}", world.scim.create_user("ada@contoso.example").await?);
        let settings: [(&[&str], u16); 7] = [
            (&["scim", "policy", "--strict=true"], 400),
            (&["scim", "policy", "--strict=false"], 200),
            (&["scim", "disable"], 503),
            (&["scim", "enable"], 200),
            (&["org", "disable"], 503),
            (&["org", "enable"], 200),
            (&["scim", "policy", "--strict=true"], 400),
        ];
        for (n, (setting, status)) in settings.iter().enumerate() {
            world.server.cli(&[setting, &org[..]].concat()).await?;
            let answer = world.scim.operations(&ada, without_path(&format!("Title {n}"))).await?;
            ensure!(answer.status == *status, "{setting:?}: {}", answer.text());
        }
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("settings.gz");
        let to = file.to_str().context("path")?;
        world.server.cli(&["bundle", "export", "--org", "acme", "--file", to]).await?;
        let (code, there) = replay_file(&world.server, &file).await?;
        ensure!(code == 0 && there["summary"]["records_differ"] == 0, "exit {code}: {there}");
        let replayed: Vec<u64> = statuses(&there)
            .into_iter()
            .filter(|(operation, _)| operation == "users.patch")
            .map(|(_, s)| s)
            .collect();
        ensure!(replayed == settings.map(|(_, status)| u64::from(status)), "{replayed:?}");
        // What was refused because of the server's state is told, and not asked for again.
        for exchange in there["exchanges"].as_array().into_iter().flatten() {
            let expected =
                if exchange["recorded"]["status"] == 503 { "not_replayed" } else { "same" };
            ensure!(exchange["result"] == expected, "{exchange}");
        }
        Ok(())
    })
    .await;
}

/// The text of a bundle, bodies decoded.
fn decoded(text: &str) -> Result<String> {
    let mut out = String::new();
    for line in text.lines() {
        let mut line: Value = serde_json::from_str(line)?;
        for name in ["request", "answer"] {
            if let Some(body) = line[name].as_str() {
                out.push_str(&String::from_utf8_lossy(&BASE64.decode(body)?));
                line[name] = Value::Null;
            }
        }
        out.push_str(&line.to_string());
    }
    Ok(out)
}

fn unpack(bytes: &[u8]) -> Result<String> {
    let mut text = String::new();
    GzDecoder::new(bytes).read_to_string(&mut text)?;
    Ok(text)
}

fn pack(text: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(text).expect("memory takes everything");
    gzip.finish().expect("memory takes everything")
}

fn read(bytes: &[u8]) -> Result<bundle::Whole, bundle::BundleError> {
    bundle::read(bytes, |_, _| Ok(()))
}

/// A small bundle, made once.
fn sample() -> &'static str {
    static SAMPLE: OnceLock<String> = OnceLock::new();
    SAMPLE.get_or_init(|| {
        let made = std::thread::spawn(|| {
            let runtime = tokio::runtime::Runtime::new().expect("a runtime");
            runtime.block_on(async {
                let world = World::new(rollcall_tests::server::Store::Sqlite).await?;
                world.scim.create_user("ada@contoso.example").await?;
                world.scim.get("/Users").await?.expect(200)?;
                let folder = tempfile::tempdir()?;
                let file = folder.path().join("sample.gz");
                world
                    .server
                    .cli(&[
                        "bundle",
                        "export",
                        "--org",
                        "acme",
                        "--file",
                        file.to_str().context("path")?,
                    ])
                    .await?;
                unpack(&std::fs::read(file)?)
            })
        });
        made.join().expect("no panic").expect("a bundle")
    })
}

#[test]
fn a_cut_bundle_is_refused_and_a_whole_one_is_not() {
    let whole = pack(sample().as_bytes());
    assert_eq!(read(&whole).map(|w| w.exchanges).ok(), Some(2));
    assert!(read(&[]).is_err() && read(b"no gzip").is_err());
    let lines: Vec<&str> = sample().lines().collect();
    for n in 0..lines.len() {
        let cut = lines[..n].iter().map(|line| format!("{line}\n")).collect::<String>();
        assert!(read(&pack(cut.as_bytes())).is_err(), "{n} lines");
    }
    let more = format!("{}{}\n", sample(), lines[0]);
    assert!(read(&pack(more.as_bytes())).is_err(), "something follows the last line");
    let newer = sample().replacen("\"format\":1", "\"format\":2", 1);
    assert!(matches!(read(&pack(newer.as_bytes())), Err(bundle::BundleError::Format(2))));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_altered_bundle_is_refused(at in any::<prop::sample::Index>(), with in any::<u8>()) {
        let mut bytes = sample().as_bytes().to_vec();
        let at = at.index(bytes.len());
        // Only the last line's own text could say the same in other bytes, and it does not.
        prop_assume!(bytes[at] != with);
        bytes[at] = with;
        prop_assert!(read(&pack(&bytes)).is_err());
    }

    #[test]
    fn no_file_makes_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..2_000), packed in any::<bool>()) {
        let file = if packed { pack(&bytes) } else { bytes };
        prop_assert!(read(&file).is_err());
    }
}
