//! What a plugin declares and the operator has not granted, told before a request is refused for it. Looks no
//! name up: `localhost` and addresses are known without that.

use std::net::IpAddr;

use crate::egress::addresses::permits;
use crate::egress::pattern::Pattern;
use crate::egress::policy::{Policy, known_addresses};
use crate::egress::remedy;
use crate::egress::target::Target;
use crate::model::code::{self, Code};

/// A declared request that would be refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ungranted {
    /// Where the request goes.
    pub host: String,
    /// The code that the refusal would have.
    pub code: Code,
    /// What would be refused.
    pub message: String,
    /// The line of the manifest that grants it.
    pub help: String,
}

impl Policy {
    /// Declared requests that lack a grant; of several that lack the same, the first.
    pub fn ungranted(&self) -> Vec<Ungranted> {
        let mut found = Vec::<Ungranted>::new();
        for pattern in &self.patterns {
            let lacking = self.lacking(pattern);
            found.extend(lacking.filter(|it| found.iter().all(|one| one.message != it.message)));
        }
        found
    }

    fn lacking(&self, pattern: &Pattern) -> Option<Ungranted> {
        let (scheme, host, port) = (pattern.scheme(), pattern.host(), pattern.port());
        let target = Target::parse(&format!("{scheme}://{host}:{port}/")).ok()?;
        let addresses = known_addresses(&target);
        let lacks = |code: code::Egress, what: String| {
            let help = remedy::line(self, &addresses, target.is_plaintext());
            let message = format!("{} may not {what}", self.plugin);
            Some(Ungranted { host: host.to_owned(), code: code.into(), message, help })
        };
        if target.is_plaintext() && !self.plaintext {
            return lacks(code::Egress::SchemeDenied, format!("use http with {host}"));
        }
        let is_open = |it: &IpAddr| {
            let named = self.networks.iter().any(|network| network.contains(it));
            permits(&self.networks, *it) && (named || target.address.is_none())
        };
        if addresses.iter().all(is_open) {
            return None;
        }
        let code = match target.address {
            Some(_) => code::Egress::IpLiteralDenied,
            None => code::Egress::IpDenied,
        };
        lacks(code, format!("contact {host}: an address that is not public, or not named"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lacking(request: &str, networks: &[&str], plaintext: bool) -> Vec<String> {
        let policy = Policy {
            plugin: "eskiz".into(),
            provider: "sms".into(),
            patterns: vec![Pattern::expand(request, &|_| None).unwrap(); 2],
            networks: networks.iter().map(|it| it.parse().unwrap()).collect(),
            plaintext,
        };
        let line = |it: Ungranted| format!("{} | {} | {}", it.code, it.message, it.help);
        policy.ungranted().into_iter().map(line).collect()
    }

    #[test]
    fn what_would_be_refused_is_told_once_with_the_line_that_grants_it() {
        let line =
            "add to [providers.sms]: egress = { networks = [\"127.0.0.0/8\"], plaintext = true }";
        for host in ["127.0.0.1:9002", "localhost"] {
            let name = host.split(':').next().unwrap();
            let expected =
                format!("egress.scheme_denied | eskiz may not use http with {name} | {line}");
            assert_eq!(lacking(&format!("GET http://{host}/a"), &[], false), [expected]);
        }
        let plain = lacking("GET http://sms.example/a", &[], false);
        assert!(plain[0].ends_with("add to [providers.sms]: egress = { plaintext = true }"));
        let closed = lacking("GET https://10.0.0.7/a", &[], false);
        assert!(
            closed[0].starts_with("egress.ip_literal_denied") && closed.len() == 1,
            "{closed:?}"
        );
        let local = lacking("GET https://localhost/a", &[], false);
        assert!(local[0].starts_with("egress.ip_denied"), "{local:?}");
    }

    #[test]
    fn what_was_granted_is_not_told() {
        assert!(lacking("GET https://sms.example/a", &[], false).is_empty());
        assert!(lacking("GET http://sms.example:8080/a", &[], true).is_empty());
        assert!(lacking("GET http://127.0.0.1:9/a", &["127.0.0.0/8"], true).is_empty());
        assert!(lacking("GET https://10.0.0.7/a", &["10.0.0.0/8"], false).is_empty());
    }
}
