//! What the plugin of a provider declares and is not granted, each at the setting that says where it goes.

use crate::catalogue::plugin::{BindProblem, Plugin};
use crate::egress::{Policy, Ungranted};
use crate::manifest::provider::Settings;

impl Plugin {
    /// Declared requests that would be refused for want of a grant.
    pub fn ungranted(&self) -> Vec<BindProblem> {
        let provider = self.provider();
        let mut found = of(self.policy(), &provider.settings, &["settings"]);
        for (index, connection) in provider.connections.iter().enumerate() {
            let Some(policy) = self.own_policy(connection.id.name()) else { continue };
            let index = index.to_string();
            let own = of(policy, &connection.settings, &["connections", &index, "settings"]);
            found.extend(
                own.into_iter()
                    .filter(|it| found.iter().all(|one| one.message != it.message))
                    .collect::<Vec<_>>(),
            );
        }
        found
    }
}

fn of(policy: &Policy, settings: &Settings, path: &[&str]) -> Vec<BindProblem> {
    let problem = |it: Ungranted| {
        let named = settings.iter().find(|(_, value)| value.contains(&it.host));
        let path = path.iter().copied().chain(named.map(|(name, _)| name.as_str()));
        BindProblem::new(&path.collect::<Vec<_>>(), it.code, it.message, it.help)
    };
    policy.ungranted().into_iter().map(problem).collect()
}
