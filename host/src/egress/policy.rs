//! Decides about one request: may this plugin contact this host, port and path with this method, and
//! may it use this address? A pure decision over what was declared and what was granted. It does not
//! know bodies, names and connections.

use std::collections::BTreeSet;
use std::net::IpAddr;

use ipnet::IpNet;

use crate::egress::addresses::permits;
use crate::egress::error::EgressError;
use crate::egress::part::Part;
use crate::egress::pattern::Pattern;
use crate::egress::remedy;
use crate::egress::request::Method;
use crate::egress::target::{Oddity, Target, plainest};
use crate::model::code;

/// What one provider section of the manifest lets its plugin do.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Who sends, for messages: the plugin's name.
    pub plugin: String,
    /// The manifest section, for the remedy in messages: NAME of `[providers.NAME]`, or a whole heading such as
    /// `[[channels]]`.
    pub provider: String,
    /// What the plugin declared, with settings filled in.
    pub patterns: Vec<Pattern>,
    /// Special address ranges the operator granted.
    pub networks: Vec<IpNet>,
    /// Whether the operator granted `http://`.
    pub plaintext: bool,
}

/// How many allowed values a message lists before it stops.
const MOST_LISTED: usize = 8;

impl Policy {
    /// The pattern that allows this, or the refusal.
    pub(super) fn judge(
        &self,
        method: Method,
        target: &Target,
        carries: &BTreeSet<String>,
    ) -> Result<&Pattern, EgressError> {
        let mut left: Vec<&Pattern> =
            self.patterns.iter().filter(|pattern| pattern.host() == target.host).collect();
        self.judge_plaintext(target, &left)?;
        self.judge_literal(target, !left.is_empty())?;
        if left.is_empty() {
            return Err(self.host_denied(&target.host));
        }
        for part in Part::IN_ORDER {
            let fits = |pattern: &&Pattern| part.fits(pattern, method, target);
            if !left.iter().any(fits) {
                return Err(self.part_denied(part, method, target, &left));
            }
            left.retain(fits);
        }
        // Each of several declarations that fit was approved: any one that carries all of it will do.
        let fitting = left.iter().copied().find(|it| carries.is_subset(&it.carries));
        fitting.ok_or_else(|| self.secret_denied(target, carries, &left))
    }

    /// Whether the plugin declares `method` of this URL, query aside, with the secrets of these names in
    /// it, and may use its scheme and host: the declaration that says so. Nothing is resolved or sent.
    pub fn admits(
        &self,
        method: Method,
        url: &str,
        carries: &BTreeSet<String>,
    ) -> Result<&Pattern, EgressError> {
        self.judge(method, &self.bare(url)?, carries)
    }

    /// Whether a person may be sent to this page: it is on a host that the plugin declares, and https
    /// unless the operator granted http.
    pub fn admits_page(&self, url: &str) -> Result<(), EgressError> {
        let target = self.bare(url)?;
        let declared = self.patterns.iter().filter(|it| it.host() == target.host);
        let declared = declared.collect::<Vec<_>>();
        self.judge_plaintext(&target, &declared)?;
        if declared.is_empty() {
            return Err(self.host_denied(&target.host));
        }
        // A grant of http is for the addresses that were declared with it.
        if target.is_plaintext() && declared.iter().all(|it| it.scheme() != "http") {
            let message =
                format!("{} may not use http with {} (allowed: https)", self.plugin, target.host);
            return Err(EgressError::denied(code::Egress::SchemeDenied, message));
        }
        Ok(())
    }

    /// The declared request at this address by which the plugin gets, changes or ends tokens, if there is
    /// one, in whatever spelling of its path and with whatever method.
    pub(super) fn token_request(&self, target: &Target) -> Option<&Pattern> {
        let path = plainest(target.url.path());
        let is_here = |it: &&Pattern| {
            it.host() == target.host && it.port() == target.port && plainest(&it.path) == path
        };
        // A plugin that declares everything below an address says of none of it what it is for.
        let exact = self.patterns.iter().filter(|it| !it.open);
        exact.filter(|it| it.makes_tokens()).find(is_here)
    }

