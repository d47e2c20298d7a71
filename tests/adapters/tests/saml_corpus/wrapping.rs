//! Wrapping: the signed element is still there, and another one is where a reader looks.

use crate::forge::{Case, Forge, after, before, between, id, swap};
use rollcall_domain::saml::Reason;
use rollcall_entra::idp::{SigningOption, Token};

const ASSERTION: &str = "urn:oasis:names:tc:SAML:2.0:assertion";

pub fn cases(forge: &Forge) -> Vec<Case> {
    [xsw(forge), donors(forge), ids(forge), documents(forge)].concat()
}

/// What the attacker wants to be.
fn evil(forge: &Forge) -> Token {
    let mut token = forge.token();
    token.name_id = "eve.mallory@contoso.example".to_owned();
    token
}

/// The eight classes of Somorovsky et al. (2012), and what came after them.
fn xsw(forge: &Forge) -> Vec<Case> {
    let token = forge.token();
    let bad = evil(forge);
    let signed = forge.sign(&token.assertion_xml(), &token.assertion_id);
    let signature = between(&signed, "<Signature ", "</Signature>").to_owned();
    let plain = swap(&signed, &signature, "");
    let mallory = bad.assertion_xml();
    let whole = forge.idp_signing(SigningOption::Response, &token);
    let outer = between(&whole, "<Signature ", "</Signature>").to_owned();
    let bare = swap(&whole, &outer, "");
    let two = |name, xml: String| Case::new(name, Reason::AssertionCount, xml);
    vec![
        two("wrapping 1: the real response in the signature of another", {
            let signature = before(&outer, "</Signature>", &format!("<Object>{bare}</Object>"));
            after(&bad.response_xml(&mallory), "</Issuer>", &signature)
        }),
        two(
            "wrapping 2: the real response before the signature",
            after(&bad.response_xml(&mallory), "</Issuer>", &format!("{bare}{outer}")),
        ),
        two(
            "wrapping 3: another assertion before the real one",
            token.response_xml(&format!("{mallory}{signed}")),
        ),
        two(
            "wrapping 3b: another assertion after the real one",
            token.response_xml(&format!("{signed}{mallory}")),
        ),
        two(
            "wrapping 4: the real assertion in another",
            token.response_xml(&before(&mallory, "</Assertion>", &signed)),
        ),
        two("wrapping 5: the signature in another, the real one behind", {
            token.response_xml(&format!("{}{plain}", after(&mallory, "</Issuer>", &signature)))
        }),
        two("wrapping 6: the real assertion in the signature of another", {
            let holding = before(&signature, "</Signature>", &format!("<Object>{plain}</Object>"));
            token.response_xml(&after(&mallory, "</Issuer>", &holding))
        }),
        two("wrapping 7: another assertion in Extensions", {
            after(
                &token.response_xml(&signed),
                "</Issuer>",
                &format!("<samlp:Extensions>{mallory}</samlp:Extensions>"),
            )
        }),
        two("wrapping 8: the real assertion in an object of another's signature", {
            let holding = before(&signature, "</Signature>", &format!("<Object>{plain}</Object>"));
            token.response_xml(
                &after(&mallory, "</Issuer>", &holding).replace(&bad.assertion_id, &id()),
            )
        }),
        two("two assertions, both signed", {
            let second = forge.sign(&mallory, &bad.assertion_id);
            token.response_xml(&format!("{signed}{second}"))
        }),
        two("a signed response in another's Extensions", {
            after(
                &bad.response_xml(&mallory),
                "</Issuer>",
                &format!("<samlp:Extensions>{whole}</samlp:Extensions>"),
            )
        }),
        Case::new("a response in a response", Reason::UnexpectedContent, bad.response_xml(&whole)),
        two("an assertion in an attribute value", {
            forge.replaced(
                &token,
                "<AttributeValue>Ada</AttributeValue>",
                &format!("<AttributeValue>{mallory}</AttributeValue>"),
            )
        }),
        two("an assertion in the status", {
            let detail =
                format!("<samlp:StatusDetail>{mallory}</samlp:StatusDetail></samlp:Status>");
            swap(&token.response_xml(&signed), "</samlp:Status>", &detail)
        }),
        two(
            "an assertion in advice",
            forge.replaced(
                &token,
                "</Conditions>",
                &format!("</Conditions><Advice>{mallory}</Advice>"),
            ),
        ),
        two("no assertion at all", token.response_xml("")),
    ]
}

/// Signatures that the identity provider has made for something else.
fn donors(forge: &Forge) -> Vec<Case> {
    let metadata_id = id();
    let metadata =
        String::from_utf8(forge.idp.metadata(&metadata_id).expect("metadata")).expect("text");
    let of_metadata = between(&metadata, "<Signature ", "</Signature>");
    let mut bad = evil(forge);
    bad.assertion_id.clone_from(&metadata_id);
    let error = bad.failure_xml(50_105, "not assigned");
    let of_error = forge.sign(&error, &bad.response_id);
    let of_error = between(&of_error, "<Signature ", "</Signature>");
    vec![
        Case::new("the signature of metadata", Reason::SignatureInvalid, {
            bad.response_xml(&after(&bad.assertion_xml(), "</Issuer>", of_metadata))
        }),
        Case::new(
            "the signature of a refusal",
            Reason::SignatureInvalid,
            after(&bad.response_xml(&bad.assertion_xml()), "</Issuer>", of_error),
        ),
        Case::new(
            "metadata as a response",
            Reason::UnexpectedDocument,
            metadata.trim_start_matches('\u{feff}'),
        ),
    ]
}

