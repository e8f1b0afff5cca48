//! What `check` prints when nothing is wrong: when everything would run, and what is worth knowing.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::catalogue::{Effective, Held, Origin, Plugin};
use crate::cli::check::{Capped, Checked, Stale};
use crate::cli::render::{door, hint, out, out_all, out_json, table, tone};
use crate::manifest::provider::Provider;
use crate::model::said;

/// Prints that the manifest is in order.
pub(in crate::cli) fn checked(checked: &Checked<'_>, json: bool) {
    if json {
        return out_json(&as_json(checked));
    }
    if checked.effective {
        effective(&Effective::of(checked.manifest, checked.shelf));
    } else {
        for it in checked.manifest.providers.values() {
            let line = tone::mark(true).then(line(checked, it));
            line.folded(door::width(), 2).into_iter().for_each(out);
        }
    }
    checked.stale.iter().map(changed).for_each(hint);
    checked.capped.iter().map(less).for_each(hint);
    hint(format!("{} is valid", checked.manifest.path.display()));
}

fn as_json(checked: &Checked<'_>) -> Value {
    let one = |it: &Provider| json!({ "name": it.name, "next_run_at": tick(checked, it) });
    let providers = checked.manifest.providers.values().map(one).collect::<Vec<_>>();
    let mut told = json!({
        "problems": [],
        "providers": providers,
        "changed_since_token": checked.stale,
        "shorter_than_refresh_before": checked.capped,
    });
    if checked.effective {
        told["effective"] = json!(Effective::of(checked.manifest, checked.shelf));
    }
    told
}

fn plugin<'c>(checked: &'c Checked<'_>, provider: &Provider) -> Option<&'c Plugin> {
    checked.shelf.providers.get(&provider.name)?.as_deref().ok()
}

fn tick(checked: &Checked<'_>, provider: &Provider) -> Option<Timestamp> {
    let declared = plugin(checked, provider).and_then(Plugin::declared_schedule);
    provider.schedule.as_ref().or(declared)?.next_after(checked.now)
}

fn line(checked: &Checked<'_>, provider: &Provider) -> String {
    let Some(next) = tick(checked, provider) else {
        return format!(" {}: at about two thirds of the token's lifetime", provider.name);
    };
    let whose = match (&provider.schedule, plugin(checked, provider)) {
        (None, Some(plugin)) => {
            plugin.declared_schedule().map(crate::model::schedule::Schedule::expression)
        }
        _ => None,
    };
    let whose = whose.map(|it| format!(" (the plugin's own schedule, {it})")).unwrap_or_default();
    let there = next.to_zoned(provider.timezone.clone());
    let (name, zone) = (&provider.name, provider.timezone.iana_name().unwrap_or("UTC"));
    let (moment, there) = (said::moment(next), there.strftime("%H:%M"));
    format!(" {name}: next tick {moment}, {there} in {zone}{whose}")
}

fn changed(stale: &Stale) -> String {
    let names = stale.changed.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ");
    let more = match stale.connections {
        0 | 1 => String::new(),
        count => format!(" and {} more", count - 1),
    };
    let id = &stale.connection;
    format!(
        "{id}{more}: the {names} were changed since this token; use them: keepfresh refresh {id} --force"
    )
}

fn less(capped: &Capped) -> String {
    let Capped { connection, refresh_before, lifetime, used } = capped;
    format!(
        "{connection}: refresh_before is {refresh_before}, but its token lives for {lifetime}: it is refreshed {used} before its expiry at the latest, a third of that"
    )
}

fn effective(effective: &Effective) {
    rows("the manifest", &effective.manifest);
    for provider in &effective.providers {
        rows(&format!("provider {}", provider.name), &provider.keys);
        for it in &provider.connections {
            rows(&format!("connection {}", it.id), &it.keys);
        }
    }
}

fn rows(heading: &str, held: &[Held]) {
    if held.is_empty() {
        return;
    }
    out(heading);
    let row = |it: &Held| vec![format!("  {}", it.key), it.value.clone(), from(it.from)];
    out_all(table::rows(&["  key", "value", "from"], held.iter().map(row).collect()));
    out("");
}

fn from(origin: Origin) -> String {
    match origin {
        Origin::Manifest { line } => format!("line {line}"),
        Origin::Plugin => "the plugin".to_owned(),
        Origin::Default => "default".to_owned(),
    }
}
