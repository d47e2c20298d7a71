//! XML itself: document types, broken documents, and documents that cost too much.

use crate::forge::{Case, Forge, before, swap};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use rollcall_domain::saml::Reason;

pub fn cases(forge: &Forge) -> Vec<Case> {
    [doctypes(forge), broken(forge), costly(forge), fields(forge)].concat()
}

fn doctypes(forge: &Forge) -> Vec<Case> {
    let good = forge.good();
    let trap = forge.trap();
    let typed = |name, declaration: String| {
        Case::new(name, Reason::Doctype, format!("{declaration}{good}"))
    };
    let lol = "<!ENTITY a \"&b;&b;&b;&b;&b;&b;&b;&b;\"><!ENTITY b \"&c;&c;&c;&c;&c;&c;&c;&c;\"><!ENTITY c \"lol\">";
    vec![
        typed("a document type", "<!DOCTYPE Response>".to_owned()),
        typed("an external document type", format!("<!DOCTYPE Response SYSTEM \"{trap}\">")),
        typed(
            "an entity from a file",
            "<!DOCTYPE r [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>".to_owned(),
        ),
        typed("an entity over HTTP", format!("<!DOCTYPE r [<!ENTITY x SYSTEM \"{trap}\">]>")),
        typed(
            "a parameter entity over HTTP",
            format!("<!DOCTYPE r [<!ENTITY % x SYSTEM \"{trap}\"> %x;]>"),
        ),
        typed("entities that multiply", format!("<!DOCTYPE r [{lol}]>")),
        typed(
            "a default for an attribute",
            "<!DOCTYPE r [<!ATTLIST Assertion ID CDATA \"_evil\">]>".to_owned(),
        ),
        typed(
            "a notation with quotes",
            "<!DOCTYPE r [<!NOTATION n PUBLIC \"'\" '\"'>]>".to_owned(),
        ),
        Case::new("an entity that is used", Reason::Doctype, {
            let used = swap(&good, ">Ada<", ">&x;<");
            format!("<!DOCTYPE r [<!ENTITY x \"Eve\">]>{used}")
        }),
        Case::new(
            "a document type behind the root",
            Reason::Doctype,
            format!("{good}<!DOCTYPE r>"),
        ),
        Case::new(
            "a document type after the declaration",
            Reason::Doctype,
            format!("<?xml version=\"1.0\"?><!DOCTYPE r>{good}"),
        ),
    ]
}

fn broken(forge: &Forge) -> Vec<Case> {
    let good = forge.good();
    let malformed = |name, xml: String| Case::new(name, Reason::NotWellFormed, xml);
    let utf16: Vec<u8> = good.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut cut = good.clone().into_bytes();
    cut.truncate(good.len() - "</samlp:Response>".len());
    let mut invalid = good.clone().into_bytes();
    let at = good.find("Ada Keller").expect("a name");
    invalid[at] = 0xff;
    vec![
        Case::new("a root that is not closed", Reason::NotWellFormed, cut),
        malformed("a second root", format!("{good}<r xmlns=\"urn:r\"></r>")),
        malformed("text behind the root", format!("{good}eve")),
        malformed("an entity that nobody declared", swap(&good, ">Ada<", ">&eve;<")),
        malformed("a tag within a tag", swap(&good, "<Subject>", "<Subject <x>>")),
        malformed("an end that is not its beginning's", swap(&good, "</Subject>", "</Object>")),
        malformed(
            "the same attribute twice",
            swap(&good, "<samlp:Response ", "<samlp:Response Version=\"2.0\" "),
        ),
        malformed(
            "a prefix that nobody declared",
            swap(&good, "<Subject>", "<Subject><y:z></y:z>"),
        ),
        Case::new(
            "a quote that is not closed",
            Reason::TooComplex,
            swap(&good, "Version=\"2.0\"", "Version=\"2.0"),
        ),
        malformed("not XML", "SAMLResponse".to_owned()),
        malformed("nothing but blanks", "   ".to_owned()),
        malformed("a web page", "<p>Sorry<br>".to_owned()),
        Case::new("a NUL", Reason::NotUtf8, swap(&good, ">Ada<", ">A\0da<")),
        Case::new("a control character", Reason::NotUtf8, swap(&good, ">Ada<", ">A\u{8}da<")),
        Case::new("UTF-16", Reason::NotUtf8, utf16),
        Case::new("not UTF-8", Reason::NotUtf8, invalid),
        Case::new(
            "declared as UTF-16",
            Reason::NotUtf8,
            format!("<?xml version=\"1.0\" encoding=\"UTF-16\"?>{good}"),
        ),
        Case::new(
            "declared as UTF-7",
            Reason::NotUtf8,
            format!("<?xml version='1.0' encoding='UTF-7'?>{good}"),
        ),
        Case::new(
            "declared as EBCDIC",
            Reason::NotUtf8,
            format!("<?xml version='1.0' encoding='IBM037'?>{good}"),
        ),
        Case::new("a byte order mark", Reason::NotUtf8, format!("\u{feff}{good}")),
        Case::new(
            "an element of no namespace",
            Reason::Namespace,
            before(&good, "</samlp:Response>", "<x xmlns=\"\"></x>"),
        ),
    ]
}

