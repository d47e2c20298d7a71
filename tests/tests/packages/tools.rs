//! Programs that are run, and what they said.

use anyhow::{Context as _, Result, ensure};
use rollcall_tests::server::binary;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The workspace.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

/// Runs a program that has to succeed; gives all that it printed.
pub fn run(program: impl AsRef<std::ffi::OsStr>, args: &[&str]) -> Result<String> {
    let (good, said) = tried(Command::new(program.as_ref()).args(args))?;
    ensure!(good, "{} {}:\n{said}", program.as_ref().to_string_lossy(), args.join(" "));
    Ok(said)
}

/// Runs a program; gives whether it succeeded, and all that it printed.
pub fn tried(command: &mut Command) -> Result<(bool, String)> {
    let output =
        command.env("LC_ALL", "C.UTF-8").stdin(Stdio::null()).output().with_context(|| {
            format!("cannot run {:?}: `make deps` installs it", command.get_program())
        })?;
    let said = [output.stdout, output.stderr].concat();
    Ok((output.status.success(), String::from_utf8_lossy(&said).into_owned()))
}

/// The binary under test without its symbols, as it is shipped; in a folder of the caller's.
pub fn stripped(folder: &Path) -> Result<PathBuf> {
    let to = folder.join("rollcall");
    let from = binary()?;
    let path = |p: &Path| p.to_str().map(str::to_owned).context("a path in UTF-8");
    run("strip", &["--strip-unneeded", "-o", &path(&to)?, &path(&from)?])?;
    Ok(to)
}

/// Whether this process may make another root of the file system its own; a word of it if not.
pub fn may_change_root(test: &str) -> Result<bool> {
    use std::io::Write as _;
    if run("id", &["-u"])?.trim() == "0" {
        return Ok(true);
    }
    // Past the harness, which shows what a passed test prints to nobody.
    writeln!(std::io::stderr(), "SKIPPED {test}: it has to be root to install packages")?;
    Ok(false)
}
