//! Messages that the identity provider has signed and that are not for us, not now, or not whole.

use crate::forge::{ACS, Case, ENTITY, Forge, OTHER_TENANT, between, id, swap};
use chrono::TimeDelta;
use rollcall_domain::saml::Reason;
use rollcall_entra::idp::{SigningOption, Token};
use rollcall_saml::Policy;

pub fn cases(forge: &Forge) -> Vec<Case> {
    [
        times(forge),
        audiences(forge),
        recipients(forge),
        issuers(forge),
        requests(forge),
        statuses(forge),
        statements(forge),
        outdated(forge),
    ]
    .concat()
}

/// A token changed before it is signed.
fn issued(forge: &Forge, change: impl Fn(&mut Token)) -> String {
    let mut token = forge.token();
    change(&mut token);
    forge.idp.issue(&token).expect("a response")
}

fn times(forge: &Forge) -> Vec<Case> {
    let now = forge.now;
    let minutes = TimeDelta::minutes;
    let token = forge.token();
    let stamp = between(&token.assertion_xml(), "IssueInstant=\"", "\"").to_owned();
    let instant =
        |value: &str| forge.replaced(&token, &stamp, &format!("IssueInstant=\"{value}\""));
    let response_instant = {
        let good = forge.good();
        let stamp = between(&good, "IssueInstant=\"", "\"").to_owned();
        move |value: &str| swap(&good, &stamp, value)
    };
    vec![
        Case::new(
            "issued an hour ago",
            Reason::IssueInstant,
            issued(forge, |t| t.issued_at = now - minutes(60)),
        ),
        Case::new(
            "issued in ten minutes",
            Reason::IssueInstant,
            issued(forge, |t| t.issued_at = now + minutes(10)),
        ),
        Case::new(
            "a response from yesterday around a new assertion",
            Reason::IssueInstant,
            response_instant("IssueInstant=\"2020-01-01T00:00:00Z\""),
        ),
        Case::new("a response without its instant", Reason::IssueInstant, response_instant("")),
        Case::new("no instant", Reason::IssueInstant, forge.replaced(&token, &stamp, "")),
        Case::new("an instant in words", Reason::IssueInstant, instant("yesterday")),
        Case::new(
            "an instant in another zone",
            Reason::IssueInstant,
            instant(&now.to_rfc3339().replace("+00:00", "+02:00")),
        ),
        Case::new(
            "an instant without a zone",
            Reason::IssueInstant,
            instant(&now.naive_utc().format("%Y-%m-%dT%H:%M:%S").to_string()),
        ),
        Case::new(
            "a day that does not exist",
            Reason::IssueInstant,
            instant("2026-02-30T00:00:00Z"),
        ),
        Case::new(
            "conditions that have ended",
            Reason::Expired,
            issued(forge, |t| {
                t.not_before = now - minutes(80);
                t.not_on_or_after = now - minutes(10);
            }),
        ),
        Case::new(
            "conditions that have not begun",
            Reason::NotYetValid,
            issued(forge, |t| t.not_before = now + minutes(10)),
        ),
        Case::new(
            "a confirmation that has ended",
            Reason::Expired,
            issued(forge, |t| t.confirmed_until = now - minutes(10)),
        ),
        Case::new(
            "conditions that end before they begin",
            Reason::Conditions,
            issued(forge, |t| t.not_before = t.not_on_or_after),
        ),
        Case::new(
            "conditions for ten years",
            Reason::Conditions,
            issued(forge, |t| t.not_on_or_after = now + TimeDelta::days(3650)),
        ),
        Case::new("no end of the conditions", Reason::Conditions, {
            forge.changed(&token, |xml| {
                let (subject, rest) = xml.split_at(xml.find("<Conditions").expect("conditions"));
                format!("{subject}{}", swap(rest, between(rest, " NotOnOrAfter=\"", "\""), ""))
            })
        }),
        Case::new(
            "no beginning of the conditions",
            Reason::Conditions,
            forge.changed(&token, |xml| swap(&xml, between(&xml, " NotBefore=\"", "\""), "")),
        ),
        Case::new(
            "a sign-in in the future",
            Reason::AuthnStatement,
            issued(forge, |t| t.authn_instant = now + minutes(10)),
        ),
        Case::new("a session that has ended", Reason::SessionEnded, {
            forge.replaced(
                &token,
                " SessionIndex=",
                " SessionNotOnOrAfter=\"2020-01-01T00:00:00Z\" SessionIndex=",
            )
        }),
    ]
}

