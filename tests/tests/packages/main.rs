//! What is installed and run by others: the Debian package in a Debian of its own, the service under
//! a service manager, images and manifests, and what watches all of it. The tools are those of
//! Debian, PyPI and the web: dpkg, lintian, systemd-analyze, strace, Prometheus, nginx, OpenSSL.

mod backup;
mod debian;
mod health;
mod image;
mod manifests;
mod notify;
mod observe;
mod readme;
mod rules;
mod service;
mod supply;
mod tls;
mod tools;
mod traces;
