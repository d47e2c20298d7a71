//! The benchmark's parts: a load generator that costs little, the baselines, the machine's name.

pub mod baseline;
pub mod directory;
pub mod elsewhere;
pub mod history;
pub mod logins;
pub mod machine;
pub mod report;
pub mod responder;
pub mod signals;
pub mod signatures;
pub mod tenants;
pub mod wire;
