//! Secrets that cannot be read. Each is read once, however many connections share it.

use std::collections::BTreeMap;

use crate::manifest::Manifest;
use crate::manifest::channel::How;
use crate::manifest::provider::{Connection, Provider};
use crate::operator::examine::{Deployment, Examined, Fault};
use crate::vault::source::Source;

pub(super) async fn secrets(it: Deployment<'_>) -> Examined {
    let (mut faults, mut seen) =
        (Vec::new(), BTreeMap::<_, (String, String, Source, usize)>::new());
    for (provider, connection) in it.manifest.connections() {
        for (name, source) in provider.secrets_of(connection.id.name()) {
            let path = place_of(provider, connection, &name);
            let first = || (name, connection.id.to_string(), source, 0);
            seen.entry(path).or_insert_with(first).3 += 1;
        }
    }
    // Those who are added while the daemon runs read what the manifest has for all of them.
    for provider in it.manifest.providers.values().filter(|it| it.connections.is_empty()) {
        for (name, source) in provider.secrets.clone() {
            let path = ["providers", &provider.name, "secrets", &name].map(str::to_owned).to_vec();
            seen.insert(path, (name, provider.name.clone(), source, 1));
        }
    }
    for (path, (name, id, source, users)) in &seen {
        let more = if *users > 1 { format!(" and {} more", users - 1) } else { String::new() };
        let what = format!("secret {name} of {id}{more}");
        let said = format!("the secret `{name}` of {id}{more}");
        faults.extend(unreadable(path, source, what, &said).await);
    }
    let mut count = seen.len();
    for provider in it.manifest.providers.values() {
        let Some(source) = &provider.fallback_token else { continue };
        let path = ["providers", &provider.name, "fallback_token"].map(str::to_owned).to_vec();
        let what = format!("fallback token of {}", provider.name);
        let said = format!("the fallback token of {}", provider.name);
        count += 1;
        faults.extend(unreadable(&path, source, what, &said).await);
    }
    let of_others = of_channels(it.manifest).into_iter().chain(of_sinks(it.manifest));
    let of_others = of_others.chain(of_dashboard(it.manifest));
    for (path, source, whose) in of_others {
        count += 1;
        faults.extend(unreadable(&path, source, whose.clone(), &whose).await);
    }
    Examined { what: "secrets", fine: format!("{count} can be read"), faults }
}

/// What channels and the heartbeat read: where it stands in the manifest, and what it is called.
fn of_channels(manifest: &Manifest) -> Vec<(Vec<String>, &Source, String)> {
    let mut all = Vec::new();
    for (place, channel) in manifest.channels.iter().enumerate() {
        let keys = match &channel.how {
            How::Webhook { to, secret } => {
                vec![("url", to.url.source()), ("secret", secret.as_ref())]
            }
            How::Slack(to) => vec![("url", to.url.source())],
            How::Email(email) => vec![("password", email.password.as_ref())],
        };
        let named = keys.into_iter().filter_map(|(key, source)| Some((key, source?)));
        all.extend(named.map(|(key, source)| {
            let path = ["channels", &place.to_string(), key].map(str::to_owned).to_vec();
            (path, source, format!("the {key} of the channel {}", channel.name))
        }));
    }
    let heartbeat = manifest.heartbeat.as_ref().and_then(|it| it.to.url.source());
    let path = || ["heartbeat", "url"].map(str::to_owned).to_vec();
    all.extend(heartbeat.map(|source| (path(), source, "the url of the heartbeat".to_owned())));
    all
}

/// The same of sinks.
fn of_sinks(manifest: &Manifest) -> Vec<(Vec<String>, &Source, String)> {
    let mut all = Vec::new();
    for (place, sink) in manifest.sinks.iter().enumerate() {
        all.extend(sink.sources().into_iter().map(|([part, key], source)| {
            let path = ["sinks", &place.to_string(), part, key].map(str::to_owned).to_vec();
            (path, source, format!("the {key} of the sink {}", sink.name))
        }));
    }
    all
}

/// The same of who logs people in.
fn of_dashboard(manifest: &Manifest) -> Option<(Vec<String>, &Source, String)> {
    let source = manifest.dashboard.oidc.as_ref()?.client_secret.as_ref()?;
    let path = ["dashboard", "oidc", "client_secret"].map(str::to_owned).to_vec();
    Some((path, source, "the client_secret of the dashboard's provider".to_owned()))
}

async fn unreadable(path: &[String], source: &Source, what: String, said: &str) -> Option<Fault> {
    let error = source.read().await.err()?;
    let path = path.iter().map(String::as_str).collect::<Vec<_>>();
    let fault = Fault::new(&path, error.code(), what, format!("{said} cannot be read"));
    Some(fault.with_help(error.to_string()))
}

/// The keys that lead to a secret: to the connection's own, if it has one, which goes over the
/// provider's.
fn place_of(provider: &Provider, connection: &Connection, secret: &str) -> Vec<String> {
    let own = connection.secrets.contains_key(secret);
    let index = provider.connections.iter().position(|it| own && it.id == connection.id);
    let mut path = vec!["providers".to_owned(), provider.name.clone()];
    path.extend(index.into_iter().flat_map(|it| ["connections".to_owned(), it.to_string()]));
    path.extend(["secrets".to_owned(), secret.to_owned()]);
    path
}
