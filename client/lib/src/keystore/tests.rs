use super::*;
use rand_core::OsRng;
use std::{fs, os::unix::fs::PermissionsExt};

fn passphrase(text: &str) -> Protection {
    Protection::Passphrase(SecretString::from(text.to_owned()))
}

fn source(folder: &Path, text: &str) -> PassphraseSource {
    let path = folder.join(format!("passphrase-{}", text.len()));
    create_private(&path, text.as_bytes()).unwrap();
    PassphraseSource::File(path)
}

#[test]
fn an_encrypted_key_comes_back_only_with_its_passphrase() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trustee.key");
    let key = KeyFile::generate(KeyRole::Trustee, "Ada", &mut OsRng);
    key.create(&path, &passphrase("correct horse")).unwrap();

    let bytes = fs::read(&path).unwrap();
    assert!(bytes.starts_with(b"-----BEGIN AGE ENCRYPTED FILE-----"));
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);

    let right = source(folder.path(), "correct horse\n");
    let loaded = KeyFile::load(&path, KeyRole::Trustee, &right).unwrap();
    assert_eq!(loaded.public_file(), key.public_file());
    assert_eq!(loaded.name(), "Ada");

    let wrong = source(folder.path(), "wrong horse");
    assert!(matches!(KeyFile::load(&path, KeyRole::Trustee, &wrong), Err(KeyError::WrongPassphrase { .. })));
}

#[test]
fn a_file_is_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("board.key");
    let key = KeyFile::generate(KeyRole::Board, "Bo", &mut OsRng);
    key.create(&path, &Protection::InsecurePlaintext).unwrap();
    let before = fs::read(&path).unwrap();
    let other = KeyFile::generate(KeyRole::Board, "Bo", &mut OsRng);
    assert!(matches!(other.create(&path, &Protection::InsecurePlaintext), Err(KeyError::Exists(_))));
    assert!(matches!(create_private(&path, b"x"), Err(KeyError::Exists(_))));
    assert_eq!(fs::read(&path).unwrap(), before);
    // No temporary file stays behind.
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn what_is_replaced_stays_private() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ballot");
    create_private(&path, b"old").unwrap();
    replace_private(&path, b"new").unwrap();
    assert_eq!(*read_private(&path).unwrap(), b"new");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_key_that_others_may_read_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("board.key");
    let key = KeyFile::generate(KeyRole::Board, "Bo", &mut OsRng);
    key.create(&path, &Protection::InsecurePlaintext).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let error = KeyFile::load(&path, KeyRole::Board, &PassphraseSource::Ask).err().unwrap();
    assert!(error.to_string().contains("chmod 600"), "{error}");
}

#[test]
fn wrong_role_or_changed_file_is_named_and_secrets_are_not_quoted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("board.key");
    let key = KeyFile::generate(KeyRole::Board, "Bo", &mut OsRng);
    key.create(&path, &Protection::InsecurePlaintext).unwrap();
    let error = KeyFile::load(&path, KeyRole::Voter, &PassphraseSource::Ask).err().unwrap();
    assert!(error.to_string().contains("key of a board"), "{error}");

    let secret = hex::encode(key.signing().seed());
    let changed = [
        (secret.clone(), "00".repeat(32)),
        ("\"version\":1".into(), "\"version\":2".into()),
        ("\"signing\"".into(), "\"singing\"".into()),
        ("{".into(), "".into()),
    ];
    let text = fs::read_to_string(&path).unwrap();
    for (index, (from, to)) in changed.into_iter().enumerate() {
        let path = folder.path().join(format!("changed-{index}.key"));
        create_private(&path, text.replacen(&from, &to, 1).as_bytes()).unwrap();
        let error = KeyFile::load(&path, KeyRole::Board, &PassphraseSource::Ask).err().unwrap();
        assert!(matches!(error, KeyError::Format { .. }), "{index}: {error}");
        assert!(!error.to_string().contains(&secret), "{error}");
    }
}

#[test]
fn a_short_passphrase_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let short = source(folder.path(), "1234567");
    assert!(matches!(short.new_one(Path::new("x")), Err(KeyError::ShortPassphrase)));
}

/// The passphrase's scrypt is slow, so what is not about it is in plaintext.
fn plain(key: &KeyFile, path: &Path) -> serde_json::Value {
    key.create(path, &Protection::InsecurePlaintext).unwrap();
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn load(path: &Path) -> Result<KeyFile, KeyError> {
    KeyFile::load(path, KeyRole::Trustee, &PassphraseSource::Ask)
}

#[test]
fn a_trustees_file_keeps_the_root_alone_and_its_words_give_the_same_keys() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.key");
    let key = KeyFile::generate(KeyRole::Trustee, "Ada", &mut OsRng);
    let stored = plain(&key, &path);
    assert!(stored.get("signing").is_none() && stored.get("kem").is_none(), "{stored}");
    let loaded = load(&path).unwrap();
    assert_eq!(loaded.public_file(), key.public_file());
    let words = loaded.root().unwrap().words();
    let again = KeyFile::trustee("Ada", Root::from_words(&words).unwrap());
    assert_eq!(again.public_file(), key.public_file());
    assert_ne!(key.signing().seed(), key.kem().unwrap().seed());
}

#[test]
fn a_file_with_two_seeds_still_opens_and_has_no_root() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("old.key");
    let (signing, kem) = (SigningKey::generate(&mut OsRng), KemKey::generate(&mut OsRng));
    let old = serde_json::json!({
        "version": 1, "role": "trustee", "name": "Ada", "public": signing.public().to_string(),
        "signing": hex::encode(signing.seed()), "kem": hex::encode(kem.seed()),
    });
    create_private(&path, old.to_string().as_bytes()).unwrap();
    let key = load(&path).unwrap();
    assert!(key.root().is_none());
    assert_eq!(key.kem().unwrap().seed(), kem.seed());
    // Written again it is what it was.
    assert_eq!(plain(&key, &folder.path().join("again.key")), old);
}

