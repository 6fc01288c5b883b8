//! The command line's behaviour: as files where output is what matters, here where files and modes are.
#![cfg(unix)]

use std::{
    fs,
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Output},
};

#[test]
fn commands_as_files() {
    trycmd::TestCases::new().case("tests/cmd/*.trycmd");
}

/// Runs the command in a folder, without terminal, passphrase or node.
fn psephos(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_psephos"))
        .args(arguments)
        .current_dir(folder)
        .env_remove("PSEPHOS_PASSPHRASE")
        .env_remove("PSEPHOS_NODE")
        .env_remove("RUST_LOG")
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap()
}

/// The exit code and stderr of a run that fails.
fn failure(folder: &Path, arguments: &[&str]) -> (i32, String) {
    let output = psephos(folder, arguments);
    assert!(!output.status.success(), "{arguments:?} succeeded");
    assert!(output.stdout.is_empty(), "{arguments:?} printed a result");
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

fn success(folder: &Path, arguments: &[&str]) -> serde_json::Value {
    let output = psephos(folder, arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// A port where nobody listens.
fn dead_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn keys_are_private_encrypted_and_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    fs::write(at.join("passphrase"), "correct horse battery\n").unwrap();
    let make =
        ["--json", "--passphrase-file", "passphrase", "trustee", "init", "--name", "Ada", "--out", "t.key"];

    let (code, error) = failure(at, &make);
    assert_eq!(code, 2);
    assert!(error.contains("chmod 600 passphrase"), "{error}");

    fs::set_permissions(at.join("passphrase"), fs::Permissions::from_mode(0o600)).unwrap();
    let made = success(at, &make);
    assert_eq!(made["public_file"], "t.pub.json");
    assert_eq!(mode(&at.join("t.key")), 0o600);
    let secret = fs::read_to_string(at.join("t.key")).unwrap();
    assert!(secret.starts_with("-----BEGIN AGE ENCRYPTED FILE-----"));
    let public: serde_json::Value =
        serde_json::from_slice(&fs::read(at.join("t.pub.json")).unwrap()).unwrap();
    assert_eq!(public["name"], "Ada");
    assert_eq!(public["signing"], made["signing"]);
    assert_eq!(public["kem"].as_str().unwrap().len(), 2 * 1_216);

    let (code, error) = failure(at, &make);
    assert_eq!(code, 2);
    assert!(error.contains("t.key: exists already; nothing was written"), "{error}");
    assert_eq!(fs::read_to_string(at.join("t.key")).unwrap(), secret);
}

#[test]
fn without_a_passphrase_no_key_is_made_and_plaintext_is_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let (code, error) = failure(at, &["board", "keygen", "--name", "B", "--out", "b.key"]);
    assert_eq!(code, 2);
    assert!(error.contains("PSEPHOS_PASSPHRASE") && error.contains("--passphrase-file"), "{error}");
    assert_eq!(fs::read_dir(at).unwrap().count(), 0);

    let output = psephos(at, &["board", "keygen", "--name", "B", "--out", "b.key", "--insecure-plaintext"]);
    assert!(output.status.success());
    assert!(String::from_utf8(output.stderr).unwrap().contains("UNENCRYPTED"));
}

#[test]
fn a_key_that_others_may_read_or_of_another_role_is_refused_before_anything_is_connected() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    success(at, &["--json", "voter", "keygen", "--name", "v", "--out", "v.key", "--insecure-plaintext"]);
    let vote = ["board", "close", "--key", "v.key", "--election", "abcdef"];
    let (code, error) = failure(at, &vote);
    assert_eq!(code, 2);
    assert!(error.contains("key of a voter") && error.contains("key of a board"), "{error}");
    fs::set_permissions(at.join("v.key"), fs::Permissions::from_mode(0o644)).unwrap();
    let (code, error) = failure(at, &vote);
    assert_eq!(code, 2);
    assert!(error.contains("mode 644") && error.contains("chmod 600 v.key"), "{error}");
}

#[test]
fn a_node_that_does_not_answer_is_named_with_its_own_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let node = format!("ws://127.0.0.1:{}", dead_port());
    let (code, error) = failure(folder.path(), &["--node", &node, "audit", "elections"]);
    assert_eq!(code, 3);
    assert!(error.contains(&node) && error.contains("check addresses"), "{error}");
    let url = format!("http://127.0.0.1:{}", dead_port());
    let (code, error) = failure(folder.path(), &["trustee", "status", "--url", &url]);
    assert_eq!(code, 3);
    assert!(error.contains(&url), "{error}");
}

#[test]
fn a_network_needs_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    for command in ["up", "status", "down"] {
        let (code, error) = failure(folder.path(), &["network", command, "nowhere"]);
        assert_eq!(code, 2);
        assert!(error.contains("psephos network new nowhere"), "{error}");
    }
    fs::create_dir(folder.path().join("there")).unwrap();
    let (code, error) = failure(folder.path(), &["network", "new", "there", "--dev-keys"]);
    assert_eq!(code, 2);
    assert!(error.contains("there: exists already"), "{error}");
}
