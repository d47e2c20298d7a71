//! An address that leads now to one server and now to another, as a virtual address or a proxy in
//! front of a database does at a failover.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Passes connections on. Ends with all of them when it is dropped.
#[derive(Debug)]
pub struct Switch {
    address: SocketAddr,
    target: Arc<Mutex<u16>>,
    cut: watch::Sender<u64>,
    listening: JoinHandle<()>,
}

impl Switch {
    /// One that leads to a port of this machine.
    pub async fn to(port: u16) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let target = Arc::new(Mutex::new(port));
        let (cut, cuts) = watch::channel(0);
        let now = target.clone();
        let listening = tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let port = *now.lock().unwrap_or_else(PoisonError::into_inner);
                let mut cuts = cuts.clone();
                cuts.mark_unchanged();
                tokio::spawn(async move {
                    let Ok(mut server) = TcpStream::connect(("127.0.0.1", port)).await else {
                        return;
                    };
                    let _ = (client.set_nodelay(true), server.set_nodelay(true));
                    tokio::select! {
                        _ = copy_bidirectional(&mut client, &mut server) => {}
                        _ = cuts.changed() => {}
                    }
                });
            }
        });
        Ok(Self { address, target, cut, listening })
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Leads to another port from now on, and cuts all connections.
    pub fn turn(&self, port: u16) {
        *self.target.lock().unwrap_or_else(PoisonError::into_inner) = port;
        self.cut.send_modify(|cuts| *cuts += 1);
    }
}

impl Drop for Switch {
    fn drop(&mut self) {
        self.listening.abort();
    }
}
