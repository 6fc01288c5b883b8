//! The command line's behaviour: as files where output is what matters, here where files and modes are.
#![cfg(unix)]

use std::{
    fs,
    io::Write,
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Output, Stdio},
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
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// Runs the command with something on stdin.
fn psephos_given(folder: &Path, arguments: &[&str], stdin: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_psephos"))
        .args(arguments)
        .current_dir(folder)
        .env_remove("PSEPHOS_PASSPHRASE")
        .env_remove("PSEPHOS_NODE")
        .env_remove("RUST_LOG")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

/// A file that its owner alone may read.
fn private(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// The words in the boxes of a recovery sheet.
fn sheet_words(path: &Path) -> Vec<String> {
    let svg = fs::read_to_string(path).unwrap();
    let boxes = svg.split(r#"class="word""#).skip(1);
    boxes.map(|text| text.split_once('>').unwrap().1.split_once('<').unwrap().0.to_owned()).collect()
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

#[test]
fn a_sheet_is_private_and_gives_the_same_key_back() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    private(&at.join("passphrase"), "correct horse battery\n");
    let made = success(
        at,
        &["--json", "--passphrase-file", "passphrase", "trustee", "init", "--name", "Ada", "--out", "t.key"],
    );
    assert_eq!(made["sheet"], "t.sheet.svg");
    assert_eq!(mode(&at.join("t.sheet.svg")), 0o600);
    let words = sheet_words(&at.join("t.sheet.svg"));
    assert_eq!(words.len(), 24);

    // Typed with numbers, in capitals, over lines. The public half that is there is this key's and stays.
    let typed: String =
        (1..).zip(&words).map(|(number, word)| format!("{number}. {}\n", word.to_uppercase())).collect();
    private(&at.join("words"), &typed);
    fs::remove_file(at.join("t.key")).unwrap();
    let restore = [
        "--json",
        "--passphrase-file",
        "passphrase",
        "trustee",
        "restore",
        "--name",
        "Ada",
        "--out",
        "t.key",
        "--sheet-words-file",
        "words",
    ];
    let public = fs::read(at.join("t.pub.json")).unwrap();
    let back = success(at, &restore);
    assert_eq!((&back["signing"], &back["fingerprint"]), (&made["signing"], &made["fingerprint"]));
    assert_eq!(fs::read(at.join("t.pub.json")).unwrap(), public);
    assert!(fs::read_to_string(at.join("t.key")).unwrap().starts_with("-----BEGIN AGE ENCRYPTED FILE-----"));

    let (code, error) = failure(at, &restore);
    assert_eq!(code, 2);
    assert!(error.contains("t.key: exists already; nothing was written"), "{error}");

    // Through a pipe, as from a scanner of QR codes.
    let piped = ["trustee", "restore", "--name", "Ada", "--out", "p.key", "--insecure-plaintext"];
    let output = psephos_given(at, &piped, &words.join(" "));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(fs::read(at.join("p.pub.json")).unwrap(), public);
}

#[test]
fn wrong_words_are_named_and_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    success(at, &["--json", "trustee", "init", "--name", "A", "--out", "t.key", "--insecure-plaintext"]);
    let words = sheet_words(&at.join("t.sheet.svg"));
    let mut unknown = words.clone();
    unknown[6] = "absndon".into();
    let mut swapped = words.clone();
    swapped.swap(0, 1);
    if words[0] == words[1] {
        swapped[0] = "zoo".into();
    }
    let cases = [
        (unknown.join(" "), "word 7 is none of the list; the nearest: abandon"),
        (words[..23].join(" "), "there are 23 words"),
        (String::new(), "no words were given"),
        (swapped.join(" "), "they don't belong together"),
    ];
    let restore = ["trustee", "restore", "--name", "A", "--out", "back.key", "--insecure-plaintext"];
    for (text, told) in cases {
        let output = psephos_given(at, &restore, &text);
        let error = String::from_utf8(output.stderr).unwrap();
        // One order in 256 has a right checksum, too, and is another key.
        if told.contains("belong") && output.status.success() {
            continue;
        }
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert!(error.contains(told) && !error.contains("absndon"), "{error}");
        assert!(!at.join("back.key").exists() && !at.join("back.pub.json").exists());
    }
}

#[test]
fn a_sheet_is_left_out_when_asked_and_never_replaces_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let init = ["--json", "trustee", "init", "--name", "A", "--insecure-plaintext", "--out"];
    let made = success(at, &[&init[..], &["a.key", "--no-sheet"]].concat());
    assert!(made["sheet"].is_null());
    assert_eq!(fs::read_dir(at).unwrap().count(), 2);
    private(&at.join("page"), "mine");
    let (code, error) = failure(at, &[&init[..], &["b.key", "--sheet", "page"]].concat());
    assert_eq!(code, 2);
    assert!(error.contains("page: exists already"), "{error}");
    assert_eq!(fs::read_dir(at).unwrap().count(), 3);
    let (code, _) = failure(at, &[&init[..], &["b.key", "--sheet", "s.svg", "--no-sheet"]].concat());
    assert_eq!(code, 2);
}

#[test]
fn a_backup_opens_for_the_holder_of_its_identity() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let identity = age::x25519::Identity::generate();
    let text = age::secrecy::ExposeSecret::expose_secret(&identity.to_string()).to_owned();
    private(&at.join("identity"), &text);
    private(
        &at.join("other"),
        age::secrecy::ExposeSecret::expose_secret(&age::x25519::Identity::generate().to_string()),
    );
    let recipient = identity.to_public().to_string();
    let init = ["--json", "trustee", "init", "--name", "Ada", "--out", "t.key", "--insecure-plaintext"];
    let (code, error) = failure(at, &[&init[..], &["--backup-to", "age1nobody"]].concat());
    assert_eq!(code, 2);
    assert!(error.contains("age-keygen"), "{error}");
    let made = success(at, &[&init[..], &["--backup-to", &recipient]].concat());
    assert_eq!(made["backup"], "t.backup.age");
    assert_eq!(mode(&at.join("t.backup.age")), 0o600);

    let restore = ["--json", "trustee", "restore", "--insecure-plaintext", "--backup", "t.backup.age"];
    let back = success(at, &[&restore[..], &["--identity", "identity", "--out", "back.key"]].concat());
    assert_eq!((&back["name"], &back["signing"]), (&made["name"], &made["signing"]));
    assert_eq!(fs::read(at.join("back.pub.json")).unwrap(), fs::read(at.join("t.pub.json")).unwrap());
    let (code, error) = failure(at, &[&restore[..], &["--identity", "other", "--out", "no.key"]].concat());
    assert_eq!(code, 2);
    assert!(error.contains("no identity in other opens t.backup.age"), "{error}");
}

