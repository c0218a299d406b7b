use aws_sdk_kms::{primitives::Blob, types::DataKeySpec};

use super::Bench;

#[tokio::test]
async fn a_data_key_opens_only_in_its_context() {
    let bench = Bench::new();
    bench.engine.keys().create("alias/colloquy").unwrap();
    let kms = bench.kms();
    let key = kms
        .generate_data_key()
        .key_id("alias/colloquy")
        .key_spec(DataKeySpec::Aes256)
        .encryption_context("purpose", "identity")
        .encryption_context("id", "1")
        .send()
        .await
        .unwrap();
    let sealed = key.ciphertext_blob().unwrap().clone();
    let open = |sealed: Blob, purpose: &'static str| {
        let decrypt = kms.decrypt().ciphertext_blob(sealed).encryption_context("id", "1");
        decrypt.encryption_context("purpose", purpose).send()
    };
    let opened = open(sealed.clone(), "identity").await.unwrap();
    assert_eq!(opened.plaintext(), key.plaintext());
    assert_eq!(key.plaintext().unwrap().as_ref().len(), 32);
    let other = open(sealed.clone(), "profile").await.unwrap_err().into_service_error();
    assert!(other.is_invalid_ciphertext_exception(), "{other:?}");
    let mut tampered = sealed.into_inner();
    *tampered.last_mut().unwrap() ^= 1;
    let tampered = open(Blob::new(tampered), "identity").await.unwrap_err().into_service_error();
    assert!(tampered.is_invalid_ciphertext_exception(), "{tampered:?}");
    assert_eq!(bench.engine.ledger().calls("kms", "Decrypt"), 3);
}

#[tokio::test]
async fn a_key_that_is_disabled_or_condemned_is_of_no_use() {
    let bench = Bench::new();
    let kms = bench.kms();
    let key = bench.engine.keys().create("alias/colloquy").unwrap();
    let encrypt = || kms.encrypt().key_id(&key).plaintext(Blob::new("words")).send();
    let sealed = encrypt().await.unwrap().ciphertext_blob.unwrap();
    kms.disable_key().key_id(&key).send().await.unwrap();
    assert!(encrypt().await.unwrap_err().into_service_error().is_disabled_exception());
    kms.enable_key().key_id(&key).send().await.unwrap();
    encrypt().await.unwrap();
    kms.schedule_key_deletion().key_id(&key).pending_window_in_days(7).send().await.unwrap();
    let decrypt = || kms.decrypt().ciphertext_blob(sealed.clone()).send();
    assert!(decrypt().await.unwrap_err().into_service_error().is_kms_invalid_state_exception());
    bench.pass(7 * 86_400);
    assert!(decrypt().await.unwrap_err().into_service_error().is_not_found_exception());
    assert!(
        kms.describe_key()
            .key_id("alias/colloquy")
            .send()
            .await
            .unwrap_err()
            .into_service_error()
            .is_not_found_exception()
    );
}

#[tokio::test]
async fn keys_survive_a_restart_in_a_file_only_its_owner_reads() {
    let directory = tempfile::tempdir().unwrap();
    let first = Bench::on_disk(directory.path());
    let arn = first.engine.keys().create("alias/colloquy").unwrap();
    let sealed = first.kms().encrypt().key_id("alias/colloquy").plaintext(Blob::new("words")).send().await.unwrap();
    drop(first);
    let second = Bench::on_disk(directory.path());
    assert_eq!(second.engine.keys().create("alias/colloquy").unwrap(), arn);
    let opened = second.kms().decrypt().ciphertext_blob(sealed.ciphertext_blob.unwrap()).send().await.unwrap();
    assert_eq!(opened.plaintext().unwrap().as_ref(), b"words");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(directory.path().join("keys.json")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
