//! Mail to people (RFC 5322) through the SMTP server that the operator names (RFC 5321), encrypted
//! unless that server is on this machine.

mod server;

pub use server::{Server, ServerError};

use lettre::message::header::{Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, SinglePart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use std::error::Error;
use std::time::Duration;

/// How long the server has for each answer.
const PATIENCE: Duration = Duration::from_secs(15);

/// What is sent, to each of several by itself: none is told of the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// What it is about, on one line.
    pub subject: String,
    /// Plain text.
    pub text: String,
}

/// Sends mail.
#[derive(Clone)]
pub struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

/// Why mail cannot be sent at all.
#[derive(Debug, thiserror::Error)]
pub enum MailerError {
    /// The sender.
    #[error("{0:?} is no address for mail")]
    Sender(String),
    /// The certificates of an authority.
    #[error("this is no certificate (PEM)")]
    Authority,
    /// The TLS library.
    #[error("TLS cannot be used: {0}")]
    Tls(String),
}

/// Why one was not sent. It holds no address and no password.
#[derive(Debug, thiserror::Error)]
pub enum NotSent {
    /// An address that mail cannot be sent to.
    #[error("this is no address for mail")]
    Address,
    /// The server refused it, for good or for now.
    #[error("the mail server refused it{}: {reply}", shown(.code))]
    Refused {
        /// SMTP's, if there was one.
        code: Option<u16>,
        /// What it said.
        reply: String,
    },
    /// There was no server, or not the one that was meant.
    #[error("the mail server cannot be reached: {0}")]
    Unreachable(String),
}

fn shown(code: &Option<u16>) -> String {
    code.map(|code| format!(" ({code})")).unwrap_or_default()
}

/// RFC 3834: nobody's absence is to be answered.
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }
    fn parse(_: &str) -> Result<Self, Box<dyn Error + Send + Sync>> {
        Ok(Self)
    }
    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

impl Mailer {
    /// Through this server, from this address; trusting also these authorities (PEM).
    ///
    /// # Errors
    /// What of it cannot be used.
    pub fn new(
        server: &Server,
        password: Option<String>,
        from: &str,
        authority: Option<&[u8]>,
    ) -> Result<Self, MailerError> {
        let from = from.parse().map_err(|_| MailerError::Sender(from.to_owned()))?;
        let mut transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&server.host)
            .port(server.port)
            .timeout(Some(PATIENCE));
        if server.is_encrypted() {
            let mut tls = TlsParameters::builder(server.host.clone());
            if let Some(pem) = authority {
                let authority = Certificate::from_pem(pem).map_err(|_| MailerError::Authority)?;
                tls = tls.add_root_certificate(authority);
            }
            let tls = tls.build_rustls().map_err(|e| MailerError::Tls(e.to_string()))?;
            transport = transport.tls(match server.from_the_first_byte {
                true => Tls::Wrapper(tls),
                false => Tls::Required(tls),
            });
        }
        if let (Some(user), Some(password)) = (&server.user, password) {
            transport = transport.credentials(Credentials::new(user.clone(), password));
        }
        Ok(Self { transport: transport.build(), from })
    }

    /// Sends to one address.
    ///
    /// # Errors
    /// If the server did not take it. It may have, if the connection broke off in between.
    pub async fn send(&self, to: &str, letter: &Letter) -> Result<(), NotSent> {
        let to: Mailbox = to.parse().map_err(|_| NotSent::Address)?;
        let message = Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(letter.subject.clone())
            .header(AutoSubmitted)
            .singlepart(SinglePart::plain(letter.text.clone()))
            .map_err(|_| NotSent::Address)?;
        self.transport.send(message).await.map(drop).map_err(|error| {
            let told = error.source().map(ToString::to_string).unwrap_or_default();
            match error.status() {
                Some(code) => NotSent::Refused { code: Some(code.into()), reply: told },
                None if error.is_client() => {
                    NotSent::Refused { code: None, reply: error.to_string() }
                }
                None => {
                    NotSent::Unreachable(if told.is_empty() { error.to_string() } else { told })
                }
            }
        })
    }
}