fn audiences(forge: &Forge) -> Vec<Case> {
    let token = forge.token();
    let for_whom = |name, audience: &str| {
        Case::new(name, Reason::Audience, issued(forge, |t| t.audience = audience.to_owned()))
    };
    let restriction =
        format!("<AudienceRestriction><Audience>{ENTITY}</Audience></AudienceRestriction>");
    let other =
        "<AudienceRestriction><Audience>https://other.example</Audience></AudienceRestriction>";
    let conditions =
        |name, reason, to: &str| Case::new(name, reason, forge.replaced(&token, &restriction, to));
    let assertion = token.assertion_xml();
    let whole = between(&assertion, "<Conditions", "</Conditions>");
    vec![
        for_whom("for another application", "https://other.example"),
        for_whom("for one whose name begins with ours", &format!("{ENTITY}.evil.example")),
        for_whom("for one whose name ours begins with", &ENTITY[..ENTITY.len() - 1]),
        for_whom("for us with a slash", &format!("{ENTITY}/")),
        for_whom("for us in capitals", &ENTITY.to_uppercase()),
        for_whom("for us as a service principal", &format!("spn:{ENTITY}")),
        for_whom("for nobody by name", ""),
        conditions("for everybody", Reason::Audience, ""),
        conditions(
            "for an empty audience",
            Reason::Audience,
            "<AudienceRestriction></AudienceRestriction>",
        ),
        conditions(
            "for us and, in another restriction, for somebody else",
            Reason::Audience,
            &format!("{restriction}{other}"),
        ),
        conditions(
            "for somebody else and, in another restriction, for us",
            Reason::Audience,
            &format!("{other}{restriction}"),
        ),
        conditions(
            "an unknown condition",
            Reason::Conditions,
            &format!("{restriction}<x:Weather xmlns:x=\"urn:x\"></x:Weather>"),
        ),
        conditions(
            "a condition by type",
            Reason::Conditions,
            &format!("{restriction}<Condition></Condition>"),
        ),
        Case::new("no conditions", Reason::Conditions, forge.replaced(&token, whole, "")),
        Case::new(
            "two conditions",
            Reason::UnexpectedContent,
            forge.replaced(&token, whole, &format!("{whole}{whole}")),
        ),
    ]
}

