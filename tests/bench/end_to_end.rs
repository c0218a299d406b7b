//! How fast a message goes through the whole chain on this machine: a signed webhook to the entry on an agent's
//! socket, and an agent's reply to the channel's API, against a `colloquy` process of the same profile with everything
//! on disk.
//!
//! Load is offered by the clock, not by answers: a message counts from the moment it was due. The customers, agents
//! and channel API it plays take their share of the same cores.
#![expect(clippy::print_stdout, reason = "a table of figures is what this program is for")]

mod load;

use std::time::Duration;

use colloquy_tests::outside::{Desk, Manners, Platform, Problem, Process, Rest, binary, free_port};

use self::load::{Bench, Measured, Way};

/// How many customers write, each in a conversation of their own.
const CUSTOMERS: usize = 200;
/// How many agents have those conversations.
const AGENTS: usize = 4;
/// Offered loads that look for the highest one sustained, in messages a second.
const LOADS: [u32; 10] = [75, 100, 125, 150, 200, 250, 300, 400, 500, 600];
/// How long each lasts, in seconds.
const LASTS_S: u32 = 15;
/// What a load must keep to, to count as sustained.
const SUSTAINED: Duration = Duration::from_secs(1);

fn main() -> Result<(), Problem> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(run())
}

async fn run() -> Result<(), Problem> {
    let folder = tempfile::tempdir()?;
    let (platform, taken) = Platform::start(Manners::default()).await?;
    let process = Process::start(&binary()?, &folder.path().join("data"), free_port()?).await?;
    let rest = Rest::new(process.base())?;
    let desk = Desk::set_up(&rest, platform.base(), AGENTS).await?;
    let mut bench = Bench::start(&rest, &desk, taken, CUSTOMERS).await?;

    println!(
        "{:<34} {:>8} {:>8} {:>9} {:>9} {:>9} {:>9}",
        "way", "msg/s", "sent", "arrived", "p50 ms", "p99 ms", "max ms"
    );
    for way in [Way::In, Way::Out] {
        show(way, 50, &bench.measure(way, 50, 20).await?);
        let mut best = 50;
        for rate in LOADS {
            let measured = bench.measure(way, rate, LASTS_S).await?;
            show(way, rate, &measured);
            if !measured.is_sustained(SUSTAINED) {
                break;
            }
            best = rate;
        }
        println!("{:<34} {best:>8} sustained: all arrived, p99 under {} s", way.name(), SUSTAINED.as_secs());
    }
    Ok(())
}

fn show(way: Way, rate: u32, measured: &Measured) {
    let ms = |quantile| measured.at(quantile).as_secs_f64() * 1000.0;
    println!(
        "{:<34} {rate:>8} {:>8} {:>9} {:>9.1} {:>9.1} {:>9.1}",
        way.name(),
        measured.sent,
        measured.arrived(),
        ms(0.5),
        ms(0.99),
        ms(1.0),
    );
}
