//! Fake providers on real loopback sockets, as strict as the services they stand for.
//!
//! A fake runs on a thread and runtime of its own, so that a test which blocks (waiting for a child process, say)
//! does not stop the provider it waits for. It refuses to know who calls it.

pub mod answer;
pub mod authorization;
mod call;
mod clock;
pub mod control;
mod control_http;
mod credentials;
#[cfg(test)]
mod drive;
pub mod eskiz;
mod exchange;
pub mod family;
pub mod fingerprint;
pub mod finnotech;
pub mod google;
pub mod jibit;
pub mod journal;
mod jwt;
pub mod keys;
pub mod ledger;
pub mod login;
mod mint;
pub mod oauth;
pub mod options;
pub mod playmobile;
pub mod propelauth;
pub mod rotor;
pub mod script;
mod server;
pub mod service;
mod shared;
mod wire;

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use tokio::{
    net::{TcpListener, TcpSocket},
    runtime::{Builder, Runtime},
};

use crate::provider::{
    control::Control,
    options::flags::Flags,
    service::{Fake, Service},
    shared::Shared,
};

/// All kinds, from the one list of them.
macro_rules! fakes {
    ($($(#[$about:meta])* $kind:ident of $module:ident,)+) => {
        /// Which provider to stand in for.
        #[derive(Clone, Debug)]
        pub enum Kind {
            $($(#[$about])* $kind($module::Settings),)+
        }

        impl Kind {
            /// What they are called on the command line, and their flags.
            pub(crate) const USAGES: &[(&str, &str)] =
                &[$((stringify!($module), <$module::Settings as Fake>::USAGE),)+];

            /// Each of them as it usually is.
            pub fn all() -> Vec<Self> {
                vec![$(Self::$kind($module::Settings::default()),)+]
            }

            /// By its name; none when there is none of that name.
            fn read(name: &str, flags: &mut Flags) -> Option<Result<Self, String>> {
                match name {
                    $(stringify!($module) => {
                        Some($module::Settings::read(flags).map(Self::$kind))
                    })+
                    _ => None,
                }
            }

            fn service(self, base: &str) -> Box<dyn Service> {
                match self {
                    $(Self::$kind(settings) => settings.service(base),)+
                }
            }
        }
    };
}

// The one place where a fake is registered, besides its `mod` above.
fakes! {
    /// SMS gateway: e-mail and password, one JWT.
    Eskiz of eskiz,
    /// Banking gateway: key pair, and a rotating pair of tokens.
    Jibit of jibit,
    /// RFC 6749 token endpoint with every class of rotation.
    Rotor of rotor,
    /// Banking gateway: OAuth in shape, and different in every detail.
    Finnotech of finnotech,
    /// SMS gateway: a name and a password with every call.
    PlayMobile of playmobile,
    /// A whole authorization server.
    OAuth of oauth,
    /// The same with Google's paths and quirks.
    Google of google,
    /// The same with PropelAuth's paths and organisations.
    PropelAuth of propelauth,
    /// An ordinary API with any of the usual logins.
    Login of login,
}

/// A running fake. It stops, and cuts its connections, when dropped.
pub struct FakeProvider {
    address: SocketAddr,
    control: Control,
    runtime: Option<Runtime>,
}

impl FakeProvider {
    /// Starts a fake on a free loopback port.
    pub fn start(kind: Kind) -> io::Result<Self> {
        Self::listen(kind, SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
    }

    /// Starts a fake on this address. It accepts connections from the moment this returns.
    pub fn listen(kind: Kind, address: SocketAddr) -> io::Result<Self> {
        // One thread is enough for tens of thousands of requests a second, and leaves the others to what is measured.
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("fake-provider")
            .enable_all()
            .build()?;
        let listener = {
            let _context = runtime.enter();
            bind(address)?
        };
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::new(kind, &format!("http://{address}")));
        runtime.spawn(server::serve(listener, Arc::clone(&shared)));
        Ok(Self { address, control: Control::new(shared), runtime: Some(runtime) })
    }

    /// `http://127.0.0.1:PORT`, without a slash at the end.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The handle that moves its clock, scripts its faults and reads its journal.
    pub fn control(&self) -> &Control {
        &self.control
    }
}

impl Drop for FakeProvider {
    fn drop(&mut self) {
        // A plain drop of a runtime panics inside another runtime, which is where most tests run.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// The usual queue of 128 connections overflows in a burst, and whoever does not fit tries again after a second.
const BACKLOG: u32 = 4_096;

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // So that a fake may come back at once on the port of the one before it.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}
