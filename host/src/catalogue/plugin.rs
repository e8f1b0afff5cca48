//! A provider of the manifest bound to its plugin: declared access met with granted access, settings
//! filled in, secrets fetched when a call needs them.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use secrecy::SecretString;

use crate::catalogue::proxied;
use crate::egress::{Gate, Pattern, PatternError, Policy};
use crate::manifest::access::Grant;
use crate::manifest::provider::{Provider, Secrets, Settings};
use crate::model::code::{self, Code};
use crate::model::descriptor::{Access, Descriptor, Field};
use crate::model::failure::{Case, Failure};
use crate::model::id::ConnectionId;
use crate::model::rotation::Rotation;
use crate::model::schedule::Schedule;
use crate::model::token::TokenSet;
use crate::sandbox::{CallInput, DEFAULT_MEMORY, Journal, MAX_MEMORY, Program};

/// A provider with the program that knows it. Cheap to share, replaced as a whole by a reload.
pub struct Plugin {
    provider: Provider,
    program: Arc<Program>,
    digest: String,
    gate: Gate,
    /// By connection name, for those whose settings differ; the rest share `policy`.
    policies: BTreeMap<String, Arc<Policy>>,
    policy: Arc<Policy>,
    declared: Option<Schedule>,
    proxied: Option<Arc<Policy>>,
}

/// A connection's own values, which override those of the manifest.
#[derive(Default)]
pub struct Own {
    /// Settings by name.
    pub settings: Settings,
    /// Secrets by name.
    pub secrets: Vec<(String, SecretString)>,
    /// Metadata of its last token set.
    pub remembered: Vec<(String, String)>,
}

/// Something that does not fit between a provider's section and its plugin.
#[derive(Clone, Debug)]
pub struct BindProblem {
    /// Keys below `[providers.NAME]` that lead to the place.
    pub path: Vec<String>,
    /// `manifest.cause`.
    pub code: Code,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: String,
}

impl BindProblem {
    pub(super) fn new(path: &[&str], code: impl Into<Code>, message: String, help: String) -> Self {
        let path = path.iter().map(|&it| it.to_owned()).collect();
        Self { path, code: code.into(), message, help }
    }

    /// The failure that `problems` mean for a caller. A single problem keeps its code,
    /// and says what helps.
    pub(super) fn failure(problems: &[Self]) -> Failure {
        if let [problem] = problems {
            let message = format!("{}; {}", problem.message, problem.help);
            return Failure::new(Case::Misconfigured, problem.code.clone(), message);
        }
        let texts = problems.iter().map(|it| it.message.as_str()).collect::<Vec<_>>();
        Failure::new(Case::Misconfigured, code::Manifest::ProviderInvalid, texts.join("; "))
    }

    /// The plugin's file is not there.
    pub(super) fn missing_file(provider: &Provider, message: &str) -> Self {
        let help = format!(
            "put {0}.wasm into the plugin folder, or name another with plugin = \"...\"",
            provider.plugin
        );
        Self::new(&["plugin"], code::PluginFile::Missing, message.to_owned(), help)
    }
}

impl Plugin {
    /// Binds `provider` to `program`, or says everything that does not fit.
    pub(super) fn bind(
        provider: &Provider,
        program: Arc<Program>,
        digest: &str,
        gate: Gate,
    ) -> Result<Self, Vec<BindProblem>> {
        let descriptor = program.descriptor();
        let mut problems = names(provider, descriptor);
        problems.extend(reveal(provider, &program));
        let policy = policy(provider, descriptor, &provider.settings);
        let policy = policy.map_err(|it| problems.push(it)).ok();
        let mut policies = BTreeMap::new();
        for connection in provider.connections.iter().filter(|it| !it.settings.is_empty()) {
            let name = connection.id.name();
            match self::policy(provider, descriptor, &provider.settings_of(name)) {
                Ok(own) => drop(policies.insert(name.to_owned(), Arc::new(own))),
                Err(problem) => problems.push(problem),
            }
        }
        match policy {
            Some(policy) if problems.is_empty() => Ok(Self {
                provider: provider.clone(),
                digest: digest.to_owned(),
                policy: Arc::new(policy),
                declared: declared(provider, descriptor),
                proxied: proxied::policy(provider).map(Arc::new),
                policies,
                program,
                gate,
            }),
            _ => Err(problems),
        }
    }

