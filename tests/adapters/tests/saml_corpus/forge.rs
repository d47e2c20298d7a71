//! Keys, an identity provider, a service provider, and the tools of a forger.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use rollcall_domain::saml::{Assertion, Reason, Refusal};
use rollcall_entra::idp::{
    Application, Hash, IdentityProvider, Person, SigningKey, SigningOption, Style, Token, sign,
};
use rollcall_saml::{Connection, Expected, KeyPair, Policy, ServiceProvider, keys, metadata};
use rollcall_tests::clock;
use rollcall_tests::processor::time_of_this_thread;
use std::net::TcpListener;
use std::sync::OnceLock;
use std::time::Duration;

pub const ENTITY: &str = "https://rollcall.example/saml/example";
pub const ACS: &str = "https://rollcall.example/saml/example/acs";
pub const SLO: &str = "https://rollcall.example/saml/example/logout";
pub const TENANT: &str = "7c9e6679-7425-40de-944b-e07fc1f90ae7";
pub const OTHER_TENANT: &str = "11111111-7425-40de-944b-e07fc1f90ae7";
/// No message may keep a processor busy for longer; most take a hundredth of this.
const PATIENCE: Duration = Duration::from_secs(1);

/// A message, and why it must be refused.
#[derive(Clone)]
pub struct Case {
    pub name: &'static str,
    pub reason: Reason,
    pub field: String,
    /// For whom, if not for the usual service provider.
    pub against: Option<Connection>,
}

impl Case {
    /// A message given as XML.
    pub fn new(name: &'static str, reason: Reason, xml: impl AsRef<[u8]>) -> Self {
        Self { name, reason, field: STANDARD.encode(xml), against: None }
    }

    /// A form field as it is.
    pub fn field(name: &'static str, reason: Reason, field: impl Into<String>) -> Self {
        Self { name, reason, field: field.into(), against: None }
    }

    /// The same for a service provider of its own.
    pub fn against(mut self, connection: Connection) -> Self {
        self.against = Some(connection);
        self
    }

    /// The same where sign-in may begin at the identity provider.
    pub fn where_idp_may_begin(self, forge: &Forge) -> Self {
        self.against(forge.connection(Policy { allow_idp_initiated: true, ..Policy::default() }))
    }
}

/// Keys are slow to make, so they are made once for each run.
struct Keys {
    idp: SigningKey,
    successor: SigningKey,
    attacker: SigningKey,
    ours: KeyPair,
    former: KeyPair,
}

fn the_keys() -> &'static Keys {
    static KEYS: OnceLock<Keys> = OnceLock::new();
    KEYS.get_or_init(|| {
        let now = now();
        let key = || SigningKey::generate(now - TimeDelta::days(1), 1095).expect("a key");
        Keys {
            idp: key(),
            successor: key(),
            attacker: key(),
            ours: keys::generate("Rollcall", now, 365).expect("a key"),
            former: keys::generate("Rollcall", now - TimeDelta::days(400), 500).expect("a key"),
        }
    })
}

/// In whole seconds, as messages are written by hand.
fn now() -> DateTime<Utc> {
    clock::now().trunc_subsecs(0)
}

/// Everything that is needed to make a message.
pub struct Forge {
    pub now: DateTime<Utc>,
    pub idp: IdentityProvider,
    pub person: Person,
    /// The request that the browser has made.
    pub request: String,
    /// Where a careless parser would fetch something.
    listener: TcpListener,
}

impl Forge {
    pub fn new() -> Self {
        let person = Person {
            object_id: "0b1b9b1e-7f0c-4b6a-9d6a-2f2f5a4a7a10".to_owned(),
            user_principal_name: "ada.keller@contoso.example".to_owned(),
            mail: "ada.keller@contoso.example".to_owned(),
            given_name: "Ada".to_owned(),
            surname: "Keller".to_owned(),
            display_name: "Ada Keller".to_owned(),
            groups: vec!["c2e1b5a0-3f5e-4f4b-8a55-6d5f3a0f0001".to_owned()],
            ..Person::default()
        };
        let application = Application {
            app_id: "5f0c7b3e-0000-4000-8000-000000000001".to_owned(),
            entity_id: ENTITY.to_owned(),
            reply_urls: vec![ACS.to_owned()],
            logout_url: Some(SLO.to_owned()),
        };
        let idp = IdentityProvider {
            tenant_id: TENANT.to_owned(),
            base_url: "https://login.microsoftonline.com".to_owned(),
            application,
            keys: vec![the_keys().idp.clone(), the_keys().successor.clone()],
            active: 0,
            signing: SigningOption::Assertion,
            hash: Hash::Sha256,
            encrypt_for: None,
            people: vec![person.clone()],
        };
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.set_nonblocking(true).expect("not blocking");
        Self { now: now(), idp, person, request: id(), listener }
    }

