//! `[providers.NAME.proxy]`: where programs may send requests through Keepfresh, and how the token is put into
//! them. Without it, nothing passes.

use toml::de::DeValue;

use crate::egress::{Method, Pattern, folded};
use crate::manifest::access::Egress;
use crate::manifest::problems::Fault;
use crate::manifest::reference::Section;
use crate::manifest::table::Table;
use crate::manifest::value::string;
use crate::model::code;

/// What stands for the token in a text.
const TOKEN: &str = "{token}";

/// What programs may send, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    /// Absolute URLs in normal form: everything below one that ends in a slash, else it alone. The first one
    /// is meant where a program names none.
    pub to: Vec<String>,
    /// How.
    pub methods: Vec<Method>,
    /// Where the token is put.
    pub place: Place,
    /// Whether a request is sent without a token when there is none.
    pub goes_without: bool,
}

/// Where the token stands in a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// `Authorization: TYPE TOKEN`, with the type that came with the token.
    Authorization,
    /// `Authorization: Basic BASE64` of this text around the token.
    Basic {
        /// What stands before it.
        before: String,
        /// What stands behind it.
        behind: String,
    },
    /// A header of this name.
    Header {
        /// In small letters.
        name: String,
        /// What stands before the token.
        before: String,
    },
    /// A parameter of the query.
    Query(String),
}

impl Proxy {
    pub(super) fn read(owner: &Table<'_>, egress: &Egress) -> Option<Self> {
        let is_there = owner.node("proxy").is_some();
        let table = owner.part("proxy").with(Section::Proxy, "");
        let to = table.list("to", "to", |it| address(it, egress));
        if is_there && table.node("to").is_none() {
            let help =
                "add the addresses that programs may reach: `to = [\"https://api.example.com/\"]`";
            let fault = Fault::new(code::Manifest::MissingKey, "`to` is missing", help);
            table.report(table.place(), "to", &fault);
        }
        let methods = match table.node("methods") {
            Some(_) => table.list("methods", "method", method),
            None => vec![Method::Get, Method::Head],
        };
        let place = Place::read(&table);
        let goes_without = table.read("without_token", without_token).unwrap_or_default();
        is_there.then_some(Self { to, methods, place, goes_without })
    }
}

impl Place {
    fn read(table: &Table<'_>) -> Self {
        let basic = table.read("basic", basic);
        let header = table.read("header", header);
        let prefix = table.read("prefix", |it| string(it).map(str::to_owned));
        let query = table.read("query", parameter);
        let given = ["basic", "header", "query"].into_iter().filter_map(|it| table.node(it));
        let given = given.collect::<Vec<_>>();
        if let [_, second, ..] = &given[..] {
            let help = "keep one of `basic`, `header` and `query`";
            let fault = Fault::new(code::Manifest::Proxy, "the token has one place", help);
            table.report(second.span(), "place of the token", &fault);
        }
        if let Some(node) = table.node("prefix").filter(|_| table.node("header").is_none()) {
            let help = "add `header = \"Authorization\"`, or remove it";
            let fault = Fault::new(code::Manifest::Proxy, "it stands in a header", help);
            table.report(node.span(), "prefix", &fault);
        }
        match (basic, header, query) {
            (Some((before, behind)), _, _) => Self::Basic { before, behind },
            (_, Some(name), _) => Self::Header { name, before: prefix.unwrap_or_default() },
            (_, _, Some(name)) => Self::Query(name),
            _ => Self::Authorization,
        }
    }
}

fn invalid(label: impl Into<String>, help: impl Into<String>) -> Fault {
    Fault::new(code::Manifest::Proxy, label, help)
}

fn address(value: &DeValue<'_>, egress: &Egress) -> Result<String, Fault> {
    let text = string(value)?;
    let whole_origin = text.splitn(4, '/').nth(3).is_none();
    let text = if whole_origin { format!("{text}/") } else { text.to_owned() };
    if text.contains(['{', '*', '?', '#']) {
        let help = "write \"https://api.example.com/v1/\" for everything below it";
        return Err(invalid("a URL has no placeholders, stars or queries here", help));
    }
    let help = "write \"https://api.example.com/\"";
    Pattern::at(&text, Method::Get).map_err(|_| invalid("not a URL in its normal form", help))?;
    if text.starts_with("http:") && !egress.plaintext {
        let help = "write https, or allow http in this provider: `egress = { plaintext = true }`";
        return Err(invalid("the token would cross the network in clear", help));
    }
    Ok(text)
}

fn method(value: &DeValue<'_>) -> Result<Method, Fault> {
    let name = string(value)?;
    Method::named(name).ok_or_else(|| {
        let all = Method::ALL.map(Method::as_str).join(", ");
        invalid("no method that can be passed on", format!("the methods are {all}"))
    })
}

fn without_token(value: &DeValue<'_>) -> Result<bool, Fault> {
    match string(value)? {
        "refuse" => Ok(false),
        "forward" => Ok(true),
        _ => Err(invalid("no such answer", "write \"refuse\" or \"forward\"")),
    }
}

fn basic(value: &DeValue<'_>) -> Result<(String, String), Fault> {
    let text = string(value)?;
    let parts = text.split_once(TOKEN).filter(|(before, behind)| {
        !behind.contains(TOKEN) && (before.contains(':') || behind.contains(':'))
    });
    let (before, behind) = parts.ok_or_else(|| {
        let help = "write \"{token}:\" for a token that is the user's name, or \"api:{token}\"";
        invalid("not a user and a password, one of which is {token}", help)
    })?;
    Ok((before.to_owned(), behind.to_owned()))
}

fn header(value: &DeValue<'_>) -> Result<String, Fault> {
    let name = string(value)?.to_ascii_lowercase();
    let is_name = !name.is_empty()
        && name.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'-' || it == b'_');
    let known = reqwest::header::HeaderName::from_bytes(name.as_bytes()).ok();
    let is_plain =
        known.is_some_and(|it| crate::egress::meaning(&it) == crate::egress::Meaning::Plain);
    let is_kept = ["cookie", "content-type"].contains(&folded(&name).as_str());
    if is_name && is_plain && !is_kept {
        return Ok(name);
    }
    Err(invalid("not a header that a token can stand in", "write \"X-Api-Key\""))
}

fn parameter(value: &DeValue<'_>) -> Result<String, Fault> {
    match string(value)? {
        "" => Err(invalid("an empty name", "write \"api_key\"")),
        name => Ok(name.to_owned()),
    }
}