    /// What it may send: for the connection of that name, if it has settings of its own.
    pub(super) fn own_policy(&self, name: &str) -> Option<&Policy> {
        self.policies.get(name).map(|it| &**it)
    }

    /// What all other connections may send.
    pub(super) fn policy(&self) -> &Policy {
        &self.policy
    }

    /// What programs may send through the proxy, if anything.
    pub fn proxied(&self) -> Option<&Policy> {
        self.proxied.as_deref()
    }

    /// What the plugin may send for the connection of that name.
    pub fn policy_of(&self, name: &str) -> &Policy {
        self.policies.get(name).unwrap_or(&self.policy)
    }

    /// The door that it sends through.
    pub fn gate(&self) -> &Gate {
        &self.gate
    }

    /// The plugin's own schedule, which holds when the manifest has none.
    pub fn declared_schedule(&self) -> Option<&Schedule> {
        self.declared.as_ref()
    }

    /// The provider's section of the manifest.
    pub fn provider(&self) -> &Provider {
        &self.provider
    }

    /// What the plugin says about itself.
    pub fn descriptor(&self) -> &Descriptor {
        self.program.descriptor()
    }

    /// The program to call.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// SHA-256 of the component in hex.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// What happens to used refresh tokens: the operator knows better than the plugin.
    pub fn rotation(&self) -> Rotation {
        self.provider.rotation.unwrap_or(self.descriptor().rotation)
    }

    /// What a call for one connection works on. Fetches the secrets; they are not kept.
    pub async fn input(
        &self,
        id: &ConnectionId,
        own: Own,
        current: Option<TokenSet>,
        journal: Arc<dyn Journal>,
        now: Timestamp,
    ) -> Result<CallInput, Failure> {
        let policy = self.policies.get(id.name()).unwrap_or(&self.policy);
        Ok(CallInput {
            connection: id.full().to_owned(),
            settings: self.settings(id.name(), &own.settings).into_iter().collect(),
            secrets: self.secrets(id.name(), own.secrets).await?,
            remembered: own.remembered,
            current,
            policy: Arc::clone(policy),
            gate: self.gate.clone(),
            journal,
            heard: Arc::default(),
            now,
            timeout: self.provider.timeout,
            memory: self.memory(),
        })
    }

    fn memory(&self) -> u64 {
        let granted = self.provider.grants.iter().find_map(|it| match it {
            Grant::Memory => Some(MAX_MEMORY),
            Grant::Reveal => None,
        });
        granted.unwrap_or(DEFAULT_MEMORY)
    }

    /// Settings in force for the connection of that name, with `own` over them and defaults filled in.
    pub fn settings(&self, name: &str, own: &Settings) -> Settings {
        let mut given = self.provider.settings_of(name);
        given.extend(own.iter().map(|(name, value)| (name.clone(), value.clone())));
        with_defaults(self.descriptor(), &given)
    }

