//! Event source mappings: what feeds functions from queues and streams, one task each.
//!
//! It deliberately polls nothing: it waits on the engine's signals, and moves on when they come.

mod filter;
mod queue;
mod stream;

use std::{collections::BTreeSet, sync::Arc};

use serde_json::Value;
use tokio::task::JoinSet;

use self::stream::Progress;
use super::{
    HostError,
    lambda::{Failure, Functions},
    stop::Stop,
};
use crate::{
    engine::Engine,
    template::plan::{Mapping, Source},
};

/// Starts every mapping; each ends when `stop` becomes true, after the invocations that are under way.
///
/// # Errors
/// When a mapping names a function, queue or table that is not there, or a filter that is not understood.
pub(super) fn start(
    mappings: &[Mapping],
    functions: &Functions,
    engine: &Engine,
    stop: &Stop,
    tasks: &mut JoinSet<()>,
) -> Result<(), HostError> {
    let progress = Arc::new(Progress::default());
    for mapping in mappings {
        let function = functions.get(&mapping.function).cloned().ok_or_else(|| {
            HostError::Template(format!("{}: there is no function `{}`", mapping.name, mapping.function))
        })?;
        let filter = filter::Filter::read(&mapping.filters)
            .map_err(|what| HostError::Template(format!("{}: {what}", mapping.name)))?;
        match &mapping.source {
            Source::Queue(queue) => {
                if engine.queues().spec(queue).is_none() {
                    return Err(HostError::Template(format!("{}: there is no queue `{queue}`", mapping.name)));
                }
                let poller = queue::Poller::new(queue, mapping, filter, function, engine.clone());
                tasks.spawn(poller.run(stop.clone()));
            }
            Source::Stream(table) => {
                let reader =
                    stream::Reader::new(table, mapping, filter, function, engine.clone(), Arc::clone(&progress))?;
                tasks.spawn(reader.run(stop.clone()));
            }
        }
    }
    Ok(())
}

/// How much of a batch a function handled.
#[derive(Debug, PartialEq, Eq)]
enum Handled {
    All,
    /// Everything but these, by the id the function was to name them by.
    AllBut(BTreeSet<String>),
    Nothing,
}

/// Reads an invocation's outcome as Lambda does: no list or an empty one means everything was handled; an id that was
/// not in the batch, or a shape that is none, means that nothing was.
fn handled<'a>(
    outcome: &Result<Value, Failure>,
    partial: bool,
    mut ids: impl Iterator<Item = &'a str> + Clone,
) -> Handled {
    let Ok(answer) = outcome else { return Handled::Nothing };
    if !partial {
        return Handled::All;
    }
    let failures = match answer.get("batchItemFailures") {
        None | Some(Value::Null) => return Handled::All,
        Some(Value::Array(failures)) if failures.is_empty() => return Handled::All,
        Some(Value::Array(failures)) => failures,
        Some(_) => return Handled::Nothing,
    };
    let mut failed = BTreeSet::new();
    for failure in failures {
        match failure.get("itemIdentifier").and_then(Value::as_str) {
            Some(id) if ids.clone().any(|known| known == id) => failed.insert(id.to_owned()),
            _ => return Handled::Nothing,
        };
    }
    if ids.all(|id| failed.contains(id)) { Handled::Nothing } else { Handled::AllBut(failed) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(answer: Value) -> Handled {
        handled(&Ok(answer), true, ["a", "b"].into_iter())
    }

    #[test]
    fn an_empty_list_of_failures_means_that_all_was_handled() {
        for answer in [json!(null), json!({}), json!({ "batchItemFailures": [] }), json!({ "batchItemFailures": null })]
        {
            assert_eq!(read(answer), Handled::All);
        }
    }

    #[test]
    fn named_failures_come_again_and_the_rest_does_not() {
        let answer = json!({ "batchItemFailures": [{ "itemIdentifier": "b" }] });
        assert_eq!(read(answer.clone()), Handled::AllBut(BTreeSet::from(["b".to_owned()])));
        assert_eq!(handled(&Ok(answer), false, ["a", "b"].into_iter()), Handled::All);
    }

    #[test]
    fn a_failure_that_names_nothing_of_the_batch_fails_the_whole_batch() {
        for answer in [
            json!({ "batchItemFailures": [{ "itemIdentifier": "c" }] }),
            json!({ "batchItemFailures": [{ "itemIdentifier": "" }] }),
            json!({ "batchItemFailures": [{ "itemIdentifier": null }] }),
            json!({ "batchItemFailures": [{ "id": "a" }] }),
            json!({ "batchItemFailures": "a" }),
        ] {
            assert_eq!(read(answer.clone()), Handled::Nothing, "{answer}");
        }
        assert_eq!(handled(&Err(Failure::TimedOut), true, ["a"].into_iter()), Handled::Nothing);
    }
}
