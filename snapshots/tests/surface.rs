//! What scripts and clients rely on: the administration API, the command line, SCIM's discovery.

use rollcall_domain::scim::{
    Policy, ProviderLimits, Ways, resource_types, schemas, service_provider_config,
};
use serde_json::json;

macro_rules! golden {
    ($folder:literal, $body:expr) => {
        insta::with_settings!({ snapshot_path => concat!("../", $folder), prepend_module_to_snapshot => false, omit_expression => true }, { $body })
    };
}

#[test]
fn openapi() {
    let (_, document) = rollcall_server::router::api().split_for_parts();
    golden!(
        "openapi",
        insta::assert_snapshot!("openapi", rollcall_server::openapi::render(&document))
    );
}

#[test]
fn command_line() {
    golden!("cli", insta::assert_snapshot!("help", rollcall::reference()));
}

#[test]
fn discovery() {
    let base = "https://rollcall.example/scim/v2";
    let limits = ProviderLimits {
        max_operations: 1_000,
        max_payload_size: 16 * 1024 * 1024,
        max_results: 1_000,
        default_page_size: 100,
        max_page_size: 1_000,
        cursor_timeout: 86_400,
    };
    let ways = Ways { token: true, oauth2: true };
    let all = json!({ "ServiceProviderConfig": service_provider_config(base, &limits, &Policy::default(), ways), "Schemas": schemas(base), "ResourceTypes": resource_types(base) });
    golden!("scim", insta::assert_json_snapshot!("discovery", all));
}
