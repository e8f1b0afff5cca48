//! The manifest line that would allow what was refused: ready to paste, and as narrow as it can be.
//! It does not know why something was refused.

use std::fmt::Write as _;
use std::net::IpAddr;

use ipnet::IpNet;

use crate::egress::addresses;
use crate::egress::policy::Policy;

/// How many ranges a line shows at most; a longer answer of a name server is not worth pasting.
const MOST_NETWORKS: usize = 8;

/// `add to [providers.eskiz]: egress = { ... }`, holding what is granted already, what `needed`
/// asks for, and plaintext if the request needs that.
pub(super) fn line(policy: &Policy, needed: &[IpAddr], plaintext: bool) -> String {
    let mut networks = policy.networks.clone();
    let missing = needed.iter().filter(|address| !addresses::permits(&policy.networks, **address));
    for network in missing.flat_map(|address| addresses::smallest_grants(*address)) {
        if !networks.contains(&network) && networks.len() < MOST_NETWORKS {
            networks.push(network);
        }
    }
    let granted = policy.plaintext || !policy.networks.is_empty();
    let verb = if granted { "change in" } else { "add to" };
    let table = table(&networks, plaintext || policy.plaintext);
    let section = match policy.provider.as_str() {
        heading if heading.starts_with('[') => heading.to_owned(),
        provider => format!("[providers.{provider}]"),
    };
    format!("{verb} {section}: egress = {{ {table} }}")
}

fn table(networks: &[IpNet], plaintext: bool) -> String {
    let mut table = String::new();
    if !networks.is_empty() {
        let quoted: Vec<String> =
            networks.iter().map(|network| format!("\"{}\"", network.trunc())).collect();
        // Writing to a string cannot fail.
        let _ = write!(table, "networks = [{}]", quoted.join(", "));
    }
    if plaintext {
        table.push_str(if networks.is_empty() { "plaintext = true" } else { ", plaintext = true" });
    }
    table
}
