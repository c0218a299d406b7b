//! Faults a simulation injects between an SDK client and the engine.
//!
//! It deliberately decides nothing: the simulation says, call by call, what goes wrong.

use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

/// One call an SDK client makes.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// `dynamodb`, `sqs`, `kms` or `sockets`.
    pub service: &'static str,
    /// The operation, as `PutItem`.
    pub operation: &'a str,
    /// The request's body.
    pub body: &'a [u8],
}

/// What goes wrong with a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    #[default]
    None,
    /// The request never arrives: nothing is done, the client sees a broken connection.
    LoseRequest,
    /// The request is carried out, and its answer is lost on the way.
    LoseAnswer,
    /// AWS answers that it is too busy; nothing is done.
    Throttle,
}

type Chooser = Arc<dyn Fn(Call<'_>) -> Fault + Send + Sync>;

/// The faults in force. Clones share one setting.
#[derive(Clone, Default)]
pub struct Faults {
    chooser: Arc<RwLock<Option<Chooser>>>,
}

impl Faults {
    /// From now on `chooser` says what goes wrong with each call.
    pub fn inject(&self, chooser: impl Fn(Call<'_>) -> Fault + Send + Sync + 'static) {
        *self.chooser.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(chooser));
    }

    /// From now on nothing goes wrong.
    pub fn clear(&self) {
        *self.chooser.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    pub(crate) fn of(&self, call: Call<'_>) -> Fault {
        let chooser = self.chooser.read().unwrap_or_else(PoisonError::into_inner).clone();
        chooser.map_or(Fault::None, |chooser| chooser(call))
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Faults").finish_non_exhaustive()
    }
}