fn ids(forge: &Forge) -> Vec<Case> {
    let token = forge.token();
    let good = forge.good();
    let odd = |name, xml: String| Case::new(name, Reason::Id, xml);
    vec![
        odd(
            "the same id twice",
            swap(
                &good,
                between(&good, "<samlp:Response ID=\"", "\""),
                &format!(
                    "<samlp:Response ID=\"{}\"",
                    between(&good, "<Assertion ID=\"", "\"")
                        .trim_start_matches("<Assertion ID=\"")
                        .trim_end_matches('"')
                ),
            ),
        ),
        odd(
            "an id with a blank",
            token
                .response_xml(&forge.sign(&token.assertion_xml(), &token.assertion_id))
                .replace(&token.response_id, "_a b"),
        ),
        odd(
            "an id that begins with a digit",
            token
                .response_xml(&forge.sign(&token.assertion_xml(), &token.assertion_id))
                .replace(&token.response_id, "1abc"),
        ),
        odd(
            "an empty id",
            swap(&good, between(&good, "<samlp:Response ID=\"", "\""), "<samlp:Response ID=\"\""),
        ),
        odd("no id of the response", swap(&good, between(&good, " ID=\"", "\""), "")),
        odd("no id of the assertion", {
            let xml = token.assertion_xml();
            token.response_xml(&swap(&xml, &format!(" ID=\"{}\"", token.assertion_id), ""))
        }),
        odd(
            "an id in a namespace",
            swap(
                &good,
                "<Subject>",
                "<Subject xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" samlp:ID=\"_x\">",
            ),
        ),
        odd("an xml:id", swap(&good, "<Subject>", "<Subject xml:id=\"_x\">")),
        odd("an id by another name with the same value", {
            let id = between(&good, "<Assertion ID=\"", "\"")
                .trim_start_matches("<Assertion ID=\"")
                .trim_end_matches('"')
                .to_owned();
            swap(&good, "<Subject>", &format!("<Subject Id=\"{id}\">"))
        }),
    ]
}

fn documents(forge: &Forge) -> Vec<Case> {
    let token = forge.token();
    let good = forge.good();
    let signed = forge.sign(&token.assertion_xml(), &token.assertion_id);
    let logout = format!(
        "<samlp:LogoutRequest ID=\"{}\" Version=\"2.0\" xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\"></samlp:LogoutRequest>",
        id()
    );
    vec![
        Case::new("a bare assertion", Reason::UnexpectedDocument, &signed),
        Case::new("an artifact response", Reason::UnexpectedDocument, {
            format!(
                "<p:ArtifactResponse xmlns:p=\"urn:oasis:names:tc:SAML:2.0:protocol\">{good}</p:ArtifactResponse>"
            )
        }),
        Case::new("an envelope", Reason::UnexpectedDocument, {
            format!(
                "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body>{good}</s:Body></s:Envelope>"
            )
        }),
        Case::new("a logout request", Reason::UnexpectedDocument, logout),
        Case::new(
            "a response of SAML 1",
            Reason::Namespace,
            good.replace(
                "urn:oasis:names:tc:SAML:2.0:protocol",
                "urn:oasis:names:tc:SAML:1.0:protocol",
            ),
        ),
        Case::new(
            "an assertion of SAML 1",
            Reason::Namespace,
            good.replace(ASSERTION, "urn:oasis:names:tc:SAML:1.0:assertion"),
        ),
        Case::new(
            "an assertion of nobody",
            Reason::Namespace,
            good.replace(&format!(" xmlns=\"{ASSERTION}\""), ""),
        ),
        Case::new("an assertion of somebody else beside the real one", Reason::Namespace, {
            before(
                &good,
                "</samlp:Response>",
                &evil(forge).assertion_xml().replace(ASSERTION, "urn:example:assertion"),
            )
        }),
        Case::new(
            "the assertion in something foreign",
            Reason::UnexpectedContent,
            token.response_xml(&format!("<x:box xmlns:x=\"urn:x\">{signed}</x:box>")),
        ),
        Case::new(
            "something foreign behind the assertion",
            Reason::UnexpectedContent,
            before(&good, "</samlp:Response>", "<x:y xmlns:x=\"urn:x\"></x:y>"),
        ),
        Case::new("something foreign in the assertion", Reason::UnexpectedContent, {
            forge.replaced(
                &token,
                "</AuthnStatement>",
                "</AuthnStatement><x:y xmlns:x=\"urn:x\"></x:y>",
            )
        }),
        Case::new(
            "text beside the assertion",
            Reason::UnexpectedContent,
            before(&good, "</samlp:Response>", "eve"),
        ),
        Case::new(
            "an attribute of the response that SAML does not have",
            Reason::UnexpectedContent,
            swap(&good, "<samlp:Response ", "<samlp:Response Trust=\"me\" "),
        ),
        Case::new(
            "harmless Extensions",
            Reason::UnexpectedContent,
            after(&good, "</Issuer>", "<samlp:Extensions></samlp:Extensions>"),
        ),
        Case::new(
            "two issuers of the response",
            Reason::UnexpectedContent,
            after(&good, "</Issuer>", &format!("<Issuer xmlns=\"{ASSERTION}\">evil</Issuer>")),
        ),
        Case::new(
            "empty advice",
            Reason::UnexpectedContent,
            forge.replaced(&token, "</Conditions>", "</Conditions><Advice></Advice>"),
        ),
    ]
}
