//! One debug line for each request, so that an operator can see where a plugin goes. It names the
//! host and the declared path; it does not know queries, headers and bodies.

use tokio::time::Instant;
use tracing::debug;

use crate::egress::error::EgressError;
use crate::egress::policy::Policy;
use crate::egress::request::Method;

/// A request on its way, measured from its start.
pub(super) struct Trip<'a> {
    policy: &'a Policy,
    method: Method,
    started: Instant,
}

impl<'a> Trip<'a> {
    pub(super) fn start(policy: &'a Policy, method: Method) -> Self {
        Self { policy, method, started: Instant::now() }
    }

    /// Policy said no. The host is left out: a refused URL may hold anything.
    pub(super) fn refused(self, refusal: &EgressError) {
        let (provider, method, code) = (&self.policy.provider, self.method, refusal.code());
        let code = code.text();
        debug!(provider, %method, code, "{provider}: {method} refused: {code}");
    }

    /// Policy said yes, and this is how it ended. `route` is the path as the access pattern has it,
    /// because a path that `*` let through may hold an id or worse.
    pub(super) fn ended(self, host: &str, route: &str, result: Result<u16, &EgressError>) {
        let (provider, method) = (&self.policy.provider, self.method);
        let ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        match result {
            Ok(status) => debug!(
                provider, %method, host, path = route, status, ms,
                "{provider}: {method} {host}{route} answered {status} in {ms} ms"
            ),
            Err(error) => {
                let code = error.code();
                let code = code.text();
                debug!(
                    provider, %method, host, path = route, code, ms,
                    "{provider}: {method} {host}{route} failed in {ms} ms: {code}"
                );
            }
        }
    }
}