    /// Whether a connection may have these settings and secrets of its own. Where requests go is the
    /// operator's to say, so a setting that an address is made of is not among them.
    pub fn admit<'a>(
        &self,
        settings: impl IntoIterator<Item = &'a str>,
        secrets: impl IntoIterator<Item = &'a str>,
    ) -> Result<(), String> {
        let descriptor = self.descriptor();
        let known = |fields: &[Field], name: &str| fields.iter().any(|it| it.name == name);
        for name in settings {
            if !known(&descriptor.settings, name) {
                return Err(format!("the plugin {} has no setting `{name}`", descriptor.name));
            }
            if descriptor.access.iter().any(|it| is_made_of(it, name)) {
                return Err(format!(
                    "`{name}` determines where requests are sent, so it can only be set in the manifest"
                ));
            }
        }
        for name in secrets {
            if !known(&descriptor.secrets, name) {
                return Err(format!("the plugin {} has no secret `{name}`", descriptor.name));
            }
        }
        Ok(())
    }

    /// Secrets without which it cannot work, and which neither the manifest has for all its connections nor `own`.
    pub fn lacks<'a>(&self, own: impl IntoIterator<Item = &'a str>) -> Vec<&str> {
        let own = own.into_iter().collect::<Vec<_>>();
        let is_there = |name: &str| self.provider.secrets.contains_key(name) || own.contains(&name);
        let required = self.descriptor().secrets.iter().filter(|it| it.required);
        required.map(|it| it.name.as_str()).filter(|it| !is_there(it)).collect()
    }

    /// Secrets in force for the connection of that name, `own` before those of the manifest.
    pub(super) async fn secrets(
        &self,
        name: &str,
        own: Vec<(String, SecretString)>,
    ) -> Result<Vec<(String, SecretString)>, Failure> {
        let mut found = own;
        for (key, source) in self.provider.secrets_of(name) {
            if found.iter().any(|(name, _)| *name == key) {
                continue;
            }
            let value = source.read().await.map_err(|error| {
                let message = format!("providers.{}.secrets.{key}: {error}", self.provider.name);
                // What may pass is an outage of our own: what is stored is served, and it is tried again.
                let case = if error.may_pass() { Case::HostFault } else { Case::Misconfigured };
                Failure::new(case, error.code(), message)
            })?;
            found.push((key, value));
        }
        Ok(found)
    }
}

fn declared(provider: &Provider, descriptor: &Descriptor) -> Option<Schedule> {
    Schedule::new(descriptor.schedule.as_deref()?, provider.timezone.clone()).ok()
}

fn with_defaults(descriptor: &Descriptor, given: &Settings) -> Settings {
    let default = |it: &Field| Some((it.name.clone(), it.default.clone()?));
    let mut all: Settings = descriptor.settings.iter().filter_map(default).collect();
    all.extend(given.iter().map(|(name, value)| (name.clone(), value.clone())));
    all
}

fn policy(
    provider: &Provider,
    descriptor: &Descriptor,
    settings: &Settings,
) -> Result<Policy, BindProblem> {
    let all = with_defaults(descriptor, settings);
    let value = |name: &str| all.get(name).cloned();
    let expand = |it: &Access| {
        let pattern = Pattern::expand(&it.request, &value)?;
        Ok(pattern.carrying(it.carries.iter().cloned()))
    };
    let given = |it: &&Access| !leaves_out(descriptor, it, &all);
    let patterns = descriptor.access.iter().filter(given).map(expand);
    let patterns = patterns.collect::<Result<Vec<_>, PatternError>>();
    let patterns = patterns.map_err(|error| {
        let help = format!("its settings are listed by: {}", command(provider));
        BindProblem::new(&["settings"], code::Manifest::SettingInvalid, error.to_string(), help)
    })?;
    Ok(Policy {
        plugin: descriptor.name.clone(),
        provider: provider.name.clone(),
        patterns,
        networks: provider.egress.networks.clone(),
        plaintext: provider.egress.plaintext,
    })
}

/// The command that lists what a provider of that plugin takes.
fn command(provider: &Provider) -> String {
    let Provider { name, plugin, .. } = provider;
    if plugin == name {
        format!("keepfresh provider add {name}")
    } else {
        format!("keepfresh provider add {name} --plugin {plugin}")
    }
}

/// Whether a request cannot be made because an optional setting that it is made of was not given.
fn leaves_out(descriptor: &Descriptor, access: &Access, given: &Settings) -> bool {
    let absent = |it: &&Field| !it.required && given.get(&it.name).is_none_or(String::is_empty);
    descriptor.settings.iter().filter(absent).any(|it| is_made_of(access, &it.name))
}

