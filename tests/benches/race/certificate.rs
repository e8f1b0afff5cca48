//! A certificate for loopback by an authority of its own, from the `openssl` command, as the tests of TLS have it. Elliptic
//! curves, because signing with them costs the provider little.

use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

const MAKE: &str = "
new='openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'
$new -x509 -days 30 -subj /CN=authority -addext keyUsage=critical,keyCertSign -keyout authority.key -out authority.pem
$new -subj /CN=provider -keyout key.pem -out request.pem
cat >extensions <<'END'
subjectAltName = IP:127.0.0.1
basicConstraints = critical,CA:FALSE
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
END
openssl x509 -req -in request.pem -CA authority.pem -CAkey authority.key -CAcreateserial -days 30 -extfile extensions -out chain.pem
";

/// Its files are removed when it is dropped.
pub(crate) struct Certificate(TempDir);

impl Certificate {
    /// Makes one; nothing where there is no openssl that does.
    pub(crate) fn make() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let made = Command::new("sh").args(["-ec", MAKE]).current_dir(folder.path()).output();
        made.is_ok_and(|it| it.status.success()).then(|| Self(folder))
    }

    /// Whom clients have to trust.
    pub(crate) fn authority(&self) -> PathBuf {
        self.0.path().join("authority.pem")
    }

    /// What the provider presents.
    pub(crate) fn chain(&self) -> PathBuf {
        self.0.path().join("chain.pem")
    }

    /// The key of that.
    pub(crate) fn key(&self) -> PathBuf {
        self.0.path().join("key.pem")
    }
}
