//! KMS's operations over the wire.
//!
//! It deliberately checks what a wrong caller would trip over on AWS: the context, the key's state, the sizes.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{Key, Keyring, Keys, Refusal, State, arn, material};
use crate::engine::{ACCOUNT, ledger::Unit, random_id};

/// The most one `Encrypt` takes, in bytes.
const PLAINTEXT_LIMIT_BYTES: usize = 4096;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

impl Keys {
    pub(super) fn run(&self, operation: &str, request: &Value) -> Result<Value, Refusal> {
        let mut keyring = self.keyring();
        let answer = match operation {
            "CreateKey" => self.create_key(&mut keyring, request),
            "CreateAlias" => self.create_alias(&mut keyring, request),
            "ListAliases" => Ok(list_aliases(&keyring)),
            "DescribeKey" => describe(&keyring, request),
            "Encrypt" => encrypt(&keyring, request),
            "Decrypt" => decrypt(&keyring, request),
            "GenerateDataKey" => generate_data_key(&keyring, request, true),
            "GenerateDataKeyWithoutPlaintext" => generate_data_key(&keyring, request, false),
            "GenerateRandom" => generate_random(request),
            "EnableKey" => self.set_state(&mut keyring, request, State::Enabled),
            "DisableKey" => self.set_state(&mut keyring, request, State::Disabled),
            "ScheduleKeyDeletion" => self.schedule_deletion(&mut keyring, request),
            "CancelKeyDeletion" => self.cancel_deletion(&mut keyring, request),
            other => {
                let message = format!("the embedded engine does not answer {other}");
                return Err(Refusal::new("UnsupportedOperationException", &message));
            }
        };
        drop(keyring);
        let resource = request["KeyId"].as_str().unwrap_or("keys");
        self.inner.ledger.count("kms", operation, resource, Unit::KeyRequest, 1.0);
        answer
    }

    fn create_key(&self, keyring: &mut Keyring, request: &Value) -> Result<Value, Refusal> {
        if !matches!(request["KeySpec"].as_str(), None | Some("SYMMETRIC_DEFAULT")) {
            return Err(Refusal::new("UnsupportedOperationException", "the embedded engine has symmetric keys only"));
        }
        let description = request["Description"].as_str().unwrap_or_default();
        let key = Key::generate((self.inner.clock)(), description)?;
        let id = random_id();
        let metadata = metadata(&id, &key);
        keyring.keys.insert(id, key);
        self.save(keyring)?;
        Ok(json!({ "KeyMetadata": metadata }))
    }

    fn create_alias(&self, keyring: &mut Keyring, request: &Value) -> Result<Value, Refusal> {
        let alias = text(request, "AliasName")?;
        if !alias.starts_with("alias/") || alias.starts_with("alias/aws/") {
            return Err(Refusal::new("InvalidAliasNameException", "an alias begins with alias/, not alias/aws/"));
        }
        if keyring.aliases.contains_key(alias) {
            return Err(Refusal::new("AlreadyExistsException", &format!("the alias {alias} exists")));
        }
        let id = resolve(keyring, text(request, "TargetKeyId")?)?;
        keyring.aliases.insert(alias.to_owned(), id);
        self.save(keyring)?;
        Ok(json!({}))
    }

    fn set_state(&self, keyring: &mut Keyring, request: &Value, state: State) -> Result<Value, Refusal> {
        let id = resolve(keyring, text(request, "KeyId")?)?;
        let key = keyring.keys.get_mut(&id).ok_or_else(|| missing(&id))?;
        if matches!(key.state, State::PendingDeletion { .. }) {
            return Err(pending(&id));
        }
        key.state = state;
        self.save(keyring)?;
        Ok(json!({}))
    }

    fn schedule_deletion(&self, keyring: &mut Keyring, request: &Value) -> Result<Value, Refusal> {
        let id = resolve(keyring, text(request, "KeyId")?)?;
        let days = request["PendingWindowInDays"].as_i64().unwrap_or(30);
        if !(7..=30).contains(&days) {
            return Err(Refusal::new("ValidationException", "PendingWindowInDays must be 7 to 30"));
        }
        let key = keyring.keys.get_mut(&id).ok_or_else(|| missing(&id))?;
        if matches!(key.state, State::PendingDeletion { .. }) {
            return Err(pending(&id));
        }
        let at_ms = (self.inner.clock)() + days * DAY_MS;
        key.state = State::PendingDeletion { at_ms };
        self.save(keyring)?;
        Ok(json!({
            "KeyId": arn(&id),
            "DeletionDate": at_ms.div_euclid(1000),
            "KeyState": "PendingDeletion",
            "PendingWindowInDays": days,
        }))
    }

