//! The daemon as a whole, where it has to end.

use std::time::Duration;

use crate::app::{App, Purpose, ServeError, Watch, serve};
use crate::egress::Gate;
use crate::lifecycle::signals::Signals;
use crate::manifest;
use crate::model::clock::Clock;
use crate::model::code;
use crate::sandbox::Compiler;
use crate::vault::key::MasterKey;

#[tokio::test]
async fn a_daemon_that_can_store_nothing_any_more_ends_and_says_so() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("keepfresh.toml");
    std::fs::write(&file, "[vault]\nkey = \"file:keepfresh.key\"\n").unwrap();
    std::fs::create_dir(home.path().join("plugins")).unwrap();
    MasterKey::generate_file(&home.path().join("keepfresh.key")).unwrap();
    let manifest = manifest::load(&file).unwrap();
    let compiler = Compiler::at("/nonexistent".into());
    let (clock, gate) = (Clock::system(), Gate::system());
    let watch = Watch::over(&manifest);
    let app = App::open(manifest, Purpose::Serve, clock, gate, compiler).await.unwrap();
    let storage = app.storage.clone();
    let breaks = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        storage.break_writer().await;
    };
    let ends = tokio::time::timeout(
        Duration::from_secs(20),
        serve(app, watch, Signals::listen().unwrap()),
    );
    let (ended, ()) = tokio::join!(ends, breaks);
    let ended = ended.expect("it ends by itself");
    assert!(matches!(ended, Err(ServeError::Writer(_))), "{ended:?}");
    assert_eq!(ended.unwrap_err().code(), code::Storage::WriterGone);
}
