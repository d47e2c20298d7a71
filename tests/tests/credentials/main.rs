//! Credentials of SCIM clients: client secrets, assertions of a federated tenant, keys of a
//! client's own; from adding one to the end of it, on one process and on two.

mod asking;
mod copies;
mod foreign;
mod held_back;
mod hostile;
mod key_host;
mod kinds;
mod limits;
mod month;
mod secret;
mod simulated;
mod two_processes;
