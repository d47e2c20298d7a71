//! How a provisioning job is set up.

use super::body::Shape;
use super::mapping::Mapping;
use uuid::Uuid;

/// The settings of one job.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What the secret token is.
    pub token: String,
    /// PATCH shape of the cycles; on demand it is always the legacy one.
    pub shape: Shape,
    /// Attribute mapping of users.
    pub mapping: Mapping,
    /// Whether groups are provisioned.
    pub groups: bool,
    /// Objects under way at the same time.
    pub concurrency: usize,
    /// Members in one PATCH.
    pub members_per_patch: usize,
    /// Whether managers and members are looked up before they are set.
    pub reference_checks: bool,
    /// Deletions and disablings in one cycle above which all are held back.
    pub deletion_threshold: Option<u32>,
    /// Probability that the mapping gives a bad value for an object in one run.
    pub bad_values: f64,
    /// The application's name in the portal.
    pub application: String,
    /// The tenant; made from the seed if absent.
    pub tenant_id: Option<Uuid>,
}

impl Settings {
    /// What a new non-gallery application has.
    pub fn new(token: &str) -> Self {
        Self {
            token: token.to_owned(),
            shape: Shape::Legacy,
            mapping: Mapping::standard(),
            groups: true,
            concurrency: 8,
            members_per_patch: 100,
            reference_checks: true,
            deletion_threshold: None,
            bad_values: 0.0,
            application: "Rollcall".to_owned(),
            tenant_id: None,
        }
    }
}
