//! A stand-in for a KurrentDB (EventStoreDB) server: its published protocol over one file.
//!
//! A server of this kind is in no package registry, so tests of the adapter run against this one.
//! It keeps the rules that decide what a client may rely on: what an expected revision means, what
//! a repetition is, what deleting leaves, what metadata hides. `tests/` holds it to each of them
//! through the makers' own client. It is no database: all events are kept in memory beside the
//! file, there are no users and there is one node.

#![expect(clippy::result_large_err, reason = "tonic's `Status` is what its services answer with")]

mod accept;
mod answer;
mod decide;
mod faults;
mod read;
mod service;
mod store;
mod visible;

/// The protocol's types, made from the protos; public, so that those nobody uses here are no dead
/// code.
#[doc(hidden)]
#[expect(clippy::all, reason = "generated")]
pub mod proto {
    /// The makers' packages.
    pub mod event_store {
        /// What is shared by all services.
        pub mod client {
            tonic::include_proto!("event_store.client");
            /// Streams.
            pub mod streams {
                tonic::include_proto!("event_store.client.streams");
            }
            /// The members of a cluster.
            pub mod gossip {
                tonic::include_proto!("event_store.client.gossip");
            }
            /// What a server can do.
            pub mod server_features {
                tonic::include_proto!("event_store.client.server_features");
            }
        }
    }
    /// Google's packages.
    pub mod google {
        /// Statuses.
        pub mod rpc {
            tonic::include_proto!("google.rpc");
        }
    }
    pub use event_store::client::*;
}

pub use faults::{Fault, Faults, Refusal};
pub use service::{Settings, serve};