#[test]
fn a_trustees_file_with_other_secrets_than_one_root_or_two_seeds_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let key = KeyFile::generate(KeyRole::Trustee, "Ada", &mut OsRng);
    let good = plain(&key, &folder.path().join("t.key"));
    let seed = "11".repeat(32);
    let changes = [("signing", seed.as_str()), ("kem", &seed), ("root", &seed), ("root", "11")];
    for (index, (field, value)) in changes.into_iter().enumerate() {
        let mut changed = good.clone();
        changed[field] = value.into();
        let path = folder.path().join(format!("changed-{index}.key"));
        create_private(&path, changed.to_string().as_bytes()).unwrap();
        assert!(matches!(load(&path), Err(KeyError::Format { .. })), "{field}");
    }
    let mut none = good;
    none.as_object_mut().unwrap().remove("root");
    let path = folder.path().join("none.key");
    create_private(&path, none.to_string().as_bytes()).unwrap();
    assert!(load(&path).err().unwrap().to_string().contains("`root`"));
}

#[test]
fn a_backup_opens_with_its_identity_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let identities = [age::x25519::Identity::generate(), age::x25519::Identity::generate()];
    for (name, identity) in ["right", "wrong"].into_iter().zip(&identities) {
        let text = format!("# a comment\n{}\n", identity.to_string().expose_secret());
        create_private(&at(name), text.as_bytes()).unwrap();
    }
    let key = KeyFile::generate(KeyRole::Trustee, "Ada", &mut OsRng);
    let recipient: Recipient = identities[0].to_public().to_string().parse().unwrap();
    key.create(&at("backup"), &Protection::Recipient(recipient)).unwrap();
    let back = KeyFile::load_backup(&at("backup"), KeyRole::Trustee, &at("right")).unwrap();
    assert_eq!(back.public_file(), key.public_file());
    assert!(back.root().is_some());
    let wrong = KeyFile::load_backup(&at("backup"), KeyRole::Trustee, &at("wrong")).err().unwrap();
    assert!(matches!(wrong, KeyError::WrongIdentity { .. }), "{wrong}");
    let none = KeyFile::load_backup(&at("backup"), KeyRole::Trustee, &at("backup")).err().unwrap();
    assert!(matches!(none, KeyError::NoIdentity(_)), "{none}");
    // As a key file it is refused, with a way on.
    let error = load(&at("backup")).err().unwrap();
    assert!(error.to_string().contains("trustee restore --backup"), "{error}");
    assert!("age1xyz".parse::<Recipient>().is_err());
}

#[test]
fn a_fingerprint_is_the_beginning_of_the_public_key() {
    let key = KeyFile::generate(KeyRole::Board, "Bo", &mut OsRng);
    let print = fingerprint(&key.public());
    assert_eq!(print.len(), 8 * 4 + 7);
    assert!(key.public().to_string().starts_with(&print.replace(' ', "")));
}

#[test]
fn the_key_for_certificates_is_kept_like_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("certificate.key");
    let key = CertificateKeyFile::generate("Board", &mut OsRng);
    key.create(&path, &passphrase("correct horse")).unwrap();
    assert!(fs::read(&path).unwrap().starts_with(b"-----BEGIN AGE ENCRYPTED FILE-----"));
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let right = source(folder.path(), "correct horse\n");
    let loaded = CertificateKeyFile::load(&path, &right).unwrap();
    assert_eq!(loaded.public_file(), key.public_file());
    assert!(loaded.key().seeds() == key.key().seeds());
    let wrong = source(folder.path(), "wrong horse");
    let error = CertificateKeyFile::load(&path, &wrong).err();
    assert!(matches!(error, Some(KeyError::WrongPassphrase { .. })));
    let error = CertificateKeyFile::generate("Board", &mut OsRng).create(&path, &passphrase("correct horse"));
    assert!(matches!(error, Err(KeyError::Exists(_))));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    assert!(matches!(CertificateKeyFile::load(&path, &right).err(), Some(KeyError::Mode { .. })));
}

#[test]
fn keys_for_certificates_and_for_signatures_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (folder.path().join("certificate.key"), folder.path().join("board.key"));
    CertificateKeyFile::generate("Board", &mut OsRng).create(&one, &Protection::InsecurePlaintext).unwrap();
    KeyFile::generate(KeyRole::Board, "Board", &mut OsRng)
        .create(&other, &Protection::InsecurePlaintext)
        .unwrap();
    let reason = |error: Option<KeyError>| error.unwrap().to_string();
    let error = reason(KeyFile::load(&one, KeyRole::Board, &PassphraseSource::Ask).err());
    assert!(error.contains("has not the fields of a key file"), "{error}");
    let error = reason(CertificateKeyFile::load(&other, &PassphraseSource::Ask).err());
    assert!(error.contains("has not the fields of a certificate key"), "{error}");
    // A changed secret is noticed, and not printed.
    let text = fs::read_to_string(&one).unwrap();
    let seeds = text.split_once("\"seeds\":\"").unwrap().1.split_once('"').unwrap().0;
    for changed in ["0".repeat(144), "0".repeat(142), "x".repeat(144)] {
        replace_private(&one, text.replace(seeds, &changed).as_bytes()).unwrap();
        let error = reason(CertificateKeyFile::load(&one, &PassphraseSource::Ask).err());
        assert!(!error.contains(&changed), "{error}");
    }
}
