//! From what `rollcall serve` is told to the configuration in force.

use anyhow::{Context, bail};
use rollcall_contract::span;
use rollcall_door::config::{ServeArgs, ServeConfig};
use std::path::{Path, PathBuf};

/// Adds what the configuration file says to what was told, and checks everything. `data` is the
/// data folder that the command line names for all commands.
///
/// # Errors
/// Name what to change.
pub fn resolve(mut told: ServeArgs, data: Option<PathBuf>) -> anyhow::Result<ServeConfig> {
    let data = data.or_else(|| told.data.clone());
    let mut file = match (&told.config, &data) {
        (Some(path), _) => read(path)?,
        (None, Some(data)) if data.join("rollcall.toml").exists() => {
            read(&data.join("rollcall.toml"))?
        }
        _ => ServeArgs::default(),
    };
    let data = data
        .or(file.data.take())
        .context("name the data folder with --data DIR (or ROLLCALL_DATA)")?;
    let mut config = ServeConfig::at(data);
    config.take(&mut told, &mut file);
    if let Some(listen) = told.listen.or(file.listen) {
        config.listen = listen.parse().with_context(|| {
            format!("--listen {listen}: write an address such as 127.0.0.1:8080")
        })?;
    }
    config.public_url = told.public_url.or(file.public_url).map(public_url).transpose()?;
    config.database_url = told.database_url.or(file.database_url).filter(|url| !url.is_empty());
    config.kurrent_url = told.kurrent_url.or(file.kurrent_url).filter(|url| !url.is_empty());
    config.deployment_key_file = told.deployment_key_file.or(file.deployment_key_file);
    config.tls_certificate_file = told.tls_certificate_file.or(file.tls_certificate_file);
    config.tls_key_file = told.tls_key_file.or(file.tls_key_file);
    config.former_deployment_key_file =
        told.former_deployment_key_file.or(file.former_deployment_key_file);
    config.smtp_url = told.smtp_url.or(file.smtp_url).filter(|url| !url.is_empty());
    config.smtp_password_file = told.smtp_password_file.or(file.smtp_password_file);
    config.smtp_ca_file = told.smtp_ca_file.or(file.smtp_ca_file);
    config.keep_bodies_for =
        told.keep_bodies_for.or(file.keep_bodies_for).map(seconds).transpose()?;
    config.validate()?;
    Ok(config)
}

/// Reads a time such as `90d`; at least a minute, so that a slip of the pen does not empty the log.
fn seconds(text: String) -> anyhow::Result<u64> {
    let parsed = span::seconds(&text).filter(|seconds| *seconds >= 60);
    parsed
        .with_context(|| format!("--keep-bodies-for {text}: write a time such as 90d, 12h or 30m"))
}

fn public_url(url: String) -> anyhow::Result<String> {
    let url = url.trim_end_matches('/').to_owned();
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    match rest {
        Some(host) if !host.is_empty() && !url.contains(['?', '#', ' ']) => Ok(url),
        _ => bail!("--public-url {url}: write an address such as https://rollcall.example.com"),
    }
}

fn read(path: &Path) -> anyhow::Result<ServeArgs> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read the configuration file {}", path.display()))?;
    toml::from_str(&text).map_err(|e| {
        // The error shows itself on several lines; a message is one.
        let before = text.as_bytes().iter().take(e.span().map_or(0, |s| s.start));
        let line = before.filter(|byte| **byte == b'\n').count() + 1;
        anyhow::anyhow!(
            "cannot use the configuration file {}, line {line}: {}",
            path.display(),
            e.message()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(public_url: &str) -> ServeArgs {
        ServeArgs {
            data: Some("/nowhere".into()),
            public_url: Some(public_url.into()),
            ..ServeArgs::default()
        }
    }

    #[test]
    fn flags_win_over_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("rollcall.toml");
        std::fs::write(&file, "listen = \"127.0.0.1:1\"\nrate_limit = 7\n").unwrap();
        let args = ServeArgs {
            config: Some(file.clone()),
            listen: Some("127.0.0.1:2".into()),
            ..args("https://x.example/")
        };
        let config = resolve(args.clone(), None).unwrap();
        assert_eq!(
            (config.listen.port(), config.rate_limit, config.public_url.as_deref()),
            (2, 7, Some("https://x.example"))
        );
        std::fs::write(&file, "listne = \"127.0.0.1:1\"\n").unwrap();
        assert!(format!("{:#}", resolve(args, None).unwrap_err()).contains("listne"));
    }

    #[test]
    fn times_are_read() {
        assert_eq!(seconds("90d".into()).ok(), Some(90 * 86_400));
        assert_eq!(seconds("12h".into()).ok(), Some(12 * 3_600));
        for bad in ["", "d", "0m", "59s", "90"] {
            assert!(seconds(bad.into()).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_cannot_work_is_refused() {
        for bad in ["example.com", "https://", "https://a b"] {
            assert!(resolve(args(bad), None).is_err(), "{bad}");
        }
        assert!(
            resolve(ServeArgs { database_url: Some("mysql://x".into()), ..args("http://x") }, None)
                .is_err()
        );
        assert!(
            resolve(
                ServeArgs { kurrent_url: Some("kurrent://x".into()), ..args("http://x") },
                None
            )
            .is_err()
        );
        assert!(resolve(ServeArgs { max_body_bytes: Some(0), ..args("http://x") }, None).is_err());
    }
}
