//! Where the endpoints are: a setting first, then what an earlier discovery found, then discovery. An
//! endpoint that was discovered is asked only if it is on the issuer's own scheme, host and port: a
//! document could otherwise send the client's secret anywhere.

use sdk::{Context, Failure, Flow, Settings, origin};

use crate::discovery::discover;

/// An address that a provider may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    Token,
    Authorize,
    Device,
    Revoke,
    Introspect,
    Userinfo,
}

/// All that discovery looks for.
pub(crate) const ALL: [Endpoint; 6] = [
    Endpoint::Token,
    Endpoint::Authorize,
    Endpoint::Device,
    Endpoint::Revoke,
    Endpoint::Introspect,
    Endpoint::Userinfo,
];

impl Endpoint {
    /// The setting that says where it is.
    pub(crate) fn setting(self) -> &'static str {
        match self {
            Self::Token => "token_url",
            Self::Authorize => "authorize_url",
            Self::Device => "device_url",
            Self::Revoke => "revoke_url",
            Self::Introspect => "introspect_url",
            Self::Userinfo => "userinfo_url",
        }
    }

    /// The member of a discovery document (RFC 8414), and its name in metadata.
    pub(crate) fn member(self) -> &'static str {
        match self {
            Self::Token => "token_endpoint",
            Self::Authorize => "authorization_endpoint",
            Self::Device => "device_authorization_endpoint",
            Self::Revoke => "revocation_endpoint",
            Self::Introspect => "introspection_endpoint",
            Self::Userinfo => "userinfo_endpoint",
        }
    }
}

/// Metadata: the issuer that the remembered endpoints were discovered at.
const DISCOVERED_FROM: &str = "discovered_from";

/// Endpoints that discovery found, now or earlier.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Known {
    /// Of the settings, when anything was discovered.
    pub(crate) issuer: Option<String>,
    pub(crate) found: Vec<(&'static str, String)>,
    /// Found by an earlier call, and perhaps no longer true.
    pub(crate) remembered: bool,
}

impl Known {
    /// What an earlier call found, if it was at the issuer that the settings name now.
    fn recall(context: &Context) -> Option<Self> {
        let issuer = context.settings.optional("issuer")?;
        if context.remembered(DISCOVERED_FROM) != Some(issuer) {
            return None;
        }
        let recall =
            |it: Endpoint| Some((it.member(), context.remembered(it.member())?.to_owned()));
        let found = ALL.into_iter().filter_map(recall).collect();
        Some(Self { issuer: Some(issuer.to_owned()), found, remembered: true })
    }

    /// What is worth remembering.
    pub(crate) fn metadata(&self) -> Vec<(String, String)> {
        let issuer = self.issuer.iter().map(|it| (DISCOVERED_FROM.to_owned(), it.clone()));
        let found = self.found.iter().map(|(name, url)| ((*name).to_owned(), url.clone()));
        issuer.chain(found).collect()
    }

    /// Where an endpoint is: a template of its setting, or an address. None when nobody says.
    pub(crate) fn find(
        &self,
        settings: &Settings,
        endpoint: Endpoint,
    ) -> Result<Option<String>, Failure> {
        if settings.optional(endpoint.setting()).is_some() {
            return Ok(Some(format!("{{{}}}", endpoint.setting())));
        }
        let found = self.found.iter().find(|(name, _)| *name == endpoint.member());
        let Some((_, url)) = found else { return Ok(None) };
        let home = self.issuer.as_deref().map(origin).unwrap_or_default();
        if origin(url).eq_ignore_ascii_case(home) {
            return Ok(Some(url.clone()));
        }
        let (member, setting) = (endpoint.member(), endpoint.setting());
        Err(Failure::misconfigured(format!(
            "the discovery document has `{member}` at {url}, which is not on the issuer's origin \
             {home}; if that is right, allow it in the settings: {setting} = \"{url}\""
        )))
    }

    /// The same for an endpoint without which nothing can be done.
    pub(crate) fn require(
        &self,
        settings: &Settings,
        endpoint: Endpoint,
    ) -> Result<String, Failure> {
        self.find(settings, endpoint)?.ok_or_else(|| {
            let (member, setting) = (endpoint.member(), endpoint.setting());
            Failure::misconfigured(match &self.issuer {
                Some(_) => format!(
                    "the discovery document of the issuer has no `{member}`; set `{setting}` if the \
                     provider has one"
                ),
                None => format!("the provider's `{member}` is not known; set `{setting}`, or `issuer`"),
            })
        })
    }

    /// Whether a remembered endpoint is gone: then discovery may know where it went. Nothing that
    /// answers so has looked at the request.
    pub(crate) fn is_stale(&self, settings: &Settings, endpoint: Endpoint, status: u16) -> bool {
        let gone = matches!(status, 301 | 308 | 404 | 405 | 410);
        self.remembered && gone && settings.optional(endpoint.setting()).is_none()
    }
}

