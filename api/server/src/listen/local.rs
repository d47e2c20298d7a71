//! The socket in the data folder: who may use it is decided by the machine, and no key is sent.

use super::Serving;
use anyhow::Context as _;
use hyper_util::server::graceful::GracefulShutdown;
use rollcall_contract::found_at::SOCKET;
use rollcall_door::callers::LocalAccount;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;

/// Longer paths have no socket (`sockaddr_un`).
const LONGEST: usize = 107;
/// Who may do everything anyway.
const ROOT: u32 = 0;

/// Where it listens, until it is dropped.
#[derive(Debug)]
pub struct Local {
    listener: UnixListener,
    path: PathBuf,
    /// The account that the server runs by.
    owner: u32,
}

impl Local {
    /// Listens in a data folder; none if the path is too long for a socket.
    ///
    /// # Errors
    /// If a socket cannot be made there.
    pub fn bind(data: &Path) -> anyhow::Result<Option<Self>> {
        let path = data.join(SOCKET);
        if path.as_os_str().len() > LONGEST {
            tracing::warn!(path = %path.display(), "this path is too long for a socket: local commands send the operator key instead");
            return Ok(None);
        }
        // One that was left by a server that was killed: the folder is ours.
        let _ = fs::remove_file(&path);
        let cannot = || format!("cannot make the socket {}", path.display());
        let listener = UnixListener::bind(&path).with_context(cannot)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).with_context(cannot)?;
        let owner = UnixStream::pair().and_then(|(us, _)| us.peer_cred()).with_context(cannot)?;
        Ok(Some(Self { listener, path, owner: owner.uid() }))
    }

    /// Serves until `stopping` says so, then what was begun.
    pub(super) async fn serve(self, serving: Serving, mut stopping: watch::Receiver<bool>) {
        let graceful = GracefulShutdown::new();
        loop {
            let accepted = tokio::select! {
                accepted = self.listener.accept() => accepted,
                _ = stopping.wait_for(|stop| *stop) => break,
            };
            let Ok((socket, _)) = accepted else {
                tokio::time::sleep(super::PAUSE).await;
                continue;
            };
            let Some(account) = self.account(&socket).await else {
                tracing::warn!(
                    "an account that is neither ours nor root opened the socket of the data folder"
                );
                continue;
            };
            let serving = serving.clone();
            let watcher = graceful.watcher();
            drop(tokio::spawn(async move {
                let here = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
                let place = serving.connections.enter(here.ip().into());
                place.known();
                serving.of(account).requests(socket, here, place, watcher).await;
            }));
        }
        let patience = serving.patience.stop;
        let _ = tokio::time::timeout(patience, graceful.shutdown()).await;
    }

    /// Who opened it; none if it is neither the server's own account nor root: between making the
    /// socket and closing it to others somebody may have.
    async fn account(&self, socket: &UnixStream) -> Option<LocalAccount> {
        let uid = socket.peer_cred().ok()?.uid();
        if uid != self.owner && uid != ROOT {
            return None;
        }
        // A directory service may be asked.
        let user = tokio::task::spawn_blocking(move || uzers::get_user_by_uid(uid)).await.ok()?;
        let name = user.map(|user| user.name().to_string_lossy().into_owned());
        Some(LocalAccount(name.unwrap_or_else(|| format!("uid {uid}"))))
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}
