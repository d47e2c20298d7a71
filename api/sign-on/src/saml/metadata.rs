//! Our own metadata, for an identity provider that imports it.

use super::call::Call;
use super::reply::Reply;
use rollcall_door::exchange::Kept;

/// GET `/saml/{organization}/metadata`. Public, and the same for everybody: not an exchange.
pub fn metadata(call: &Call) -> Reply {
    Reply {
        kept: Kept::CountOnly,
        ..Reply::text(200, "application/samlmetadata+xml", call.provider.metadata_xml())
    }
}