    fn bare(&self, url: &str) -> Result<Target, EgressError> {
        let bare = url.split(['?', '#']).next().unwrap_or_default();
        Target::parse(bare).map_err(|oddity| self.odd_url(&oddity))
    }

    fn secret_denied(
        &self,
        target: &Target,
        carries: &BTreeSet<String>,
        fitting: &[&Pattern],
    ) -> EgressError {
        let most = fitting.iter().max_by_key(|it| it.carries.intersection(carries).count());
        let allowed =
            most.map(|it| it.carries.iter().cloned().collect::<Vec<_>>()).unwrap_or_default();
        let over = carries.iter().filter(|it| !allowed.contains(it)).cloned().collect::<Vec<_>>();
        let allowed = if allowed.is_empty() { "nothing".to_owned() } else { allowed.join(", ") };
        let message = format!(
            "{} may not send {} to {}{} (it may carry: {allowed})",
            self.plugin,
            over.join(", "),
            target.host,
            target.url.path(),
        );
        EgressError::denied(code::Egress::SecretDenied, message)
    }

    /// The refusal of a URL that is malformed or not in its normal form.
    pub(super) fn odd_url(&self, oddity: &Oddity) -> EgressError {
        let plugin = &self.plugin;
        match oddity {
            Oddity::Scheme(scheme) => EgressError::denied(
                code::Egress::SchemeDenied,
                format!("{plugin} may not use {scheme} (allowed: https)"),
            ),
            Oddity::Form(reason) => EgressError::denied(
                code::Egress::UrlInvalid,
                format!("{plugin} asked for a URL {reason}; refused"),
            ),
        }
    }

    /// The refusal of a request that is the plugin's own, `own`.
    pub(super) fn own_request(&self, own: &Pattern) -> EgressError {
        let message = format!(
            "{} does not send `{own}`, by which the plugin gets or ends tokens; to allow it, name its whole address in `to`",
            self.plugin
        );
        EgressError::denied(code::Egress::TokenRequest, message)
    }

    /// The refusal of a name because of its addresses. `word` is the range's name.
    pub(super) fn addresses_denied(
        &self,
        host: &str,
        word: &str,
        special: &[IpAddr],
    ) -> EgressError {
        let remedy = remedy::line(self, special, false);
        EgressError::denied(
            code::Egress::IpDenied,
            format!("{host} resolved to {} {word} address; refused; {remedy}", article(word)),
        )
    }

    fn judge_plaintext(&self, target: &Target, declared: &[&Pattern]) -> Result<(), EgressError> {
        if !target.is_plaintext() || self.plaintext {
            return Ok(());
        }
        let mut message = format!("{} may not use http with {}", self.plugin, target.host);
        // A grant helps only where the plugin declared http; elsewhere it would only be a risk.
        if declared.iter().any(|pattern| pattern.scheme() == "http") {
            message = format!("{message}; {}", remedy::line(self, &known_addresses(target), true));
        } else {
            message.push_str(" (allowed: https)");
        }
        Err(EgressError::denied(code::Egress::SchemeDenied, message))
    }

    /// An address instead of a name is never public enough: no certificate names who answers, so
    /// only the operator can vouch for it.
    fn judge_literal(&self, target: &Target, declared: bool) -> Result<(), EgressError> {
        let Some(address) = target.address else { return Ok(()) };
        let granted = self.networks.iter().any(|network| network.contains(&address))
            && permits(&self.networks, address);
        if granted {
            return Ok(());
        }
        let mut message =
            format!("{} may not contact {}: an address, not a name", self.plugin, target.host);
        if declared {
            let remedy = remedy::line(self, &[address], target.is_plaintext());
            message = format!("{message}; {remedy}");
        }
        Err(EgressError::denied(code::Egress::IpLiteralDenied, message))
    }