fn recipients(forge: &Forge) -> Vec<Case> {
    let token = forge.token();
    let recipient = format!(" Recipient=\"{ACS}\"");
    let to = |name, url: &str| {
        Case::new(
            name,
            Reason::Recipient,
            forge.replaced(&token, &recipient, &format!(" Recipient=\"{url}\"")),
        )
    };
    let assertion = token.assertion_xml();
    let confirmation =
        between(&assertion, "<SubjectConfirmation ", "</SubjectConfirmation>").to_owned();
    let data = between(&assertion, "<SubjectConfirmationData", "/>").to_owned();
    let confirmed = |name, to: &str| {
        Case::new(name, Reason::Confirmation, forge.replaced(&token, &confirmation, to))
    };
    let good = forge.good();
    let destination = format!(" Destination=\"{ACS}\"");
    let sent = |name, to: &str| Case::new(name, Reason::Destination, swap(&good, &destination, to));
    let signed_without = |attribute: &str| {
        let inside = forge.sign(&token.assertion_xml(), &token.assertion_id);
        forge.sign(&swap(&token.response_xml(&inside), attribute, ""), &token.response_id)
    };
    vec![
        to("confirmed for somebody else", "https://other.example/acs"),
        to("confirmed for one whose address begins with ours", &format!("{ACS}.evil.example")),
        to(
            "confirmed for one whose address ours begins with",
            "https://rollcall.example/saml/example/ac",
        ),
        to("confirmed for us without TLS", &ACS.replace("https", "http")),
        Case::new(
            "confirmed for nobody",
            Reason::Recipient,
            forge.replaced(&token, &recipient, ""),
        ),
        confirmed("no confirmation", ""),
        confirmed("a confirmation by key", &confirmation.replace("cm:bearer", "cm:holder-of-key")),
        confirmed("a confirmation without data", &confirmation.replace(&data, "")),
        confirmed("a confirmation with data twice", &confirmation.replace(&data, &data.repeat(2))),
        confirmed(
            "a confirmation that begins later",
            &swap(
                &confirmation,
                "<SubjectConfirmationData ",
                "<SubjectConfirmationData NotBefore=\"2020-01-01T00:00:00Z\" ",
            ),
        ),
        confirmed(
            "a confirmation without end",
            &swap(&confirmation, between(&confirmation, "NotOnOrAfter=\"", "\""), ""),
        ),
        Case::new("a key in the confirmation", Reason::UnexpectedContent, {
            let info = "<KeyInfo xmlns=\"http://www.w3.org/2000/09/xmldsig#\"></KeyInfo></SubjectConfirmationData>";
            forge.replaced(&token, &data, &format!("{}>{info}", data.trim_end_matches("/>")))
        }),
        sent("sent to somebody else", " Destination=\"https://other.example/acs\""),
        sent("sent to one whose address begins with ours", &format!(" Destination=\"{ACS}/more\"")),
        sent("sent to an empty address", " Destination=\"\""),
        Case::new("signed and sent to nobody", Reason::Destination, signed_without(&destination)),
        Case::new("signed without an issuer of the response", Reason::Issuer, {
            let issuer = format!(
                "<Issuer xmlns=\"urn:oasis:names:tc:SAML:2.0:assertion\">{}</Issuer>",
                forge.idp.entity_id()
            );
            signed_without(&issuer)
        }),
    ]
}

fn issuers(forge: &Forge) -> Vec<Case> {
    let token = forge.token();
    let good = forge.good();
    let entity = forge.idp.entity_id();
    let by = |name, issuer: &str| {
        Case::new(
            name,
            Reason::Issuer,
            forge.replaced(
                &token,
                &format!("<Issuer>{entity}</Issuer>"),
                &format!("<Issuer>{issuer}</Issuer>"),
            ),
        )
    };
    let other = format!("https://sts.windows.net/{OTHER_TENANT}/");
    vec![
        by("issued by another tenant", &other),
        by("issued by us without the slash", entity.trim_end_matches('/')),
        by(
            "issued under the address of the sign-in page",
            &format!("https://login.microsoftonline.com/{}/", forge.idp.tenant_id),
        ),
        by("issued by nobody", ""),
        Case::new(
            "no issuer",
            Reason::Issuer,
            forge.replaced(&token, &format!("<Issuer>{entity}</Issuer>"), ""),
        ),
        Case::new("an issuer that is a mail address", Reason::Issuer, {
            forge.replaced(
                &token,
                "<Issuer>",
                "<Issuer Format=\"urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress\">",
            )
        }),
        Case::new("a response of another tenant around ours", Reason::Issuer, {
            let mine = format!("\">{entity}</Issuer>");
            swap(&good, &mine, &format!("\">{other}</Issuer>"))
        }),
        Case::new(
            "about another tenant",
            Reason::Tenant,
            issued(forge, |t| t.attributes[0].1 = vec![OTHER_TENANT.to_owned()]),
        ),
        Case::new(
            "about two tenants",
            Reason::Attributes,
            issued(forge, |t| t.attributes[0].1.push(OTHER_TENANT.to_owned())),
        ),
    ]
}

