//! Text that two readers could read differently.

use crate::forge::{Case, Forge, swap};
use rollcall_domain::saml::Reason;

pub fn cases(forge: &Forge) -> Vec<Case> {
    let token = forge.token();
    let good = forge.good();
    let upn = forge.person.user_principal_name.clone();
    let split =
        |what: &str| swap(&good, &upn, &format!("ada.keller@contoso.example{what}.evil.example"));
    let named = |name_id: &str| {
        forge.replaced(&token, &format!(">{upn}</NameID>"), &format!(">{name_id}</NameID>"))
    };
    vec![
        // A comment is no part of what is signed: these verify.
        Case::new(
            "a comment in the name id",
            Reason::HiddenText,
            swap(&good, &upn, "ada.keller@contoso.example<!-- -->"),
        ),
        Case::new("a comment that splits the name id", Reason::HiddenText, split("<!---->")),
        Case::new(
            "a comment in an attribute value",
            Reason::HiddenText,
            swap(&good, ">Ada<", ">A<!-- -->da<"),
        ),
        Case::new(
            "a comment in the audience",
            Reason::HiddenText,
            swap(&good, "<Audience>", "<Audience><!-- -->"),
        ),
        Case::new(
            "a comment in a digest",
            Reason::HiddenText,
            swap(&good, "<DigestValue>", "<DigestValue><!-- -->"),
        ),
        Case::new("a comment in front", Reason::HiddenText, format!("<!-- hello -->{good}")),
        Case::new(
            "a CDATA section in the name id",
            Reason::HiddenText,
            swap(&good, &upn, &format!("<![CDATA[{upn}]]>")),
        ),
        Case::new("an instruction in the name id", Reason::HiddenText, split("<?x y?>")),
        Case::new(
            "a style sheet in front",
            Reason::HiddenText,
            format!("<?xml-stylesheet href=\"{}\"?>{good}", forge.trap()),
        ),
        Case::new(
            "an element in the name id",
            Reason::UnexpectedContent,
            named(&format!("{upn}<x xmlns=\"urn:x\"></x>")),
        ),
        Case::new("a padded name id", Reason::Subject, named(&format!(" {upn}"))),
        Case::new("a name id that ends in a line", Reason::Subject, named(&format!("{upn}&#10;"))),
        Case::new("a name id with a tabulator", Reason::Subject, named("ada&#9;keller")),
        Case::new("an empty name id", Reason::Subject, named("")),
        Case::new("a blank name id", Reason::Subject, named("&#160;")),
        Case::new("an endless name id", Reason::TooComplex, named(&"a".repeat(5_000))),
        Case::new(
            "a forbidden character by number",
            Reason::NotWellFormed,
            swap(&good, &upn, "ada&#1;keller"),
        ),
        Case::new(
            "a padded issuer",
            Reason::Issuer,
            forge.changed(&token, |xml| swap(&xml, "<Issuer>", "<Issuer> ")),
        ),
        Case::new(
            "a padded audience",
            Reason::Audience,
            forge.changed(&token, |xml| swap(&xml, "<Audience>", "<Audience>\n")),
        ),
    ]
}
