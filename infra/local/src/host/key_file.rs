//! A secret kept in a file that only its owner may read.
//!
//! It deliberately does not encrypt: whoever can read the folder as its owner holds the demo anyway.

use std::{
    fs,
    io::{self, Write},
    path::Path,
};

/// What the file holds; when it is not there, it is made of what `make` gives.
///
/// # Errors
/// When the file cannot be read or written, or `make` fails.
pub(super) fn read_or_make(path: &Path, make: impl FnOnce() -> io::Result<Vec<u8>>) -> io::Result<Vec<u8>> {
    match fs::read(path) {
        Ok(secret) => return Ok(secret),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let secret = make()?;
    // Written aside and renamed, so that a process killed here leaves no half key behind.
    let aside = path.with_extension("new");
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&aside)?;
    file.write_all(&secret)?;
    file.sync_all()?;
    fs::rename(&aside, path)?;
    Ok(secret)
}
