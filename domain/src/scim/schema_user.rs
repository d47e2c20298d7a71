//! The core user and its enterprise extension (RFC 7643 sections 4.1 and 4.3). There is no
//! `password`: Rollcall stores none.

use super::attribute::AttributeDef;
use super::characteristic::{Mutability, Uniqueness};
use super::schema::{ENTERPRISE_URN, Schema, USER_URN};
use super::schema_common::EXTERNAL_ID;

const fn string(name: &'static str, description: &'static str) -> AttributeDef {
    AttributeDef::string(name, description)
}

const DISPLAY: AttributeDef = string("display", "A name for people.");
const TYPE: AttributeDef = string("type", "What the value is for, such as work or home.");
const PRIMARY: AttributeDef =
    AttributeDef::boolean("primary", "True for the preferred value; at most one is.");

const NAME: &[AttributeDef] = &[
    string("formatted", "The full name, as it is shown.").name(),
    string("familyName", "The family name.").name(),
    string("givenName", "The given name.").name(),
    string("middleName", "The middle names.").name(),
    string("honorificPrefix", "The title before the name, such as Dr.").name(),
    string("honorificSuffix", "What follows the name, such as III.").name(),
];
const EMAIL: &[AttributeDef] = &[
    string("value", "The mail address."),
    DISPLAY.hidden(),
    TYPE.usual(&["work", "home", "other"]),
    PRIMARY,
];
const PHONE: &[AttributeDef] = &[
    string("value", "The phone number."),
    DISPLAY,
    TYPE.usual(&["work", "home", "mobile", "fax", "pager", "other"]),
    PRIMARY,
];
const IM: &[AttributeDef] = &[
    string("value", "The instant messaging address."),
    DISPLAY,
    TYPE.usual(&["aim", "gtalk", "icq", "xmpp", "msn", "skype", "qq", "yahoo"]),
    PRIMARY,
];
const PHOTO: &[AttributeDef] = &[
    AttributeDef::reference("value", &["external"], "The URL of the photo."),
    DISPLAY,
    TYPE.usual(&["photo", "thumbnail"]),
    PRIMARY,
];
const ADDRESS: &[AttributeDef] = &[
    string("formatted", "The full address, as it is shown."),
    string("streetAddress", "Street and number."),
    string("locality", "City."),
    string("region", "State or region."),
    string("postalCode", "Postal code."),
    string("country", "Country."),
    TYPE.usual(&["work", "home", "other"]),
    PRIMARY,
];
const GROUP: &[AttributeDef] = &[
    string("value", "The id of the group.").exact().mutable(Mutability::ReadOnly),
    AttributeDef::reference("$ref", &["Group"], "The URL of the group.")
        .mutable(Mutability::ReadOnly),
    string("display", "The name of the group.").mutable(Mutability::ReadOnly),
    string("type", "Whether the user is a member itself, or through another group.")
        .mutable(Mutability::ReadOnly)
        .usual(&["direct", "indirect"]),
];
const LABELLED: &[AttributeDef] = &[string("value", "The value."), DISPLAY, TYPE, PRIMARY];
const CERTIFICATE: &[AttributeDef] =
    &[AttributeDef::binary("value", "The certificate, DER in Base64."), DISPLAY, TYPE, PRIMARY];
const MANAGER: &[AttributeDef] = &[
    string("value", "The id of the manager.").exact(),
    AttributeDef::reference("$ref", &["User"], "The URL of the manager; derived from its id."),
    string("displayName", "The name of the manager.").mutable(Mutability::ReadOnly),
];

pub(super) static USER: Schema = Schema {
    urn: USER_URN,
    name: "User",
    description: "User Account",
    attributes: &[
        EXTERNAL_ID,
        string("userName", "The name the user signs in with.")
            .name()
            .required()
            .ignoring_ends()
            .unique(Uniqueness::Server),
        AttributeDef::complex("name", NAME, "The parts of the user's name."),
        string("displayName", "The name of the user, as it is shown.").name(),
        string("nickName", "What the user is called casually.").name(),
        AttributeDef::reference("profileUrl", &["external"], "The URL of the user's profile page."),
        string("title", "The job title."),
        string("userType", "The relation to the organization, such as Employee or Contractor."),
        string("preferredLanguage", "The preferred language, such as en-GB."),
        string("locale", "The locale for dates, numbers and currency, such as en-GB."),
        string("timezone", "The time zone, such as Europe/Zurich."),
        AttributeDef::boolean(
            "active",
            "Whether the user may sign in. A user created without it is active.",
        )
        .required(),
        AttributeDef::complex("emails", EMAIL, "Mail addresses.").many(),
        AttributeDef::complex("phoneNumbers", PHONE, "Phone numbers, kept as sent.").many(),
        AttributeDef::complex("ims", IM, "Instant messaging addresses.").many(),
        AttributeDef::complex("photos", PHOTO, "URLs of photos.").many(),
        AttributeDef::complex("addresses", ADDRESS, "Postal addresses.").many(),
        AttributeDef::complex(
            "groups",
            GROUP,
            "The groups the user belongs to; change the groups instead.",
        )
        .many()
        .mutable(Mutability::ReadOnly),
        AttributeDef::complex("entitlements", LABELLED, "What the user is entitled to.").many(),
        AttributeDef::complex("roles", LABELLED, "The roles of the user.").many(),
        AttributeDef::complex("x509Certificates", CERTIFICATE, "Certificates of the user.").many(),
    ],
};

pub(super) static EXTENSIONS: &[&Schema] = &[&ENTERPRISE];

static ENTERPRISE: Schema = Schema {
    urn: ENTERPRISE_URN,
    name: "EnterpriseUser",
    description: "Enterprise User",
    attributes: &[
        string("employeeNumber", "The number the organization gave the person."),
        string("costCenter", "The cost center."),
        string("organization", "The organization."),
        string("division", "The division."),
        string("department", "The department."),
        AttributeDef::complex("manager", MANAGER, "The user's manager."),
    ],
};
