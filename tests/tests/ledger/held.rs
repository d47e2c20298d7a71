//! Somebody is held, and somebody asks what is known of them.

use super::life::{WORD, a_life};
use anyhow::{Context as _, Result, ensure};
use rollcall_tests::world::World;
use serde_json::Value;
use std::fs;
use std::process::Output;

rollcall_tests::on_both!(nobody_erases_whom_somebody_holds);
rollcall_tests::on_both!(everything_about_one_person_is_told_and_that_it_was);

fn sentence(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

async fn person(w: &World, what: &str, id: &str, more: &[&str]) -> Result<Output> {
    w.server.command(&[&["person", what, "--org", "acme", "--user", id], more].concat()).await
}

/// A key of a purpose, in a file.
async fn key_of(w: &World, kind: &str, folder: &tempfile::TempDir) -> Result<String> {
    let begin = if kind == "admin" { "add" } else { "issue" };
    let made = w.server.cli(&[kind, begin, "--org", "acme", "--label", "Grace"]).await?;
    let file = folder.path().join(kind);
    fs::write(&file, made["key"].as_str().with_context(|| format!("a key in {made}"))?)?;
    Ok(file.to_str().context("a path")?.to_owned())
}

async fn nobody_erases_whom_somebody_holds(w: &mut World) -> Result<()> {
    let (id, _, _) = a_life(w).await?;
    let because = ["--because", "a court wants to know"];
    let reason = ["--reason", "article 17", "--force"];
    let yes = [&reason[..], &["--yes"]].concat();
    let held = async || w.server.cli(&["person", "holds", "--org", "acme"]).await;
    ensure!(held().await?.as_array().is_some_and(Vec::is_empty));
    for unknown in ["hold", "release"] {
        let nobody = "01a20bb3-b0eb-7dde-9ce9-34537b824982";
        let told = person(w, unknown, nobody, &because).await?;
        ensure!(!told.status.success() && sentence(&told).contains("never was"), "{told:?}");
    }
    // By name, as people do; twice is once.
    for _ in 0..2 {
        let done = person(w, "hold", "ada.v.erasable@contoso.example", &because).await?;
        ensure!(done.status.success(), "{done:?}");
    }
    let all = held().await?;
    let [one] = all.as_array().context("a list")?.as_slice() else {
        anyhow::bail!("one hold is listed: {all}");
    };
    ensure!(one["user_id"] == *id && one["because"] == because[1], "{one}");

    // Before they are deleted, and after.
    for _ in 0..2 {
        let look: Value = serde_json::from_slice(&person(w, "erase", &id, &reason).await?.stdout)?;
        ensure!(look["held_at"] == one["position"] && look["dry_run"] == true, "{look}");
        let before = w.admin.events_after("acme", 0).await?.len();
        let refused = person(w, "erase", &id, &yes).await?;
        ensure!(refused.status.code() == Some(3), "{refused:?}");
        ensure!(sentence(&refused).contains("is held"), "{refused:?}");
        let events = w.admin.events_after("acme", 0).await?;
        ensure!(events.len() == before, "a refused erasure did something: {:?}", events.last());
        if w.scim.get(&format!("/Users/{id}")).await?.status == 200 {
            // SCIM is not held up.
            w.scim.delete(&format!("/Users/{id}")).await?.expect(204)?;
        }
    }

    // Auditors see it, and can do neither; nor can they see the list of the whole deployment.
    let folder = tempfile::tempdir()?;
    let auditor = key_of(w, "auditor", &folder).await?;
    let auditor = ["--key-file", auditor.as_str()];
    let seen =
        w.server.cli(&[&["person", "holds", "--org", "acme"][..], &auditor].concat()).await?;
    ensure!(seen == all, "{seen}");
    let list = folder.path().join("list").to_string_lossy().into_owned();
    for more in [
        [&["person", "hold", "--org", "acme", "--user", &id][..], &because].concat(),
        [&["person", "release", "--org", "acme", "--user", &id][..], &because].concat(),
        [&["person", "erase", "--org", "acme", "--user", &id][..], &yes].concat(),
        [&["person", "erase", "--org", "acme", "--user", &id][..], &reason].concat(),
        vec!["person", "erasures", "--output", &list],
    ] {
        let told = w.server.command(&[&more[..], &auditor].concat()).await?;
        ensure!(!told.status.success(), "an auditor may {more:?}");
    }
    ensure!(held().await? == all);

    let done = person(w, "release", &id, &["--because", "the court has ended"]).await?;
    ensure!(done.status.success(), "{done:?}");
    ensure!(held().await?.as_array().is_some_and(Vec::is_empty));
    let done = person(w, "erase", &id, &yes).await?;
    ensure!(done.status.success(), "{done:?}");
    for late in ["hold", "release"] {
        let told = person(w, late, &id, &because).await?;
        ensure!(sentence(&told).contains("is erased"), "{told:?}");
    }
    let erased = ["events", "list", "--org", "acme", "--type", "UserErased"];
    let seen = w.server.cli(&[&erased[..], &auditor].concat()).await?;
    ensure!(seen[0]["subject"] == *id, "{seen}");
    w.server.cli(&["views", "verify"]).await?;
    w.server.cli(&["replay", "verify", "--org", "acme"]).await.map(drop)
}

async fn everything_about_one_person_is_told_and_that_it_was(w: &mut World) -> Result<()> {
    let (id, bob, group) = a_life(w).await?;
    let folder = tempfile::tempdir()?;
    let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let consumer = ["consumer", "add", "--org", "acme", "--name", "doors", "--kind", "pull"];
    let made = w.server.command(&consumer).await?;
    ensure!(made.status.success(), "{made:?}");
    w.scim.delete(&format!("/Groups/{group}")).await?.expect(204)?;

    let json = path("ada.json");
    let done = person(w, "export", &id, &["--output", &json]).await?;
    ensure!(done.status.success(), "{done:?}");
    let told: Value = serde_json::from_slice(&fs::read(&json)?)?;
    ensure!(told["resource"]["userName"] == "ada.v.erasable@contoso.example", "{told}");
    let count = |name: &str| told[name].as_array().map_or(0, Vec::len);
    // An erasure would find the same.
    let look = person(w, "erase", &id, &["--reason", "a look"]).await?;
    let look: Value = serde_json::from_slice(&look.stdout)?;
    let found = look["exchanges"].as_array().context("exchanges")?;
    let numbers = |name: &str| -> Vec<&Value> {
        told[name].as_array().into_iter().flatten().map(|x| &x["number"]).collect()
    };
    let mut both = [numbers("exchanges"), numbers("named_in")].concat();
    both.sort_by_key(|number| number.as_u64());
    ensure!(both == found.iter().collect::<Vec<_>>(), "{both:?} and {found:?}");
    ensure!(look["records"] == count("events"), "{look}");
    ensure!(count("exchanges") >= 2 && count("named_in") >= 4, "{told}");
    let membership = &told["memberships"][0];
    ensure!(
        membership["group_id"] == *group && membership["to"]["type"] == "GroupDeleted",
        "{membership}"
    );
    ensure!(told["recipients"][0]["name"] == "doors", "{}", told["recipients"]);
    ensure!(count("retention") == 3 && count("sources") >= 1, "{told}");
    // Nobody else is told of.
    let text = told.to_string();
    ensure!(!text.contains("bob@contoso.example") && !text.contains(&bob), "others are told of");

    // To be read by the person; as an admin, whose questions leave a line as the operator's do.
    let readable = path("ada.txt");
    let key = key_of(w, "admin", &folder).await?;
    let more = ["--format", "text", "--output", &readable, "--key-file", &key];
    let done = person(w, "export", &id, &more).await?;
    ensure!(done.status.success(), "{done:?}");
    let said = fs::read_to_string(&readable)?;
    for part in ["ada.v.erasable@contoso.example", "Groups, and when (1)", "Requests about them"] {
        ensure!(said.contains(part), "{part} is not in {said}");
    }
    let reads = w.server.cli(&["reads", "list", "--org", "acme"]).await?;
    let callers: Vec<&Value> = reads
        .as_array()
        .context("reads")?
        .iter()
        .filter(|read| read["operation"] == "audit.person.export")
        .map(|read| &read["caller"]["kind"])
        .collect();
    ensure!(callers.len() == 2 && callers.contains(&&Value::from("admin")), "{reads}");
    ensure!(!reads.to_string().to_lowercase().contains(WORD), "the trail has a name: {reads}");
    // A file that is there is not overwritten; nobody unknown is told of.
    let again = person(w, "export", &id, &["--output", &json]).await?;
    ensure!(!again.status.success(), "{again:?}");
    let nobody = "01a20bb3-b0eb-7dde-9ce9-34537b824982";
    let unknown = person(w, "export", nobody, &["--output", &path("nobody")]).await?;
    ensure!(unknown.status.code() == Some(3), "{unknown:?}");

    // Of somebody who is erased there is nothing but that.
    let erased = person(w, "erase", &id, &["--reason", "a", "--yes", "--force"]).await?;
    ensure!(erased.status.success(), "{erased:?}");
    let after = path("after.json");
    let done = person(w, "export", &id, &["--output", &after]).await?;
    ensure!(done.status.success(), "{done:?}");
    let text = fs::read_to_string(&after)?.to_lowercase();
    ensure!(!text.contains(WORD) && text.contains("[erased]"), "{text}");
    Ok(())
}
