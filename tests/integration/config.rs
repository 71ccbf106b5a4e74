//! How the program finds `sterna.toml`.

use std::fs;

use crate::server::{Finished, TestDb, shared, sterna};

#[tokio::test]
async fn the_environment_wins_over_the_file_of_the_working_folder() {
    let db = TestDb::new().await;
    let folder = tempfile::tempdir().unwrap();
    // Nobody listens on port 1.
    let text = "database_url = 'postgres://of-file@127.0.0.1:1/d'\nformat = 'json'\n";
    fs::write(folder.path().join("sterna.toml"), text).unwrap();
    let create = || {
        let mut command = sterna(&["stage", "create"]);
        command.current_dir(folder.path());
        command
    };

    let by_file = Finished::from(create().output().unwrap()).expect_code(1);
    assert!(by_file.stderr.contains("of-file@127.0.0.1:1/d"), "{by_file:?}");

    let socket = shared().socket_folder().to_str().unwrap().replace('/', "%2F");
    let url = format!("postgres://{}@{socket}/{}", shared().user(), db.name());
    let by_environment = create().env("DATABASE_URL", &url).output().unwrap();
    let by_environment = Finished::from(by_environment).expect_code(0);
    assert!(by_environment.stdout.contains(r#""action": "created""#), "{by_environment:?}");
}

#[test]
fn a_wrong_file_is_wrong_usage() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("my.toml");
    fs::write(&path, "\n[load]\nbatchsize = 1\n").unwrap();
    let mut load = sterna(&["load", "a.csv", "--all", "--config"]);
    let refused = Finished::from(load.arg(&path).output().unwrap()).expect_code(2);
    let said = format!(
        "error: {}: line 3: unknown key batchsize in [load]\nhint: did you mean batch_size?\n",
        path.display()
    );
    assert_eq!(refused.stderr, said);
}
