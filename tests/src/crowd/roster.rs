//! Files of connections for `keepfresh connection import`, each row with the first tokens of a grant.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::Path;

use jiff::Timestamp;

use crate::crowd::token::Claim;

/// A connection.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// What its tokens are of. It is called `u` and the number of the grant, with seven digits.
    pub claim: Claim,
    /// When its access token ends.
    pub expires_at: Timestamp,
}

/// Writes a file with these connections.
pub fn write(path: &Path, rows: impl IntoIterator<Item = Row>) -> io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    writeln!(file, "name,access_token,refresh_token,expires_at")?;
    for Row { claim, expires_at } in rows {
        let (access, refresh) = (claim.access_token(), claim.refresh_token());
        writeln!(file, "u{:07},{access},{refresh},{}", claim.grant, expires_at.as_second())?;
    }
    file.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_a_heading_and_a_line_for_each() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        let row = |grant| Row { claim: Claim::first(grant, 60), expires_at: Timestamp::UNIX_EPOCH };
        write(&path, [row(0), row(1_000_000)]).unwrap();
        let text = std::fs::read_to_string(path).unwrap();
        let lines = text.lines().collect::<Vec<_>>();
        assert_eq!(lines[0], "name,access_token,refresh_token,expires_at");
        assert!(lines[1].starts_with("u0000000,at_0_0_60_") && lines[1].ends_with(",0"), "{text}");
        assert!(lines[2].starts_with("u1000000,at_1000000_0_60_"), "{text}");
        assert_eq!(lines.len(), 3);
    }
}