    fn host_denied(&self, host: &str) -> EgressError {
        let declared: Vec<&Pattern> = self.patterns.iter().collect();
        let allowed = listed(&declared, |pattern| pattern.host().to_owned());
        let message = format!("{} may not contact {host} (allowed: {allowed})", self.plugin);
        EgressError::denied(code::Egress::HostDenied, message)
    }

    fn part_denied(
        &self,
        part: Part,
        method: Method,
        target: &Target,
        left: &[&Pattern],
    ) -> EgressError {
        let (asked, allowed) = (part.asked(method, target), listed(left, |one| part.of(one)));
        let message = format!("{} may not {asked} (allowed: {allowed})", self.plugin);
        EgressError::denied(part.code(), message)
    }
}

/// The addresses of `localhost` are known without a lookup, which saves the operator a second round of
/// refusal and remedy.
pub(super) fn known_addresses(target: &Target) -> Vec<IpAddr> {
    match target.address {
        Some(address) => vec![address],
        None if target.host == "localhost" || target.host.ends_with(".localhost") => {
            vec![IpAddr::from([127, 0, 0, 1])]
        }
        None => Vec::new(),
    }
}

fn listed(patterns: &[&Pattern], part: impl Fn(&Pattern) -> String) -> String {
    let mut parts: Vec<String> = Vec::new();
    for pattern in patterns {
        let part = part(pattern);
        if !parts.contains(&part) {
            parts.push(part);
        }
    }
    match parts.len() {
        0 => "nothing".to_owned(),
        1..=MOST_LISTED => parts.join(", "),
        many => format!("{} and {} more", parts[..MOST_LISTED].join(", "), many - MOST_LISTED),
    }
}