    fn cancel_deletion(&self, keyring: &mut Keyring, request: &Value) -> Result<Value, Refusal> {
        let id = resolve(keyring, text(request, "KeyId")?)?;
        let key = keyring.keys.get_mut(&id).ok_or_else(|| missing(&id))?;
        if !matches!(key.state, State::PendingDeletion { .. }) {
            return Err(Refusal::new("KMSInvalidStateException", &format!("{} is not pending deletion", arn(&id))));
        }
        key.state = State::Disabled;
        self.save(keyring)?;
        Ok(json!({ "KeyId": arn(&id) }))
    }
}

fn describe(keyring: &Keyring, request: &Value) -> Result<Value, Refusal> {
    let id = resolve(keyring, text(request, "KeyId")?)?;
    let key = keyring.keys.get(&id).ok_or_else(|| missing(&id))?;
    Ok(json!({ "KeyMetadata": metadata(&id, key) }))
}

fn list_aliases(keyring: &Keyring) -> Value {
    let aliases = keyring.aliases.iter().map(|(alias, id)| json!({ "AliasName": alias, "TargetKeyId": id }));
    json!({ "Aliases": aliases.collect::<Vec<_>>(), "Truncated": false })
}

fn encrypt(keyring: &Keyring, request: &Value) -> Result<Value, Refusal> {
    let (id, key) = usable(keyring, text(request, "KeyId")?)?;
    let plaintext = blob(request, "Plaintext")?;
    if !(1..=PLAINTEXT_LIMIT_BYTES).contains(&plaintext.len()) {
        return Err(Refusal::new("ValidationException", "Plaintext must be 1 to 4096 bytes"));
    }
    let ciphertext = key.encrypt(&id, &context(request)?, &plaintext)?;
    Ok(json!({
        "CiphertextBlob": STANDARD.encode(ciphertext),
        "KeyId": arn(&id),
        "EncryptionAlgorithm": "SYMMETRIC_DEFAULT",
    }))
}

fn decrypt(keyring: &Keyring, request: &Value) -> Result<Value, Refusal> {
    let invalid =
        || Refusal::new("InvalidCiphertextException", "the ciphertext or its encryption context is not valid");
    let ciphertext = blob(request, "CiphertextBlob")?;
    let id = material::key_of(&ciphertext).ok_or_else(invalid)?;
    if let Some(named) = request["KeyId"].as_str()
        && resolve(keyring, named)? != id
    {
        return Err(Refusal::new("IncorrectKeyException", "the ciphertext was made with another key"));
    }
    let (id, key) = usable(keyring, id)?;
    let plaintext = key.decrypt(&context(request)?, &ciphertext).ok_or_else(invalid)?;
    Ok(json!({
        "KeyId": arn(&id),
        "Plaintext": STANDARD.encode(plaintext),
        "EncryptionAlgorithm": "SYMMETRIC_DEFAULT",
    }))
}

fn generate_data_key(keyring: &Keyring, request: &Value, with_plaintext: bool) -> Result<Value, Refusal> {
    let (id, key) = usable(keyring, text(request, "KeyId")?)?;
    let length = match (request["KeySpec"].as_str(), request["NumberOfBytes"].as_u64()) {
        (Some("AES_256"), None) => 32,
        (Some("AES_128"), None) => 16,
        (None, Some(bytes @ 1..=1024)) => usize::try_from(bytes).unwrap_or(32),
        _ => return Err(Refusal::new("ValidationException", "either KeySpec or NumberOfBytes must be given")),
    };
    let mut plaintext = vec![0_u8; length];
    material::fill(&mut plaintext)?;
    let ciphertext = key.encrypt(&id, &context(request)?, &plaintext)?;
    let mut answer = json!({ "CiphertextBlob": STANDARD.encode(ciphertext), "KeyId": arn(&id) });
    if with_plaintext {
        answer["Plaintext"] = json!(STANDARD.encode(plaintext));
    }
    Ok(answer)
}

