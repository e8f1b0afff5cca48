//! The four products of Jibit that issue tokens in the same way, each at its own paths and with
//! its own pair of keys.

use sdk::{Failure, Settings};

/// One product.
#[derive(Debug, PartialEq)]
pub(crate) struct Product {
    pub(crate) name: &'static str,
    /// Path of the first token.
    pub(crate) generate: &'static str,
    /// Path of the next token.
    pub(crate) refresh: &'static str,
    /// Whether a refresh wants the old access token too, even an expired one.
    pub(crate) wants_both: bool,
}

impl Product {
    /// What a refresh carries.
    pub(crate) fn refreshed_with(&self) -> &'static [&'static str] {
        if self.wants_both { &["access-token", "refresh-token"] } else { &["refresh-token"] }
    }
}

/// Identity, payment gateway, transferor, cobanking.
pub(crate) static PRODUCTS: [Product; 4] = [
    Product {
        name: "ide",
        generate: "/ide/v1/tokens/generate",
        refresh: "/ide/v1/tokens/refresh",
        wants_both: true,
    },
    Product {
        name: "ppg",
        generate: "/ppg/v3/tokens",
        refresh: "/ppg/v3/tokens/refresh",
        wants_both: false,
    },
    Product {
        name: "trf",
        generate: "/trf/v2/tokens/generate",
        refresh: "/trf/v2/tokens/refresh",
        wants_both: true,
    },
    Product {
        name: "cobank",
        generate: "/cobank/v1/tokens/generate",
        refresh: "/cobank/v1/tokens/refresh",
        wants_both: true,
    },
];

/// The product that the settings choose; the first where they do not.
pub(crate) fn chosen(settings: &Settings) -> Result<&'static Product, Failure> {
    let all = PRODUCTS.each_ref().map(|product| (product.name, product));
    Ok(settings.choice("product", &all)?.unwrap_or(&PRODUCTS[0]))
}
