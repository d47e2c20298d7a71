//! Single sign-on over a real socket: with identity providers that nobody here wrote, and with
//! Entra in a box.

mod browser;
mod comfort;
mod crowd;
mod door_list;
mod entra;
mod findings;
mod identity;
mod idp;
mod logins;
mod replay;
mod schedule;
mod secrets;
mod sessions;
mod setup;
mod simplesamlphp;
mod story;