fn costly(forge: &Forge) -> Vec<Case> {
    let good = forge.good();
    let token = forge.token();
    let much = |name, xml: String| Case::new(name, Reason::TooComplex, xml);
    let many = |n: usize, of: &dyn Fn(usize) -> String| (0..n).map(of).collect::<String>();
    let xmlns = many(100, &|n| format!(" xmlns:n{n}=\"urn:{n}\""));
    vec![
        much(
            "a thousand levels",
            before(
                &good,
                "</samlp:Response>",
                &format!("{}{}", "<x>".repeat(1_000), "</x>".repeat(1_000)),
            ),
        ),
        much("a hundred thousand levels that never end", "<x>".repeat(80_000)),
        much(
            "ten thousand attributes",
            swap(
                &good,
                "<samlp:Response ",
                &format!("<samlp:Response {}", many(10_000, &|n| format!("a{n}='' "))),
            ),
        ),
        much(
            "a hundred namespaces",
            swap(&good, "<samlp:Response ", &format!("<samlp:Response{xmlns} ")),
        ),
        much("namespaces on every level", {
            let open = many(20, &|level| {
                format!("<samlp:x{}>", many(40, &|n| format!(" xmlns:a{level}b{n}=\"urn:{n}\"")))
            });
            format!(
                "{}{open}{}</samlp:Response>",
                good.trim_end_matches("</samlp:Response>"),
                "</samlp:x>".repeat(20)
            )
        }),
        much(
            "thirty thousand elements",
            before(&good, "</samlp:Response>", &"<x/>".repeat(30_000)),
        ),
        much("two thousand values, signed", {
            let values = many(2_000, &|n| format!("<AttributeValue>g{n}</AttributeValue>"));
            forge.replaced(&token, "<AttributeValue>Ada</AttributeValue>", &values)
        }),
        Case::new("a hundred signatures", Reason::SignatureShape, {
            let signature = crate::forge::between(&good, "<Signature ", "</Signature>").to_owned();
            swap(&good, &signature, &signature.repeat(100))
        }),
        Case::new(
            "ten megabytes",
            Reason::TooLarge,
            before(&good, "</samlp:Response>", &" ".repeat(10_000_000)),
        ),
        Case::new(
            "a little too much",
            Reason::TooLarge,
            before(&good, "</samlp:Response>", &" ".repeat(256 * 1024)),
        ),
        Case::new(
            "a megabyte in one attribute",
            Reason::TooLarge,
            swap(&good, ">Ada<", &format!(">{}<", "a".repeat(1_000_000))),
        ),
    ]
}

fn fields(forge: &Forge) -> Vec<Case> {
    let good = forge.good();
    let field = STANDARD.encode(&good);
    let not = |name, field: String| Case::field(name, Reason::NotBase64, field);
    let deflated = forge
        .idp
        .signed_address("https://x.example", "SAMLResponse", &good, None)
        .expect("an address");
    let deflated = crate::forge::between(&deflated, "SAMLResponse=", "&")
        .trim_start_matches("SAMLResponse=")
        .trim_end_matches('&')
        .to_owned();
    vec![
        not("XML without base64", good.clone()),
        not("base64 with something in it", format!("{}*{}", &field[..100], &field[100..])),
        not("base64 cut off", field[..field.len() / 4 * 4 - 3].to_owned()),
        not("base64 that goes on after its end", format!("{}QUJD", STANDARD.encode("a"))),
        not("base64 for URLs", URL_SAFE.encode([0xfb, 0xff, 0xfe].repeat(20))),
        not("base64 with percent signs", deflated.replace("%2b", "%2B")),
        Case::field("an empty field", Reason::NotWellFormed, ""),
        Case::field("base64 twice", Reason::NotWellFormed, STANDARD.encode(&field)),
        Case::field("nothing but line breaks", Reason::NotWellFormed, "\r\n\r\n"),
        Case::field("a field of fifty megabytes", Reason::TooLarge, "A".repeat(50_000_000)),
    ]
}
