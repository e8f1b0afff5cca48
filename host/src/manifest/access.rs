//! What the operator lets a plugin do beyond what it declares.

use std::net::IpAddr;

use ipnet::IpNet;
use toml::de::DeValue;

use crate::manifest::problems::Fault;
use crate::manifest::reference::Section;
use crate::manifest::table::Table;
use crate::manifest::value::{boolean, string};
use crate::model::code;

/// A permission that no plugin has by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grant {
    /// Reading secrets and tokens in plain text.
    Reveal,
    /// 256 MiB of memory, for language runtimes, where 64 are usual.
    Memory,
}

impl Grant {
    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Reveal => "reveal",
            Self::Memory => "memory:256MiB",
        }
    }

    pub(super) fn parse(value: &DeValue<'_>) -> Result<Self, Fault> {
        match string(value)? {
            "reveal" => Ok(Self::Reveal),
            "memory:256MiB" => Ok(Self::Memory),
            _ => Err(Fault::new(
                code::Manifest::Grant,
                "no such grant",
                "the grants are \"reveal\" and \"memory:256MiB\"",
            )),
        }
    }
}

/// Addresses that are refused unless they are named here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Egress {
    /// Special networks, such as this machine's own, that may be reached.
    pub networks: Vec<IpNet>,
    /// Whether `http:` may be used.
    pub plaintext: bool,
}

impl Egress {
    pub(super) fn read(table: Table<'_>) -> Self {
        let table = table.with(Section::Egress, "");
        Self {
            networks: table.list("networks", "network", network),
            plaintext: table.read("plaintext", boolean).unwrap_or_default(),
        }
    }
}

fn network(value: &DeValue<'_>) -> Result<IpNet, Fault> {
    let text = string(value)?;
    text.parse().map(|it: IpNet| it.trunc()).map_err(|_| match text.parse::<IpAddr>() {
        Ok(address) => {
            fault("an address without a prefix length", &IpNet::from(address).to_string())
        }
        Err(_) => fault("not a network", "127.0.0.0/8"),
    })
}

fn fault(label: &str, example: &str) -> Fault {
    Fault::new(
        code::Manifest::Network,
        label,
        format!("write an address and a prefix length: \"{example}\""),
    )
}
