//! What others make of the document that describes the API: a client that is generated from it, and requests
//! that are. `./dev servers` installs the two programs; without them a test says so in one line and passes.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use e2e::servers::installed;
use tempfile::TempDir;

use super::{Served, address, key};

/// Requests for each route; all of them together take about ten seconds.
const EXAMPLES: &str = "12";

/// What the answers are held to.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance";

/// What the generated client is asked for: a token, and something that is not there.
const CALLER: &str = r#"
import sys
from keepfresh_client import AuthenticatedClient
from keepfresh_client.api.tokens import get
from keepfresh_client.models import Problem, Token
client = AuthenticatedClient(base_url=sys.argv[1], token=sys.argv[2], raise_on_unexpected_status=True)
token = get.sync(id="eskiz", client=client, min_ttl=0)
assert isinstance(token, Token), token
problem = get.sync(id="nobody", client=client)
assert isinstance(problem, Problem) and problem.code == "connection.unknown", problem
print(token.token)
"#;

fn document() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("docs/openapi.json")
}

fn done(output: &Output) -> String {
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{shown} {}", String::from_utf8_lossy(&output.stderr));
    shown
}

/// A client for Python, made from the document in the repository.
fn client(tools: &Path) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    // Formatting what nobody reads needs another program.
    std::fs::write(folder.path().join("config.yml"), "post_hooks: []\n").unwrap();
    let mut generate = Command::new(tools.join("bin/openapi-python-client"));
    generate.args(["generate", "--meta", "none", "--config", "config.yml", "--path"]);
    generate.arg(document()).args(["--output-path", "keepfresh_client"]).current_dir(&folder);
    done(&generate.output().unwrap());
    folder
}

#[test]
fn a_client_that_is_generated_from_the_document_compiles_and_reads_a_token() {
    let Some(tools) = installed("openapi") else { return };
    let client = client(&tools);
    let python = || {
        let mut python = Command::new(tools.join("bin/python"));
        python.current_dir(&client);
        python
    };
    done(&python().args(["-m", "compileall", "-q", "keepfresh_client"]).output().unwrap());
    let served = Served::eskiz();
    let key = key(&served.stage.home, "generated", &["--scope", "token:read"]);
    let url = format!("http://{}", address(&served.daemon));
    let got = done(&python().args(["-c", CALLER, &url, &key]).output().unwrap());
    assert_eq!(got.trim_end(), served.stage.token());
}

#[test]
fn requests_made_from_the_document_get_answers_that_are_in_it() {
    let Some(tools) = installed("openapi") else { return };
    let served = Served::eskiz();
    let key = key(&served.stage.home, "generated", &["--scope", "admin"]);
    let folder = tempfile::tempdir().unwrap();
    let mut run = Command::new(tools.join("bin/schemathesis"));
    run.arg("run").arg(format!("http://{}/openapi.json", address(&served.daemon)));
    run.arg("-H").arg(format!("Authorization: Bearer {key}"));
    // The same requests each time: what was found yesterday is found today.
    run.args(["--seed", "20", "--generation-database", "none", "--no-color"]);
    run.args(["--max-examples", EXAMPLES, "--suppress-health-check", "all", "--checks", CHECKS]);
    // It would revoke its own key, and wait for the end of what has none.
    run.args(["--exclude-path", "/api/v1/api-keys/{key}", "--exclude-path", "/api/v1/events"]);
    done(&run.current_dir(&folder).output().unwrap());
    served.socket().get("/healthz").is(200);
}
