//! The tree of an image: just what is needed, run without rights and without a place to write but its
//! volume. The Containerfile itself is not built here: it begins with an image of others.

use super::tools::{may_change_root, root, run, stripped, tried};
use anyhow::{Context as _, Result, ensure};
use rollcall_tests::server::binary;
use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

fn files(below: &Path, found: &mut BTreeSet<String>, base: &Path) -> Result<()> {
    for entry in std::fs::read_dir(below)? {
        let path = entry?.path();
        if path.is_dir() {
            files(&path, found, base)?;
        } else {
            found.insert(format!("/{}", path.strip_prefix(base)?.display()));
        }
    }
    Ok(())
}

/// What `ldd` says a program is linked with.
fn libraries(program: &Path) -> Result<BTreeSet<String>> {
    let said = run("ldd", &[program.to_str().context("a path")?])?;
    ensure!(!said.contains("not found"), "{said}");
    let paths = said.split_whitespace().filter(|word| word.starts_with('/'));
    Ok(paths.map(str::to_owned).collect())
}

#[test]
fn the_tree_of_the_image_holds_what_is_needed_and_serves_without_rights() -> Result<()> {
    if !may_change_root("the tree of an image")? {
        return Ok(());
    }
    let work = tempfile::tempdir()?;
    let tree = work.path().join("tree");
    let path = |p: &Path| p.to_str().map(str::to_owned).context("a path");
    // Made of the stripped binary, for the test's sake; what is made is stripped in any case.
    let made_of = stripped(work.path())?;
    run(root().join("packaging/rootfs"), &[&path(&made_of)?, &path(&tree)?])?;
    let mut found = BTreeSet::new();
    files(&tree, &mut found, &tree)?;
    let needed = libraries(&binary()?)?;
    let missing: Vec<_> = needed.difference(&found).collect();
    ensure!(missing.is_empty(), "{missing:?} are linked and not there");
    let known = ["/usr/bin/rollcall", "/etc/passwd", "/etc/group", "/etc/nsswitch.conf"];
    for file in found.difference(&needed) {
        let expected = known.contains(&file.as_str())
            || file.starts_with("/etc/ssl/")
            || ["libnss_", "libresolv"].iter().any(|name| file.contains(name));
        ensure!(expected, "{file} is in the image and nobody knows why");
    }
    ensure!(!found.iter().any(|file| file.ends_with("/sh")), "there is a shell in it");

    // As a container runs it: its own user, a root that cannot be written, no network but its own.
    let script = r#"
        set -e
        mount --bind "$0" "$0"
        mount -t tmpfs -o mode=0700,uid=65532,gid=65532 data "$0/var/lib/rollcall"
        mount -t tmpfs tmp "$0/tmp"
        mkdir -p "$0/proc" && mount -t proc proc "$0/proc"
        for device in null urandom; do
          mkdir -p "$0/dev"; : >"$0/dev/$device"; mount --bind "/dev/$device" "$0/dev/$device"
        done
        mount -o remount,ro,bind "$0"
        ip link set lo up
        run() { chroot --userspec=65532:65532 "$0" /usr/bin/rollcall "$@"; }
        export ROLLCALL_DATA=/var/lib/rollcall ROLLCALL_LISTEN=127.0.0.1:8080
        if run healthcheck --timeout 1 2>/dev/null; then echo "healthy before it runs"; exit 1; fi
        chroot --userspec=65532:65532 "$0" /usr/bin/rollcall serve & server=$!
        for _ in $(seq 200); do
          if run healthcheck >/dev/null 2>&1; then break; fi
          sleep 0.1
        done
        run healthcheck
        run org create "Example Ltd" --domain example
        touch "$0/usr/written" 2>/dev/null && { echo "the root can be written"; exit 1; }
        kill $server; wait $server
    "#;
    let mut command = Command::new("unshare");
    command.args(["--mount", "--net", "--pid", "--fork", "sh", "-c", script]).arg(&tree);
    command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    let (good, said) = tried(&mut command)?;
    ensure!(good && said.contains("healthy") && said.contains("Tenant URL"), "{said}");
    let mode = std::fs::metadata(tree.join("var/lib/rollcall"))?.permissions().mode();
    ensure!(mode & 0o077 == 0, "{mode:o}");
    Ok(())
}
