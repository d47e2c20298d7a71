//! `rollcall config`

use clap::{Args as _, Subcommand};
use rollcall_cli::say;
use rollcall_cli::{Exit, Failure, ServerArgs, output, usage};
use rollcall_door::config::{ServeArgs, ServeConfig};
use rollcall_server::config::resolve;
use std::path::PathBuf;

/// Configuration of the server
#[derive(Debug, Subcommand)]
pub enum Config {
    /// Check file, environment and flags
    Check(Box<ServeArgs>),
    /// Print the configuration in force, without secrets
    Print(Box<ServeArgs>),
    /// Print a configuration file with every setting and its default, each commented out
    Example,
}

/// Runs it.
pub fn run(command: Config, server: ServerArgs) -> Result<Exit, Failure> {
    let (flags, print) = match command {
        Config::Check(flags) => (flags, false),
        Config::Print(flags) => (flags, true),
        Config::Example => {
            output::print(&example()?);
            return Ok(Exit::Success);
        }
    };
    let config = resolve(*flags, server.data).map_err(usage)?;
    match (print, server.json) {
        (true, true) => output::json(&config)?,
        (true, false) => {
            output::print(&toml::to_string(&config).map_err(|e| usage(e.into()))?);
        }
        (false, true) => output::json(&serde_json::json!({ "valid": true }))?,
        (false, false) => say!("the configuration can be used"),
    }
    Ok(Exit::Success)
}

/// The longest line of a comment.
const WIDTH: usize = 98;

/// A configuration file that says all that can be said, and changes nothing. It is made of the
/// settings themselves, so that it names no other and no other default.
fn example() -> anyhow::Result<String> {
    let defaults = toml::Table::try_from(ServeConfig::at(PathBuf::new()))?;
    let mut text = String::from(
        "# The configuration of `rollcall serve`. What is said here is overruled by the environment\n\
         # (ROLLCALL_LISTEN=... for listen) and by flags (--listen ...). Lines with # in front are\n\
         # not in force: they show the default, or in <...> what is to be written.\n",
    );
    for setting in ServeArgs::augment_args(clap::Command::new("serve")).get_arguments() {
        let name = setting.get_id().as_str();
        if name == "config" {
            continue;
        }
        text.push('\n');
        let help = setting.get_help().map(ToString::to_string).unwrap_or_default();
        comment(&help, &mut text);
        let value = match defaults.get(name) {
            Some(value) => value.to_string(),
            None => {
                let kind = setting.get_value_names().and_then(<[_]>::first);
                format!("\"<{}>\"", kind.map_or("VALUE", |kind| kind.as_str()))
            }
        };
        text.push_str(&format!("#{name} = {value}\n"));
    }
    Ok(text)
}

/// Writes a sentence as lines of a comment.
fn comment(sentence: &str, into: &mut String) {
    let mut line = String::from("#");
    for word in sentence.split_whitespace() {
        if line.len() + 1 + word.len() > WIDTH {
            into.push_str(&line);
            into.push('\n');
            line = String::from("#");
        }
        line.push(' ');
        line.push_str(word);
    }
    into.push_str(&line);
    into.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As it is, the example says nothing; with its defaults in force, it says what is in force
    /// anyway.
    #[test]
    fn the_example_holds_every_setting_and_changes_none() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |text: &str| {
            let file = folder.path().join("rollcall.toml");
            std::fs::write(&file, text).expect("written");
            let told = ServeArgs { config: Some(file), ..ServeArgs::default() };
            let config = resolve(told, Some("/data".into())).expect("a configuration");
            toml::to_string(&config).expect("text")
        };
        let example = example().expect("an example");
        assert!(example.lines().all(|line| line.len() <= 100), "{example}");
        let in_force = at("");
        assert_eq!(at(&example), in_force);
        let is_setting = |line: &&str| line.starts_with('#') && !line.starts_with("# ");
        let (open, defaults): (Vec<&str>, Vec<&str>) =
            example.lines().filter(is_setting).partition(|line| line.contains("\"<"));
        let uncommented = defaults.iter().map(|line| &line[1..]).collect::<Vec<_>>().join("\n");
        assert_eq!(at(&uncommented), in_force);
        for setting in in_force.lines().filter(|line| !line.starts_with("data ")) {
            assert!(uncommented.contains(setting), "{setting} is not in the example");
        }
        let optional = [
            "database_url",
            "deployment_key_file",
            "former_deployment_key_file",
            "keep_bodies_for",
            "kurrent_url",
            "public_url",
            "smtp_ca_file",
            "smtp_password_file",
            "smtp_url",
            "tls_certificate_file",
            "tls_key_file",
        ];
        let mut named: Vec<&str> =
            open.iter().map(|line| line[1..].split(' ').next().unwrap_or_default()).collect();
        named.sort_unstable();
        assert_eq!(named, optional);
    }
}