/// Whether the setting of that name says where the request goes.
fn is_made_of(access: &Access, name: &str) -> bool {
    [format!("{{{name}}}"), format!("{{{name}.origin}}")]
        .iter()
        .any(|placeholder| access.request.contains(placeholder))
}

/// Names that are set but not known, and names that are required but not set.
fn names(provider: &Provider, descriptor: &Descriptor) -> Vec<BindProblem> {
    let mut problems = Vec::new();
    let settings = provider.settings.keys().map(String::as_str).collect::<Vec<_>>();
    let secrets = provider.secrets.keys().map(String::as_str).collect::<Vec<_>>();
    unknown(&mut problems, &["settings"], &descriptor.settings, &settings);
    unknown(&mut problems, &["secrets"], &descriptor.secrets, &secrets);
    for (index, connection) in provider.connections.iter().enumerate() {
        let (index, name) = (index.to_string(), connection.id.name());
        let own = |what| ["connections", &index, what];
        let settings = connection.settings.keys().map(String::as_str).collect::<Vec<_>>();
        let secrets = connection.secrets.keys().map(String::as_str).collect::<Vec<_>>();
        unknown(&mut problems, &own("settings"), &descriptor.settings, &settings);
        unknown(&mut problems, &own("secrets"), &descriptor.secrets, &secrets);
        missing(&mut problems, "settings", &descriptor.settings, &provider.settings_of(name));
        missing_secrets(&mut problems, descriptor, &provider.secrets_of(name));
    }
    problems.dedup_by(|a, b| a.message == b.message && a.path == b.path);
    problems
}

/// `path` leads to the table of the names that are given; its last key says what they are.
fn unknown(problems: &mut Vec<BindProblem>, path: &[&str], known: &[Field], given: &[&str]) {
    let what = path.last().copied().unwrap_or_default();
    let kind = what.trim_end_matches('s');
    for name in given.iter().filter(|name| !known.iter().any(|it| it.name == **name)) {
        let all = known.iter().map(|it| it.name.as_str()).collect::<Vec<_>>().join(", ");
        let message = format!("the plugin has no {kind} `{name}`");
        let help =
            if all.is_empty() { format!("it takes no {what}") } else { format!("it has: {all}") };
        let path = [path, &[*name]].concat();
        problems.push(BindProblem::new(&path, code::Manifest::UnknownKey, message, help));
    }
}

fn missing(problems: &mut Vec<BindProblem>, what: &str, known: &[Field], given: &Settings) {
    for field in known.iter().filter(|it| it.required && it.default.is_none()) {
        if !given.contains_key(&field.name) {
            let message = format!("the setting `{}` is missing: {}", field.name, field.help);
            let help = format!("add: {what} = {{ {} = \"...\" }}", field.name);
            problems.push(BindProblem::new(&[what], code::Manifest::SettingMissing, message, help));
        }
    }
}

fn missing_secrets(problems: &mut Vec<BindProblem>, descriptor: &Descriptor, given: &Secrets) {
    for field in descriptor.secrets.iter().filter(|it| it.required) {
        if !given.contains_key(&field.name) {
            let message = format!("the secret `{}` is missing: {}", field.name, field.help);
            let help = format!(
                "add: secrets = {{ {0} = {{ env = \"{1}\" }} }}",
                field.name,
                field.name.to_uppercase()
            );
            problems.push(BindProblem::new(
                &["secrets"],
                code::Manifest::SecretMissing,
                message,
                help,
            ));
        }
    }
}

fn reveal(provider: &Provider, program: &Program) -> Option<BindProblem> {
    let interface =
        program.imports().iter().find(|it| it.starts_with("keepfresh:provider/reveal"))?;
    if provider.grants.contains(&Grant::Reveal) {
        return None;
    }
    let name = &program.descriptor().name;
    let message = format!("{name} imports {interface}, which plugins do not get without a grant");
    let help = format!(
        "to let it read secrets in plain text, add to [providers.{}]: grants = [\"reveal\"]",
        provider.name
    );
    Some(BindProblem::new(&["plugin"], code::PluginFile::ImportDenied, message, help))
}
