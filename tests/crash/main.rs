//! Kills the real process again and again while customers write, agents answer and receipts come, and then checks what
//! must hold whatever happened: nothing acknowledged is lost or doubled, nothing is sent twice unasked.
//!
//! `COLLOQUY_KILLS` says how often (5), `COLLOQUY_SEED` repeats a run's choices; timing is the machine's own, so that a
//! seed repeats what is done and not to the microsecond when.
#![expect(clippy::print_stdout, reason = "the seed is what a failing run is repeated by")]

mod agents;
mod chance;
mod check;
mod customers;
mod known;

use std::{sync::Arc, time::Duration};

use colloquy_local::engine::Engine;
use colloquy_tests::outside::{Desk, Manners, Platform, Problem, Process, Rest, binary, free_port};
use tokio::time::{Instant, sleep};

use self::{chance::Chance, known::Known};

/// How many agents answer.
const AGENTS: usize = 3;
/// The channel API refuses now and then for the rate, and is slow enough to be killed in the middle of a call.
const MANNERS: Manners = Manners { refuse_each: 23, slow_ms: 200 };
/// How long everything may take to settle: longer than the longest visibility time-out of a queue.
const SETTLE: Duration = Duration::from_secs(240);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_or_doubled_when_the_process_is_killed_at_any_moment() {
    let seed = number("COLLOQUY_SEED").unwrap_or_else(known::now_ms);
    let kills = number("COLLOQUY_KILLS").unwrap_or(5);
    println!("{kills} kills; repeat with COLLOQUY_SEED={seed}");
    if let Err(problem) = Box::pin(run(seed, kills)).await {
        panic!("{problem}\nrepeat with COLLOQUY_SEED={seed}");
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is not a number: {text}")))
}

async fn run(seed: u64, kills: u64) -> Result<(), Problem> {
    let mut chance = Chance::new(seed);
    let folder = tempfile::tempdir()?;
    let (data, binary, port) = (folder.path().join("data"), binary()?, free_port()?);
    let (platform, taken) = Platform::start(MANNERS).await?;
    let mut process = Process::start(&binary, &data, port).await?;
    let rest = Rest::new(process.base())?;
    let desk = Desk::set_up(&rest, platform.base(), AGENTS).await?;
    let known = Arc::new(Known::default());
    let customers = customers::start(&rest, &desk, &known, taken, &mut chance);
    let agents = agents::start(&rest, &desk, &known, &mut chance);

    for kill in 1..=kills {
        sleep(Duration::from_millis(chance.within(150, 2_500))).await;
        process.kill()?;
        process = Process::start(&binary, &data, port).await?;
        println!("kill {kill}: {}", known.count());
    }
    sleep(Duration::from_secs(2)).await;
    known.stop_customers();
    customers.join_all().await;

    let deadline = Instant::now() + SETTLE;
    let mut wrong = settled(&rest, &desk, &known, &platform, deadline).await?;
    known.stop_agents();
    agents.join_all().await;
    loop {
        // The agents may have said more meanwhile. Queues can be looked into only while nobody works on them, which
        // is one more kill.
        wrong.extend(settled(&rest, &desk, &known, &platform, deadline).await?);
        process.kill()?;
        let left = left_over(&data)?;
        if left.is_empty() || Instant::now() > deadline {
            wrong.extend(left);
            break;
        }
        process = Process::start(&binary, &data, port).await?;
        sleep(Duration::from_secs(5)).await;
    }
    println!("settled: {}", known.count());
    if wrong.is_empty() {
        return Ok(());
    }
    // The evidence stays: the folder and the process's log.
    let kept = folder.keep();
    wrong.sort();
    wrong.dedup();
    Err(format!("{}\nkept: {}", wrong.join("\n"), kept.display()).into())
}

/// What is wrong once nothing is, or at the latest at `deadline`.
async fn settled(
    rest: &Rest,
    desk: &Desk,
    known: &Known,
    platform: &Platform,
    deadline: Instant,
) -> Result<Vec<String>, Problem> {
    loop {
        let wrong = check::all(rest, desk, known, platform).await?;
        if wrong.is_empty() || Instant::now() > deadline {
            return Ok(wrong);
        }
        sleep(Duration::from_millis(500)).await;
    }
}

/// What the queues still hold once everything has settled; wake-ups of a later hour may wait.
fn left_over(data: &std::path::Path) -> Result<Vec<String>, Problem> {
    let engine = Engine::open(data, Arc::new(|| i64::try_from(known::now_ms()).unwrap_or(i64::MAX)))?;
    let held = |(name, depth): (String, colloquy_local::engine::queues::Depth)| {
        let held = depth.visible + depth.in_flight + depth.delayed;
        let waits = held > 0 && !(name.to_lowercase().contains("timers") && depth.visible == 0);
        waits.then(|| format!("the queue {name} still holds {held}"))
    };
    Ok(engine.queues().depths().into_iter().filter_map(held).collect())
}