/// Goes on with the endpoints, after discovery if that is needed to know `wanted`.
pub(crate) fn locate<T: 'static>(
    context: &Context,
    wanted: Endpoint,
    then: impl FnOnce(Known) -> Flow<T> + 'static,
) -> Flow<T> {
    let remembered = Known::recall(context);
    let issuer = context.settings.optional("issuer");
    let given = context.settings.optional(wanted.setting()).is_some();
    match remembered {
        Some(known) if given || known.found.iter().any(|(name, _)| *name == wanted.member()) => {
            then(known)
        }
        None if given || issuer.is_none() => then(Known::default()),
        _ => discover(context, Box::new(then)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sdk::Step;
    use sdk::testing::{context, ending, play};

    fn known(url: &str) -> Known {
        Known {
            issuer: Some("https://id.example/realm".to_owned()),
            found: vec![("token_endpoint", url.to_owned())],
            remembered: true,
        }
    }

    fn with(settings: &[(&str, &str)]) -> Context {
        context::<crate::Plugin>(settings)
    }

    #[test]
    fn a_setting_wins_over_what_was_discovered() {
        let settings = with(&[("token_url", "https://other.example/token")]).settings;
        let found = known("https://elsewhere.example/t").find(&settings, Endpoint::Token);
        assert_eq!(found.unwrap(), Some("{token_url}".to_owned()));
    }

    #[test]
    fn an_endpoint_elsewhere_is_refused_with_the_line_that_would_allow_it() {
        let settings = with(&[]).settings;
        let near = known("https://id.example/token").find(&settings, Endpoint::Token);
        assert_eq!(near.unwrap(), Some("https://id.example/token".to_owned()));
        let far = known("https://token.example/t").find(&settings, Endpoint::Token);
        let text = "the discovery document has `token_endpoint` at https://token.example/t, which \
                    is not on the issuer's origin https://id.example; if that is right, allow it in \
                    the settings: token_url = \"https://token.example/t\"";
        assert_eq!(ending(&far), ("misconfigured", text));
        for trick in [
            "https://id.example@evil.example/t",
            "https://id.example.evil.example/t",
            "http://id.example/t",
        ] {
            let refused = known(trick).find(&settings, Endpoint::Token);
            assert_eq!(ending(&refused).0, "misconfigured", "{trick}");
        }
    }

    #[test]
    fn a_missing_endpoint_is_named_with_its_setting() {
        let settings = with(&[]).settings;
        let nobody = Known::default().require(&settings, Endpoint::Token);
        let text = "the provider's `token_endpoint` is not known; set `token_url`, or `issuer`";
        assert_eq!(ending(&nobody), ("misconfigured", text));
        let document = known("https://id.example/t").require(&settings, Endpoint::Revoke);
        assert!(ending(&document).1.contains("`revocation_endpoint`; set `revoke_url`"));
    }

    #[test]
    fn what_was_found_is_remembered_until_the_issuer_is_another_one() {
        let found = known("https://id.example/token");
        let recalled = |issuer| {
            let context = with(&[("issuer", issuer)]);
            Known::recall(&Context { remembered: found.metadata(), ..context })
        };
        assert_eq!(recalled("https://id.example/realm"), Some(found.clone()));
        assert_eq!(recalled("https://id.example/other"), None);
    }

    #[test]
    fn discovery_is_asked_only_where_nobody_knows() {
        let asks = |settings: &[(&str, &str)], remembered: Vec<_>| {
            let context = Context { remembered, ..with(settings) };
            let flow = locate(&context, Endpoint::Token, |_| Ok(Step::Done(())));
            play::<crate::Plugin, _>(&context, flow, &[]).requests.len()
        };
        let issuer = ("issuer", "https://id.example/realm");
        let remembered = known("https://id.example/token").metadata();
        assert_eq!(asks(&[issuer], Vec::new()), 1);
        assert_eq!(asks(&[issuer], remembered.clone()), 0);
        assert_eq!(asks(&[("issuer", "https://new.example")], remembered), 1);
        assert_eq!(asks(&[issuer, ("token_url", "https://id.example/t")], Vec::new()), 0);
        assert_eq!(asks(&[("token_url", "https://id.example/t")], Vec::new()), 0);
    }

    #[test]
    fn only_what_was_remembered_goes_stale() {
        let settings = with(&[]).settings;
        let old = known("https://id.example/token");
        assert!(old.is_stale(&settings, Endpoint::Token, 404));
        assert!(!old.is_stale(&settings, Endpoint::Token, 400));
        let new = Known { remembered: false, ..old };
        assert!(!new.is_stale(&settings, Endpoint::Token, 404));
    }
}
