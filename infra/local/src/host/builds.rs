//! The console's and the widget's npm builds, run in the background when their output is missing or older than a source.
//!
//! It deliberately stops nothing else: without Node, or with a build that fails, one line says so and the host serves
//! on.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
    time::SystemTime,
};

use tracing::{info, warn};

/// The oldest Node that the builds work with.
const NODE: u32 = 20;

/// How a build stands, in words for a page. Clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct Build {
    state: Arc<RwLock<String>>,
    runs: Arc<AtomicBool>,
}

impl Build {
    /// How it stands; one sentence.
    pub(super) fn state(&self) -> String {
        self.state.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether it is still going on.
    pub(super) fn runs(&self) -> bool {
        self.runs.load(Ordering::Relaxed)
    }

    fn set(&self, state: &str) {
        state.clone_into(&mut self.state.write().unwrap_or_else(PoisonError::into_inner));
    }
}

/// Builds what needs it below `root`, one after the other, off the async threads.
pub(super) fn start(root: &Path) -> Build {
    let build = Build::default();
    let stale: Vec<PathBuf> = ["infra/console", "infra/widget"]
        .iter()
        .map(|folder| root.join(folder))
        .filter(|folder| folder.join("package.json").is_file() && is_stale(folder))
        .collect();
    if stale.is_empty() {
        build.set("The console has not been built: infra/console is not here.");
        return build;
    }
    build.set("The console is being built; this takes a minute the first time.");
    build.runs.store(true, Ordering::Relaxed);
    let state = build.clone();
    // A thread of its own: a build outlives any request, and must not hold the host back when it stops.
    std::thread::spawn(move || {
        for folder in stale {
            if let Err(why) = run(&folder) {
                let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
                warn!("the {name} is not built: {why}; everything else is served");
                if name == "console" {
                    state.set(&format!("The console is not built: {why}. Mend that and start again."));
                }
            }
        }
        state.runs.store(false, Ordering::Relaxed);
    });
    build
}

fn run(folder: &Path) -> Result<(), String> {
    check_node()?;
    info!("building {}", folder.display());
    if is_older(&folder.join("node_modules/.package-lock.json"), &folder.join("package-lock.json")) {
        npm(folder, &["ci", "--no-audit", "--no-fund", "--loglevel=error"])?;
    }
    npm(folder, &["run", "build", "--silent"])?;
    info!("built {}", folder.display());
    Ok(())
}

fn check_node() -> Result<(), String> {
    let needed = || format!("Node {NODE} or later is needed");
    let answer =
        Command::new("node").arg("--version").output().map_err(|_| format!("{}, and none was found", needed()))?;
    let version = String::from_utf8_lossy(&answer.stdout).trim().to_owned();
    let major = version.trim_start_matches('v').split('.').next().and_then(|major| major.parse::<u32>().ok());
    match major {
        Some(major) if major >= NODE => Ok(()),
        _ => Err(format!("{}, and this is {version}", needed())),
    }
}

fn npm(folder: &Path, arguments: &[&str]) -> Result<(), String> {
    let output = Command::new("npm")
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("npm does not start: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing").trim().to_owned();
    Err(format!("`npm {}` failed: {last}", arguments[0]))
}

/// Whether a folder's `dist` is missing, or older than anything it is made of.
fn is_stale(folder: &Path) -> bool {
    let Some(built) = newest(&folder.join("dist")) else { return true };
    let Ok(entries) = fs::read_dir(folder) else { return false };
    entries
        .filter_map(Result::ok)
        .filter(|entry| {
            let name = entry.file_name();
            !matches!(name.to_str(), Some("dist" | "node_modules" | "mock")) && !name.to_string_lossy().starts_with('.')
        })
        .filter_map(|entry| newest(&entry.path()))
        .any(|changed| changed > built)
}

/// When the newest file at or below a path was written.
fn newest(path: &Path) -> Option<SystemTime> {
    let metadata = fs::metadata(path).ok()?;
    if !metadata.is_dir() {
        return metadata.modified().ok();
    }
    fs::read_dir(path).ok()?.filter_map(Result::ok).filter_map(|entry| newest(&entry.path())).max()
}

/// Whether the first file is missing, or older than the second.
fn is_older(first: &Path, second: &Path) -> bool {
    let written = |path: &Path| -> io::Result<SystemTime> { fs::metadata(path)?.modified() };
    match (written(first), written(second)) {
        (Ok(first), Ok(second)) => first < second,
        (Err(_), _) => true,
        (Ok(_), Err(_)) => false,
    }
}

#[cfg(test)]
mod tests {
    use std::{fs::File, time::Duration};

    use super::*;

    fn write(path: &Path, age_s: u64) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let written = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000 - age_s);
        File::create(path).unwrap().set_modified(written).unwrap();
    }

    #[test]
    fn a_build_is_stale_when_a_source_is_newer_than_its_output() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        write(&path("src/app/main.ts"), 10);
        assert!(is_stale(folder.path()), "never built");
        write(&path("dist/index.html"), 5);
        assert!(!is_stale(folder.path()));
        write(&path("node_modules/x/index.js"), 1);
        assert!(!is_stale(folder.path()), "what npm installs is no source");
        write(&path("src/app/main.ts"), 1);
        assert!(is_stale(folder.path()));
    }
}
