//! The `colloquy` binary as a child process, beside the test's own executable; built when it is not there.

use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use super::Problem;

/// How long a start may take: opening what an earlier run left, not seeding it.
const START: Duration = Duration::from_secs(30);

/// A running `colloquy`. Dropping it kills it.
pub struct Process {
    child: Child,
    base: String,
}

impl Process {
    /// Starts the binary on `data` and waits until everything answers.
    ///
    /// # Errors
    /// When it does not start, or does not answer in time.
    pub async fn start(binary: &Path, data: &Path, port: u16) -> Result<Self, Problem> {
        let log = std::fs::File::options().create(true).append(true).open(data.with_extension("log"))?;
        let mut command = Command::new(binary);
        command.args(["--empty", "--port", &port.to_string(), "--data"]).arg(data);
        // Without Node the pages are not built, which is nothing to this test.
        command.env("PATH", "").stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let process = Self { child: command.spawn()?, base: format!("http://127.0.0.1:{port}") };
        process.answers().await?;
        Ok(process)
    }

    async fn answers(&self) -> Result<(), Problem> {
        let (http, begun) = (reqwest::Client::builder().no_proxy().build()?, Instant::now());
        let health = format!("{}/healthz", self.base);
        while begun.elapsed() < START {
            if http.get(&health).send().await.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Err("colloquy did not answer in time; its log is beside its data folder".into())
    }

    /// Where it serves.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Kills it as `kill -9` does.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn kill(mut self) -> Result<(), Problem> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The binary of this very profile; when cargo started us, as the sources are now.
///
/// # Errors
/// When the executable's place says no profile, or the build fails.
pub fn binary() -> Result<PathBuf, Problem> {
    let own = std::env::current_exe()?;
    let folder = own.parent().ok_or("the test's executable is nowhere")?;
    let folder = if folder.ends_with("deps") { folder.parent().unwrap_or(folder) } else { folder };
    if let Some(cargo) = std::env::var_os("CARGO") {
        let profile = match folder.file_name().and_then(|name| name.to_str()) {
            Some("debug") | None => "dev",
            // Cargo gives both one folder; ours for measuring inherits `dev`, with its assertions.
            Some("release") if cfg!(debug_assertions) => "bench",
            Some(name) => name,
        };
        // The whole workspace's features, or everything underneath would be compiled once more.
        let built = Command::new(cargo)
            .args(["build", "--quiet", "--workspace", "--bin", "colloquy", "--profile", profile])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status()?;
        if !built.success() {
            return Err("colloquy cannot be built".into());
        }
    }
    let binary = folder.join("colloquy");
    if !binary.is_file() {
        return Err(format!("{} is not there; `cargo build` makes it", binary.display()).into());
    }
    Ok(binary)
}

/// A port that nobody listens on.
///
/// # Errors
/// When the system has none.
pub fn free_port() -> Result<u16, Problem> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}
