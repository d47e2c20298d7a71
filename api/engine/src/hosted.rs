//! The aggregates that the engine keeps warm copies of.

use crate::Engine;
use crate::streamed::Streamed;
use crate::warm::Warm;
use rollcall_domain::consumer::Consumer;
use rollcall_domain::deployment::Deployment;
use rollcall_domain::group::Group;
use rollcall_domain::organization::Organization;
use rollcall_domain::user::User;

/// An aggregate that the engine can run commands on.
pub trait Hosted: Streamed {
    /// The engine's warm copies.
    fn warm(engine: &Engine) -> &Warm<Self>;
}

impl Hosted for User {
    fn warm(engine: &Engine) -> &Warm<Self> {
        &engine.users
    }
}

impl Hosted for Group {
    fn warm(engine: &Engine) -> &Warm<Self> {
        &engine.groups
    }
}

impl Hosted for Organization {
    fn warm(engine: &Engine) -> &Warm<Self> {
        &engine.organizations
    }
}

impl Hosted for Deployment {
    fn warm(engine: &Engine) -> &Warm<Self> {
        &engine.deployments
    }
}

impl Hosted for Consumer {
    fn warm(engine: &Engine) -> &Warm<Self> {
        &engine.consumers
    }
}