/// The verdict on each thing that the doctor looked at, and its exit code.
fn doctor(at: &Path, arguments: &[&str]) -> (i32, std::collections::BTreeMap<String, String>) {
    let node = format!("ws://127.0.0.1:{}", dead_port());
    let url = format!("http://127.0.0.1:{}", dead_port());
    let output = psephos(
        at,
        &[&["--json", "--node", &node, "trustee", "doctor", "--url", &url][..], arguments].concat(),
    );
    let checks: Vec<serde_json::Value> = serde_json::from_slice(&output.stdout).unwrap();
    let of = |check: &serde_json::Value, field: &str| check[field].as_str().unwrap().to_owned();
    let verdicts = checks.iter().map(|check| (of(check, "check"), of(check, "verdict"))).collect();
    (output.status.code().unwrap(), verdicts)
}

#[test]
fn the_doctor_looks_at_all_and_says_which_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    success(at, &["--json", "trustee", "init", "--name", "A", "--out", "t.key", "--insecure-plaintext"]);
    fs::create_dir(at.join("data")).unwrap();
    let (code, found) = doctor(at, &["--key", "t.key", "--data", "data"]);
    assert_eq!(code, 1);
    let expected = [
        ("daemon", "problem"),
        ("disk", "ok"),
        ("kem key", "ok"),
        ("key file", "ok"),
        ("node", "problem"),
        ("store", "ok"),
    ];
    assert_eq!(found, expected.map(|(check, verdict)| (check.into(), verdict.into())).into());
    // Nothing was left in the folder.
    assert_eq!(fs::read_dir(at.join("data")).unwrap().count(), 0);

    fs::set_permissions(at.join("t.key"), fs::Permissions::from_mode(0o644)).unwrap();
    private(&at.join("data/trustee.redb"), "no store");
    let (_, found) = doctor(at, &["--key", "t.key", "--data", "data"]);
    assert_eq!((&*found["key file"], &*found["store"]), ("problem", "problem"));
    assert_eq!(doctor(at, &["--key", "t.key", "--data", "nowhere"]).1["store"], "warning");
}

