//! The mail server of the configuration.

use super::ServeConfig;
use anyhow::{Context as _, bail};
use rollcall_mail::{Mailer, Server};

impl ServeConfig {
    /// What sends mail; none if no server is named.
    ///
    /// # Errors
    /// Name the flag to change.
    pub fn mailer(&self) -> anyhow::Result<Option<Mailer>> {
        let Some(url) = &self.smtp_url else {
            if !self.mail_from.is_empty() {
                bail!("--mail-from is of no use without --smtp-url");
            }
            return Ok(None);
        };
        let server = Server::parse(url).context("--smtp-url")?;
        if self.mail_from.is_empty() {
            bail!("--mail-from is missing: say from whom mail comes, such as rollcall@example.com");
        }
        let read = |file: &Option<std::path::PathBuf>, flag: &str| match file {
            Some(file) => std::fs::read(file)
                .map(Some)
                .with_context(|| format!("{flag}: cannot read {}", file.display())),
            None => Ok(None),
        };
        let password = read(&self.smtp_password_file, "--smtp-password-file")?;
        if password.is_some() != server.user.is_some() {
            bail!("--smtp-password-file and the user in --smtp-url go together");
        }
        let password = password.map(String::from_utf8).transpose();
        let password = password.map_err(|_| anyhow::anyhow!("--smtp-password-file is no text"))?;
        let password = password.map(|text| text.trim_end_matches(['\r', '\n']).to_owned());
        let authority = read(&self.smtp_ca_file, "--smtp-ca-file")?;
        let mailer = Mailer::new(&server, password, &self.mail_from, authority.as_deref());
        Ok(Some(mailer.context("--smtp-url, --mail-from or --smtp-ca-file")?))
    }
}
