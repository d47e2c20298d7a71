//! What is handed to other programs is held against their own schemas and readers. A cluster, Docker
//! and Grafana are not run here.

use super::tools::{root, run};
use anyhow::{Context as _, Result, ensure};
use rollcall_tests::python;
use std::path::Path;

fn path(relative: &str) -> Result<String> {
    root().join(relative).to_str().map(str::to_owned).context("a path")
}

#[test]
fn kubernetes_manifests_are_as_the_schema_of_its_api_says() -> Result<()> {
    let file = path("packaging/kubernetes/rollcall.yaml")?;
    let said = run(python::tool("kubernetes-validate")?, &["--strict", &file])?;
    for kind in ["statefulset", "service", "poddisruptionbudget", "ingress", "networkpolicy"] {
        ensure!(said.contains(&format!("passed for resource {kind}/rollcall")), "{said}");
    }
    Ok(())
}

#[test]
fn the_compose_file_is_as_its_specification_says() -> Result<()> {
    let file = path("compose.yaml")?;
    run(python::tool("check-jsonschema")?, &["--builtin-schema", "vendor.compose-spec", &file])?;
    // What it mounts is there, or made by what is run before it.
    let text = std::fs::read_to_string(&file)?;
    let mut mounted = 0;
    for line in text.lines() {
        let Some(rest) = line.trim().strip_prefix("- ./") else { continue };
        let name = rest.split(':').next().unwrap_or_default();
        let made = name.starts_with("packaging/compose/secrets/");
        ensure!(made || root().join(name).exists(), "{name} is not there");
        mounted += 1;
    }
    ensure!(mounted >= 6, "the mounts are not found");
    Ok(())
}

#[test]
fn nginx_reads_its_configurations_and_they_differ_only_in_the_servers() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = |name: &str| folder.path().join(name).to_str().map(str::to_owned).context("a path");
    let (key, certificate) = (file("key.pem")?, file("fullchain.pem")?);
    run(
        "openssl",
        &[
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-subj",
            "/CN=x",
            "-keyout",
            &key,
            "-out",
            &certificate,
        ],
    )?;
    let mut texts = Vec::new();
    for name in ["packaging/nginx/rollcall.conf", "packaging/compose/nginx.conf"] {
        let text = std::fs::read_to_string(root().join(name))?;
        let here = text
            .replace("/etc/ssl/rollcall", &folder.path().display().to_string())
            .replace("rollcall-1:", "127.0.0.1:")
            .replace("rollcall-2:", "127.0.0.2:");
        let whole = format!("pid {};\nevents {{}}\nhttp {{ {here} }}\n", file("pid")?);
        std::fs::write(file("nginx.conf")?, whole)?;
        run(nginx(), &["-t", "-c", &file("nginx.conf")?])?;
        let same = |line: &&str| {
            let line = line.trim();
            let of_servers = ["server ", "server_name"].iter().any(|word| line.starts_with(word));
            !of_servers && !line.starts_with('#') && !line.is_empty()
        };
        texts.push(text.lines().filter(same).map(str::to_owned).collect::<Vec<_>>());
    }
    assert_eq!(texts[0], texts[1], "packaging/nginx and packaging/compose");
    Ok(())
}

/// Debian keeps it where only root looks.
fn nginx() -> &'static str {
    if Path::new("/usr/sbin/nginx").exists() { "/usr/sbin/nginx" } else { "nginx" }
}
