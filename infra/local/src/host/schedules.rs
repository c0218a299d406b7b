//! The clock's calls: each schedule's function, at once when the host starts and then at its rate.
//!
//! It deliberately keeps no memory of the last run: what fell due while the host was down is for the function to find,
//! and the first call comes at once.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::{
    task::JoinSet,
    time::{MissedTickBehavior, interval},
};

use super::{
    HostError,
    lambda::{Function, Functions},
    moment::Moment,
    stop::Stop,
};
use crate::{
    engine::{ACCOUNT, Engine, REGION, random_id},
    template::plan::Schedule,
};

/// How often expired items are deleted from the tables.
const EXPIRY: Duration = Duration::from_secs(60);

/// Starts every schedule, and the deletion of expired items; each ends when `stop` becomes true.
///
/// # Errors
/// When a schedule names a function that is not there, or its input is not JSON.
pub(super) fn start(
    schedules: &[Schedule],
    functions: &Functions,
    engine: &Engine,
    stop: &Stop,
    tasks: &mut JoinSet<()>,
) -> Result<(), HostError> {
    for schedule in schedules {
        let function = functions.get(&schedule.function).cloned().ok_or_else(|| {
            HostError::Template(format!("{}: there is no function `{}`", schedule.name, schedule.function))
        })?;
        let input: Option<Value> =
            schedule.input.as_deref().map(serde_json::from_str).transpose().map_err(|error| {
                HostError::Template(format!("{}: the schedule's input is not JSON: {error}", schedule.name))
            })?;
        let rate = Duration::from_secs(u64::from(schedule.rate_s.max(1)));
        tasks.spawn(run(schedule.name.clone(), rate, input, function, engine.clone(), stop.clone()));
    }
    tasks.spawn(expire(engine.clone(), stop.clone()));
    Ok(())
}

async fn run(name: String, rate: Duration, input: Option<Value>, function: Function, engine: Engine, mut stop: Stop) {
    let mut ticks = interval(rate);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = stop.heard() => return,
        }
        let event = input.clone().unwrap_or_else(|| event(&name, Moment::from_ms(engine.now_ms())));
        // A failure is logged where it happens; the next tick is the retry.
        let _ = function.invoke(event).await;
    }
}

async fn expire(engine: Engine, mut stop: Stop) {
    let mut ticks = interval(EXPIRY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = stop.heard() => return,
        }
        if let Err(error) = engine.tables().sweep_ttl() {
            tracing::error!("expired items cannot be deleted: {error}");
        }
    }
}

/// What `EventBridge` Scheduler sends a function when the schedule has no input of its own.
#[must_use]
pub(crate) fn event(name: &str, at: Moment) -> Value {
    json!({
        "version": "0",
        "id": random_id(),
        "detail-type": "Scheduled Event",
        "source": "aws.scheduler",
        "account": ACCOUNT,
        "time": at.rfc3339_seconds(),
        "region": REGION,
        "resources": [format!("arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule/default/{name}")],
        "detail": "{}",
    })
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::*;
    use crate::host::{lambda::tests::toy, stop::Stopper};

    #[test]
    fn a_schedules_event_is_the_schedulers() {
        let event = event("SweepEveryMinute", Moment::from_ms(1_795_415_624_123));
        assert_eq!(event["time"], "2026-11-23T06:33:44Z");
        assert_eq!(event["source"], "aws.scheduler");
        assert_eq!(event["detail-type"], "Scheduled Event");
        assert!(event["resources"][0].as_str().unwrap().ends_with("/SweepEveryMinute"));
    }

    #[tokio::test]
    async fn a_schedule_runs_at_once_and_then_at_its_rate_until_the_host_stops() {
        let (ran, mut runs) = mpsc::unbounded_channel();
        let sweep = toy("Sweep", move |event| {
            ran.send(event).unwrap();
            async { Ok(Value::Null) }
        });
        let engine = Engine::in_memory(std::sync::Arc::new(|| 0)).unwrap();
        let (stopper, stop) = Stopper::new();
        let rate = Duration::from_millis(1);
        let running = tokio::spawn(run("S".to_owned(), rate, Some(json!({ "a": 1 })), sweep, engine, stop));
        for _ in 0..3 {
            assert_eq!(runs.recv().await.unwrap(), json!({ "a": 1 }));
        }
        stopper.say();
        running.await.unwrap();
    }

    #[tokio::test]
    async fn a_schedule_without_a_function_is_refused_by_name() {
        let schedule = Schedule { name: "S".to_owned(), function: "Nobody".to_owned(), rate_s: 60, input: None };
        let engine = Engine::in_memory(std::sync::Arc::new(|| 0)).unwrap();
        let (_stopper, stop) = Stopper::new();
        let refusal = start(&[schedule], &Functions::default(), &engine, &stop, &mut JoinSet::new()).unwrap_err();
        assert!(refusal.to_string().contains("`Nobody`"), "{refusal}");
    }
}
