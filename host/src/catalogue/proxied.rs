//! What the proxy of a provider may send: the addresses and methods of the manifest as a policy, which the way out
//! judges requests of programs by as it judges those of plugins.

use crate::egress::{Pattern, Policy};
use crate::manifest::provider::Provider;

/// The policy of the proxy of `provider`, if it has one.
pub(super) fn policy(provider: &Provider) -> Option<Policy> {
    let proxy = provider.proxy.as_ref()?;
    let all = proxy.to.iter().flat_map(|to| proxy.methods.iter().map(move |it| (to, *it)));
    // Each was read once when the manifest was.
    let patterns = all.filter_map(|(to, method)| Pattern::at(to, method).ok());
    Some(Policy {
        plugin: format!("the proxy of {}", provider.name),
        provider: provider.name.clone(),
        patterns: patterns.collect(),
        networks: provider.egress.networks.clone(),
        plaintext: provider.egress.plaintext,
    })
}