fn article(word: &str) -> &'static str {
    if word.starts_with(['a', 'e', 'i', 'o', 'u', 'A', 'I', 'O']) { "an" } else { "a" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(patterns: &[&str], networks: &[&str], plaintext: bool) -> Policy {
        Policy {
            plugin: "eskiz".into(),
            provider: "eskiz".into(),
            patterns: patterns
                .iter()
                .map(|text| Pattern::expand(text, &|_| None).unwrap())
                .collect(),
            networks: networks.iter().map(|text| text.parse().unwrap()).collect(),
            plaintext,
        }
    }

    fn refusal(policy: &Policy, method: Method, url: &str) -> (&'static str, String) {
        let judged = Target::parse(url)
            .map_err(|oddity| policy.odd_url(&oddity))
            .and_then(|target| policy.judge(method, &target, &BTreeSet::new()).cloned());
        match judged {
            Err(error @ EgressError::Denied { .. }) => {
                (error.code().entry().unwrap().text, error.to_string())
            }
            other => panic!("{url}: {other:?}"),
        }
    }

    const DECLARED: [&str; 4] = [
        "POST https://api.good.example/login",
        "GET https://api.good.example/login",
        "GET https://api.good.example/users/*",
        "PATCH https://api.good.example:8443/refresh",
    ];

    #[test]
    fn what_was_declared_is_allowed() {
        let policy = policy(&DECLARED, &[], false);
        for (method, url, route) in [
            (Method::Post, "https://api.good.example/login?a=b", "/login"),
            (Method::Get, "https://API.good.example:443/login", "/login"),
            (Method::Get, "https://api.good.example/users/1/keys", "/users/*"),
            (Method::Patch, "https://api.good.example:8443/refresh", "/refresh"),
        ] {
            let pattern =
                policy.judge(method, &Target::parse(url).unwrap(), &BTreeSet::new()).unwrap();
            assert_eq!(pattern.route(), route, "{url}");
        }
    }

    /// Method and URL, code, message.
    const REFUSALS: &str = "
        GET https://evil.example/ | host_denied | contact evil.example (allowed: api.good.example)
        GET https://api.good.example.evil.example/login | host_denied | contact api.good.example.evil.example (allowed: api.good.example)
        GET https://good.example/login | host_denied | contact good.example (allowed: api.good.example)
        GET https://api.good.example:9/login | port_denied | contact api.good.example on port 9 (allowed: 443, 8443)
        GET https://api.good.example/admin?k=v | path_denied | contact api.good.example at /admin (allowed: /login, /users/*)
        GET https://api.good.example:8443/login | path_denied | contact api.good.example at /login (allowed: /refresh)
        PUT https://api.good.example/login?k=v | method_denied | use PUT with api.good.example/login (allowed: POST, GET)
        POST https://api.good.example/users/1 | method_denied | use POST with api.good.example/users/1 (allowed: GET)
        GET http://api.good.example/login | scheme_denied | use http with api.good.example (allowed: https)
        GET http://evil.example/login | scheme_denied | use http with evil.example (allowed: https)
        GET gopher://api.good.example/login | scheme_denied | use gopher (allowed: https)
        GET file:///etc/passwd | scheme_denied | use file (allowed: https)
        GET https://10.0.0.1/login | ip_literal_denied | contact 10.0.0.1: an address, not a name
        GET https://[::1]/login | ip_literal_denied | contact [::1]: an address, not a name
        GET https://8.8.8.8/login | ip_literal_denied | contact 8.8.8.8: an address, not a name";

    #[test]
    fn every_refusal_says_what_would_be_allowed() {
        let policy = policy(&DECLARED, &[], false);
        for row in REFUSALS.lines().map(str::trim).filter(|row| !row.is_empty()) {
            let [asked, code, text] = row.split(" | ").collect::<Vec<_>>()[..] else {
                panic!("{row}")
            };
            let (method, url) = asked.split_once(' ').unwrap();
            let refused = refusal(&policy, Method::parse(method).unwrap(), url);
            assert_eq!(refused.0, format!("egress.{code}"), "{row}");
            assert_eq!(refused.1, format!("eskiz may not {text}"), "{row}");
        }
    }

    #[test]
    fn an_odd_url_is_refused_with_what_is_odd() {
        let policy = policy(&DECLARED, &[], true);
        for (url, reason) in [
            ("https://good@evil.example/", "with a user name or password"),
            ("https://api.good.example./login", "whose host ends in a dot"),
            ("https://0x7f.1/login", "whose host or port is not written in its normal form"),
            ("https://ｇood.example/", "with a character other than visible ASCII"),
            (
                "https://api.good.example/a/../login",
                "with dot segments or encoded separators in its path",
            ),
            ("https://api.good.example/login#a", "with a fragment"),
        ] {
            let text = format!("eskiz asked for a URL {reason}; refused");
            assert_eq!(refusal(&policy, Method::Get, url), ("egress.url_invalid", text), "{url}");
        }
    }

    #[test]
    fn a_denied_address_comes_with_the_line_that_grants_it() {
        let local =
            ["GET http://127.0.0.1:9002/x", "GET https://10.1.2.3/x", "GET http://localhost/x"];
        let both = "egress = { networks = [\"127.0.0.0/8\"], plaintext = true }";
        let two = "egress = { networks = [\"192.168.0.0/16\", \"10.1.2.3/32\"] }";
        let check = |networks: &[&str], plaintext, url, code, text: &str, line: &str| {
            let refused = refusal(&policy(&local, networks, plaintext), Method::Get, url);
            assert_eq!(refused, (code, format!("eskiz may not {text} [providers.eskiz]: {line}")));
        };
        let (http, literal) = ("egress.scheme_denied", "egress.ip_literal_denied");
        let text = "use http with 127.0.0.1; add to";
        check(&[], false, "http://127.0.0.1:9002/x", http, text, both);
        check(&[], false, "http://localhost/x", http, "use http with localhost; add to", both);
        let text = "contact 127.0.0.1: an address, not a name; change in";
        check(&[], true, "http://127.0.0.1:9002/x", literal, text, both);
        let text = "contact 10.1.2.3: an address, not a name; change in";
        check(&["192.168.0.0/16"], false, "https://10.1.2.3/x", literal, text, two);
    }

    #[test]
    fn a_refused_answer_of_the_name_server_says_how_to_allow_it() {
        let error = policy(&DECLARED, &[], false).addresses_denied(
            "good.example",
            "link-local",
            &["169.254.169.254".parse().unwrap()],
        );
        assert_eq!(
            error.to_string(),
            "good.example resolved to a link-local address; refused; add to [providers.eskiz]: \
             egress = { networks = [\"169.254.169.254/32\"] }"
        );
        assert_eq!(error.code().text(), "egress.ip_denied");
    }

    #[test]
    fn granted_addresses_are_allowed_and_their_neighbours_are_not() {
        let local =
            ["GET http://127.0.0.1:9002/x", "GET http://[::ffff:7f00:1]/x", "GET http://[::1]/x"];
        let policy = policy(&local, &["127.0.0.0/8"], true);
        assert!(
            policy
                .judge(
                    Method::Get,
                    &Target::parse("http://127.0.0.1:9002/x").unwrap(),
                    &BTreeSet::new()
                )
                .is_ok()
        );
        assert_eq!(refusal(&policy, Method::Get, "http://[::1]/x").0, "egress.ip_literal_denied");
        assert_eq!(refusal(&policy, Method::Get, "http://8.8.8.8/x").0, "egress.ip_literal_denied");
    }

    #[test]
    fn a_person_is_sent_to_declared_hosts_and_to_http_only_where_that_was_declared_and_granted() {
        let declared = ["GET https://good.example/x", "GET http://plain.example/x"];
        let refused = |granted, url| match policy(&declared, &[], granted).admits_page(url) {
            Err(error @ EgressError::Denied { .. }) => error.to_string(),
            other => panic!("{url}: {other:?}"),
        };
        for (granted, url, text) in [
            (
                true,
                "https://evil.example/",
                "contact evil.example (allowed: good.example, plain.example)",
            ),
            (true, "http://good.example/", "use http with good.example (allowed: https)"),
            (false, "http://good.example/", "use http with good.example (allowed: https)"),
            (
                false,
                "http://plain.example/",
                "use http with plain.example; add to [providers.eskiz]: egress = { plaintext = true }",
            ),
            (true, "javascript:alert(1)", "use javascript (allowed: https)"),
        ] {
            assert_eq!(refused(granted, url), format!("eskiz may not {text}"), "{url}");
        }
        let granted = policy(&declared, &[], true);
        for url in
            ["https://good.example/y?code=AB#z", "http://plain.example/", "https://plain.example/"]
        {
            assert!(granted.admits_page(url).is_ok(), "{url}");
        }
    }

    #[test]
    fn a_plugin_that_declares_nothing_contacts_nothing() {
        let (code, text) = refusal(&policy(&[], &[], true), Method::Get, "https://good.example/");
        assert_eq!(code, "egress.host_denied");
        assert_eq!(text, "eskiz may not contact good.example (allowed: nothing)");
    }

    #[test]
    fn long_lists_and_paths_are_cut() {
        let many: Vec<String> =
            (0..12).map(|number| format!("GET https://h{number}.example/")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let (_, text) = refusal(&policy(&many, &[], false), Method::Get, "https://evil.example/");
        assert!(text.ends_with("h6.example, h7.example and 4 more)"), "{text}");
        let url = format!("https://h1.example/{}", "a".repeat(5000));
        let (_, text) = refusal(&policy(&many, &[], false), Method::Get, &url);
        assert!(text.len() < 300, "{text}");
    }
}