fn requests(forge: &Forge) -> Vec<Case> {
    let good = forge.good();
    let own = format!(" InResponseTo=\"{}\"", forge.request);
    let other = id();
    let stranger = issued(forge, |t| t.in_response_to = Some(other.clone()));
    let tile = forge.idp.issue(&forge.unsolicited()).expect("a response");
    let token = forge.token();
    let inner = format!("InResponseTo=\"{}\" ", forge.request);
    let unbound = forge.replaced(&token, &inner, "");
    vec![
        Case::new("an answer to somebody else", Reason::UnknownRequest, &stranger),
        Case::new(
            "an answer to somebody else where the provider may begin",
            Reason::UnknownRequest,
            &stranger,
        )
        .where_idp_may_begin(forge),
        Case::new("an answer to nobody", Reason::Unsolicited, &tile),
        Case::new("an answer made to look unasked", Reason::Unsolicited, swap(&good, &own, "")),
        Case::new(
            "an answer made to look unasked where the provider may begin",
            Reason::UnknownRequest,
            swap(&good, &own, ""),
        )
        .where_idp_may_begin(forge),
        Case::new(
            "a tile made to look like an answer",
            Reason::UnknownRequest,
            swap(&tile, " Destination=", &format!("{own} Destination=")),
        ),
        Case::new(
            "a tile made to look like an answer where the provider may begin",
            Reason::UnknownRequest,
            swap(&tile, " Destination=", &format!("{own} Destination=")),
        )
        .where_idp_may_begin(forge),
        Case::new("a confirmation that names no request", Reason::UnknownRequest, unbound),
        Case::new(
            "a stolen answer with our request's id outside",
            Reason::UnknownRequest,
            swap(&stranger, &format!(" InResponseTo=\"{other}\""), &own),
        ),
        Case::new(
            "an empty request id",
            Reason::UnknownRequest,
            swap(&good, &own, " InResponseTo=\"\""),
        ),
    ]
}

fn statuses(forge: &Forge) -> Vec<Case> {
    let token = forge.token();
    let good = forge.good();
    let success = "<samlp:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:Success\"/>";
    let status = |name, to: &str| Case::new(name, Reason::IdpStatus, swap(&good, success, to));
    let failed = "urn:oasis:names:tc:SAML:2.0:status:Responder";
    let code = |value: &str, inner: &str| {
        format!("<samlp:StatusCode Value=\"{value}\">{inner}</samlp:StatusCode>")
    };
    vec![
        Case::new(
            "not assigned",
            Reason::IdpStatus,
            token.failure_xml(50_105, "The signed in user is not assigned"),
        ),
        Case::new(
            "signed and failed",
            Reason::IdpStatus,
            forge.sign(&token.failure_xml(75_011, "no"), &token.response_id),
        ),
        status("a failure with an assertion", &code(failed, "")),
        status("success within failure", &code(failed, success)),
        status(
            "failure within success",
            &code("urn:oasis:names:tc:SAML:2.0:status:Success", &code(failed, "")),
        ),
        status("success twice", &format!("{success}{success}")),
        status("no code", ""),
        status("a code without a value", "<samlp:StatusCode/>"),
        status("success in capitals", &code("urn:oasis:names:tc:SAML:2.0:status:SUCCESS", "")),
        Case::new(
            "no status",
            Reason::IdpStatus,
            swap(&good, &format!("<samlp:Status>{success}</samlp:Status>"), ""),
        ),
        Case::new("a status behind the assertion", Reason::IdpStatus, {
            let status = format!("<samlp:Status>{success}</samlp:Status>");
            swap(
                &swap(&good, &status, ""),
                "</samlp:Response>",
                &format!("{status}</samlp:Response>"),
            )
        }),
    ]
}

