//! Plugin files, what does not fit between them and the manifest, and what they lack a grant for.

use crate::catalogue::BindProblem;
use crate::model::code;
use crate::operator::examine::{Deployment, Examined, Fault};

/// Conflicts between a provider's section and its plugin; a file that is not there is one.
pub(super) fn providers(it: Deployment<'_>) -> Examined {
    let faults = it.shelf.problems.iter().map(|(provider, problem)| fault(provider, problem));
    let fine = format!("{} fit their plugins", it.manifest.providers.len());
    Examined { what: "providers", fine, faults: faults.collect() }
}

/// Files that are refused, at the first provider that needs them, else at the folder's line.
pub(super) fn files(it: Deployment<'_>) -> Examined {
    let mut faults = Vec::new();
    for file in &it.shelf.files {
        let Some(failure) = &file.refused else { continue };
        let mut users = it.manifest.providers.values();
        let user = users.find(|it| format!("{}.wasm", it.plugin) == file.file);
        let path = match user {
            Some(provider) => vec!["providers", provider.name.as_str(), "plugin"],
            None => vec!["plugins", "dir"],
        };
        let what = format!("plugin {}", file.file);
        let help = format!("replace {} with a working plugin, or remove it", file.file);
        let fault = Fault::new(&path, code::PluginFile::Refused, what, failure.message.clone());
        faults.push(fault.with_help(help));
    }
    let fine = format!("{} can be used", it.shelf.files.len());
    Examined { what: "plugin files", fine, faults }
}

/// Declared requests that would be refused for want of a grant: `http://`, or this machine's own network.
pub(super) fn grants(it: Deployment<'_>) -> Examined {
    let mut faults = Vec::new();
    for (provider, plugin) in &it.shelf.providers {
        let Ok(plugin) = plugin else { continue };
        faults.extend(plugin.ungranted().iter().map(|it| fault(provider, it)));
    }
    let fine = "every address that is declared may be contacted".to_owned();
    Examined { what: "grants", fine, faults }
}

fn fault(provider: &str, problem: &BindProblem) -> Fault {
    let mut path = vec!["providers", provider];
    path.extend(problem.path.iter().map(String::as_str));
    let message = format!("provider `{provider}`: {}", problem.message);
    let fault = Fault::new(&path, problem.code.clone(), format!("provider {provider}"), message);
    fault.with_help(&problem.help)
}
