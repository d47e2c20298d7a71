//! What a client gets, by what its credential is for.

use rollcall_domain::credential::Purpose;
use rollcall_door::access_token::SCOPE;

/// One kind of client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Face {
    /// The scope of its tokens.
    pub scope: &'static str,
}

impl Face {
    /// That of a purpose; none if nothing is got by tokens for it.
    pub fn of(purpose: Purpose) -> Option<Self> {
        match purpose {
            Purpose::Scim => Some(Self { scope: SCOPE }),
            Purpose::Audit | Purpose::Administration | Purpose::Operation | Purpose::Feed => None,
        }
    }

    /// Whether what is asked for is what this client gets. Entra's field can hold
    /// `api://…/.default`, which means whatever there is.
    pub fn grants(self, asked: Option<&str>) -> bool {
        asked.is_none_or(|asked| {
            let default = asked.starts_with("api://") && asked.ends_with("/.default");
            asked == self.scope || default && !asked.contains(' ')
        })
    }
}
