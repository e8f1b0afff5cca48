//! Makes two thousand secrets and gives none back.

use guests::secrets::{Encoding, Part, Secret};
use sdk::{Context, Failure, Flow, Tokens};

fn leak(_: &Context) -> Flow<Tokens> {
    let made = |index: u32| Secret::compose(&[Part::Text(index.to_string())], Encoding::Plain);
    let held: Vec<Secret> = (0..2000).map(made).collect();
    Err(Failure::Other(format!("held {} handles", held.len())))
}

guests::guest!("leaks-handles", leak);
