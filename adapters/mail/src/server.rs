//! The address of a mail server, as the operator writes it.

use std::net::IpAddr;
use url::{Host, Url};

/// A mail server. `smtps://` is TLS from the first byte (RFC 8314), `smtp://` has to offer it
/// (STARTTLS, RFC 3207) unless it is on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Whom we sign in as, if we do.
    pub user: Option<String>,
    /// True if nothing is said before TLS.
    pub from_the_first_byte: bool,
    is_here: bool,
}

/// Why an address is none of a mail server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ServerError {
    /// Something else.
    #[error("write an address such as smtps://rollcall@mail.example.com or smtp://127.0.0.1:25")]
    Shape,
    /// Everybody who sees the configuration would see it.
    #[error(
        "the password does not belong into the address: write it into a file, for --smtp-password-file"
    )]
    Password,
}

impl Server {
    /// Reads an address.
    ///
    /// # Errors
    /// If it is none.
    pub fn parse(text: &str) -> Result<Self, ServerError> {
        let url = Url::parse(text).map_err(|_| ServerError::Shape)?;
        let (from_the_first_byte, usual) = match url.scheme() {
            "smtps" => (true, 465),
            "smtp" => (false, 587),
            _ => return Err(ServerError::Shape),
        };
        if url.password().is_some() {
            return Err(ServerError::Password);
        }
        let is_more = !matches!(url.path(), "" | "/") || url.query().is_some();
        if is_more || url.fragment().is_some() {
            return Err(ServerError::Shape);
        }
        // Of a scheme that is none of the web's, an IPv4 address is a name.
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or(ServerError::Shape)?;
        let host = host.trim_matches(['[', ']']).to_owned();
        let address: Option<IpAddr> = host.parse().ok();
        let is_name = address.is_some() || Host::parse(&host).is_ok();
        if !is_name {
            return Err(ServerError::Shape);
        }
        let user = Some(url.username()).filter(|user| !user.is_empty());
        let user = user.map(|user| percent_decoded(user).ok_or(ServerError::Shape)).transpose()?;
        let is_here = address.is_some_and(|a| a.is_loopback()) || host == "localhost";
        Ok(Self { host, port: url.port().unwrap_or(usual), user, from_the_first_byte, is_here })
    }

    /// False only where nobody is in between.
    pub fn is_encrypted(&self) -> bool {
        self.from_the_first_byte || !self.is_here
    }
}

/// A user name is often an address, whose `@` is written `%40`.
fn percent_decoded(text: &str) -> Option<String> {
    let (mut bytes, mut out) = (text.bytes(), Vec::new());
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'%' => {
                let digits = [bytes.next()?, bytes.next()?];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            byte => byte,
        });
    }
    String::from_utf8(out).ok().filter(|text| !text.chars().any(char::is_control))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stays_on_this_machine_is_not_encrypted() {
        for (text, port, encrypted) in [
            ("smtps://mail.example.com", 465, true),
            ("smtp://mail.example.com", 587, true),
            ("smtp://192.0.2.1:25", 25, true),
            ("smtp://127.0.0.1:2525", 2525, false),
            ("smtp://[::1]:2525", 2525, false),
            ("smtp://localhost:25/", 25, false),
            ("smtps://127.0.0.1", 465, true),
        ] {
            let server = Server::parse(text).expect(text);
            assert_eq!((server.port, server.is_encrypted()), (port, encrypted), "{text}");
        }
        let server = Server::parse("smtps://rollcall%40example.com@mail.example.com").unwrap();
        assert_eq!(server.user.as_deref(), Some("rollcall@example.com"));
    }

    #[test]
    fn what_is_no_mail_server_is_refused() {
        for text in [
            "",
            "mail.example.com",
            "http://mail.example.com",
            "smtp://",
            "smtps://a/b",
            "smtps://a?tls=none",
            "smtps://a#b",
            "smtps://a%0d%0ab@mail.example.com",
            "smtp://a b",
        ] {
            assert_eq!(Server::parse(text), Err(ServerError::Shape), "{text}");
        }
        let told = Server::parse("smtps://me:secret@mail.example.com").unwrap_err();
        assert_eq!(told, ServerError::Password);
        assert!(!told.to_string().contains("secret"));
    }
}