    pub fn attacker(&self) -> &'static SigningKey {
        &the_keys().attacker
    }

    pub fn key(&self) -> &'static SigningKey {
        &the_keys().idp
    }

    /// Our own keys: the current one and the one before.
    pub fn ours(&self) -> [KeyPair; 2] {
        [the_keys().ours.clone(), the_keys().former.clone()]
    }

    /// An address on which a connection would be noticed.
    pub fn trap(&self) -> String {
        format!("http://{}/trap", self.listener.local_addr().expect("an address"))
    }

    pub fn assert_no_connection(&self) {
        let error = self.listener.accept().expect_err("somebody has opened a connection");
        assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock);
    }

    /// What the service provider is put together from: the metadata goes through its parser.
    pub fn connection(&self, policy: Policy) -> Connection {
        let document = self.idp.metadata(&id()).expect("metadata");
        Connection {
            entity_id: ENTITY.to_owned(),
            acs_url: ACS.to_owned(),
            slo_url: SLO.to_owned(),
            keys: self.ours().to_vec(),
            idp: metadata::parse(&document, self.now).expect("usable metadata").settings,
            policy,
        }
    }

    pub fn sp(&self) -> ServiceProvider {
        ServiceProvider::new(self.connection(Policy::default())).expect("a service provider")
    }

    /// What a login would say, in answer to the browser's request.
    pub fn token(&self) -> Token {
        self.idp.token(&self.person, Some(&self.request), None, self.now, id)
    }

    /// What a tile in My Apps would send.
    pub fn unsolicited(&self) -> Token {
        self.idp.token(&self.person, None, None, self.now, id)
    }

    /// A good response, as the identity provider is set up.
    pub fn good(&self) -> String {
        self.idp.issue(&self.token()).expect("a response")
    }

    /// The same with an option for what is signed.
    pub fn good_with(&self, signing: SigningOption) -> String {
        self.idp_signing(signing, &self.token())
    }

    /// A given token under an option for what is signed.
    pub fn idp_signing(&self, signing: SigningOption, token: &Token) -> String {
        IdentityProvider { signing, ..self.idp.clone() }.issue(token).expect("a response")
    }

    /// Signs the element with an id as the identity provider would.
    pub fn sign(&self, xml: &str, id: &str) -> String {
        self.sign_with(xml, id, self.key(), true)
    }

    pub fn sign_with(&self, xml: &str, id: &str, key: &SigningKey, key_info: bool) -> String {
        let certificate = key.certificate_base64().expect("a certificate");
        let style = Style {
            hash: Hash::Sha256,
            certificate: key_info.then_some(certificate.as_str()),
            prefix: "",
            prefix_list: "",
        };
        sign::sign(xml, id, key, &style).expect("a signed document")
    }

    /// A response around an assertion that is changed before the identity provider signs it.
    pub fn changed(&self, token: &Token, change: impl Fn(String) -> String) -> String {
        let before = token.assertion_xml();
        let after = change(before.clone());
        assert_ne!(before, after, "the change has changed nothing");
        token.response_xml(&self.sign(&after, &token.assertion_id))
    }

    /// The same for one replacement.
    pub fn replaced(&self, token: &Token, from: &str, to: &str) -> String {
        self.changed(token, |xml| xml.replacen(from, to, 1))
    }

    pub fn read_with(&self, sp: &ServiceProvider, field: &str) -> Result<Assertion, Refusal> {
        let begun = time_of_this_thread();
        let read = sp.read_response(field, Expected { now: self.now, requests: &[&self.request] });
        let worked = time_of_this_thread() - begun;
        assert!(worked < PATIENCE, "took {worked:?}");
        read
    }

    /// Whether a case ends as it should; else what happened.
    pub fn verdict(&self, case: &Case) -> Result<(), String> {
        let connection = case.against.clone().unwrap_or_else(|| self.connection(Policy::default()));
        let sp = ServiceProvider::new(connection).expect("a service provider");
        match self.read_with(&sp, &case.field) {
            Ok(_) => Err(format!("{}: ACCEPTED, expected {}", case.name, case.reason)),
            Err(refusal) if refusal.reason == case.reason => Ok(()),
            Err(refusal) => Err(format!("{}: expected {}, was {refusal}", case.name, case.reason)),
        }
    }
}

/// A fresh id.
pub fn id() -> String {
    let mut bytes = [0; 16];
    openssl::rand::rand_bytes(&mut bytes).expect("randomness");
    bytes.iter().fold("_".to_owned(), |id, byte| format!("{id}{byte:02x}"))
}

/// Puts something before the first occurrence of a mark, which must be there.
pub fn before(xml: &str, mark: &str, what: &str) -> String {
    let at = xml.find(mark).unwrap_or_else(|| panic!("no {mark}"));
    format!("{}{what}{}", &xml[..at], &xml[at..])
}

/// Puts something after the first occurrence of a mark, which must be there.
pub fn after(xml: &str, mark: &str, what: &str) -> String {
    let at = xml.find(mark).unwrap_or_else(|| panic!("no {mark}")) + mark.len();
    format!("{}{what}{}", &xml[..at], &xml[at..])
}

/// What lies from one mark to another, both included.
pub fn between<'a>(xml: &'a str, from: &str, to: &str) -> &'a str {
    let start = xml.find(from).unwrap_or_else(|| panic!("no {from}"));
    let inside = start + from.len();
    let end = xml[inside..].find(to).unwrap_or_else(|| panic!("no {to}")) + inside + to.len();
    &xml[start..end]
}

/// Replaces what must be there.
pub fn swap(xml: &str, from: &str, to: &str) -> String {
    assert!(xml.contains(from), "no {from}");
    xml.replacen(from, to, 1)
}
