//! Workload identity federation: a tenant of Entra signs for its provisioning service, and needs
//! no secret of ours.

use super::Proof;
use uuid::Uuid;

/// Where Microsoft's clouds sign: the public one, that of the US government, and 21Vianet's in
/// China.
pub const AUTHORITIES: [&str; 3] = [
    "https://login.microsoftonline.com",
    "https://login.microsoftonline.us",
    "https://login.partner.microsoftonline.cn",
];

/// What names an issuer of Entra's second version behind its tenant.
const ISSUER_END: &str = "/v2.0";

/// A trust in the tokens that a tenant makes for one of its principals and our application.
///
/// Entra writes the audience in three ways, and changes between them without notice: the
/// application's `api://` name, the same with our host behind it, and the bare id. A trust holds
/// all three, exactly.
pub fn trust(
    authority: &str,
    tenant: Uuid,
    subject: Uuid,
    application: Uuid,
    host: &str,
    authorized_party: Option<String>,
) -> Proof {
    let host = host.strip_prefix("www.").unwrap_or(host);
    Proof::Federated {
        issuer: format!("{}/{tenant}{ISSUER_END}", authority.trim_end_matches('/')),
        tenant: tenant.to_string(),
        subject: subject.to_string(),
        audiences: vec![
            format!("api://{application}"),
            format!("api://{application}/{host}"),
            application.to_string(),
        ],
        authorized_party,
    }
}

/// Where an issuer's keys are.
pub fn keys_url(issuer: &str) -> String {
    format!("{}/discovery/v2.0/keys", issuer.strip_suffix(ISSUER_END).unwrap_or(issuer))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trust_holds_the_three_shapes_of_the_audience() {
        let [tenant, subject, application] = [1, 2, 3].map(Uuid::from_u128);
        let host = "www.rollcall.example";
        let proof = trust(AUTHORITIES[0], tenant, subject, application, host, None);
        let Proof::Federated { issuer, audiences, .. } = proof else { panic!("{proof:?}") };
        assert_eq!(issuer, format!("https://login.microsoftonline.com/{tenant}/v2.0"));
        assert_eq!(
            keys_url(&issuer),
            format!("https://login.microsoftonline.com/{tenant}/discovery/v2.0/keys")
        );
        let id = application.to_string();
        assert_eq!(audiences, [format!("api://{id}"), format!("api://{id}/rollcall.example"), id]);
    }
}
