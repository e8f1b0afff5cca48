//! How PostgreSQL and MariaDB are made and started, each in a folder of its own.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::databases::serving::{Server, WATCHED, as_its_user, installed, postgres_program};
use crate::databases::{Databank, PASSWORD};

impl Databank {
    pub(super) fn make_postgres(&self) -> Option<()> {
        let initdb = postgres_program("initdb")?;
        let password = self.folder.path().join("password");
        fs::write(&password, PASSWORD).expect("a file");
        let mut command = as_its_user(&initdb, self.folder.path());
        command.arg("-D").arg(self.data()).args(["-U", "app", "-A", "scram-sha-256", "-E", "UTF8"]);
        command
            .args(["--no-sync", "--no-instructions", "--locale=C"])
            .arg("--pwfile")
            .arg(password);
        let made = command.stdin(Stdio::null()).output().expect("initdb starts");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        Some(())
    }

    pub(super) fn run_postgres(&self) -> Server {
        let program = postgres_program("postgres").expect("it is installed");
        let mut command = as_its_user(Path::new("/bin/sh"), self.folder.path());
        // What a server that was killed has left; nobody has its number by now.
        let _ = fs::remove_file(self.data().join("postmaster.pid"));
        command.args(["-c", WATCHED, "sh"]).arg(program).arg("-D").arg(self.data());
        command.args(["-p", &self.port.to_string(), "-k"]).arg(self.folder.path());
        for setting in
            ["listen_addresses=127.0.0.1", "fsync=off", "shared_buffers=16MB", "max_connections=20"]
        {
            command.args(["-c", setting]);
        }
        Server::start(command, self.log())
    }

    pub(super) fn make_mariadb(&self) -> Option<()> {
        let install = installed("mariadb-install-db", &["/usr/bin", "/usr/local/bin"])?;
        installed("mariadbd", &["/usr/sbin", "/usr/local/sbin"])?;
        let mut command = Command::new(install);
        command.arg("--no-defaults").arg(format!("--datadir={}", self.data().display()));
        command.args(["--auth-root-authentication-method=normal", "--skip-test-db", "--user=root"]);
        // In the folder of all, two that are made at once would find each other's tables.
        command.arg(format!("--tmpdir={}", self.folder.path().display()));
        let made = command.stdin(Stdio::null()).output().expect("it starts");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        Some(())
    }

    pub(super) fn run_mariadb(&self) -> Server {
        let program =
            installed("mariadbd", &["/usr/sbin", "/usr/local/sbin"]).expect("it is there");
        let mut command = Command::new("/bin/sh");
        let path = |name: &str| self.folder.path().join(name).display().to_string();
        command.args(["-c", WATCHED, "sh"]).arg(program).arg("--no-defaults");
        command.args([
            format!("--datadir={}", path("data")),
            format!("--socket={}", path("s")),
            format!("--pid-file={}", path("pid")),
            format!("--tmpdir={}", path("")),
            format!("--port={}", self.port),
        ]);
        command.args([
            "--bind-address=127.0.0.1",
            "--user=root",
            "--sql-mode=",
            "--skip-name-resolve",
        ]);
        command.args(["--innodb-buffer-pool-size=16M", "--innodb-flush-log-at-trx-commit=2"]);
        Server::start(command, self.log())
    }

    /// Has PostgreSQL offer TLS from its next start on, with a certificate that nobody knows, and gives the file of that.
    /// Nothing if `openssl` is not installed.
    ///
    /// # Panics
    /// When that fails.
    pub fn offer_tls(&self) -> Option<std::path::PathBuf> {
        let openssl = installed("openssl", &["/usr/bin", "/usr/local/bin"])?;
        let [key, certificate] = ["server.key", "server.crt"].map(|it| self.data().join(it));
        let mut command = as_its_user(&openssl, self.folder.path());
        command.args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
        ]);
        command.args([
            "-days",
            "3",
            "-subj",
            "/CN=database",
            "-addext",
            "subjectAltName=IP:127.0.0.1",
        ]);
        command.args(["-addext", "basicConstraints=critical,CA:FALSE"]);
        command.arg("-keyout").arg(key).arg("-out").arg(&certificate);
        let made = command.output().expect("openssl starts");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let settings = self.data().join("postgresql.auto.conf");
        fs::write(settings, "ssl = on\n").expect("its settings");
        Some(certificate)
    }
}
