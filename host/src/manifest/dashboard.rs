//! `[dashboard]`: whether there are pages for people, and who logs them in besides passwords of their own: a provider
//! of `OpenID` Connect, whose groups say what each may do.

use std::path::Path;

use toml::de::DeValue;

use crate::manifest::access::Egress;
use crate::manifest::channel::missing;
use crate::manifest::problems::Fault;
use crate::manifest::reference::Section;
use crate::manifest::secret;
use crate::manifest::table::Table;
use crate::manifest::value::{boolean, string};
use crate::model::code;
use crate::vault::source::Source;

/// The pages for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dashboard {
    /// Whether there are any, where something listens.
    pub enabled: bool,
    /// Who logs people in besides passwords.
    pub oidc: Option<Oidc>,
}

/// A provider of `OpenID` Connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Oidc {
    /// Its name, exactly as it says it itself.
    pub issuer: String,
    /// How it knows us.
    pub client_id: String,
    /// What it knows us by; none where it trusts the proof of the code alone.
    pub client_secret: Option<Source>,
    /// What is asked for.
    pub scopes: Vec<String>,
    /// Where the groups of a person stand in the ID token.
    pub groups_claim: String,
    /// Where the name stands that the account gets.
    pub name_claim: String,
    /// Groups whose people may do everything.
    pub operators: Vec<String>,
    /// Groups whose people may look.
    pub viewers: Vec<String>,
    /// Addresses that are refused otherwise.
    pub egress: Egress,
}

impl Dashboard {
    pub(super) fn read(table: Table<'_>, folder: &Path) -> Self {
        let table = table.with(Section::Dashboard, "");
        let is_there = table.node("oidc").is_some();
        Self {
            enabled: table.read("enabled", boolean).unwrap_or(true),
            oidc: Oidc::read(table.part("oidc"), is_there, folder),
        }
    }
}

impl Oidc {
    fn read(table: Table<'_>, is_there: bool, folder: &Path) -> Option<Self> {
        let table = table.with(Section::Oidc, "");
        let required = |key: &str, example: &str| {
            if is_there && table.node(key).is_none() {
                missing(&table, key, example);
            }
        };
        required("issuer", "issuer = \"https://id.example.com\"");
        required("client_id", "client_id = \"keepfresh\"");
        let secret = table.node("client_secret");
        let scopes = table.list("scopes", "scope", text);
        let (operators, viewers) =
            (table.list("operators", "group", text), table.list("viewers", "group", text));
        if is_there && operators.is_empty() && viewers.is_empty() {
            missing(&table, "operators", "operators = [\"GROUP\"]");
        }
        let issuer = table.read("issuer", issuer);
        let client_id = table.read("client_id", text);
        let groups_claim = table.read("groups_claim", text);
        let name_claim = table.read("name_claim", text);
        let client_secret = secret.and_then(|it| secret::read(&table, it, "client_secret", folder));
        let egress = Egress::read(table.part("egress"));
        Some(Self {
            issuer: issuer?,
            client_id: client_id?,
            client_secret,
            scopes: if scopes.is_empty() { usual_scopes() } else { scopes },
            groups_claim: groups_claim.unwrap_or_else(|| "groups".to_owned()),
            name_claim: name_claim.unwrap_or_else(|| "preferred_username".to_owned()),
            operators,
            viewers,
            egress,
        })
    }
}

fn usual_scopes() -> Vec<String> {
    ["openid", "profile"].map(str::to_owned).to_vec()
}

fn text(value: &DeValue<'_>) -> Result<String, Fault> {
    match string(value)? {
        "" => {
            Err(Fault::new(code::Manifest::Dashboard, "an empty text", "write what it is called"))
        }
        text => Ok(text.to_owned()),
    }
}

/// A URL without query and fragment. Plain `http` is for the way out to refuse, unless it is allowed there.
fn issuer(value: &DeValue<'_>) -> Result<String, Fault> {
    let wrong = |label: &str| {
        let help =
            "write it as the provider does in its discovery document: \"https://id.example.com\"";
        Err(Fault::new(code::Manifest::Dashboard, label, help))
    };
    let text = string(value)?;
    let Ok(url) = url::Url::parse(text) else { return wrong("not a URL") };
    if !matches!(url.scheme(), "https" | "http") || !url.has_host() {
        return wrong("neither https nor http");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return wrong("more than a host and a path");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return wrong("a URL with a user in it");
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::parse;

    fn dashboard(lines: &str) -> Result<Dashboard, String> {
        let path = Path::new("/etc/keepfresh/keepfresh.toml");
        parse(lines, path).map(|it| it.dashboard).map_err(|it| it[0].render(lines))
    }

    fn oidc(lines: &str) -> Result<Oidc, String> {
        let usual = "issuer = \"https://id.example\"\nclient_id = \"k\"\noperators = [\"ops\"]";
        let names = lines.lines().filter_map(|it| it.split_once(" =")).map(|it| it.0);
        let names = names.collect::<Vec<_>>();
        let others = usual.lines().filter(|it| !names.iter().any(|name| it.starts_with(name)));
        let others = others.collect::<Vec<_>>().join("\n");
        dashboard(&format!("[dashboard.oidc]\n{others}\n{lines}\n")).map(|it| it.oidc.unwrap())
    }

    #[test]
    fn there_are_pages_and_no_provider_unless_it_says_otherwise() {
        assert_eq!(dashboard(""), Ok(Dashboard { enabled: true, oidc: None }));
        assert!(!dashboard("[dashboard]\nenabled = false").unwrap().enabled);
    }

    #[test]
    fn a_provider_has_an_issuer_a_client_and_a_group() {
        let usual = oidc("").unwrap();
        assert_eq!((&*usual.groups_claim, &*usual.name_claim), ("groups", "preferred_username"));
        assert_eq!(usual.scopes, ["openid", "profile"]);
        let nobody =
            dashboard("[dashboard.oidc]\nissuer = \"https://i.example\"\nclient_id = \"k\"");
        assert!(nobody.unwrap_err().contains("operators = [\"GROUP\"]"));
        let nowhere = dashboard("[dashboard.oidc]\nclient_id = \"k\"\nviewers = [\"a\"]");
        assert!(nowhere.unwrap_err().contains("no `issuer`"));
        let literal = oidc("client_secret = \"CANARY\"").unwrap_err();
        assert!(literal.contains("must not be written here") && !literal.contains("CANARY"));
    }

    #[test]
    fn an_issuer_is_a_url_and_no_more() {
        for wrong in
            ["id.example", "ftp://id.example", "https://i.example/?a", "https://a@i.example"]
        {
            assert!(oidc(&format!("issuer = \"{wrong}\"")).is_err(), "{wrong}");
        }
        let exact = "https://login.example/tenant/v2.0/";
        assert_eq!(oidc(&format!("issuer = \"{exact}\"")).unwrap().issuer, exact);
    }
}
