//! The console, as people see it: in Debian's Chromium, driven by `tests/console/driver.mjs`, and
//! over plain HTTP where a browser would not do what an attacker does.

mod attacks;
mod chromium;
mod credentials;
mod mistakes;
mod pages;
mod portal;
mod review;
mod setup;
mod through_organization;
mod two_processes;
mod visitor;
