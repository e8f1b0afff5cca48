//! Listens on this machine alone. A browser tries every address that `localhost` has, so whoever listens at
//! the other one would be sent what is meant for us: we listen at both, or not at all.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use rustix::io::Errno;
use tokio::net::TcpListener;

use crate::model::code;
use crate::model::failure::{Case, Failure};

/// How often a free port is looked for that is free at every address.
const TRIES: u32 = 16;

/// Listeners at every address of `host` on one `port`, or on a free one when that is 0.
pub(super) async fn listen(host: &str, port: u16) -> Result<(u16, Vec<TcpListener>), Failure> {
    let addresses = addresses(host);
    let mut tries = 1;
    loop {
        match listen_at_all(addresses, port).await {
            Err((_, error))
                if port == 0 && tries < TRIES && error.kind() == io::ErrorKind::AddrInUse =>
            {
                tries += 1;
            }
            Err((address, error)) => return Err(taken(address, &error)),
            Ok(found) => return Ok(found),
        }
    }
}

fn addresses(host: &str) -> &'static [IpAddr] {
    const V4: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
    const V6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);
    if host == "localhost" { &[V4, V6] } else { &[V4] }
}

async fn listen_at_all(
    addresses: &[IpAddr],
    mut port: u16,
) -> Result<(u16, Vec<TcpListener>), (SocketAddr, io::Error)> {
    let mut listeners = Vec::new();
    for ip in addresses {
        let address = SocketAddr::new(*ip, port);
        match TcpListener::bind(address).await {
            Ok(listener) => {
                port = listener.local_addr().map_err(|it| (address, it))?.port();
                listeners.push(listener);
            }
            // Nobody can listen at an address that this machine does not have.
            Err(error) if ip.is_ipv6() && is_absent(&error) => {}
            Err(error) => return Err((address, error)),
        }
    }
    Ok((port, listeners))
}

fn is_absent(error: &io::Error) -> bool {
    let absent = [Errno::ADDRNOTAVAIL, Errno::AFNOSUPPORT].map(Errno::raw_os_error);
    error.raw_os_error().is_some_and(|it| absent.contains(&it))
}

fn taken(address: SocketAddr, error: &io::Error) -> Failure {
    let message = format!("cannot listen on {address}: {error}; choose another --port");
    Failure::new(Case::Misconfigured, code::Connect::PortTaken, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn localhost_is_one_port_at_both_addresses() {
        let (port, listeners) = listen("localhost", 0).await.unwrap();
        let at = |it: &TcpListener| it.local_addr().unwrap();
        assert!(listeners.iter().all(|it| at(it).port() == port && at(it).ip().is_loopback()));
        let alone = listen("127.0.0.1", 0).await.unwrap().1;
        assert!(at(&alone[0]).is_ipv4() && alone.len() == 1);
    }

    #[tokio::test]
    async fn a_port_that_another_has_at_one_address_is_taken() {
        let Ok(other) = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).await else { return };
        let port = other.local_addr().unwrap().port();
        let failure = listen("localhost", port).await.unwrap_err();
        assert_eq!(failure.code.text(), "connect.port_taken");
        assert!(failure.message.contains(&format!("[::1]:{port}")), "{failure}");
    }

    #[test]
    fn a_machine_without_ipv6_has_nobody_listening_there() {
        for (errno, absent) in
            [(Errno::AFNOSUPPORT, true), (Errno::ADDRNOTAVAIL, true), (Errno::ADDRINUSE, false)]
        {
            assert_eq!(is_absent(&io::Error::from(errno)), absent, "{errno}");
        }
    }
}