fn statements(forge: &Forge) -> Vec<Case> {
    let token = forge.token();
    let assertion = token.assertion_xml();
    let changed = |name, reason, from: &str, to: &str| {
        Case::new(name, reason, forge.replaced(&token, from, to))
    };
    let part = |from: &str, to: &str| between(&assertion, from, to).to_owned();
    let name_id = part("<NameID", "</NameID>");
    let subject = part("<Subject>", "</Subject>");
    let authn = part("<AuthnStatement", "</AuthnStatement>");
    let context = part("<AuthnContext>", "</AuthnContext>");
    let first = part("<Attribute Name", "</Attribute>");
    let oid = format!("<AttributeValue>{}</AttributeValue>", forge.person.object_id);
    let good = forge.good();
    vec![
        Case::new(
            "a response of version 3",
            Reason::Version,
            swap(&good, "Version=\"2.0\"", "Version=\"3.0\""),
        ),
        Case::new("a response of no version", Reason::Version, swap(&good, " Version=\"2.0\"", "")),
        changed(
            "an assertion of version 1.1",
            Reason::Version,
            "Version=\"2.0\"",
            "Version=\"1.1\"",
        ),
        changed("no subject", Reason::Subject, &subject, ""),
        changed("an empty subject", Reason::Subject, &subject, "<Subject></Subject>"),
        changed("no name id", Reason::Subject, &name_id, ""),
        changed("two name ids", Reason::Subject, &name_id, &name_id.repeat(2)),
        changed("an encrypted id", Reason::Subject, &name_id, "<EncryptedID></EncryptedID>"),
        changed("a base id", Reason::Subject, &name_id, "<BaseID></BaseID>"),
        changed("no authentication statement", Reason::AuthnStatement, &authn, ""),
        changed("two authentication statements", Reason::AuthnStatement, &authn, &authn.repeat(2)),
        changed("no context", Reason::AuthnStatement, &context, ""),
        changed("two contexts", Reason::AuthnStatement, &context, &context.repeat(2)),
        changed(
            "something else in the statement",
            Reason::AuthnStatement,
            &context,
            &format!("{context}<x xmlns=\"urn:x\"></x>"),
        ),
        changed(
            "an empty session index",
            Reason::AuthnStatement,
            &format!("SessionIndex=\"{}\"", token.session_index),
            "SessionIndex=\"\"",
        ),
        changed(
            "a decision",
            Reason::UnexpectedContent,
            &authn,
            &format!("{authn}<AuthzDecisionStatement></AuthzDecisionStatement>"),
        ),
        changed("an attribute twice", Reason::Attributes, &first, &first.repeat(2)),
        changed(
            "an attribute without a name",
            Reason::Attributes,
            between(&assertion, "Name=\"", "\""),
            "",
        ),
        changed(
            "an attribute with a blank name",
            Reason::Attributes,
            between(&assertion, "Name=\"", "\""),
            "Name=\" \"",
        ),
        changed(
            "a value that is XML",
            Reason::Attributes,
            &oid,
            "<AttributeValue><x xmlns=\"urn:x\"></x></AttributeValue>",
        ),
        changed("two object ids", Reason::Attributes, &oid, &oid.repeat(2)),
        changed(
            "something else among the attributes",
            Reason::Attributes,
            &first,
            "<EncryptedAttribute></EncryptedAttribute>",
        ),
        changed(
            "something else in an attribute",
            Reason::Attributes,
            &oid,
            "<Audience>x</Audience>",
        ),
    ]
}

/// Everything is right but for the metadata that it rests on.
fn outdated(forge: &Forge) -> Vec<Case> {
    let mut connection = forge.connection(Policy::default());
    connection.idp.valid_until = Some(forge.now - TimeDelta::seconds(1));
    let whole = forge.idp_signing(SigningOption::Both, &forge.token());
    vec![Case::new("metadata of yesterday", Reason::Metadata, whole).against(connection)]
}
