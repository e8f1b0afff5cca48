//! Names to addresses. The client dials exactly what was judged here, so a name server that changes
//! its mind between the check and the connection gains nothing. It does not know policies: it
//! gets the granted ranges, and names the refused addresses.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use ipnet::IpNet;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::egress::addresses::{classify, permits};

/// How names become addresses. A clone is cheap. Tests put their own name server here.
#[derive(Clone)]
pub struct Lookup(Arc<dyn Fn(String) -> Finding + Send + Sync>);

type Finding = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

impl Lookup {
    /// Asks `find` for every address of a host.
    pub fn new<F>(find: impl Fn(String) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = io::Result<Vec<IpAddr>>> + Send + 'static,
    {
        Self(Arc::new(move |host| Box::pin(find(host))))
    }

    /// Asks the operating system.
    pub fn system() -> Self {
        Self::new(|host: String| async move {
            // The port is not looked at: the client puts in the URL's.
            let found = tokio::net::lookup_host((host, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

/// The client's resolver: one lookup, and the whole answer refused if any of it is.
pub(super) struct CheckedResolver {
    pub(super) lookup: Lookup,
    pub(super) networks: Arc<[IpNet]>,
}

/// An answer with addresses that may not be dialled. It travels through the client's error chain
/// and is found there again.
#[derive(Debug)]
pub(super) struct Refused {
    /// What the first of them is called.
    pub(super) word: &'static str,
    pub(super) special: Vec<IpAddr>,
}

impl fmt::Display for Refused {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "the name resolves to a {} address", self.word)
    }
}

impl std::error::Error for Refused {}

impl Resolve for CheckedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let finding = (self.lookup.0)(name.as_str().to_owned());
        let networks = Arc::clone(&self.networks);
        Box::pin(async move {
            let found = finding.await?;
            judge(&networks, &found)?;
            // Port 0 makes the client use the port of the URL.
            let addresses = found.into_iter().map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(addresses) as Addrs)
        })
    }
}

fn judge(networks: &[IpNet], found: &[IpAddr]) -> Result<(), Refused> {
    let special: Vec<IpAddr> =
        found.iter().copied().filter(|address| !permits(networks, *address)).collect();
    match special.first() {
        None => Ok(()),
        Some(first) => Err(Refused { word: classify(*first).unwrap_or("special"), special }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_special_address_spoils_the_answer() {
        let found = ["8.8.8.8", "169.254.169.254", "10.0.0.1"].map(|text| text.parse().unwrap());
        let refused = judge(&[], &found).unwrap_err();
        assert_eq!(refused.word, "link-local");
        assert_eq!(refused.special, found[1..]);
        assert!(judge(&[], &found[..1]).is_ok());
        let networks = ["169.254.0.0/16", "10.0.0.0/8"].map(|text| text.parse().unwrap());
        assert!(judge(&networks, &found).is_ok());
    }
}