/// A record of docs/vectors.
fn record(name: &str) -> Vec<u8> {
    let records: serde_json::Value =
        serde_json::from_str(include_str!("../../../docs/vectors/records.json")).unwrap();
    let of = |record: &&serde_json::Value| record["name"] == name;
    hex::decode(records.as_array().unwrap().iter().find(of).unwrap()["record"].as_str().unwrap()).unwrap()
}

#[test]
fn a_certified_record_gets_a_certificate_that_holds_and_a_page() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let bytes = record("plurality, one voter by invitation, one ballot replaced");
    fs::write(at.join("record"), &bytes).unwrap();
    let make =
        ["--json", "board", "certificate-key", "--name", "Board", "--out", "c.key", "--insecure-plaintext"];
    let made = success(at, &make);
    assert_eq!(mode(&at.join("c.key")), 0o600);
    let public: serde_json::Value =
        serde_json::from_slice(&fs::read(at.join("c.pub.json")).unwrap()).unwrap();
    assert_eq!(public["fingerprint"], made["fingerprint"]);
    assert_eq!(failure(at, &make).0, 2);

    let certify = ["--json", "board", "certificate", "record", "--key", "c.key"];
    let output = psephos(at, &certify);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stderr).contains("no finality proof"));
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(said["fingerprint"], made["fingerprint"]);
    let options = psephos_verifier::Options {
        certificate: Some(fs::read(at.join("record.certificate")).unwrap()),
        certificate_key: Some(made["fingerprint"].as_str().unwrap().parse().unwrap()),
        ..Default::default()
    };
    let report = psephos_verifier::verify(bytes.as_slice(), &options).unwrap();
    assert!(report.verified() && report.certificate.is_some(), "{report}");
    assert_eq!(said["sha256"], report.digest.unwrap().to_string());
    let page = fs::read_to_string(at.join("record.certificate.html")).unwrap();
    assert!(page.starts_with("<!DOCTYPE html>") && page.contains("Certificate of an election record"));
    // The secret is in its file alone.
    let secret: serde_json::Value = serde_json::from_slice(&fs::read(at.join("c.key")).unwrap()).unwrap();
    let secret = secret["seeds"].as_str().unwrap();
    for text in [made.to_string(), public.to_string(), page, String::from_utf8_lossy(&output.stdout).into()] {
        assert!(!text.contains(secret) && !text.contains(&secret[..48]));
    }
    // What is there stays.
    let before = fs::read(at.join("record.certificate")).unwrap();
    let (code, error) = failure(at, &certify);
    assert!(code == 2 && error.contains("exists already"), "{error}");
    assert_eq!(fs::read(at.join("record.certificate")).unwrap(), before);
}

#[test]
fn nothing_else_is_certified() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let good = record("plurality, one voter by invitation, one ballot replaced");
    let cut = good[..good.len() - 1].to_vec();
    fs::write(at.join("good"), &good).unwrap();
    fs::write(at.join("cut"), cut).unwrap();
    fs::write(at.join("voided"), record("voided while open")).unwrap();
    fs::write(at.join("tampered"), record("a counted ballot is missing")).unwrap();
    fs::write(at.join("unproved"), &good).unwrap();
    fs::write(at.join("unproved.finality"), b"PSEPHOSF").unwrap();
    success(
        at,
        &["--json", "board", "certificate-key", "--name", "B", "--out", "c.key", "--insecure-plaintext"],
    );
    let refused = |file: &str, more: &[&str]| {
        let (code, error) = failure(at, &[&["board", "certificate", file, "--key", "c.key"], more].concat());
        assert_eq!(code, 1, "{file}: {error}");
        assert!(!at.join(format!("{file}.certificate")).exists(), "{file}");
        assert!(!at.join(format!("{file}.certificate.html")).exists(), "{file}");
        error
    };
    assert!(refused("cut", &[]).contains("check 1:"));
    assert!(refused("tampered", &[]).contains("nothing is certified: NOT VERIFIED"));
    assert!(refused("voided", &[]).contains("did not certify a result"));
    assert!(refused("unproved", &[]).contains("check 17:"));
    assert!(refused("good", &["--election", &"11".repeat(32)]).contains("check 3:"));
}
