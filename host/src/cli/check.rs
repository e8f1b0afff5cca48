//! `keepfresh check`: every problem of the manifest, of the plugins, and between them, each with its
//! line and its remedy; and when everything would run. Changes nothing.

use std::path::Path;

use crate::catalogue::{Loader, Shelf};
use crate::cli::exit::Exit;
use crate::cli::render;
use crate::egress::Gate;
use crate::manifest::diagnostic::Diagnostic;
use crate::manifest::{self, Manifest};
use crate::model::clock::Clock;
use crate::sandbox::Sandbox;

pub(super) async fn run(config: &Path, json: bool) -> Exit {
    let manifest = match manifest::load(config) {
        Ok(manifest) => manifest,
        Err(problems) => return render::problems(config, &problems, json),
    };
    let sandbox = match Sandbox::start() {
        Ok(sandbox) => sandbox,
        Err(error) => {
            return render::fail("internal.engine", &error.to_string(), json, Exit::Failed);
        }
    };
    let loader = Loader { sandbox, cache: None, gate: Gate::system() };
    let now = Clock::system().now();
    let shelf = loader.look(&manifest, now).await;
    let mut problems = between(&manifest, &shelf);
    problems.extend(files(&manifest, &shelf));
    problems.extend(secrets(&manifest).await);
    if !problems.is_empty() {
        return render::problems(config, &problems, json);
    }
    render::checked(&manifest, &shelf, now, json);
    Exit::Done
}

/// What does not fit between a provider's section and its plugin.
fn between(manifest: &Manifest, shelf: &Shelf) -> Vec<Diagnostic> {
    let place = |(provider, problem): &(String, crate::catalogue::BindProblem)| {
        let mut path = vec!["providers", provider];
        path.extend(problem.path.iter().map(String::as_str));
        let message = format!("provider `{provider}`: {}", problem.message);
        manifest.diagnostic(&path, problem.code, &message, &problem.help)
    };
    shelf.problems.iter().map(place).collect()
}

/// Files that are refused, at the first provider that needs them, else at the folder's line.
fn files(manifest: &Manifest, shelf: &Shelf) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for file in &shelf.files {
        let Some(failure) = &file.refused else { continue };
        let user =
            manifest.providers.values().find(|it| format!("{}.wasm", it.plugin) == file.file);
        let path = match user {
            Some(provider) => vec!["providers", provider.name.as_str(), "plugin"],
            None => vec!["plugins", "dir"],
        };
        let help = format!("replace {} by a plugin that works, or remove it", file.file);
        found.push(manifest.diagnostic(&path, "plugin.refused", &failure.message, &help));
    }
    found
}

/// Secrets that are named and not there.
async fn secrets(manifest: &Manifest) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (provider, connection) in manifest.connections() {
        for (name, source) in provider.secrets_of(connection.id.name()) {
            let Err(error) = source.read().await else { continue };
            let path = ["providers", provider.name.as_str(), "secrets", name.as_str()];
            let message = format!("the secret `{name}` of {} cannot be read", connection.id);
            let problem = manifest.diagnostic(&path, error.code(), &message, &error.to_string());
            if !found.contains(&problem) {
                found.push(problem);
            }
        }
    }
    found
}
