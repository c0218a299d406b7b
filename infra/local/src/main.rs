//! The `colloquy` binary: the whole template on one machine, with one command.
//!
//! It deliberately catches no signal: everything acknowledged is on disk at any moment, so that ending the process is
//! how it is stopped.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Parser;
use colloquy_local::{
    host::{Host, HostError, Options},
    seed,
};
use tracing_subscriber::EnvFilter;

/// What is logged when `RUST_LOG` does not say: the host's own words, and what goes wrong anywhere.
const LOGGED: &str = "warn,colloquy_local=info";

/// Colloquy on one machine: channels, console, API and the AWS underneath.
#[derive(Debug, Parser)]
#[command(name = "colloquy", version, about)]
struct Arguments {
    /// The port on 127.0.0.1.
    #[arg(long, default_value_t = 8787)]
    port: u16,
    /// The folder that everything is kept in.
    #[arg(long, value_name = "DIR", default_value = ".colloquy")]
    data: PathBuf,
    /// Start without the demo data: one administrator and nothing else.
    #[arg(long)]
    empty: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(LOGGED));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).with_target(false).compact().init();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("the machine gives no threads: {error}")),
    };
    match runtime.block_on(run(&arguments)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error.to_string()),
    }
}

/// One line on standard error, whatever the cause had to say.
fn fail(why: &str) -> ExitCode {
    let line: Vec<&str> = why.split_whitespace().collect();
    let _ = writeln!(io::stderr(), "colloquy: {}", line.join(" "));
    ExitCode::FAILURE
}

async fn run(arguments: &Arguments) -> Result<(), HostError> {
    let options =
        Options { port: arguments.port, empty: arguments.empty, build_pages: true, ..Options::new(&arguments.data) };
    let host = Box::pin(Host::start(options, seed::prepare)).await?;
    // Whoever closed the terminal still has the host.
    let _ = greet(&host, &arguments.data);
    host.serve().await;
    Ok(())
}

/// Where everything is, and who may sign in.
fn greet(host: &Host, data: &Path) -> io::Result<()> {
    let data = data.canonicalize().unwrap_or_else(|_| data.to_owned());
    let mut out = io::stdout().lock();
    writeln!(out, "Colloquy serves at {}\n", host.url("/"))?;
    writeln!(out, "  console    {}", host.url("/"))?;
    writeln!(out, "  shop       {}", host.url("/shop"))?;
    writeln!(out, "  channels   {}", host.url("/channels"))?;
    writeln!(out, "  API        {}", host.url("/v1/openapi.json"))?;
    for (at, person) in host.people().iter().enumerate() {
        let label = if at == 0 { "people" } else { "" };
        writeln!(out, "  {label:<10} {} ({}, {})", person.email, person.name, person.role)?;
    }
    writeln!(out, "  data       {}", data.display())?;
    out.flush()
}