fn generate_random(request: &Value) -> Result<Value, Refusal> {
    let length = request["NumberOfBytes"].as_u64().and_then(|length| usize::try_from(length).ok());
    let Some(length @ 1..=1024) = length else {
        return Err(Refusal::new("ValidationException", "NumberOfBytes must be 1 to 1024"));
    };
    let mut bytes = vec![0_u8; length];
    material::fill(&mut bytes)?;
    Ok(json!({ "Plaintext": STANDARD.encode(bytes) }))
}

/// The id behind a key's id, ARN, alias or alias ARN.
fn resolve(keyring: &Keyring, name: &str) -> Result<String, Refusal> {
    let short = name.strip_prefix("arn:").and_then(|rest| rest.splitn(5, ':').nth(4)).unwrap_or(name);
    let id = match keyring.aliases.get(short) {
        Some(id) => id,
        None => short.strip_prefix("key/").unwrap_or(short),
    };
    if keyring.keys.contains_key(id) { Ok(id.to_owned()) } else { Err(missing(name)) }
}

fn usable<'a>(keyring: &'a Keyring, name: &str) -> Result<(String, &'a Key), Refusal> {
    let id = resolve(keyring, name)?;
    let key = keyring.keys.get(&id).ok_or_else(|| missing(name))?;
    match key.state {
        State::Enabled => Ok((id, key)),
        State::Disabled => Err(Refusal::new("DisabledException", &format!("{} is disabled", arn(&id)))),
        State::PendingDeletion { .. } => Err(pending(&id)),
    }
}

/// The encryption context as authenticated data: pairs in order of name, each with its length, so that no two contexts
/// read the same.
fn context(request: &Value) -> Result<Vec<u8>, Refusal> {
    let mut bytes = Vec::new();
    let pairs: BTreeMap<&String, &Value> = request["EncryptionContext"].as_object().into_iter().flatten().collect();
    for (name, value) in pairs {
        let value = value
            .as_str()
            .ok_or_else(|| Refusal::new("SerializationException", "the values of an encryption context are strings"))?;
        for part in [name.as_str(), value] {
            bytes.extend_from_slice(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            bytes.extend_from_slice(part.as_bytes());
        }
    }
    Ok(bytes)
}

fn metadata(id: &str, key: &Key) -> Value {
    let (state, deletion) = match key.state {
        State::Enabled => ("Enabled", None),
        State::Disabled => ("Disabled", None),
        State::PendingDeletion { at_ms } => ("PendingDeletion", Some(at_ms.div_euclid(1000))),
    };
    let mut metadata = json!({
        "AWSAccountId": ACCOUNT,
        "KeyId": id,
        "Arn": arn(id),
        "CreationDate": key.created_ms.div_euclid(1000),
        "Enabled": key.state == State::Enabled,
        "Description": key.description,
        "KeyUsage": "ENCRYPT_DECRYPT",
        "KeyState": state,
        "Origin": "AWS_KMS",
        "KeyManager": "CUSTOMER",
        "KeySpec": "SYMMETRIC_DEFAULT",
        "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT",
        "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"],
        "MultiRegion": false,
    });
    if let Some(deletion) = deletion {
        metadata["DeletionDate"] = json!(deletion);
    }
    metadata
}

fn text<'a>(request: &'a Value, name: &str) -> Result<&'a str, Refusal> {
    request[name].as_str().ok_or_else(|| Refusal::new("ValidationException", &format!("{name} is missing")))
}

fn blob(request: &Value, name: &str) -> Result<Vec<u8>, Refusal> {
    let encoded = text(request, name)?;
    STANDARD.decode(encoded).map_err(|_| Refusal::new("SerializationException", &format!("{name} is not base64")))
}

fn missing(name: &str) -> Refusal {
    Refusal::new("NotFoundException", &format!("the key `{name}` does not exist"))
}

fn pending(id: &str) -> Refusal {
    Refusal::new("KMSInvalidStateException", &format!("{} is pending deletion", arn(id)))
}
